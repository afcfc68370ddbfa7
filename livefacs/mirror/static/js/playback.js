// Time that can be played, slowed and dragged: for replays.

import { h, t } from "./dom.js";

const SPEEDS = [["0.1", "⅒ ×"], ["0.25", "¼ ×"], ["0.5", "½ ×"], ["1", "1 ×"]];

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
    this.speed = /** @type {HTMLSelectElement} */ (h("select", { "aria-label": t("replay.speed") }, SPEEDS.map(([value, text]) => h("option", { value, selected: value === "0.25" }, text))));
    this.scrub = /** @type {HTMLInputElement} */ (h("input", { type: "range", min: 0, max: 1000, value: 0, "aria-label": t("replay.scrub"), oninput: () => this._seek() }));
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

  _seek() {
    const [first, last] = this._span;
    this.at = first + (Number(this.scrub.value) / 1000) * (last - first);
    if (this._playing) this.toggle();
  }

  async _step() {
    if (!this.active) return;
    const now = performance.now();
    const [first, last] = this._span;
    if (this._playing) {
      this.at += (now - this._last) * Number(this.speed.value);
      if (this.at > last) this.at = first;
      this.scrub.value = String(Math.round(((this.at - first) / (last - first)) * 1000));
    }
    this._last = now;
    await this._show(this.at);
    if (this.active) requestAnimationFrame(() => this._step());
  }
}
