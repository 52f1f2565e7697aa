// One citizen's phone: its frame, its conversation with the chosen OA, and what the office can do at the other end.

import { act, calmly, view } from "./api.js";
import { bubble } from "./bubbles.js";
import { Composer } from "./composer.js";
import { date, el, webAddress } from "./dom.js";
import { REFUSALS } from "./words.js";

const NOTICE_MS = 6000;
const BOTTOM_PX = 80;

/** A phone; `chosen` remembers per person which OA it talks with. */
export class Phone {
  constructor(person, number, chosen, showPicture) {
    Object.assign(this, { person, number, chosen, showPicture });
    this.shown = new Map();
    this.refresh = calmly(() => this.load());
    this.look = calmly(() => this.markSeen(), 400);
    this.build();
    new IntersectionObserver(([entry]) => {
      this.visible = entry.isIntersecting;
      this.look();
    }).observe(this.list);
  }

  build() {
    const { person, number } = this;
    this.avatar = el("span", { class: "avatar", "aria-hidden": "true" });
    this.oa = el("select", { "data-testid": "oa", "aria-label": `OA mà điện thoại ${number} nói chuyện`, onchange: () => this.choose(this.oa.value) });
    this.kind = el("small", { "data-testid": "oa-kind" });
    this.follow = el("button", { type: "button", class: "follow", "data-testid": "follow", onclick: () => this.send(this.tie?.following ? "unfollow" : "follow") });
    this.banner = el("p", { class: "banner", hidden: true }, "Bạn đã chặn OA này: OA không gửi tin được.");
    this.list = el("ol", { class: "messages", "data-testid": "messages", "aria-live": "polite", "aria-label": "Tin nhắn", tabindex: 0 });
    // A picture that comes later must not push the newest message out of sight.
    this.list.addEventListener("load", () => this.atEnd && this.toEnd(), true);
    this.list.addEventListener("scroll", () => {
      this.atEnd = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < BOTTOM_PX;
    });
    this.atEnd = true;
    this.notice = el("div", { class: "notice", "data-testid": "notice", role: "status", hidden: true });
    this.composer = new Composer((verb, settings) => this.send(verb, settings), number);
    const screen = el(
      "div",
      { class: "screen" },
      el("header", { class: "chat-head" }, this.avatar, el("div", { class: "who" }, this.oa, el("div", {}, this.kind, this.follow))),
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
      this.settings(),
      this.office(),
    );
  }

  settings() {
    this.auto = el("input", { type: "checkbox", role: "switch", checked: true, "data-testid": "auto-seen", onchange: () => this.look() });
    this.block = el("button", { type: "button", "data-testid": "block", onclick: () => this.send("block", { blocked: !this.tie?.blocked }) });
    const chat = el("button", { type: "button", "data-testid": "chat-now", onclick: () => this.send("chat_now") }, "Bấm nút chat");
    this.online = el("button", { type: "button", "data-testid": "online", onclick: () => this.send("online", { on: !this.person.online }) });
    const withdraw = el("button", { type: "button", "data-testid": "withdraw", onclick: () => this.withdraw() }, "Rút khỏi ứng dụng");
    return el("div", { class: "settings" }, el("label", { class: "switch" }, this.auto, "Tự đánh dấu đã xem"), chat, this.block, this.online, withdraw);
  }

  office() {
    const input = el("input", { "data-testid": "staff-input", "aria-label": `Cán bộ trả lời điện thoại ${this.number}`, placeholder: "Trả lời như một cán bộ", autocomplete: "off" });
    const submit = async (event) => {
      event.preventDefault();
      const text = input.value.trim();
      if (!text) return;
      input.value = "";
      if (!(await this.send("staff_reply", { text }))) input.value = text;
    };
    return el(
      "form",
      { class: "office", onsubmit: submit },
      el("h3", {}, "Công cụ OA"),
      el("div", { class: "line" }, input, el("button", { class: "primary", "data-testid": "staff-send" }, "Gửi")),
    );
  }

  /** Take over accounts and ties as the simulator has them now. */
  update(state) {
    this.accounts = state.oas;
    this.person = state.people.find((person) => person.user_id === this.person.user_id) || this.person;
    const known = (id) => state.oas.some((oa) => oa.oa_id === id);
    if (!known(this.oaId)) {
      const remembered = this.chosen.get(this.person.user_id);
      this.oaId = known(remembered) ? remembered : (state.oas.find((oa) => oa.is_state) || state.oas[0])?.oa_id;
      this.refresh();
    }
    const options = state.oas.map((oa) => [oa.oa_id, oa.name].join(" ")).join();
    if (options !== this.options) {
      this.options = options;
      this.oa.replaceChildren(...state.oas.map((oa) => el("option", { value: oa.oa_id }, oa.name)));
    }
    this.oa.value = this.oaId || "";
    this.tie = state.ties.find((tie) => tie.oa_id === this.oaId && tie.user_id === this.person.user_id);
    this.showTie();
  }

  showTie() {
    const account = this.accounts.find((oa) => oa.oa_id === this.oaId);
    const following = Boolean(this.tie?.following);
    const blocked = Boolean(this.tie?.blocked);
    this.avatar.textContent = (account?.name || "?").split(" ").slice(0, 2).map((word) => word[0]).join("");
    this.kind.textContent = !account ? "Chưa có OA" : account.is_state ? "Cơ quan nhà nước" : "Doanh nghiệp";
    this.follow.textContent = following ? "Bỏ quan tâm" : "Quan tâm";
    this.follow.dataset.following = following ? "yes" : "no";
    this.block.textContent = blocked ? "Bỏ chặn OA" : "Chặn OA";
    this.block.dataset.blocked = blocked ? "yes" : "no";
    this.online.textContent = this.person.online ? "Tắt máy" : "Bật máy";
    this.online.dataset.online = this.person.online ? "yes" : "no";
    this.banner.hidden = !blocked;
    this.node.classList.toggle("off", !this.person.online);
  }

  choose(oaId) {
    this.oaId = oaId;
    this.chosen.set(this.person.user_id, oaId);
    this.composer.reply(null);
    this.forget();
    this.atEnd = true;
    this.onChosen?.();
    this.refresh();
  }

  forget() {
    this.shown.clear();
    this.list.replaceChildren();
  }

  /** Carry out a verb for this person and OA; a refusal is shown on the phone. Returns the result or null. */
  async send(verb, settings = {}) {
    if (verb !== "seen") this.hush();
    try {
      return await act(verb, { oa_id: this.oaId, user_id: this.person.user_id, ...settings });
    } catch (refusal) {
      this.say(el("span", {}, `Không được: ${REFUSALS[refusal.message] || refusal.message}`));
      return null;
    }
  }

  async withdraw() {
    if (await this.send("withdraw")) this.say(el("span", {}, "Đã báo cho OA: người này rút khỏi ứng dụng."));
  }

  async tap(action) {
    if (action.type.startsWith("oa.query.")) {
      await this.send("tap", { payload: action.payload, ...(action.type === "oa.query.hide" ? { hidden: true } : {}) });
      return;
    }
    const target = action.payload ?? action;
    const address = webAddress(target.url || "");
    if (address) this.say(el("span", {}, "Nút mở liên kết: ", el("a", { href: address, target: "_blank", rel: "noopener noreferrer", "data-testid": "opened-link" }, target.url)), 0);
    else if (action.type === "oa.open.sms") this.say(el("span", {}, `Nút soạn SMS tới ${target.phone_code}: ${target.content || ""}`), 0);
    else this.say(el("span", {}, `Nút gọi điện tới ${target.phone_code}`), 0);
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
    const oaId = this.oaId;
    if (!oaId) return this.forget();
    const history = await view("history", { oa_id: oaId, user_id: this.person.user_id });
    if (oaId !== this.oaId) return undefined;
    this.history = history;
    this.show();
    return this.look();
  }

  show() {
    const { list } = this;
    const { atEnd } = this;
    const byId = new Map(this.history.map((message) => [message.msg_id, message]));
    const verbs = {
      tap: (action) => this.tap(action),
      share: () => this.send("submit_info"),
      quote: (message) => this.composer.reply(message),
      heart: (message) => this.send("react", { msg_id: message.msg_id }),
      view: this.showPicture,
    };
    const nodes = [];
    let lastDay = "";
    for (const message of this.history) {
      const today = date(message.at_ms);
      if (today !== lastDay) nodes.push(this.keep(`day ${today}`, today, () => el("li", { class: "day" }, today)));
      lastDay = today;
      nodes.push(this.keep(message.msg_id, JSON.stringify(message), () => bubble(message, byId.get(message.quote_msg_id), verbs)));
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

  async markSeen() {
    const unseen = (this.history || []).some((message) => message.from === "oa" && !message.seen_ms);
    if (!unseen || !this.auto.checked || !this.visible || document.hidden) return;
    if (this.tie?.blocked || !this.person.online) return;
    await this.send("seen");
  }
}
