// The level of each side while a drill runs.

import { h, t } from "./dom.js";

/** How far each side is, in its own colour, with the band that passes and the letters under it. */
export class Gauge {
  constructor(letters) {
    this._letters = letters;
    this._rows = ["L", "R", ""].map((side) => new GaugeRow(side));
    this._held = h("span.held");
    this._hold = h("div.holding", { "aria-hidden": "true" }, this._held);
    this._scale = h("div.scale", { "aria-hidden": "true" }, letters.floors.map(([letter, floor]) => {
      const mark = h("span", { "data-letter": letter }, letter);
      mark.style.left = `${floor * 100}%`;
      return mark;
    }));
    this.element = h("div.gauges", {}, this._rows.map((row) => row.element), this._hold, this._scale);
  }

  aim(drill) {
    for (const mark of this._scale.children) mark.style.left = `${this._letters.floor(mark.dataset.letter) * 100}%`;
    const sides = new Set(drill.targets.map((channel) => (/_[LR]$/.test(channel) ? channel.at(-1) : "")));
    for (const row of this._rows) {
      row.element.hidden = sides.size ? !sides.has(row.side) : row.side !== "";
      row.aim(drill.curve.length || drill.kind === "letters" ? null : drill.floor);
      row.draw(0);
    }
    this._hold.hidden = drill.curve.length > 0;
    for (const mark of this._scale.children) mark.classList.toggle("wanted", mark.dataset.letter === drill.level && !drill.curve.length && drill.kind !== "letters");
    this._held.style.transform = "scaleX(0)";
  }

  /** The letters stand where they begin on the own maximum. */
  _markStep(mark, { letter, maximum }) {
    mark.classList.toggle("wanted", mark.dataset.letter === letter);
    if (maximum) mark.style.left = `${this._letters.floor(mark.dataset.letter) * maximum * 100}%`;
  }

  draw(state, drill) {
    for (const row of this._rows) {
      const level = state.sides[row.side];
      row.element.hidden = level === undefined ? row.element.hidden : false;
      row.draw(level ?? 0);
      if (state.wanted !== null) row.aim(state.wanted);
      if (state.step) row.aim(state.step.low, state.step.high);
    }
    if (state.step) for (const mark of this._scale.children) this._markStep(mark, state.step);
    this._held.style.transform = `scaleX(${Math.min(1, state.held_s / drill.hold_s).toFixed(3)})`;
  }
}

class GaugeRow {
  constructor(side) {
    this.side = side;
    const label = side ? t(`mirror.your_${side === "L" ? "left" : "right"}`) : t("practise.gauge");
    this._fill = h("span.fill");
    this._band = h("span.band", { hidden: true });
    this._meter = h("div.gauge", { role: "meter", "aria-label": side ? `${t("practise.gauge")}, ${label}` : label, "aria-valuemin": 0, "aria-valuemax": 1, "aria-valuenow": 0, "data-side": side }, this._band, this._fill);
    this.element = h("div.gauge-row", {}, h("span.small", { "aria-hidden": "true" }, side ? label : ""), this._meter);
  }

  /** @param {number | null} floor @param {number | null} high the band's upper end, where it has one */
  aim(floor, high = null) {
    this._band.hidden = floor === null;
    this._band.style.left = `${(floor ?? 0) * 100}%`;
    this._band.style.right = high === null ? "0" : `${(1 - high) * 100}%`;
    this._floor = floor;
    this._high = high;
  }

  draw(level) {
    this._fill.style.transform = `scaleX(${Math.max(0, Math.min(1, level)).toFixed(3)})`;
    this._meter.setAttribute("aria-valuenow", level.toFixed(2));
    this._meter.classList.toggle("in", this._floor !== null && level >= this._floor && level < (this._high ?? Infinity));
  }
}
