// Say the letter: one action on the head at a chance intensity; at the end the errors and the ICC.

import { h, t, announce, colour, get, post, sharp } from "./dom.js";
import { facePlayer } from "./face-player.js";
import { line } from "./plot.js";

const LETTERS = ["A", "B", "C", "D", "E"];

export class Letters {
  /**
   * @param {any} basics
   * @param {(element: HTMLElement) => void} show puts a page in place
   * @param {() => void} leave back to the choice
   */
  constructor(basics, show, leave) {
    this._basics = basics;
    this._show = show;
    this._leave = leave;
    this.running = false;
    this._at = 0;
    /** @type {import("./player.js").Player | null} */
    this._player = null;
  }

  /** @returns {Promise<HTMLElement>} the choice of an action and a number */
  async intro() {
    const { actions } = await get("/api/letters");
    const name = (code) => this._basics.cards.find((card) => card.code === code)?.name ?? "";
    const action = /** @type {HTMLSelectElement} */ (h("select", { id: "letters-action" }, h("option", { value: "" }, t("school.any")), actions.map((code) => h("option", { value: code }, `${code} ${name(code)}`))));
    const count = /** @type {HTMLInputElement} */ (h("input", { id: "letters-count", type: "number", min: 1, max: 100, value: 20 }));
    return h("section.stack", {}, h("h2", {}, t("school.letters")), h("p", {}, t("school.letters_about")),
      h("form.row", { onsubmit: (event) => { event.preventDefault(); this.begin(action.value, Number(count.value)); } },
        h("div.stack", {}, h("label", { for: "letters-action" }, t("school.action")), action), h("div.stack", {}, h("label", { for: "letters-count" }, t("test.count")), count),
        h("button.main", { type: "submit" }, t("school.letters_begin"))));
  }

  /** @param {string} action @param {number} items */
  async begin(action, items) {
    this._test = await post("/api/letters", { action, items });
    this._at = 0;
    this.running = true;
    this._player = facePlayer("head");
    this._where = h("h1");
    this._buttons = LETTERS.map((letter) => h("button.letter", { type: "button", "data-say": letter, onclick: () => this._say(letter) }, letter));
    const page = h("div.coding.lettering", {}, h("div.side.stack", {}, h("p.soft.small", {}, t("test.not_official")), h("button", { type: "button", onclick: () => this._end() }, t("school.end"))),
      this._player.element, h("div.stack", {}, this._where, h("div.row", { role: "group", "aria-label": t("school.letters") }, this._buttons)));
    this._show(page);
    this._page = page;
    await this._next();
  }

  async _next() {
    const { test, items } = this._test;
    const { code, name } = items[this._at];
    this._page.dataset.item = "";
    this._where.textContent = t("school.which", { n: this._at + 1, of: items.length, code, name });
    announce(this._where.textContent);
    await this._player.load(`/api/letters/${test}/items/${this._at + 1}`);
    this._page.dataset.item = String(this._at + 1);
  }

  async _say(letter) {
    if (!this.running || this._page.dataset.item !== String(this._at + 1)) return;
    this._page.dataset.item = "";
    await post(`/api/letters/${this._test.test}/answer`, { item: this._at + 1, letter });
    this._at += 1;
    if (this._at < this._test.items.length) await this._next();
    else await this._end();
  }

  async _end() {
    if (!this.running) return;
    this.running = false;
    this._player.pause();
    this._report(await post(`/api/letters/${this._test.test}/end`));
  }

  _report(found) {
    const curve = h("canvas.plot", { role: "img", "aria-label": t("school.errors") });
    const head = h("tr", {}, h("th", { scope: "col" }, t("school.true")), found.letters.map((letter) => h("th.number", { scope: "col" }, letter)), h("th.number", { scope: "col" }, t("school.error")));
    const rows = found.letters.map((letter, i) => h("tr", { "data-true": letter }, h("th", { scope: "row" }, letter), found.table[i].map((n) => h("td.number", {}, n || "")), h("td.number", {}, signed(found.mean_error[i]))));
    this._show(h("div.page", { "data-icc": found.icc ?? "", "data-exact": found.exact }, h("h1", {}, t("school.report")),
      h("p.advice", {}, found.icc === null ? t("school.icc_none") : t("school.icc", { icc: found.icc.toFixed(2) })),
      h("p", {}, t("school.exact", { n: found.exact, of: found.n, near: found.near })), h("p", {}, t("school.cd", { c: found.c_as_d, d: found.d_as_c })),
      curve, h("p.small.soft", {}, t("school.errors")),
      h("table", {}, h("caption.small.soft", {}, `${t("school.true")} × ${t("school.given")}`), h("thead", {}, head), h("tbody", {}, rows)), h("p.notice", {}, t("test.not_official")),
      h("div.row", {}, h("button.main", { type: "button", onclick: this._leave }, t("test.again")))));
    plotErrors(curve, found);
    announce(t("school.report"));
  }

  key(key) {
    const letter = key.toUpperCase();
    if (this.running && LETTERS.includes(letter)) this._say(letter);
    else return this.running ? this._player.key(key) : false;
    return true;
  }

  pause() {
    this._player?.pause();
  }
}

function signed(value) {
  if (value === null) return "–";
  return `${value > 0 ? "+" : value < 0 ? "−" : ""}${Math.abs(value).toFixed(2)}`;
}

/** Mean error by true letter, two letters up and down. */
function plotErrors(canvas, { letters, mean_error: errors }) {
  const context = sharp(canvas);
  const { clientWidth: width, clientHeight: height } = canvas;
  const x = (i) => ((i + 0.5) / letters.length) * width;
  const y = (error) => height * (0.5 - 0.22 * Math.max(-2, Math.min(2, error)));
  context.strokeStyle = colour("--edge");
  line(context, [[0, y(0)], [width, y(0)]]);
  context.fillStyle = colour("--soft");
  context.font = "15px sans-serif";
  letters.forEach((letter, i) => context.fillText(letter, x(i) - 5, height - 6));
  const known = errors.map((error, i) => [error, i]).filter(([error]) => error !== null);
  context.strokeStyle = context.fillStyle = colour("--right");
  context.lineWidth = 2.4;
  line(context, known.map(([error, i]) => [x(i), y(error)]));
  for (const [error, i] of known) { context.beginPath(); context.arc(x(i), y(error), 5, 0, 7); context.fill(); }
}
