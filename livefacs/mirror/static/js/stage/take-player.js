// One take on the face: its pictures, its strongest curves, and the part between in and out.

import { ask, colour, get, h, post, sharp, t } from "../dom.js";
import { picture } from "../live.js";

const DEGREE = 180 / Math.PI;
const COLOURS = ["--left", "--right", "--mid", "--good", "--bad"];

export class TakePlayer {
  /**
   * @param {import("./face.js").Face} face
   * @param {(name: string) => void} onTrimmed told the new take's name
   */
  constructor(face, onTrimmed) {
    this._face = face;
    this._onTrimmed = onTrimmed;
    this._canvas = /** @type {HTMLCanvasElement} */ (h("canvas.takes-curves", { role: "img", "aria-label": t("stage.takes.curves") }));
    this._at = /** @type {HTMLInputElement} */ (h("input", { type: "range", id: "at", min: 0, max: 0, step: 1, value: 0 }));
    this._at.addEventListener("input", () => { this._pause(); this._seek(Number(this._at.value)); });
    this._title = h("h3", {});
    this._play = h("button.main", { type: "button", "data-player": "play", onclick: () => (this._running ? this._pause() : this._run()) }, t("stage.takes.play"));
    this._part = h("span.small.soft", { role: "status" });
    this._trim = /** @type {HTMLButtonElement} */ (h("button", { type: "button", "data-player": "trim", onclick: () => this._keepPart() }, t("stage.takes.trim")));
    this._legend = h("p.small.legend", {});
    this._error = h("p.bad.small", { role: "alert" });
    const button = (/** @type {string} */ key, /** @type {() => void} */ act) => h("button", { type: "button", "data-player": key, onclick: act }, t(`stage.takes.${key}`));
    this.element = h("section.panel.stack", { hidden: true, "aria-label": t("stage.takes.player") }, this._title, this._canvas, this._legend, h("label", { for: "at" }, t("stage.takes.at"), " ", this._time = h("span.number", {})), this._at,
      h("div.row", {}, this._play, button("in", () => this._setPart(this.row, this.last)), button("out", () => this._setPart(this.first, this.row)), button("whole", () => this._setPart(0, this._rows - 1)), this._trim, button("close", () => this.close())), this._part, this._error);
    /** @type {any} */
    this._take = null;
    this.name = "";
    this.row = this.first = this.last = this._rows = 0;
    this._running = false;
    /** @type {{name: string, i: number, peak: number}[]} */
    this._curves = [];
    /** @type {ImageBitmap | null} */
    this._bitmap = null;
    this._asked = this._shown = -1;
  }

  /** @returns {boolean} */
  get isPart() {
    return this.first > 0 || this.last < this._rows - 1;
  }

  /** @param {string} name */
  async open(name) {
    this.close();
    const take = await get(`/api/stage/takes/${encodeURIComponent(name)}`);
    if (!take.t_s.length) throw new Error(t("stage.takes.empty", { name }));
    this._take = take;
    this.name = name;
    this._rows = take.t_s.length;
    this._at.max = String(this._rows - 1);
    this._title.textContent = name;
    this._error.textContent = take.has_video ? "" : t("stage.takes.no_video");
    this._error.className = take.has_video ? "bad small" : "soft small";
    this.element.hidden = false;
    this._face.beginPlaying(take.has_video);
    this._strongest();
    this._setPart(0, this._rows - 1);
    this._seek(0);
    this._run();
  }

  /** Back to the performer. */
  close() {
    this._pause();
    this._take = null;
    this.name = "";
    this.element.hidden = true;
    this._bitmap?.close();
    this._bitmap = null;
    this._asked = this._shown = -1;
    this._face.endPlaying();
  }

  _run() {
    this._running = true;
    this._play.textContent = t("stage.takes.pause");
    if (this.row < this.first || this.row >= this.last) this._seek(this.first);
    this._began = performance.now() - 1000 * this._take.t_s[this.row];
    const tick = () => {
      if (!this._running || !this._take) return;
      const { t_s } = this._take;
      const s = (performance.now() - (this._began ?? 0)) / 1000;
      let row = this.row;
      while (row < this.last && t_s[row + 1] <= s) row += 1;
      if (s > t_s[this.last] + 0.2) { row = this.first; this._began = performance.now() - 1000 * t_s[row]; }
      if (row !== this.row) this._seek(row);
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  _pause() {
    this._running = false;
    this._play.textContent = t("stage.takes.play");
  }

  /** @param {number} row */
  _seek(row) {
    const { _take: take } = this;
    if (!take) return;
    this.row = row;
    this._at.value = String(row);
    this._time.textContent = t("stage.takes.place", { s: take.t_s[row].toFixed(2), row });
    this._at.setAttribute("aria-valuetext", this._time.textContent ?? "");
    const [yaw, pitch, roll] = take.head_rad[row].map((/** @type {number} */ rad) => rad * DEGREE);
    const [ly, lp, ry, rp] = take.gaze_rad[row].map((/** @type {number} */ rad) => rad * DEGREE);
    this._face.play({
      intensity: take.intensity[row], rigs: { values: { names: take.controls, values: take.values[row] } },
      head: { yaw, pitch, roll }, gaze: { yaw: (ly + ry) / 2, pitch: (lp + rp) / 2 },
    });
    this._askPicture();
    this._draw();
  }

  /** The picture of the row that is shown now; one at a time, the newest wins. */
  async _askPicture() {
    if (!this._take?.has_video || this._asked >= 0 || this._shown === this.row) return;
    const { name, row } = this;
    this._asked = row;
    try {
      const answer = await ask(`/api/stage/takes/${encodeURIComponent(name)}/pictures/${row}`);
      const bitmap = await picture({ jpeg: new Uint8Array(await answer.arrayBuffer()) });
      if (this.name !== name) { bitmap?.close(); return; }
      this._bitmap?.close();
      this._bitmap = bitmap;
      this._shown = row;
      this._face.showPicture(bitmap);
    } catch (error) {
      if (this.name === name) this._error.textContent = /** @type {Error} */ (error).message;
      this._shown = row;
    } finally {
      this._asked = -1;
      if (this.name === name && this._shown !== this.row) this._askPicture();
    }
  }

  /** @param {number} first @param {number} last */
  _setPart(first, last) {
    [this.first, this.last] = [Math.min(first, last), Math.max(first, last)];
    const { t_s } = this._take;
    this._trim.disabled = !this.isPart;
    this._part.textContent = this.isPart ? t("stage.takes.part", { n: this.last - this.first + 1, from: t_s[this.first].toFixed(2), to: t_s[this.last].toFixed(2) }) : t("stage.takes.no_part");
    this._draw();
  }

  async _keepPart() {
    try {
      this._error.textContent = "";
      const { name } = await post(`/api/stage/takes/${encodeURIComponent(this.name)}/trim`, { first: this.first, last: this.last });
      this._onTrimmed(name);
    } catch (error) {
      this._error.className = "bad small";
      this._error.textContent = /** @type {Error} */ (error).message;
    }
  }

  _strongest() {
    const { channels, intensity } = this._take;
    const peaks = channels.map((/** @type {string} */ name, /** @type {number} */ i) => ({ name, i, peak: intensity.reduce((/** @type {number} */ most, /** @type {number[]} */ row) => Math.max(most, row[i]), 0) }));
    this._curves = peaks.sort((/** @type {any} */ a, /** @type {any} */ b) => b.peak - a.peak).slice(0, COLOURS.length);
    this._legend.replaceChildren(...this._curves.map((each, k) => h(`span.curve-${k}`, {}, h("i", { "aria-hidden": "true" }), `${each.name} ${each.peak.toFixed(2)}`)));
  }

  _draw() {
    const context = sharp(this._canvas);
    const [width, height] = [this._canvas.clientWidth, this._canvas.clientHeight];
    const { t_s, intensity, markers } = this._take;
    const end = t_s[t_s.length - 1] || 1;
    const x = (/** @type {number} */ row) => (t_s[row] / end) * width;
    context.fillStyle = colour("--raised");
    context.fillRect(x(this.first), 0, x(this.last) - x(this.first), height);
    const skip = Math.max(1, Math.floor(t_s.length / width));
    this._curves.forEach(({ i }, k) => {
      context.strokeStyle = colour(COLOURS[k]);
      context.lineWidth = 1.5;
      context.beginPath();
      for (let row = 0; row < t_s.length; row += skip) context.lineTo(x(row), height - 4 - Math.min(1, intensity[row][i]) * (height - 8));
      context.stroke();
    });
    context.fillStyle = colour("--soft");
    for (const { row } of markers) context.fillRect(x(row) - 1, 0, 2, 10);
    context.fillStyle = colour("--ink");
    context.fillRect(x(this.row), 0, 1.5, height);
  }
}
