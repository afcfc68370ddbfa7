// Takes: listed, played on the face, exported.

import { colour, get, h, sharp, t } from "../dom.js";

const DEGREE = 180 / Math.PI;
const N_CURVES = 5;

export class Takes {
  /**
   * @param {import("./face.js").Face} face
   * @param {string[]} rigs
   */
  constructor(face, rigs) {
    this._face = face;
    this._rigs = rigs;
    this._list = h("div.stack", {});
    this._canvas = /** @type {HTMLCanvasElement} */ (h("canvas.takes-curves", { role: "img", "aria-label": t("stage.takes.curves"), hidden: true }));
    this._at = /** @type {HTMLInputElement} */ (h("input", { type: "range", id: "at", min: 0, max: 1, step: 0.001, value: 0 }));
    this._player = h("div.stack", { hidden: true }, h("label", { for: "at" }, t("stage.takes.at")), this._at, this._legend = h("p.small.soft", {}), this._canvas);
    this._at.addEventListener("input", () => { this._began = performance.now() - Number(this._at.value) * this._lengthMs; this._step(false); });
    this.element = h("div.stack", {}, h("h2", {}, t("stage.takes.title")), this._player, this._list);
    /** @type {any} */
    this._take = null;
    this._began = 0;
    this._lengthMs = 1;
    this._playing = "";
  }

  async enter() {
    try {
      const found = await get("/api/stage/takes");
      this._show(found);
    } catch (error) {
      this._list.replaceChildren(h("p.soft", {}, /** @type {Error} */ (error).message));
    }
  }

  leave() {
    this._stop();
  }

  /** @param {any} found */
  _show(found) {
    const format = /** @type {HTMLSelectElement} */ (h("select", { id: "format" }, found.formats.map((/** @type {{name: string, summary: string}} */ each) => h("option", { value: each.name }, `${each.name}: ${each.summary}`))));
    const rig = /** @type {HTMLSelectElement} */ (h("select", { id: "export-rig" }, h("option", { value: "" }, t("stage.out.units")), this._rigs.map((name) => h("option", { value: name }, name))));
    const link = (/** @type {string} */ name) => {
      const a = /** @type {HTMLAnchorElement} */ (h("a.button", { download: true, href: "#" }, t("stage.takes.export")));
      a.addEventListener("click", () => { a.href = `/api/stage/takes/${encodeURIComponent(name)}/export?format=${format.value}&rig=${rig.value}`; });
      return a;
    };
    const rows = found.takes.map((/** @type {{name: string, frames: number, seconds: number}} */ take) => h("tr", { "data-take": take.name }, h("td", {}, take.name), h("td", {}, t("stage.takes.seconds", { s: take.seconds, n: take.frames })),
      h("td", {}, h("button", { type: "button", onclick: (/** @type {Event} */ event) => this._play(take.name, /** @type {HTMLElement} */ (event.currentTarget)) }, t("stage.takes.play")), " ", link(take.name))));
    this._list.replaceChildren(h("p.small.soft", {}, t("stage.takes.folder", { path: found.folder })), rows.length ? h("table", {}, h("tbody", {}, rows)) : h("p", {}, t("stage.takes.none")),
      h("div.row", {}, h("label", { for: "format" }, t("stage.takes.format")), format, h("label", { for: "export-rig" }, t("stage.rig")), rig),
      ...found.broken.map((/** @type {string} */ words) => h("p.bad.small", {}, `${t("stage.takes.broken")} ${words}`)));
  }

  /** @param {string} name @param {HTMLElement} button */
  async _play(name, button) {
    if (this._playing === name) { this._stop(); return; }
    this._stop();
    this._take = await get(`/api/stage/takes/${encodeURIComponent(name)}`);
    const times = this._take.t_s;
    if (!times.length) return;
    this._lengthMs = Math.max(1, 1000 * times[times.length - 1]);
    this._playing = name;
    this._button = button;
    button.textContent = t("stage.takes.stop");
    this._player.hidden = this._canvas.hidden = false;
    this._face.frozen = true;
    this._began = performance.now();
    this._strongest();
    this._loop();
  }

  _stop() {
    if (this._button) this._button.textContent = t("stage.takes.play");
    this._playing = "";
    this._face.frozen = false;
    this._player.hidden = true;
    this._face.refreshControls();
  }

  _loop() {
    if (!this._playing) return;
    this._step(true);
    requestAnimationFrame(() => this._loop());
  }

  /** @param {boolean} moves */
  _step(moves) {
    const take = this._take;
    if (!take) return;
    const elapsed = (performance.now() - this._began) % this._lengthMs;
    if (moves) this._at.value = String(elapsed / this._lengthMs);
    const at = Number(this._at.value) * this._lengthMs / 1000;
    let row = take.t_s.findIndex((/** @type {number} */ s) => s > at) - 1;
    if (row < 0) row = take.t_s.length - 1;
    const [yaw, pitch, roll] = take.head_rad[row].map((/** @type {number} */ rad) => rad * DEGREE);
    const [ly, lp, ry, rp] = take.gaze_rad[row].map((/** @type {number} */ rad) => rad * DEGREE);
    this._face.head?.pose(Object.fromEntries(take.channels.map((/** @type {string} */ channel, /** @type {number} */ i) => [channel, take.intensity[row][i]])));
    this._face.head?.look({ yaw, pitch, roll }, { yaw: (ly + ry) / 2, pitch: (lp + rp) / 2 });
    this._draw(at);
  }

  _strongest() {
    const { channels, intensity } = this._take;
    const peaks = channels.map((/** @type {string} */ name, /** @type {number} */ i) => ({ name, i, peak: Math.max(...intensity.map((/** @type {number[]} */ row) => row[i])) }));
    this._curves = peaks.sort((/** @type {any} */ a, /** @type {any} */ b) => b.peak - a.peak).slice(0, N_CURVES);
    this._legend.textContent = this._curves.map((/** @type {any} */ each) => `${each.name} ${each.peak.toFixed(2)}`).join(" · ");
  }

  /** @param {number} at seconds */
  _draw(at) {
    const context = sharp(this._canvas);
    const [width, height] = [this._canvas.clientWidth, this._canvas.clientHeight];
    const colours = ["--left", "--right", "--mid", "--good", "--bad"].map(colour);
    const { t_s, intensity } = this._take;
    const end = t_s[t_s.length - 1] || 1;
    const skip = Math.max(1, Math.floor(t_s.length / width));
    this._curves.forEach((/** @type {{i: number}} */ { i }, /** @type {number} */ k) => {
      context.strokeStyle = colours[k];
      context.lineWidth = 1.5;
      context.beginPath();
      for (let row = 0; row < t_s.length; row += skip) context.lineTo((t_s[row] / end) * width, height - 4 - Math.min(1, intensity[row][i]) * (height - 8));
      context.stroke();
    });
    context.fillStyle = colour("--ink");
    context.fillRect((at / end) * width, 0, 1.5, height);
  }
}
