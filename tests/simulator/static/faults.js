// The panel of faults: switch each kind on for some OA and so many times, see what is on, switch off.

import { act } from "./api.js";
import { el } from "./dom.js";
import { FAULTS } from "./words.js";

const NUMBERS = { ms: "mili giây", code: "mã lỗi", seconds: "giây", copies: "bản" };

/** The list of faults; `kinds` are those the simulator knows, with its own sentences. */
export class FaultList {
  constructor(kinds) {
    this.account = el("select", { "data-testid": "fault-oa", "aria-label": "Sự cố cho OA nào" }, el("option", { value: "" }, "Mọi OA"));
    this.count = el("input", { type: "number", min: 1, placeholder: "mãi", "data-testid": "fault-count", "aria-label": "Số lần, để trống là mãi" });
    const clear = el("button", { type: "button", "data-testid": "clear-faults", onclick: () => this.run("clear_faults", {}) }, "Tắt hết sự cố");
    this.said = el("p", { class: "said", role: "status" });
    this.rows = new Map(Object.entries(kinds).map(([kind, sentence]) => [kind, this.row(kind, sentence)]));
    this.node = el(
      "div",
      { class: "faults" },
      el("div", { class: "row scope" }, el("label", {}, "Cho", this.account), el("label", {}, "Số lần", this.count), clear),
      this.said,
      el("ul", {}, ...[...this.rows.values()].map((row) => row.node)),
    );
  }

  row(kind, sentence) {
    const [title, words, setting] = FAULTS[kind] || [kind, sentence];
    const [name, initial] = Object.entries(setting || {})[0] || [];
    let field = null;
    if (Array.isArray(initial)) field = el("select", { "aria-label": `${title}: cách` }, ...initial.map((value) => el("option", {}, value)));
    else if (name) field = el("input", { type: "number", value: initial, "aria-label": `${title}: ${NUMBERS[name]}` });
    const start = () => this.start(kind, name, field);
    const on = el("button", { type: "button", "data-testid": `fault-${kind}`, "aria-label": `Bật: ${title}`, onclick: start }, "Bật");
    const active = el("ul", { class: "active" });
    const node = el(
      "li",
      { class: "fault", "data-kind": kind },
      el("div", { class: "about" }, el("strong", {}, title), el("small", {}, words)),
      el("div", { class: "set" }, field && el("label", {}, field, el("small", {}, NUMBERS[name] || "")), on),
      active,
    );
    return { node, active };
  }

  async start(kind, name, field) {
    const settings = { kind };
    if (this.account.value) settings.oa_id = this.account.value;
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
  update({ oas, faults }) {
    const names = new Map(oas.map((oa) => [oa.oa_id, oa.name]));
    const options = JSON.stringify([...names]);
    if (options !== this.options) {
      this.options = options;
      const kept = this.account.value;
      this.account.replaceChildren(el("option", { value: "" }, "Mọi OA"), ...oas.map((oa) => el("option", { value: oa.oa_id }, oa.name)));
      this.account.value = names.has(kept) ? kept : "";
    }
    for (const [kind, { node, active }] of this.rows) {
      const mine = faults.filter((fault) => fault.kind === kind);
      node.classList.toggle("on", mine.length > 0);
      active.replaceChildren(...mine.map((fault) => this.active(fault, names)));
    }
  }

  active(fault, names) {
    const where = fault.oa_id ? names.get(fault.oa_id) || fault.oa_id : "mọi OA";
    const left = fault.count === null ? "mãi" : `còn ${fault.count - fault.used} lần`;
    const off = el("button", { type: "button", "data-testid": `off-${fault.kind}`, onclick: () => this.run("clear_faults", { fault_id: fault.fault_id }) }, "Tắt");
    return el("li", {}, el("span", {}, `Đang bật: ${where}, ${left}, đã xảy ra ${fault.used}`), off);
  }
}
