// One row a control: its value now, its peak, and the way to tune it.

import { h, t } from "../dom.js";

/** @typedef {import("./map.js").Control} Control */
/** @typedef {{control: Control, button: HTMLElement, name: HTMLElement, fill: HTMLElement, peak: HTMLElement, figure: HTMLElement}} Row */

const MOVES = 0.03; // of the range
const MOVING_MS = 1500;

export class Rows {
  /** @param {(name: string) => void} onChoose */
  constructor(onChoose) {
    this._onChoose = onChoose;
    this.element = h("div.rows", { role: "region", "aria-label": t("stage.tabs.tune"), tabindex: 0 });
    /** @type {Row[]} */
    this._rows = [];
    /** @type {Map<string, number>} */
    this.peaks = new Map();
    /** @type {Map<string, number>} */
    this._moved = new Map();
    this.search = "";
    this.only = "all";
    this.chosen = "";
    this._shown = "";
    this.element.addEventListener("keydown", (event) => this._key(/** @type {KeyboardEvent} */ (event)));
  }

  /** @param {Control[]} controls */
  show(controls) {
    this._controls = controls;
    this._shown = "";
    this._build();
  }

  /** @param {Control} control @returns {boolean} */
  _fits(control) {
    const text = `${control.name} ${control.source} ${control.group}`.toLowerCase();
    if (!text.includes(this.search.toLowerCase())) return false;
    if (this.only === "moving") return performance.now() - (this._moved.get(control.name) ?? -Infinity) < MOVING_MS;
    if (this.only === "changed") return control.changed.length > 0;
    if (this.only === "wrong") return Boolean(control.undriven) || !(this.peaks.get(control.name) ?? 0);
    return true;
  }

  /** Build the list where other rows than before fit. */
  _build() {
    const fitting = (this._controls ?? []).filter((control) => this._fits(control));
    const key = fitting.map((control) => control.name).join();
    if (key === this._shown && this._rows.length) return;
    this._shown = key;
    this._rows = fitting.map((control) => this._row(control));
    const groups = [...new Set(fitting.map((control) => control.group))];
    this.element.replaceChildren(...groups.flatMap((group) => [
      h("h2", {}, group),
      h("ul", {}, this._rows.filter((row) => row.control.group === group).map((row) => h("li", {}, row.button))),
    ]));
    if (!fitting.length) this.element.append(h("p.soft", {}, t("stage.nothing_found")));
  }

  /** @param {Control} control @returns {Row} */
  _row(control) {
    const name = h(`span.name${control.undriven ? ".idle" : ""}${control.changed.length ? ".changed" : ""}`, {}, control.name);
    const fill = h("i");
    const peak = h("b");
    const side = control.side === "L" ? ".l" : control.side === "R" ? ".r" : "";
    const figure = h("span.figure", {}, "");
    const button = h("button", { type: "button", "data-control": control.name, "aria-current": control.name === this.chosen ? "true" : null, onclick: () => this._onChoose(control.name) },
      name, h(`span.meter${side}`, { "aria-hidden": "true" }, fill, peak), figure);
    return { control, button, name, fill, peak, figure };
  }

  /** @param {string} name */
  choose(name) {
    this.chosen = name;
    for (const row of this._rows) {
      if (row.control.name === name) row.button.setAttribute("aria-current", "true");
      else row.button.removeAttribute("aria-current");
    }
  }

  /** @param {Map<string, number>} values */
  note(values) {
    const now = performance.now();
    for (const control of this._controls ?? []) {
      const value = values.get(control.name) ?? 0;
      const size = Math.abs(value - control.offset) / (control.limits[1] - control.limits[0] || 1);
      if (size > MOVES) this._moved.set(control.name, now);
      if (size > (this.peaks.get(control.name) ?? 0)) this.peaks.set(control.name, size);
    }
    if (this.only !== "all") this._build();
    for (const row of this._rows) {
      const value = values.get(row.control.name) ?? 0;
      const [low, high] = row.control.limits;
      const share = Math.max(0, Math.min(1, (value - low) / (high - low || 1)));
      row.fill.style.transform = `scaleX(${share.toFixed(3)})`;
      row.peak.style.left = `${(100 * Math.min(1, this.peaks.get(row.control.name) ?? 0)).toFixed(1)}%`;
      const words = value.toFixed(2);
      if (row.figure.textContent !== words) row.figure.textContent = words;
    }
  }

  refresh() {
    this._build();
  }

  /** @param {KeyboardEvent} event */
  _key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const buttons = this._rows.map((row) => row.button);
    const at = buttons.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    buttons[Math.max(0, Math.min(buttons.length - 1, at + step))]?.focus();
    event.preventDefault();
    event.stopPropagation();
  }
}
