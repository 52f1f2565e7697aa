// What the console does beside htmx: keyboard in the list, bulk choice, uploads, undo countdown, forms sent once.
(() => {
  "use strict";
  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => Array.from(within.querySelectorAll(selector));
  const say = (words) => {
    const place = one("#announcer");
    if (place && words) { place.textContent = ""; window.setTimeout(() => { place.textContent = words; }, 50); }
  };
  const writing = (target) => target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

  // Theme
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-theme-switch]")) window.switchTheme();
    if (event.target.closest("[data-print]")) window.print();
  });

  // Filters apply at once
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-autosubmit]");
    if (form) form.requestSubmit();
  });

  // The list: j and k move, Enter opens, x chooses, / searches
  let current = "";
  const rows = () => all("[data-row]");
  const go = (step) => {
    const list = rows();
    if (!list.length) return;
    const at = list.findIndex((row) => row.id === current);
    const next = list[Math.min(Math.max(at + step, 0), list.length - 1)];
    current = next.id;
    one("[data-open]", next).focus();
    next.scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("focusin", (event) => {
    const row = event.target.closest && event.target.closest("[data-row]");
    if (row) current = row.id;
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && event.target.matches("[data-search]")) { event.target.blur(); return; }
    if (writing(event.target) && event.target.type !== "checkbox") return;
    if (event.key === "/" && one("[data-search]")) { event.preventDefault(); one("[data-search]").focus(); one("[data-search]").select(); }
    else if (event.key === "j") go(1);
    else if (event.key === "k") go(-1);
    else if (event.key === "x" && current) {
      const box = one(`#${CSS.escape(current)} input[type=checkbox]`);
      if (box) { box.checked = !box.checked; count(); }
    }
  });

  // Bulk choice
  const chosen = () => all("[data-bulk] input[name=case]:checked");
  const count = () => {
    const bar = one("[data-bulk-bar]");
    if (!bar) return;
    const number = chosen().length;
    bar.classList.toggle("shown", number > 0);
    const words = one("[data-bulk-count]", bar);
    words.textContent = `${words.dataset.words} ${number}`;
  };
  document.addEventListener("change", (event) => { if (event.target.matches("[data-bulk] input[name=case]")) count(); });

  // News: do not pull the list away under somebody who is choosing; say it and let them decide
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.matches("[data-cases]") && chosen().length) {
      event.preventDefault();
      const news = one("[data-news]");
      if (news) news.hidden = false;
    }
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const place = event.detail.elt || event.target;
    if (current && document.getElementById(current) && document.activeElement === document.body) one("[data-open]", document.getElementById(current))?.focus();
    const said = place.dataset && place.dataset.said;
    if (said) say(said);
    prepare();
    const thread = one("[data-thread]");
    const version = one(".case-actions input[name=version], .card-approve input[name=version]");
    if (thread && version && thread.dataset.version !== version.value) {
      const news = one("[data-news]");
      if (news) news.hidden = false;
    }
  });

  // News that comes while a part is being fetched would end with the part that is replaced: ask once more then
  const heard = new Map();
  const asked = new Map();
  document.addEventListener("htmx:sseMessage", (event) => {
    if (event.target.id) heard.set(event.target.id, { at: performance.now(), topic: event.detail.type });
  });
  document.addEventListener("htmx:beforeRequest", (event) => { if (event.target.id) asked.set(event.target.id, performance.now()); });
  document.addEventListener("htmx:afterSettle", (event) => {
    const place = document.getElementById((event.detail.elt || event.target).id);
    const news = place && heard.get(place.id);
    if (!news || news.at <= (asked.get(place.id) || 0)) return;
    heard.delete(place.id);
    window.htmx.trigger(place, `sse:${news.topic}`);
  });

  // Somebody signed out elsewhere: the server says where to go
  document.addEventListener("htmx:responseError", (event) => {
    const target = event.detail.xhr.getResponseHeader("HX-Redirect");
    if (target) window.location.assign(target);
  });

  // Undo counts down; when the time has passed the button is gone and the page shows what left
  const countDown = (bar) => {
    if (bar.dataset.running) return;
    bar.dataset.running = "1";
    const ends = performance.now() + (Number(bar.dataset.undoUntil) - Number(bar.dataset.now)) * 1000;
    const seconds = one("[data-undo-seconds]", bar);
    const tick = () => {
      if (!bar.isConnected) return;
      const left = Math.ceil((ends - performance.now()) / 1000);
      if (left <= 0) {
        bar.remove();
        const thread = one("[data-thread]");
        if (thread && window.htmx) window.setTimeout(() => window.htmx.trigger(thread, "refresh"), 800);
        return;
      }
      seconds.textContent = String(left);
      window.setTimeout(tick, 200);
    };
    tick();
  };

  // Photos and files are stored as soon as they are chosen, so that a form that fails keeps them; each goes by itself,
  // since a request may only be as large as one file
  const upload = async (input) => {
    const form = input.closest("form");
    const list = one("[data-upload-list]", form);
    const waiting = Array.from(input.files);
    if (!waiting.length) return;
    const token = one("input[name=csrf]", form).value;
    const button = one("button[type=submit]", form);
    button.disabled = true;
    list.setAttribute("aria-busy", "true");
    all(".invalid-feedback", list).forEach((old) => old.remove());
    try {
      while (waiting.length) {
        const data = new FormData();
        data.append("files", waiting[0]);
        const answer = await fetch(form.dataset.uploads, { method: "POST", body: data, headers: { "X-CSRF-Token": token, "HX-Request": "true", "HX-Current-URL": window.location.href } });
        const target = answer.headers.get("HX-Redirect");
        if (target) { window.location.assign(target); return; }
        const part = new DOMParser().parseFromString(await answer.text(), "text/html");
        const found = all("body > *", part);
        const shown = answer.ok ? found : all("h1", part).map((title) => { const p = document.createElement("p"); p.className = "invalid-feedback d-block"; p.setAttribute("role", "alert"); p.textContent = `${waiting[0].name}: ${title.textContent.trim()}`; return p; });
        shown.forEach((node) => list.append(document.importNode(node, true)));
        waiting.shift();
      }
    } catch {
      // What has not arrived stays chosen and goes with the form itself.
    } finally {
      const left = new DataTransfer();
      waiting.forEach((file) => left.items.add(file));
      input.files = left.files;
      list.removeAttribute("aria-busy");
      button.disabled = false;
    }
  };
  document.addEventListener("change", (event) => { if (event.target.matches("[data-upload]")) upload(event.target); });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-remove-upload]");
    if (button) button.closest(".upload-chip").remove();
  });

  // Choosing a unit offers its people
  const offerPeople = (select) => {
    const people = document.getElementById(select.dataset.unitChoice);
    if (!people) return;
    for (const option of people.options) {
      option.hidden = option.disabled = Boolean(option.dataset.unit) && option.dataset.unit !== select.value;
    }
    if (people.selectedOptions[0] && people.selectedOptions[0].disabled) people.value = "";
  };
  document.addEventListener("change", (event) => { if (event.target.matches("[data-unit-choice]")) offerPeople(event.target); });

  // A merge field goes in where the cursor stands
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-insert]");
    const field = button && document.getElementById(button.dataset.into);
    if (!field) return;
    field.setRangeText(button.dataset.insert, field.selectionStart, field.selectionEnd, "end");
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });

  // A form is sent once, however often the button is pressed
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-guard]")) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    window.setTimeout(() => { delete form.dataset.sent; }, 4000);
  });

  // Ask before what cannot be undone
  document.addEventListener("submit", (event) => {
    const words = event.target.dataset.confirm;
    if (words && !window.confirm(words)) event.preventDefault();
  });

  // The thread shows its end first, and stays there while news arrive
  const toEnd = () => { const thread = one("[data-thread]"); if (thread) thread.scrollTop = thread.scrollHeight; };
  let atEnd = true;
  document.addEventListener("htmx:beforeSwap", () => {
    const thread = one("[data-thread]");
    atEnd = !thread || thread.scrollHeight - thread.scrollTop - thread.clientHeight < 80;
  });
  document.addEventListener("htmx:afterSettle", () => { if (atEnd) toEnd(); });

  const prepare = () => {
    all("[data-undo-until]").forEach(countDown);
    all("[data-unit-choice]").forEach(offerPeople);
    count();
  };
  prepare();
  toEnd();
  const first = one("[data-focus]") || one(".is-invalid");
  if (first) { first.focus(); first.scrollIntoView({ block: "center" }); }
  // A page opened from the browser's memory may show what has changed since
  window.addEventListener("pageshow", (event) => { if (event.persisted) window.location.reload(); });
})();
