// The page: keeps the phones and panels in step with the fake Telegram.

import { calmly, follow } from "../api.js";
import { el } from "../dom.js";
import { Panels } from "./panels.js";
import { Phone } from "./phone.js";
import { act, view } from "./world.js";

const MEMORY = "simulator.telegram.chosen";
const phones = new Map();
const place = document.querySelector(".phones");
const live = document.querySelector(".live");
const viewer = document.querySelector(".viewer");
const panels = new Panels(document.querySelector(".panels"));

const chosen = {
  all: () => {
    try {
      return JSON.parse(localStorage.getItem(MEMORY) || "{}");
    } catch {
      return {};
    }
  },
  get: (userId) => chosen.all()[userId],
  set: (userId, key) => localStorage.setItem(MEMORY, JSON.stringify({ ...chosen.all(), [userId]: key })),
};

function showPicture(address) {
  viewer.querySelector("img").src = address;
  viewer.showModal();
}

viewer.addEventListener("click", (event) => {
  if (event.target === viewer) viewer.close();
});

const refreshState = calmly(async () => {
  const state = await view("state");
  state.people.forEach((person, index) => {
    if (phones.has(person.user_id)) return;
    const phone = new Phone(person, index + 1, chosen, showPicture);
    phones.set(person.user_id, phone);
    place.append(phone.node);
  });
  const known = new Set(state.people.map((person) => person.user_id));
  for (const [userId, phone] of phones) {
    if (known.has(userId)) phone.update(state);
    else {
      phone.node.remove();
      phones.delete(userId);
    }
  }
  place.classList.toggle("empty", phones.size === 0);
  panels.update(state);
});

function refreshAll() {
  refreshState();
  panels.refreshLogs();
  for (const phone of phones.values()) phone.refresh();
}

function onChange({ change, what, chat, user_id: userId }) {
  if (change === "reset") {
    for (const phone of phones.values()) phone.node.remove();
    phones.clear();
    refreshAll();
    return;
  }
  if (change !== "telegram") return;
  if (what === "message") for (const phone of phones.values()) if (phone.key === chat) phone.refresh();
  if (what === "tap" && phones.get(userId)?.key === chat) phones.get(userId).toast();
  if (["call", "update"].includes(what)) panels.refreshLogs();
  if (!["call", "poll", "tap"].includes(what)) refreshState();
}

function onLive(connected) {
  live.textContent = connected ? "Đang kết nối" : "Mất kết nối, đang thử lại…";
  live.dataset.live = connected ? "yes" : "no";
  if (connected) refreshAll();
}

document.querySelector(".add").addEventListener("submit", async (event) => {
  event.preventDefault();
  const field = event.target.querySelector("input");
  const name = field.value.trim() || `Công dân Thử Nghiệm ${phones.size + 1}`;
  field.value = "";
  try {
    const person = await act("person", { name });
    await new Promise((done) => setTimeout(done, 250));
    phones.get(person.user_id)?.node.scrollIntoView({ behavior: "smooth", block: "nearest" });
  } catch (refusal) {
    live.textContent = `Không thêm được: ${refusal.message}`;
  }
});

place.append(el("p", { class: "hint" }, "Chưa có điện thoại nào. Nhập một tên ở trên rồi bấm “Thêm điện thoại”."));
await panels.start();
follow(onChange, onLive);
