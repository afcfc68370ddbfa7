// The map that is tuned, as the page knows it; every change goes through the program.

import { get, post } from "../dom.js";

/**
 * @typedef {object} Control
 * @property {string} name
 * @property {string} side
 * @property {string} partner
 * @property {string} group
 * @property {Record<string, number>} terms
 * @property {{kind: string, signals: Record<string, number>, weight: number}[]} combine
 * @property {Record<string, number>} suppress
 * @property {number} gain
 * @property {number} offset
 * @property {[number, number]} limits
 * @property {[number, number][]} curve
 * @property {string} curve_name
 * @property {number} dead_zone
 * @property {number} asymmetry
 * @property {number | null} time_constant_ms
 * @property {number | null} min_cutoff_hz
 * @property {string} undriven
 * @property {string} note
 * @property {string} source
 * @property {string[]} changed
 */

const PAUSE_MS = 60; // while a slider is dragged

export class TunedMap extends EventTarget {
  /** @param {Record<string, any>} document */
  constructor(document) {
    super();
    /** @type {Record<string, any>} */
    this.document = document;
    /** @type {Record<string, Record<string, any>>} */
    this._waiting = {};
    this._timer = 0;
    this._gesture = "";
    this._sending = false;
    // What is changed while one key or button is held down is undone in one step.
    this._page = Math.random().toString(36).slice(2);
    this._presses = 0;
    addEventListener("pointerdown", () => { this._presses += 1; }, true);
    addEventListener("keydown", (event) => { if (!event.repeat) this._presses += 1; }, true);
  }

  static async load() {
    return new TunedMap(await get("/api/stage"));
  }

  /** @returns {Control[]} */
  get controls() {
    return this.document.controls;
  }

  /** @param {string} name @returns {Control | undefined} */
  control(name) {
    return this.controls.find((each) => each.name === name);
  }

  /** @param {{revision: number}} told Another page or an editor may have changed the file. */
  async noteRevision(told) {
    if (told.revision === this.document.revision || this._sending) return;
    this._take(await get("/api/stage"));
  }

  /**
   * Change keys of a control soon; several changes within a moment go as one.
   *
   * @param {string[]} names
   * @param {Record<string, any>} keys null takes one out again
   */
  change(names, keys) {
    for (const name of names) this._waiting[name] = { ...this._waiting[name], ...keys };
    this._gesture = `${this._page}.${this._presses}`;
    if (!this._timer) this._timer = window.setTimeout(() => this._flush(), PAUSE_MS);
  }

  /** @param {Record<string, Record<string, any>>} changes at once */
  async changeAll(changes) {
    await this.ask("change", { changes });
  }

  async _flush() {
    this._timer = 0;
    if (this._sending) { this._timer = window.setTimeout(() => this._flush(), PAUSE_MS); return; }
    const changes = this._waiting;
    this._waiting = {};
    await this.ask("change", { changes, gesture: this._gesture });
  }

  /**
   * @param {string} act
   * @param {Record<string, any>} [body]
   */
  async ask(act, body = {}) {
    this._sending = true;
    try {
      this._take(await post(`/api/stage/${act}`, body));
    } catch (error) {
      this._take(await get("/api/stage")); // as it stands, and then why it does not change
      this.dispatchEvent(new CustomEvent("refused", { detail: /** @type {Error} */ (error).message }));
    } finally {
      this._sending = false;
    }
  }

  /** @param {Record<string, any>} document */
  _take(document) {
    this.document = document;
    this.dispatchEvent(new CustomEvent("change"));
  }
}
