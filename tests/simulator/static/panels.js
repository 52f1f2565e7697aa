// Beside the phones: faults, the provider's console, and logs of calls and webhooks.

import { act, calmly, faultKinds, view } from "./api.js";
import { date, el, hour } from "./dom.js";
import { FaultList } from "./faults.js";
import { STATES, tone } from "./words.js";

const LOG_ROWS = 60;
const TABS = { faults: "Sự cố", console: "Console", logs: "Nhật ký" };

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
    this.console = el("div", { class: "console" });
    this.calls = el("div", { class: "log", "data-testid": "calls" });
    this.deliveries = el("div", { class: "log", "data-testid": "deliveries" });
    const logs = el("div", {}, el("h3", {}, "Lời gọi API"), this.calls, el("h3", {}, "Webhook"), this.deliveries);
    const bodies = { faults: this.faults.node, console: this.console, logs };
    this.tabs = Object.entries(TABS).map(([name, words]) =>
      el("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": `panel-${name}`, "data-testid": `tab-${name}`, onclick: () => this.show(name), onkeydown: (event) => this.step(event, name) }, words),
    );
    this.panels = Object.entries(bodies).map(([name, body]) =>
      el("section", { role: "tabpanel", id: `panel-${name}`, "aria-labelledby": `tab-${name}`, "data-testid": `panel-${name}` }, body),
    );
    this.place.replaceChildren(el("div", { class: "tabs", role: "tablist" }, ...this.tabs), ...this.panels);
    this.show("faults");
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
    this.state = state;
    this.faults.update(state);
    const told = JSON.stringify([state.oas, Math.round((state.now_ms - Date.now()) / 60000)]);
    if (told === this.told) return;
    this.told = told;
    this.console.replaceChildren(...state.oas.map((oa) => this.account(oa)), this.clock(state));
  }

  account(oa) {
    const said = el("p", { class: "said", role: "status" });
    const press = (testid, words, verb, settings, tell) => {
      const work = async () => {
        try {
          const outcome = await act(verb, { oa_id: oa.oa_id, ...settings });
          said.textContent = tell ? `${words}: ${tell(outcome)}` : "";
        } catch (refusal) {
          said.textContent = `${words}: ${refusal.message}`;
        }
      };
      return el("button", { type: "button", "data-testid": testid, onclick: work }, words);
    };
    const outcome = (delivery) => (delivery.status ? `HTTP ${delivery.status}` : STATES[delivery.state] || delivery.state);
    const on = oa.webhook_on;
    return el(
      "section",
      { class: "account", "data-testid": `console-${oa.oa_id}` },
      el("h3", {}, oa.name),
      el("dl", {}, ...facts({ "Loại": oa.is_state ? "Cơ quan nhà nước" : "Doanh nghiệp", "OA ID": oa.oa_id, "Địa chỉ webhook": oa.webhook_url || "chưa có", "Hạn token": `${hour(oa.access_expires_ms)} ${date(oa.access_expires_ms)}` })),
      el("p", { class: `badge ${on ? "good" : "bad"}`, "data-testid": "webhook-state" }, on ? "Webhook đang bật" : "Webhook đã tắt"),
      el(
        "div",
        { class: "row" },
        press("probe", "Lưu địa chỉ ({})", "probe", {}, outcome),
        press("test-button", "Nút Kiểm tra", "test_button", {}, outcome),
        press("webhook-switch", on ? "Tắt webhook" : "Bật webhook", "set_oa", { webhook_on: !on }),
      ),
      said,
    );
  }

  clock(state) {
    const minutes = Math.round((state.now_ms - Date.now()) / 60000);
    const skip = (words, seconds) => el("button", { type: "button", "data-testid": `advance-${seconds}`, onclick: () => this.advance(seconds) }, words);
    return el(
      "section",
      { class: "account" },
      el("h3", {}, "Đồng hồ của Zalo"),
      el("p", {}, minutes ? `Đi trước giờ thật ${minutes} phút.` : "Đúng giờ thật."),
      el("div", { class: "row" }, skip("+1 giờ", 3600), skip("+1 ngày", 86400), skip("+7 ngày", 604800)),
    );
  }

  async advance(seconds) {
    await act("advance", { seconds });
    this.update(await view("state"));
  }

  async loadLogs() {
    if (this.current !== "logs") return;
    const [calls, deliveries] = await Promise.all([view("calls", { last: LOG_ROWS }), view("deliveries", { last: LOG_ROWS })]);
    this.fill(this.calls, calls.map((call) => this.call(call)), "Dịch vụ chưa gọi lần nào.");
    this.fill(this.deliveries, deliveries.map((delivery) => this.delivery(delivery)), "Chưa có webhook nào.");
  }

  fill(place, rows, otherwise) {
    place.replaceChildren(...(rows.length ? rows : [el("p", { class: "hint" }, otherwise)]));
  }

  call(call) {
    const good = call.error === 0;
    const outcome = call.status === 0 ? "ngắt" : call.error === null ? `HTTP ${call.status}` : String(call.error);
    return this.entry(`c${call.number}`, {
      tone: good ? "good" : "bad",
      outcome: good ? "0" : outcome,
      title: `${call.method} ${call.path}`,
      at: call.at_ms,
      detail: [call.message, call.faults.length ? `sự cố: ${call.faults.join(", ")}` : "", `${call.took_ms} ms`, call.delivered ? "đã đến máy" : ""].filter(Boolean).join(" · "),
      body: call.params,
    });
  }

  delivery(delivery) {
    const tries = delivery.attempts.map((attempt) => `${hour(attempt.at_ms, true)} ${attempt.status || attempt.error} ${attempt.took_ms} ms`);
    let body = delivery.body;
    try {
      body = JSON.parse(delivery.body);
    } catch {
      // What is no JSON is shown as it is.
    }
    return this.entry(`d${delivery.delivery_id}`, {
      tone: tone(delivery.state),
      outcome: delivery.status ? String(delivery.status) : STATES[delivery.state] || delivery.state,
      title: delivery.event_name || "{}",
      at: delivery.at_ms,
      detail: [STATES[delivery.state] || delivery.state, delivery.num_retry ? `num_retry ${delivery.num_retry}` : "", ...tries].filter(Boolean).join(" · "),
      body,
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

function facts(rows) {
  return Object.entries(rows).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]);
}
