// Beside the phones: faults, bots and groups, and logs of calls and updates.

import { calmly } from "../api.js";
import { el, hour } from "../dom.js";
import { FaultList } from "./faults.js";
import { Groups } from "./groups.js";
import { STATES, tone } from "./words.js";
import { faultKinds, view } from "./world.js";

const LOG_ROWS = 60;
const TABS = { faults: "Sự cố", groups: "Bot và nhóm", logs: "Nhật ký" };

/** The panels as tabs; `update` gives them the simulator's state. */
export class Panels {
  constructor(place) {
    this.place = place;
    this.open = new Set();
    this.refreshLogs = calmly(() => this.loadLogs(), 150);
  }

  /** Build the panels; asks the simulator which faults there are, again and again until it answers. */
  async start() {
    let kinds = null;
    while (!kinds) {
      kinds = await faultKinds().catch(() => new Promise((done) => setTimeout(() => done(null), 1000)));
    }
    this.faults = new FaultList(kinds);
    this.groups = new Groups();
    this.calls = el("div", { class: "log", "data-testid": "calls" });
    this.updates = el("div", { class: "log", "data-testid": "updates" });
    const logs = el("div", {}, el("h3", {}, "Lời gọi Bot API"), this.calls, el("h3", {}, "Cập nhật"), this.updates);
    const bodies = { faults: this.faults.node, groups: this.groups.node, logs };
    this.tabs = Object.entries(TABS).map(([name, words]) =>
      el("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": `panel-${name}`, "data-testid": `tab-${name}`, onclick: () => this.show(name), onkeydown: (event) => this.step(event, name) }, words),
    );
    this.panels = Object.entries(bodies).map(([name, body]) =>
      el("section", { role: "tabpanel", id: `panel-${name}`, "aria-labelledby": `tab-${name}`, "data-testid": `panel-${name}` }, body),
    );
    this.place.replaceChildren(el("div", { class: "tabs", role: "tablist" }, ...this.tabs), ...this.panels);
    this.show("groups");
  }

  show(name) {
    this.current = name;
    Object.keys(TABS).forEach((key, index) => {
      this.tabs[index].setAttribute("aria-selected", key === name);
      this.tabs[index].tabIndex = key === name ? 0 : -1;
      this.panels[index].hidden = key !== name;
    });
    if (name === "logs") this.refreshLogs();
  }

  step(event, name) {
    const names = Object.keys(TABS);
    const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!move) return;
    const next = (names.indexOf(name) + move + names.length) % names.length;
    this.show(names[next]);
    this.tabs[next].focus();
  }

  update(state) {
    this.faults.update(state);
    this.groups.update(state);
  }

  async loadLogs() {
    if (this.current !== "logs") return;
    const [calls, updates] = await Promise.all([view("calls", { last: LOG_ROWS }), view("updates", { last: LOG_ROWS })]);
    this.fill(this.calls, calls.map((call) => this.call(call)), "Dịch vụ chưa gọi lần nào.");
    this.fill(this.updates, updates.map((update) => this.entryOf(update)), "Chưa có cập nhật nào.");
  }

  fill(place, rows, otherwise) {
    place.replaceChildren(...(rows.length ? rows : [el("p", { class: "hint" }, otherwise)]));
  }

  call(call) {
    const good = call.error === 0;
    return this.entry(`c${call.number}`, {
      tone: good ? "good" : "bad",
      outcome: call.status === 0 ? "ngắt" : String(call.status),
      title: call.path.slice(1),
      at: call.at_ms,
      detail: [call.message, call.faults.length ? `sự cố: ${call.faults.join(", ")}` : "", `${call.took_ms} ms`, call.delivered ? "đã đến máy" : ""].filter(Boolean).join(" · "),
      body: call.params,
    });
  }

  entryOf(update) {
    const tries = update.attempts.map((attempt) => `${hour(attempt.at_ms, true)} ${attempt.status || attempt.error} ${attempt.took_ms} ms`);
    return this.entry(`u${update.bot_id}-${update.update_id}`, {
      tone: tone(update.state),
      outcome: update.status ? String(update.status) : STATES[update.state] || update.state,
      title: update.kind,
      at: update.at_s * 1000,
      detail: [STATES[update.state] || update.state, ...tries].join(" · "),
      body: update.body,
    });
  }

  entry(key, { tone: colour, outcome, title, at, detail, body }) {
    const node = el(
      "details",
      { class: "entry", "data-testid": "log-entry", open: this.open.has(key) },
      el("summary", {}, el("span", { class: `badge ${colour}` }, outcome), el("span", { class: "title" }, title), el("time", {}, hour(at, true))),
      el("p", {}, detail),
      el("pre", { tabindex: 0 }, JSON.stringify(body, null, 1)),
    );
    node.addEventListener("toggle", () => (node.open ? this.open.add(key) : this.open.delete(key)));
    return node;
  }
}
