// Today's session: one button, then drill after drill with a rest between, and what came of it.

import { h, t, announce, keyHint } from "./dom.js";
import { adviceText } from "./result.js";

const MINUTES = ["5", "10", "20"];

export class Lesson {
  /**
   * @param {import("./live.js").Live} live
   * @param {(state: any) => void} onchange hears every state of the session
   */
  constructor(live, onchange) {
    this._live = live;
    this._onchange = onchange;
    this.running = false;
    /** @type {any} */
    this._said = {};
    this._minutes = /** @type {HTMLSelectElement} */ (h("select", { "aria-label": t("lesson.length") }, MINUTES.map((n) => h("option", { value: n, selected: n === "10" }, t("lesson.minutes", { n })))));
    this._begin = h("button.main", { type: "button", onclick: () => this.begin() }, t("lesson.begin"), keyHint("S"));
    this.starter = h("section.starter", { "aria-label": t("lesson.title") }, h("h2", {}, t("lesson.title")), h("p.soft.small", {}, t("lesson.about")), h("div.row", {}, this._minutes, this._begin));
    this._where = h("span", { role: "timer" });
    this._next = h("button", { type: "button", onclick: () => this.next() });
    this.bar = h("div.row.lesson-bar", { hidden: true }, this._where, this._next, h("button.quiet", { type: "button", onclick: () => this.stop() }, t("lesson.end")));
    live.addEventListener("lesson", (/** @type {CustomEvent} */ event) => this._take(event.detail));
    live.addEventListener("link", () => { if (!live.connected) this._show(null); });
  }

  /** @param {string | null} drill that drill alone, again and again */
  begin(drill = null) {
    this._live.send({ type: "lesson-start", minutes: Number(this._minutes.value), drill });
  }

  next() {
    this._live.send({ type: "lesson-next" });
  }

  stop() {
    if (this.running) this._live.send({ type: "lesson-stop" });
  }

  _take(state) {
    this._show(state.phase === "done" ? null : state);
    this._onchange(state);
    if (state.phase === "rest" && this._said.n !== state.n) announce(t("lesson.rest_next", { n: state.n }));
    this._said = state;
  }

  _show(state) {
    this.running = state !== null;
    this.bar.hidden = !this.running;
    this.starter.hidden = this.running;
    document.body.classList.toggle("lesson", this.running);
    if (!state) return;
    const left = Math.ceil(state.left_s);
    this._where.textContent = t("lesson.left", { n: state.n, m: Math.floor(left / 60), s: String(left % 60).padStart(2, "0"), why: t("lesson.why")[state.why] ?? "" });
    this._next.textContent = t(state.phase === "rest" ? "lesson.now" : "lesson.skip");
  }
}

/** What came of a session, and the one thing to work on. */
export function summaryPanel({ minutes, rows, work_on: work }) {
  const head = ["drill", "attempts", "passes", "best"].map((name, i) => h(i ? "th.number" : "th", { scope: "col" }, t(`lesson.${name}`)));
  const advice = work ? t("lesson.work_on", { title: work.title, advice: adviceText(work.advice) }) : t("lesson.clean");
  announce(`${t("lesson.over")} ${rows.length ? advice : ""}`);
  return h("section.panel.stack.summary", { "data-drills": rows.length }, h("h2", {}, t("lesson.over")),
    h("p.soft", {}, t("lesson.took", { minutes: minutes.toFixed(1), n: rows.reduce((sum, row) => sum + row.attempts, 0) })),
    rows.length ? h("p.advice", {}, advice) : null,
    rows.length ? h("table", {}, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows.map((row) => h("tr", { "data-row": row.drill }, h("th", { scope: "row" }, row.title), h("td.number", {}, row.attempts), h("td.number", {}, row.passes), h("td.number", {}, row.best.toFixed(0)))))) : null);
}
