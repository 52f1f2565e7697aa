// Set light or dark before anything is painted: the choice kept in this browser, else the device's wish.
(() => {
  "use strict";
  const wish = window.matchMedia("(prefers-color-scheme: dark)");
  const stored = () => {
    try { return localStorage.getItem("theme"); } catch { return null; }
  };
  const apply = () => {
    document.documentElement.dataset.bsTheme = stored() || (wish.matches ? "dark" : "light");
  };
  apply();
  wish.addEventListener("change", apply);
  window.switchTheme = () => {
    const next = document.documentElement.dataset.bsTheme === "dark" ? "light" : "dark";
    try { localStorage.setItem("theme", next); } catch { /* without storage the choice lasts for this page */ }
    document.documentElement.dataset.bsTheme = next;
  };
})();
