// The panel of faults: switch each kind on for all bots and so many times, see what is on, switch off.

import { el } from "../dom.js";
import { FAULTS, NUMBERS } from "./words.js";
import { act } from "./world.js";

/** The list of faults; `kinds` are those the simulator knows, with its own sentences. */
export class FaultList {
  constructor(kinds) {
    this.count = el("input", { type: "number", min: 1, placeholder: "mãi", "data-testid": "fault-count", "aria-label": "Số lần, để trống là mãi" });
    const clear = el("button", { type: "button", "data-testid": "clear-faults", onclick: () => this.run("clear_faults", {}) }, "Tắt hết sự cố");
    this.said = el("p", { class: "said", role: "status" });
    this.rows = new Map(Object.entries(kinds).map(([kind, sentence]) => [kind, this.row(kind, sentence)]));
    const scope = el("div", { class: "row scope" }, el("label", {}, "Số lần", this.count), clear);
    this.node = el("div", { class: "faults" }, scope, this.said, el("ul", {}, ...[...this.rows.values()].map((row) => row.node)));
  }

  row(kind, sentence) {
    const [title, words, setting] = FAULTS[kind] || [kind, sentence];
    const [name, initial] = Object.entries(setting || {})[0] || [];
    let field = null;
    if (Array.isArray(initial)) field = el("select", { "aria-label": `${title}: cách` }, ...initial.map((value) => el("option", {}, value)));
    else if (name) field = el("input", { type: "number", value: initial, "aria-label": `${title}: ${NUMBERS[name]}` });
    const on = el("button", { type: "button", "data-testid": `fault-${kind}`, "aria-label": `Bật: ${title}`, onclick: () => this.start(kind, name, field) }, "Bật");
    const active = el("ul", { class: "active" });
    const set = el("div", { class: "set" }, field && el("label", {}, field, el("small", {}, NUMBERS[name] || "")), on);
    const node = el("li", { class: "fault", "data-kind": kind }, el("div", { class: "about" }, el("strong", {}, title), el("small", {}, words)), set, active);
    return { node, active };
  }

  async start(kind, name, field) {
    const settings = { kind };
    if (this.count.value) settings.count = Number(this.count.value);
    if (field) settings[name] = field.tagName === "SELECT" ? field.value : Number(field.value);
    await this.run("fault", settings);
  }

  async run(verb, settings) {
    try {
      await act(verb, settings);
      this.said.textContent = "";
    } catch (refusal) {
      this.said.textContent = `Không được: ${refusal.message}`;
    }
  }

  /** Show which faults are on. */
  update({ faults }) {
    for (const [kind, { node, active }] of this.rows) {
      const mine = faults.filter((fault) => fault.kind === kind);
      node.classList.toggle("on", mine.length > 0);
      active.replaceChildren(...mine.map((fault) => this.active(fault)));
    }
  }

  active(fault) {
    const left = fault.count === null ? "mãi" : `còn ${fault.count - fault.used} lần`;
    const off = el("button", { type: "button", "data-testid": `off-${fault.kind}`, onclick: () => this.run("clear_faults", { fault_id: fault.fault_id }) }, "Tắt");
    return el("li", {}, el("span", {}, `Đang bật: ${left}, đã xảy ra ${fault.used}`), off);
  }
}
