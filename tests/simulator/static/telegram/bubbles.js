// Show one message of a chat as a bubble.

import { el, hour, icon, linked, ownMedia, webAddress } from "../dom.js";

/** Make the node of a message. `verbs` has: tap(message, button), reply(message), edit(message), view(address). */
export function bubble(message, quoted, { own, inGroup, people }, verbs) {
  if (message.kind === "service") return el("li", { class: "service", "data-testid": "message", "data-from": "service", "data-kind": "service" }, service(message, people));
  const body = el("div", { class: `bubble kind-${message.kind}` });
  if (inGroup && !own) body.append(el("span", { class: "author" }, message.author));
  if (quoted) body.append(el("blockquote", {}, summary(quoted)));
  body.append(...medium(message, verbs));
  if (message.text) body.append(el("p", { class: "words", "data-testid": "words" }, ...marked(message.text, message.entities)));
  const rows = message.markup.inline_keyboard || [];
  if (rows.length) body.append(el("div", { class: "keyboard" }, ...rows.map((row) => el("div", {}, ...row.map((button) => key(message, button, verbs))))));
  const edited = message.edited_s ? el("span", { class: "edited", "data-testid": "edited" }, "đã sửa") : null;
  body.append(el("footer", {}, edited, el("time", {}, hour(message.at_s * 1000))));
  const tools = el(
    "div",
    { class: "bubble-tools" },
    tool("reply", "reply", "Trả lời tin này", () => verbs.reply(message)),
    own && (message.text || message.file) ? tool("edit", "pencil", "Sửa tin này", () => verbs.edit(message)) : null,
  );
  const from = own ? "user" : message.from === "bot" ? "bot" : "other";
  return el(
    "li",
    { class: `message from-${own ? "user" : "oa"}`, "data-testid": "message", "data-from": from, "data-msg-id": message.message_id, "data-kind": message.kind },
    body,
    tools,
  );
}

const KINDS = { photo: "[Ảnh]", voice: "[Ghi âm]", video: "[Phim]", animation: "[Ảnh động]", document: "[Tệp]", sticker: "[Nhãn dán]", location: "[Vị trí]", contact: "[Danh bạ]" };

/** Say in a few words what a message is, for quotes. */
export function summary(message) {
  return (message.text || KINDS[message.kind] || "Tin nhắn").slice(0, 120);
}

function service({ details }, people) {
  const named = (list) => list.map((member) => [member.first_name, member.last_name].filter(Boolean).join(" ")).join(", ");
  if (details.new_chat_members) return `Thêm vào nhóm: ${named(details.new_chat_members)}`;
  if (details.left_chat_member) return `Rời nhóm: ${named([details.left_chat_member])}`;
  if (details.migrate_to_chat_id) return `Nhóm đã thành siêu nhóm ${details.migrate_to_chat_id}`;
  if (details.migrate_from_chat_id) return "Nhóm đã được nâng thành siêu nhóm";
  return `Nhóm có ${people} người`;
}

function tool(testid, name, words, action) {
  return el("button", { type: "button", "data-testid": testid, title: words, "aria-label": words, onclick: action }, icon(name));
}

function key(message, button, verbs) {
  const marks = { "data-testid": "button", "data-payload": button.callback_data ?? button.url ?? "", "data-type": button.url ? "url" : "callback" };
  return el("button", { type: "button", class: "action", ...marks, onclick: () => verbs.tap(message, button) }, button.text);
}

/** Turn text with entities into nodes; offsets count UTF-16 units, as JavaScript's strings do. */
export function marked(text, entities) {
  const nodes = [];
  let place = 0;
  for (const entity of entities.filter((it) => TAGS[it.type])) {
    if (entity.offset < place) continue; // one inside another: the outer mark is shown
    nodes.push(...linked(text.slice(place, entity.offset)));
    const words = text.slice(entity.offset, entity.offset + entity.length);
    nodes.push(TAGS[entity.type](words, entity));
    place = entity.offset + entity.length;
  }
  return [...nodes, ...linked(text.slice(place))];
}

const TAGS = {
  bold: (words) => el("strong", {}, words),
  italic: (words) => el("em", {}, words),
  underline: (words) => el("u", {}, words),
  strikethrough: (words) => el("s", {}, words),
  code: (words) => el("code", {}, words),
  pre: (words) => el("code", {}, words),
  blockquote: (words) => el("blockquote", {}, words),
  text_link: (words, { url }) => el("a", { href: webAddress(url), target: "_blank", rel: "noopener noreferrer" }, words),
};

function medium(message, verbs) {
  const address = ownMedia(message.file_url);
  const { location, contact } = message.details;
  if (message.kind === "photo" || message.kind === "animation") {
    const image = el("img", { src: address, alt: "Ảnh trong tin nhắn", loading: "lazy" });
    return [el("button", { type: "button", class: "picture", "data-testid": "image", "aria-label": "Xem ảnh lớn", onclick: () => verbs.view(address) }, image)];
  }
  if (message.kind === "sticker") return [el("img", { class: "sticker", src: address, alt: "Nhãn dán" })];
  if (message.kind === "voice") return [card("mic", "Tin nhắn thoại", "0:03", address)];
  if (message.kind === "video") return [card("film", "Đoạn phim", "0:03", address)];
  if (message.kind === "document") return [card("file", message.file_name, "Tệp", address)];
  if (contact) return [card("call", [contact.first_name, contact.last_name].filter(Boolean).join(" "), contact.phone_number, "")];
  if (location) {
    return [el("div", { class: "card place" }, el("span", { class: "map" }, icon("pin")), el("strong", {}, "Vị trí đã chia sẻ"), el("small", {}, `${location.latitude}, ${location.longitude}`))];
  }
  return [];
}

function card(name, title, detail, address) {
  const inside = [el("span", { class: "round" }, icon(name)), el("span", {}, el("strong", {}, title), el("small", {}, detail))];
  if (!address) return el("div", { class: "card medium" }, ...inside);
  return el("a", { class: "card medium", href: address, target: "_blank", rel: "noopener noreferrer" }, ...inside);
}
