// Time that can be played, slowed and dragged: for replays.

import { h, t } from "./dom.js";

const SPEEDS = [["1", "1 ×"], ["0.5", "½ ×"], ["0.25", "¼ ×"], ["0.1", "⅒ ×"]];

/** @param {string} label @param {string} chosen @param {number} least of the speeds @returns {HTMLSelectElement} */
export function speedChoice(label, chosen, least = 0) {
  return h("select", { "aria-label": label }, SPEEDS.filter(([value]) => Number(value) >= least).map(([value, text]) => h("option", { value, selected: value === chosen }, text)));
}

export class Playback {
  /**
   * @param {(at: number) => Promise<void> | void} show draws a moment, milliseconds
   */
  constructor(show) {
    this._show = show;
    this._playing = true;
    this.active = false;
    this.at = 0;
    this.button = h("button", { type: "button", onclick: () => this.toggle() }, t("replay.pause"));
    this.speed = speedChoice(t("replay.speed"), "0.25");
    this.scrub = /** @type {HTMLInputElement} */ (h("input", { type: "range", min: 0, max: 1000, value: 0, "aria-label": t("replay.scrub"), oninput: () => this._drag() }));
  }

  /** @param {number} first @param {number} last milliseconds */
  open(first, last) {
    this._span = [first, last];
    this.at = first;
    if (!this._playing) this.toggle();
    this._last = performance.now();
    if (this.active) return;
    this.active = true;
    requestAnimationFrame(() => this._step());
  }

  close() {
    this.active = false;
  }

  toggle() {
    this._playing = !this._playing;
    this.button.textContent = t(this._playing ? "replay.pause" : "replay.play");
    this._last = performance.now();
  }

  /** Hold at a moment. @param {number} at milliseconds */
  goTo(at) {
    this.at = at;
    if (this._playing) this.toggle();
    this._mark();
  }

  _drag() {
    const [first, last] = this._span;
    this.goTo(first + (Number(this.scrub.value) / 1000) * (last - first));
  }

  _mark() {
    const [first, last] = this._span;
    this.scrub.value = String(Math.round(((this.at - first) / (last - first)) * 1000));
  }

  async _step() {
    if (!this.active) return;
    const now = performance.now();
    const [first, last] = this._span;
    if (this._playing) {
      this.at += (now - this._last) * Number(this.speed.value);
      if (this.at > last) this.at = first;
      this._mark();
    }
    this._last = now;
    await this._show(this.at);
    if (this.active) requestAnimationFrame(() => this._step());
  }
}
