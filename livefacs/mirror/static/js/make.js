// A pack from one's own clips: take a clip in, trim its items, name and key them, state rights, keep it.

import { h, t, announce, post } from "./dom.js";
import { AnswerForm } from "./answer.js";
import { Player } from "./player.js";

const PIECE = 4e6; // bytes a request
const WINDOW = 300; // frames at once, as the program gives them
const PARSER = "school-easy"; // human FACS

export class MakeView {
  constructor() {
    this._items = [];
    /** @type {Record<string, HTMLInputElement>} */
    this._fields = {};
    this._player = new Player();
    this._marks = { start: 0, apex: 0, end: 1 };
    const field = (name, attributes = {}) => {
      this._fields[name] = /** @type {HTMLInputElement} */ (h("input", { id: `make-${name}`, type: "text", maxlength: 200, required: true, autocomplete: "off", ...attributes }));
      return h("div.stack", {}, h("label", { for: `make-${name}` }, t(`make.${name}`)), this._fields[name]);
    };
    this._clip = /** @type {HTMLInputElement} */ (h("input", { id: "make-clip", type: "file", accept: "video/*", onchange: () => this._takeIn() }));
    this._said = h("p", { role: "status" });
    this._errors = h("p.bad", { role: "alert", hidden: true });
    this._markWords = h("p", { role: "status" });
    this._markers = ["start", "apex", "end"].map((name) => /** @type {HTMLButtonElement} */ (h("button", { type: "button", "data-mark": name, onclick: () => this._mark(name) }, t(`make.${name}_here`))));
    this._form = new AnswerForm((line) => this._addItem(line), t("make.add"));
    this._list = h("ol");
    this._trim = h("section.coding.making", { hidden: true, "aria-label": t("make.trim") },
      h("div.stack", {}, h("h2", {}, t("make.trim")), h("div.row", {}, h("button", { type: "button", onclick: () => this._go(-WINDOW) }, t("make.earlier")), h("button", { type: "button", onclick: () => this._go(WINDOW) }, t("make.later")))),
      this._player.element,
      h("div.stack", {}, h("div.row", {}, this._markers), this._markWords, field("item", { pattern: "[a-z0-9][a-z0-9\\-]*", maxlength: 60, required: false }), this._form.element, this._list));
    this._save = h("button.main", { type: "button", onclick: () => this._keep() }, t("make.save"));
    this.element = h("div.stack.page-wide", {}, h("h1", {}, t("make.heading")), h("p", {}, t("make.about")),
      h("div.fields", {}, field("name", { pattern: "[a-z0-9][a-z0-9\\-]*", maxlength: 60 }), field("title"), field("rights"), field("source"), h("div.stack", {}, h("label", { for: "make-clip" }, t("make.clip")), this._clip)),
      this._said, this._trim, this._errors, h("div.row", {}, this._save));
  }

  enter() {}

  _fail(error) {
    this._errors.hidden = !error;
    this._errors.textContent = error?.message ?? "";
  }

  /** The clip goes to the program in pieces, each within the time that a request has. */
  async _takeIn() {
    const file = this._clip.files[0];
    if (!file) return;
    this._fail(null);
    const name = fileName(file.name);
    try {
      let found = null;
      for (let at = 0; at < file.size; at += PIECE) {
        this._said.textContent = t("make.taking", { percent: Math.round((100 * at) / file.size) });
        const path = `/api/making/${encodeURIComponent(this._fields.name.value)}/${encodeURIComponent(name)}?at=${at}&of=${file.size}`;
        found = await post(path, file.slice(at, at + PIECE));
      }
      if (!found) throw new Error(t("make.empty"));
      this._taken = found;
      this._said.textContent = t("make.taken", { clip: found.clip, frames: found.frames });
      this._fields.name.readOnly = true; // the clip lies in its folder now
      this._marks = { start: 0, apex: 0, end: Math.min(found.frames, WINDOW) };
      this._at = 0;
      this._trim.hidden = false;
      this._tellMarks();
      await this._window();
    } catch (error) {
      this._said.textContent = "";
      this._fail(error);
    }
    this._clip.value = "";
  }

  async _window() {
    const { clip } = this._taken;
    this._setReady("");
    await this._player.load(`/api/making/${encodeURIComponent(this._fields.name.value)}/${encodeURIComponent(clip)}/${this._at}`);
    this._form.reset(PARSER);
    this._setReady(String(this._at));
  }

  /** @param {string} at first frame of the window; empty while it loads, when there is none to mark */
  _setReady(at) {
    this._trim.dataset.ready = at;
    for (const button of this._markers) button.disabled = !at;
  }

  _go(by) {
    const last = Math.max(0, Math.floor((this._taken.frames - 1) / WINDOW) * WINDOW);
    const at = Math.max(0, Math.min(last, this._at + by));
    if (at === this._at) return;
    this._at = at;
    this._window();
  }

  /** The frame that is shown; an end is exclusive, so that the shown frame is the last one inside. */
  _mark(name) {
    this._marks[name] = this._at + this._player.at + (name === "end" ? 1 : 0);
    this._tellMarks();
  }

  _tellMarks() {
    this._markWords.textContent = t("make.marks", this._marks);
  }

  async _addItem(key) {
    const { start, apex, end } = this._marks;
    const name = this._fields.item.value || `item-${this._items.length + 1}`;
    const wrong = !key ? t("make.no_key") : !(start <= apex && apex < end) ? t("make.order") : this._items.some((each) => each.name === name) ? t("make.twice", { name }) : "";
    this._fail(wrong ? new Error(wrong) : null);
    if (wrong) return;
    this._items.push({ name, clip: this._taken.clip, start, apex, end, key });
    this._fields.item.value = "";
    this._form.reset(PARSER);
    this._tellItems();
  }

  _tellItems() {
    this._list.replaceChildren(...this._items.map((each) => h("li", {}, `${each.name}: ${each.key} (${each.clip}, ${each.start}–${each.apex}–${each.end}) `,
      h("button.quiet", { type: "button", "aria-label": t("make.remove", { name: each.name }), onclick: () => { this._items = this._items.filter((one) => one !== each); this._tellItems(); } }, "×"))));
  }

  async _keep() {
    try {
      const about = { title: this._fields.title.value, rights: this._fields.rights.value, source: this._fields.source.value };
      const made = await post(`/api/making/${encodeURIComponent(this._fields.name.value || "-")}`, { ...about, items: this._items });
      this._fail(null);
      this._said.replaceChildren(t("make.kept", { name: made.pack, n: made.items }), " ", h("a", { href: "#code" }, t("nav.code")));
      announce(this._said.textContent);
      this._items = [];
      this._fields.name.readOnly = false;
      this._fields.name.value = "";
      this._trim.hidden = true;
      this._tellItems();
    } catch (error) {
      this._fail(error);
    }
  }

  frame() {}

  key(key) {
    return this._trim.hidden ? false : this._player.key(key);
  }

  leave() {
    this._player.pause();
  }
}

/** A file's name as packs have them: lower case, digits, hyphens. */
function fileName(name) {
  const dot = name.lastIndexOf(".");
  const base = (dot < 0 ? name : name.slice(0, dot)).toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 50) || "clip";
  return `${base}${dot < 0 ? "" : name.slice(dot).toLowerCase()}`;
}

