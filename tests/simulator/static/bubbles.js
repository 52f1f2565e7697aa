// Show one message of a conversation as a bubble.

import { el, hour, icon, linked, ownMedia, webAddress } from "./dom.js";

/** Make the node of a message. `act` has: tap(button), share(), quote(message), heart(message), view(address). */
export function bubble(message, quoted, act) {
  const mine = message.from === "user";
  const body = el("div", { class: `bubble kind-${message.kind}` });
  if (message.quote_msg_id) body.append(el("blockquote", {}, quoted ? summary(quoted) : "Tin nhắn"));
  if (message.admin_id) body.append(el("span", { class: "author" }, "Cán bộ trả lời trong công cụ OA"));
  body.append(...attachments(message, act));
  if (message.text && message.kind !== "link") body.append(el("p", { class: "words", "data-testid": "words" }, ...linked(message.text)));
  body.append(...elements(message, act), ...buttons(message.buttons, act), foot(message, mine));
  const tools = el(
    "div",
    { class: "bubble-tools" },
    tool("reply", "reply", "Trả lời tin này", () => act.quote(message)),
    mine ? null : tool("heart", "heart", "Thả tim", () => act.heart(message)),
  );
  return el(
    "li",
    {
      class: `message from-${message.from}`,
      "data-testid": "message",
      "data-from": message.from,
      "data-msg-id": message.msg_id,
      "data-kind": message.kind,
      "data-seen": message.seen_ms ? "yes" : "no",
    },
    body,
    tools,
  );
}

/** Say in a few words what a message is, for quotes. */
export function summary(message) {
  const title = message.elements[0]?.title || message.attachments[0]?.payload?.text;
  return (message.text || title || KINDS[message.kind] || "Tin nhắn").slice(0, 120);
}

const KINDS = {
  image: "[Ảnh]",
  gif: "[Ảnh động]",
  audio: "[Ghi âm]",
  video: "[Phim]",
  sticker: "[Nhãn dán]",
  location: "[Vị trí]",
  file: "[Tệp]",
  link: "[Liên kết]",
  business_card: "[Danh thiếp]",
  template: "[Tin theo mẫu]",
};

function tool(testid, name, words, action) {
  return el("button", { type: "button", "data-testid": testid, title: words, "aria-label": words, onclick: action }, icon(name));
}

function foot(message, mine) {
  const marks = el("footer", {}, el("time", {}, hour(message.at_ms)));
  if (!mine) {
    const [name, state, words] = message.seen_ms
      ? ["ticks", "seen", "Đã xem"]
      : message.received_ms
        ? ["ticks", "received", "Đã nhận"]
        : ["tick", "sent", "Đã gửi, máy chưa nhận"];
    marks.append(el("span", { class: `ticks ${state}`, role: "img", "aria-label": words, title: words }, icon(name)));
  }
  if (message.reactions.length) {
    const words = `${message.reactions.length} biểu cảm`;
    marks.append(el("span", { class: "reactions", role: "img", "aria-label": words }, icon("heart"), String(message.reactions.length)));
  }
  return marks;
}

function attachments(message, act) {
  return message.attachments.map(({ type, payload }) => {
    if (type === "image" || type === "gif") return picture(payload, act);
    if (type === "sticker") return el("img", { class: "sticker", src: ownMedia(payload.url), alt: "Nhãn dán" });
    if (type === "location") return place(payload.coordinates);
    if (type === "file") return document_(payload);
    if (type === "audio") return medium("mic", "Tin nhắn thoại", "0:03", payload.url);
    if (type === "video") return video(payload);
    if (type === "template") return el("div", { class: "template" }, el("strong", {}, "Tin theo mẫu"), el("p", { class: "words" }, payload.text));
    return message.kind === "business_card" ? businessCard(payload) : link(payload);
  });
}

function picture(payload, act) {
  const address = ownMedia(payload.url);
  if (!address) return link({ url: payload.url, description: "Ảnh ở máy chủ khác" });
  const image = el("img", { src: address, alt: "Ảnh trong tin nhắn", loading: "lazy" });
  return el("button", { type: "button", class: "picture", "data-testid": "image", "aria-label": "Xem ảnh lớn", onclick: () => act.view(address) }, image);
}

function place({ latitude, longitude }) {
  const address = `https://www.openstreetmap.org/?mlat=${encodeURIComponent(latitude)}&mlon=${encodeURIComponent(longitude)}#map=17/${encodeURIComponent(latitude)}/${encodeURIComponent(longitude)}`;
  return el(
    "a",
    { class: "card place", href: address, target: "_blank", rel: "noopener noreferrer" },
    el("span", { class: "map" }, icon("pin")),
    el("strong", {}, "Vị trí đã chia sẻ"),
    el("small", {}, `${latitude}, ${longitude}`),
  );
}

function document_(payload) {
  const size = Number(payload.size);
  const shown = size > 1048576 ? `${(size / 1048576).toFixed(1)} MB` : `${Math.max(1, Math.round(size / 1024))} KB`;
  return medium("file", payload.name, `${String(payload.type).toUpperCase()} · ${shown}`, payload.url);
}

function medium(name, title, detail, address) {
  return el(
    "a",
    { class: "card medium", href: ownMedia(address) || webAddress(address), target: "_blank", rel: "noopener noreferrer" },
    el("span", { class: "round" }, icon(name)),
    el("span", {}, el("strong", {}, title), el("small", {}, detail)),
  );
}

function video(payload) {
  return el(
    "a",
    { class: "picture film", href: ownMedia(payload.url) || webAddress(payload.url), target: "_blank", rel: "noopener noreferrer", "aria-label": "Mở đoạn phim" },
    el("img", { src: ownMedia(payload.thumbnail), alt: "Ảnh của đoạn phim" }),
    el("span", { class: "round" }, icon("play")),
  );
}

function businessCard(payload) {
  let phone = "";
  try {
    phone = String(JSON.parse(payload.description).phone ?? "");
  } catch {
    phone = payload.description;
  }
  return el("div", { class: "card medium" }, el("span", { class: "round" }, icon("card")), el("span", {}, el("strong", {}, "Danh thiếp"), el("small", {}, phone)));
}

function link(payload) {
  return el(
    "a",
    { class: "card link", href: webAddress(payload.url), target: "_blank", rel: "noopener noreferrer" },
    el("strong", {}, payload.description || payload.title || "Liên kết"),
    el("small", {}, payload.url),
  );
}

function elements(message, act) {
  const asks = message.kind === "request_user_info";
  return message.elements.map((item, number) => {
    const image = ownMedia(item.image_url);
    const content = [
      image ? el("img", { src: image, alt: "" }) : null,
      el("span", {}, el("strong", {}, item.title), item.subtitle ? el("small", {}, item.subtitle) : null),
    ];
    const css = `element${number === 0 ? " first" : ""}`;
    if (asks) {
      const share = el("button", { type: "button", class: "action", "data-testid": "share-phone-request", onclick: act.share }, "Chia sẻ số điện thoại");
      return el("div", { class: `${css} asks` }, ...content, share);
    }
    if (!item.default_action) return el("div", { class: css }, ...content);
    return el("button", { type: "button", class: css, ...marks(item.default_action), onclick: () => act.tap(item.default_action) }, ...content);
  });
}

function buttons(list, act) {
  return list.map((item) => el("button", { type: "button", class: "action", ...marks(item), onclick: () => act.tap(item) }, item.title));
}

function marks(action) {
  const target = action.payload ?? action;
  const payload = typeof target === "string" ? target : target.url || target.phone_code || "";
  return { "data-testid": "button", "data-payload": payload, "data-type": action.type };
}
