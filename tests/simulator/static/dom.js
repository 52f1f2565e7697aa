// Make elements. Text always becomes text nodes, so nothing that came over the wire is read as HTML.

const SVG = "http://www.w3.org/2000/svg";

/** Make an element: attributes (on… are listeners, true and false switch), then children (text or nodes). */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== undefined && value !== null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

/** Return the address if it is http or https, else an empty text: no other kind may become a link. */
export function webAddress(address) {
  try {
    const url = new URL(address, location.href);
    return ["http:", "https:"].includes(url.protocol) ? url.href : "";
  } catch {
    return "";
  }
}

/** Return where the page may load a picture or file of the simulator, spared its faults; empty for foreign hosts. */
export function ownMedia(address) {
  const web = webAddress(address || "");
  if (!web) return "";
  const url = new URL(web);
  if (url.port !== location.port || !url.pathname.startsWith("/media/")) return "";
  return `${url.pathname}?view=1`;
}

/** Turn text into nodes in which web addresses are links. */
export function linked(text) {
  return text.split(/(https?:\/\/[^\s<>"]+)/).map((part, place) => {
    if (place % 2 === 0) return document.createTextNode(part);
    return el("a", { href: webAddress(part), target: "_blank", rel: "noopener noreferrer" }, part);
  });
}

const ICONS = {
  camera: "M4 8h3l2-3h6l2 3h3v11H4zM12 10.500a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
  upload: "M12 16V4M7 9l5-5 5 5M4 15v5h16v-5",
  pin: "M12 21s-6-6-6-11a6 6 0 1 1 12 0c0 5-6 11-6 11zM12 8a2 2 0 1 0 0 4 2 2 0 0 0 0-4z",
  mic: "M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM6 11a6 6 0 0 0 12 0M12 17v4",
  film: "M3 7h12v10H3zM15 11l6-4v10l-6-4",
  smile: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM9 9v1M15 9v1M8 14c1.500 3 6.500 3 8 0",
  file: "M6 3h8l4 4v14H6zM14 3v4h4M9 13h6M9 17h6",
  attach: "M18 11l-7 7a4 4 0 0 1-6-6l8-8a3 3 0 0 1 4 4l-8 8a1 1 0 0 1-2-2l7-7",
  card: "M3 6h18v12H3zM8 9a2 2 0 1 0 0 4 2 2 0 0 0 0-4zM5 16c1-2 5-2 6 0M14 10h4M14 14h4",
  link: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
  call: "M6 3h4l1 5-2.500 1.500a12 12 0 0 0 6 6L16 13l5 1v4a2 2 0 0 1-2 2A16 16 0 0 1 4 5a2 2 0 0 1 2-2z",
  send: "M4 4l17 8-17 8 3-8zM7 12h7",
  reply: "M9 6l-5 5 5 5M4 11h9a6 6 0 0 1 6 6v1",
  pencil: "M4 20l1-5L16 4l4 4L9 19zM14 6l4 4",
  heart: "M12 20s-7-4.500-7-10a4 4 0 0 1 7-2.500A4 4 0 0 1 19 10c0 5.500-7 10-7 10z",
  play: "M8 5l11 7-11 7z",
  tick: "M4 13l5 5L20 7",
  ticks: "M2 13l5 5L17 7M11 16l2 2L23 8",
};

/** Make one of the page's icons; the control around it carries the words. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of [["viewBox", "0 0 24 24"], ["class", `icon icon-${name}`], ["aria-hidden", "true"]]) {
    svg.setAttribute(key, value);
  }
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

const zone = { timeZone: "Asia/Ho_Chi_Minh" };
const clock = new Intl.DateTimeFormat("vi-VN", { ...zone, hour: "2-digit", minute: "2-digit", hour12: false });
const seconds = new Intl.DateTimeFormat("vi-VN", { ...zone, timeStyle: "medium", hour12: false });
const day = new Intl.DateTimeFormat("vi-VN", { ...zone, day: "2-digit", month: "2-digit", year: "numeric" });

/** Hour and minute in Vietnam; with `exact` the seconds too. */
export const hour = (ms, exact = false) => (exact ? seconds : clock).format(ms);

/** dd/MM/yyyy in Vietnam. */
export const date = (ms) => day.format(ms);
