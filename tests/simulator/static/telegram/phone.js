// One person's phone: its frame, and the chat with the chosen bot or group.

import { calmly } from "../api.js";
import { date, el, webAddress } from "../dom.js";
import { bubble } from "./bubbles.js";
import { Composer } from "./composer.js";
import { REFUSALS } from "./words.js";
import { act, chatsOf, view } from "./world.js";

const NOTICE_MS = 6000;
const BOTTOM_PX = 80;

/** A phone; `chosen` remembers per person which chat is open. */
export class Phone {
  constructor(person, number, chosen, showPicture) {
    Object.assign(this, { person, number, chosen, showPicture });
    this.shown = new Map();
    this.toasted = new Set();
    this.refresh = calmly(() => this.load());
    this.build();
  }

  build() {
    const { person, number } = this;
    this.avatar = el("span", { class: "avatar", "aria-hidden": "true" });
    this.select = el("select", { "data-testid": "chat", "aria-label": `Cuộc trò chuyện của điện thoại ${number}`, onchange: () => this.choose(this.select.value) });
    this.kind = el("small", { "data-testid": "chat-kind" });
    this.start = el("button", { type: "button", class: "start", "data-testid": "start", onclick: () => this.send("start") }, "Bắt đầu");
    this.banner = el("p", { class: "banner", hidden: true }, "Bạn đã chặn bot này: bot không gửi tin được.");
    this.list = el("ol", { class: "messages", "data-testid": "messages", "aria-live": "polite", "aria-label": "Tin nhắn", tabindex: 0 });
    // A picture that comes later must not push the newest message out of sight.
    this.list.addEventListener("load", () => this.atEnd && this.toEnd(), true);
    this.list.addEventListener("scroll", () => {
      this.atEnd = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < BOTTOM_PX;
    });
    this.atEnd = true;
    this.notice = el("div", { class: "notice", "data-testid": "notice", role: "status", hidden: true });
    this.composer = new Composer((verb, settings) => this.send(verb, settings), number);
    this.block = el("button", { type: "button", "data-testid": "block", onclick: () => this.send("block", { blocked: !this.blocked }) });
    const screen = el(
      "div",
      { class: "screen" },
      el("header", { class: "chat-head" }, this.avatar, el("div", { class: "who" }, this.select, el("div", {}, this.kind, this.start))),
      this.banner,
      this.list,
      this.notice,
      this.composer.node,
    );
    this.node = el(
      "article",
      { class: "phone", "data-testid": `phone-${number}`, "data-user-id": person.user_id, "aria-label": `Điện thoại ${number}: ${person.name}` },
      el("h2", {}, el("span", { class: "number" }, String(number)), el("span", { class: "owner" }, person.name), el("small", {}, person.phone)),
      el("div", { class: "frame" }, screen),
      el("div", { class: "settings" }, this.block),
    );
  }

  /** Take over bots, groups and people as the simulator has them now. */
  update(state) {
    this.state = state;
    const chats = chatsOf(state, this.person);
    if (!chats.some(({ key }) => key === this.key)) {
      const remembered = this.chosen.get(this.person.user_id);
      this.key = chats.some(({ key }) => key === remembered) ? remembered : chats[0]?.key;
      this.forget();
      this.refresh();
    }
    const options = JSON.stringify(chats.map(({ key, name }) => [key, name]));
    if (options !== this.options) {
      this.options = options;
      this.select.replaceChildren(...chats.map(({ key, name }) => el("option", { value: key }, name)));
    }
    this.select.value = this.key || "";
    this.chat = chats.find(({ key }) => key === this.key);
    this.showChat();
  }

  showChat() {
    const tie = this.state.private.find(({ key }) => key === this.key);
    this.blocked = Boolean(tie?.blocked);
    const group = this.chat?.group;
    const people = group ? group.members.filter(({ status }) => !["left", "kicked"].includes(status)).length : 0;
    this.people = people;
    this.avatar.textContent = (this.chat?.name || "?").split(" ").slice(0, 2).map((word) => word[0]).join("");
    this.kind.textContent = !this.chat ? "Chưa có bot" : group ? `${group.type === "group" ? "Nhóm" : "Siêu nhóm"}, ${people} thành viên` : "bot";
    this.start.hidden = !this.chat?.bot || (Boolean(tie?.started) && !this.blocked);
    this.block.hidden = !this.chat?.bot;
    this.block.textContent = this.blocked ? "Bỏ chặn bot" : "Chặn bot";
    this.block.dataset.blocked = this.blocked ? "yes" : "no";
    this.banner.hidden = !this.blocked;
    this.composer.showKeys(this.state.keyboards[this.key] || [], (key) => this.send("press", { label: key.text }));
  }

  choose(key) {
    this.key = key;
    this.chosen.set(this.person.user_id, key);
    this.composer.turnTo(null);
    this.forget();
    this.atEnd = true;
    this.update(this.state);
    this.refresh();
  }

  forget() {
    this.shown.clear();
    this.list.replaceChildren();
  }

  /** Carry out a verb of this person in this chat; a refusal is shown on the phone. Returns the result or null. */
  async send(verb, settings = {}) {
    this.hush();
    try {
      return await act(verb, { user_id: this.person.user_id, ...this.chat?.where, ...settings });
    } catch (refusal) {
      this.say(el("span", {}, `Không được: ${REFUSALS[refusal.message] || refusal.message}`));
      return null;
    }
  }

  async tap(message, button) {
    const address = webAddress(button.url || "");
    if (button.url) this.say(el("span", {}, "Nút mở liên kết: ", el("a", { href: address, target: "_blank", rel: "noopener noreferrer", "data-testid": "opened-link" }, button.url)), 0);
    else await this.send("tap", { data: button.callback_data, message_id: message.message_id });
  }

  /** Show the words with which a bot has answered a tap of this person. */
  async toast() {
    const taps = await view("taps", { chat: this.key });
    const fresh = taps.filter((tap) => tap.user_id === this.person.user_id && tap.answered && !this.toasted.has(tap.tap_id));
    for (const tap of fresh) this.toasted.add(tap.tap_id);
    const words = fresh.at(-1)?.text;
    if (words) this.say(el("span", { "data-testid": "toast" }, words));
  }

  say(content, forMs = NOTICE_MS) {
    clearTimeout(this.quiet);
    const { atEnd } = this;
    this.notice.replaceChildren(content, el("button", { type: "button", "aria-label": "Đóng", onclick: () => this.hush() }, "×"));
    this.notice.hidden = false;
    if (atEnd) this.toEnd();
    if (forMs) this.quiet = setTimeout(() => this.hush(), forMs);
  }

  hush() {
    clearTimeout(this.quiet);
    this.notice.hidden = true;
  }

  async load() {
    const { key } = this;
    if (!key) return this.forget();
    const history = await view("history", { chat: key });
    if (key === this.key) this.show(history);
    return undefined;
  }

  show(history) {
    const { list, atEnd } = this;
    const byId = new Map(history.map((message) => [message.message_id, message]));
    const verbs = {
      tap: (message, button) => this.tap(message, button),
      reply: (message) => this.composer.turnTo({ message }),
      edit: (message) => this.composer.turnTo({ message, edit: true }),
      view: this.showPicture,
    };
    const nodes = [];
    let lastDay = "";
    for (const message of history) {
      const today = date(message.at_s * 1000);
      if (today !== lastDay) nodes.push(this.keep(`day ${today}`, today, () => el("li", { class: "day" }, today)));
      lastDay = today;
      const about = { own: message.sender === this.person.user_id, inGroup: Boolean(this.chat?.group), people: this.people };
      nodes.push(this.keep(message.message_id, JSON.stringify(message), () => bubble(message, byId.get(message.reply_to), about, verbs)));
    }
    const wanted = new Set(nodes);
    for (const [key, { node }] of this.shown) if (!wanted.has(node)) this.shown.delete(key);
    for (const node of [...list.children]) if (!wanted.has(node)) node.remove();
    nodes.forEach((node, place) => list.children[place] !== node && list.insertBefore(node, list.children[place] || null));
    if (atEnd) this.toEnd();
  }

  toEnd() {
    this.list.scrollTop = this.list.scrollHeight;
  }

  keep(key, content, make) {
    const old = this.shown.get(key);
    if (old?.content === content) return old.node;
    const node = make();
    this.shown.set(key, { content, node });
    return node;
  }
}
