// The panel of groups: make one, put the bot in or out, turn it into a supergroup.

import { el } from "../dom.js";
import { act } from "./world.js";

const GONE = ["left", "kicked"];

/** The list of groups and the form for a new one. */
export class Groups {
  constructor() {
    this.said = el("p", { class: "said", role: "status" });
    this.title = el("input", { placeholder: "Tên nhóm", maxlength: 60, "data-testid": "group-title", "aria-label": "Tên nhóm mới", autocomplete: "off" });
    this.people = el("fieldset", {}, el("legend", {}, "Thành viên, người đầu là chủ nhóm"));
    const form = el("form", { onsubmit: (event) => this.make(event) }, this.title, this.people, el("button", { class: "primary", "data-testid": "make-group" }, "Lập nhóm"));
    this.list = el("div", { class: "groups" });
    this.node = el("div", { class: "groups" }, form, this.said, this.list);
  }

  async make(event) {
    event.preventDefault();
    const members = [...this.people.querySelectorAll("input:checked")].map((box) => box.value);
    const title = this.title.value.trim();
    if (!title || !members.length) {
      this.said.textContent = "Nhập tên nhóm và chọn ít nhất một người.";
      return;
    }
    await this.run("group", { title, members });
    this.title.value = "";
  }

  async run(verb, settings) {
    try {
      await act(verb, settings);
      this.said.textContent = "";
    } catch (refusal) {
      this.said.textContent = `Không được: ${refusal.message}`;
    }
  }

  /** Show groups, people and bots as they are now. */
  update(state) {
    const told = JSON.stringify([state.groups, state.people, state.bots.map((bot) => [bot.bot_id, bot.name, bot.webhook_url, bot.pending])]);
    if (told === this.told) return;
    this.told = told;
    const picked = new Set([...this.people.querySelectorAll("input:checked")].map((box) => box.value));
    const boxes = state.people.map(({ user_id: id, name }) => el("label", { class: "pick" }, el("input", { type: "checkbox", value: id, checked: picked.has(id), "data-testid": `member-${id}` }), name));
    this.people.replaceChildren(this.people.firstChild, ...boxes);
    const groups = state.groups.filter((group) => !group.migrated_to);
    this.list.replaceChildren(...state.bots.map((bot) => this.bot(bot)), ...groups.map((group) => this.group(group, state)));
  }

  bot(bot) {
    const way = bot.webhook_url ? `webhook ${bot.webhook_url}` : "dịch vụ tự đến lấy (getUpdates)";
    return el("section", { class: "account", "data-testid": `bot-${bot.bot_id}` }, el("h3", {}, bot.name), el("p", {}, `Bot ${bot.bot_id}, ${way}. Chưa lấy: ${bot.pending} cập nhật.`));
  }

  group(group, state) {
    const names = new Map([...state.people.map((it) => [it.user_id, it.name]), ...state.bots.map((it) => [it.bot_id, it.name])]);
    const here = group.members.filter(({ status }) => !GONE.includes(status)).map(({ id, status }) => names.get(id) + (status === "administrator" ? " (quản trị)" : ""));
    const rows = state.bots.map((bot) => {
      const status = group.members.find(({ id }) => id === bot.bot_id)?.status || "left";
      const where = { chat_id: group.chat_id, bot_id: bot.bot_id };
      const inside = !GONE.includes(status);
      return el(
        "div",
        { class: "row" },
        inside ? null : el("button", { type: "button", "data-testid": "add-bot", onclick: () => this.run("add_bot", where) }, `Thêm ${bot.name}`),
        status === "member" ? el("button", { type: "button", "data-testid": "promote-bot", onclick: () => this.run("add_bot", { ...where, admin: true }) }, "Cho bot làm quản trị") : null,
        inside ? el("button", { type: "button", "data-testid": "remove-bot", onclick: () => this.run("remove_bot", where) }, `Đuổi ${bot.name}`) : null,
      );
    });
    const grow = group.type === "group" ? el("button", { type: "button", "data-testid": "migrate", onclick: () => this.run("migrate_group", { chat_id: group.chat_id }) }, "Nâng thành siêu nhóm") : null;
    return el("section", { class: "account", "data-testid": `group-${group.chat_id}` }, el("h3", {}, group.title), el("p", {}, `${group.chat_id}: ${here.join(", ")}`), ...rows, el("div", { class: "row" }, grow));
  }
}
