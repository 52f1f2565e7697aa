// The lower part of a phone: what can be sent, and the line to type in.

import { base64 } from "./api.js";
import { el, icon } from "./dom.js";
import { summary } from "./bubbles.js";

const PHOTOS = [1, 2, 3, 4, 5];

/** The composer of one phone; `send(verb, settings)` carries a verb out for this phone's person and OA. */
export class Composer {
  constructor(send, number) {
    this.send = send;
    this.quoted = null;
    this.input = el("textarea", {
      rows: 1,
      "data-testid": "input",
      "aria-label": `Tin nhắn của điện thoại ${number}`,
      placeholder: "Nhập tin nhắn",
      onkeydown: (event) => this.onKey(event),
      oninput: () => this.grow(),
    });
    this.quote = el("div", { class: "quoting", hidden: true, "data-testid": "quoting" });
    const submit = el("button", { class: "send", "data-testid": "send", "aria-label": "Gửi", title: "Gửi" }, icon("send"));
    this.node = el(
      "form",
      { class: "composer", onsubmit: (event) => this.submit(event) },
      this.tools(),
      this.quote,
      el("div", { class: "line" }, this.input, submit),
    );
  }

  tools() {
    const one = (testid, name, words, verb, settings) =>
      el("button", { type: "button", "data-testid": testid, title: words, "aria-label": words, onclick: () => this.send(verb, settings) }, name === "GIF" ? "GIF" : icon(name));
    const photos = PHOTOS.map((count) =>
      el("button", { type: "button", "data-testid": `photo-${count}`, title: `Gửi ${count} ảnh mẫu`, "aria-label": `Gửi ${count} ảnh mẫu`, onclick: () => this.send("images", { count }) }, String(count)),
    );
    return el(
      "div",
      { class: "tools", role: "toolbar", "aria-label": "Gửi thứ khác" },
      el("span", { class: "photos", title: "Gửi ảnh mẫu" }, icon("camera"), ...photos),
      this.chooser("upload-photo", "upload", "Gửi ảnh của bạn", "image/png,image/jpeg,image/gif", (files) => this.sendPhotos(files)),
      one("place", "pin", "Chia sẻ vị trí", "location"),
      one("voice", "mic", "Gửi ghi âm", "audio"),
      one("video", "film", "Gửi đoạn phim", "video"),
      one("sticker", "smile", "Gửi nhãn dán", "sticker"),
      one("gif", "GIF", "Gửi ảnh động", "gif"),
      one("file", "file", "Gửi tệp PDF mẫu", "file"),
      this.chooser("upload-file", "attach", "Gửi tệp của bạn", "", (files) => this.sendFile(files[0])),
      one("card", "card", "Gửi danh thiếp", "business_card"),
      one("link", "link", "Gửi liên kết", "link"),
      one("share-phone", "call", "Chia sẻ số điện thoại", "submit_info"),
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

  async sendPhotos(files) {
    const data = await Promise.all(files.slice(0, 5).map(base64));
    await this.send("images", { data, text: this.take() });
  }

  async sendFile(file) {
    await this.send("file", { name: file.name, data: await base64(file) });
  }

  onKey(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.node.requestSubmit();
  }

  async submit(event) {
    event.preventDefault();
    const quote = this.quoted;
    const text = this.take();
    if (!text) return;
    this.reply(null);
    const sent = await this.send("text", { text, ...(quote ? { quote_msg_id: quote.msg_id } : {}) });
    if (!sent && !this.input.value) {
      this.input.value = text;
      this.reply(quote);
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

  /** Answer this message with the next text; null takes it back. */
  reply(message) {
    this.quoted = message;
    this.quote.hidden = !message;
    if (!message) return;
    const close = el("button", { type: "button", "aria-label": "Bỏ trích dẫn", onclick: () => this.reply(null) }, "×");
    this.quote.replaceChildren(el("span", {}, `Trả lời: ${summary(message)}`), close);
    this.input.focus();
  }
}
