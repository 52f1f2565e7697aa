// The lower part of a phone: what can be sent, and the line to type in.

import { base64 } from "../api.js";
import { el, icon } from "../dom.js";
import { summary } from "./bubbles.js";

const PHOTOS = [1, 2, 3, 4, 5];

/** The composer of one phone; `send(verb, settings)` carries a verb out in the chat that is open. */
export class Composer {
  constructor(send, number) {
    this.send = send;
    this.about = null;
    this.input = el("textarea", {
      rows: 1,
      "data-testid": "input",
      "aria-label": `Tin nhắn của điện thoại ${number}`,
      placeholder: "Nhập tin nhắn",
      onkeydown: (event) => this.onKey(event),
      oninput: () => this.grow(),
    });
    this.told = el("div", { class: "quoting", hidden: true, "data-testid": "quoting" });
    this.keys = el("div", { class: "keys", hidden: true, "data-testid": "keys" });
    const submit = el("button", { class: "send", "data-testid": "send", "aria-label": "Gửi", title: "Gửi" }, icon("send"));
    this.node = el("form", { class: "composer", onsubmit: (event) => this.submit(event) }, this.tools(), this.told, el("div", { class: "line" }, this.input, submit), this.keys);
  }

  tools() {
    const one = (testid, name, words, verb) =>
      el("button", { type: "button", "data-testid": testid, title: words, "aria-label": words, onclick: () => this.send(verb, {}) }, name === "GIF" ? "GIF" : icon(name));
    const photos = PHOTOS.map((count) => {
      const words = count === 1 ? "Gửi một ảnh mẫu" : `Gửi album ${count} ảnh mẫu`;
      return el("button", { type: "button", "data-testid": `photo-${count}`, title: words, "aria-label": words, onclick: () => this.sendSamples(count) }, String(count));
    });
    return el(
      "div",
      { class: "tools", role: "toolbar", "aria-label": "Gửi thứ khác" },
      el("span", { class: "photos", title: "Gửi ảnh mẫu" }, icon("camera"), ...photos),
      this.chooser("upload-photo", "upload", "Gửi ảnh của bạn", "image/png,image/jpeg", (files) => this.sendPhotos(files)),
      one("place", "pin", "Chia sẻ vị trí", "location"),
      one("voice", "mic", "Gửi ghi âm", "voice"),
      one("video", "film", "Gửi đoạn phim", "video"),
      one("sticker", "smile", "Gửi nhãn dán", "sticker"),
      one("gif", "GIF", "Gửi ảnh động", "gif"),
      one("file", "file", "Gửi tệp PDF mẫu", "document"),
      this.chooser("upload-file", "attach", "Gửi tệp của bạn", "", (files) => this.sendFile(files[0])),
      one("share-contact", "call", "Chia sẻ số điện thoại của tôi", "share_contact"),
    );
  }

  chooser(testid, name, words, accept, take) {
    const field = el("input", { type: "file", accept, multiple: testid === "upload-photo", "data-testid": testid, class: "sr", "aria-label": words });
    field.addEventListener("change", async () => {
      if (field.files.length) await take([...field.files]);
      field.value = "";
    });
    return el("label", { class: "chooser", title: words }, field, icon(name));
  }

  /** What is typed becomes the caption, and what is answered stays answered. */
  beside() {
    const about = this.about;
    const reply = about && !about.edit ? { reply_to: about.message.message_id } : {};
    this.turnTo(null);
    return { text: this.take(), ...reply };
  }

  async sendSamples(count) {
    await this.send(count === 1 ? "photo" : "album", { ...(count === 1 ? {} : { count }), ...this.beside() });
  }

  async sendPhotos(files) {
    const data = await Promise.all(files.slice(0, 10).map(base64));
    if (data.length === 1) await this.send("photo", { data: data[0], ...this.beside() });
    else await this.send("album", { data, ...this.beside() });
  }

  async sendFile(file) {
    await this.send("document", { name: file.name, data: await base64(file), ...this.beside() });
  }

  onKey(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.node.requestSubmit();
  }

  async submit(event) {
    event.preventDefault();
    const about = this.about;
    const text = this.take();
    if (!text) return;
    this.turnTo(null);
    const message_id = about?.message.message_id;
    const sent = about?.edit ? await this.send("edit", { text, message_id }) : await this.send("text", { text, ...(about ? { reply_to: message_id } : {}) });
    if (!sent && !this.input.value) {
      this.input.value = text;
      this.turnTo(about);
    }
  }

  take() {
    const text = this.input.value.trim();
    this.input.value = "";
    this.grow();
    return text;
  }

  grow() {
    this.input.rows = Math.min(4, this.input.value.split("\n").length);
  }

  /** Answer a message ({message}) or change it ({message, edit: true}) with the next text; null takes it back. */
  turnTo(about) {
    this.about = about;
    this.told.hidden = !about;
    if (!about) return;
    if (about.edit && !this.input.value) this.input.value = about.message.text;
    const close = el("button", { type: "button", "aria-label": "Thôi", onclick: () => this.turnTo(null) }, "×");
    this.told.replaceChildren(el("span", {}, `${about.edit ? "Sửa" : "Trả lời"}: ${summary(about.message)}`), close);
    this.input.focus();
  }

  /** Show the keys that a bot has put in the place of the keyboard. */
  showKeys(keys, press) {
    const told = JSON.stringify(keys);
    if (told === this.toldKeys) return;
    this.toldKeys = told;
    this.keys.hidden = !keys.length;
    this.keys.replaceChildren(...keys.map((key) => el("button", { type: "button", "data-testid": "key", onclick: () => press(key) }, key.text)));
  }
}
