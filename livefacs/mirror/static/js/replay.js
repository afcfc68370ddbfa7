// The last ten seconds in slow motion, with the curves of what moved most.

import { h, t, sharp, colour, channelWords } from "./dom.js";
import { picture } from "./live.js";

const COLOURS = ["#e07a3f", "#3a9d94", "#b86fa5", "#8a9a3a", "#5b86c4", "#c0504d"];

export class Replay {
  constructor(basics, stage, onClose) {
    this._basics = basics;
    this._stage = stage;
    this._at = 0;
    this._playing = true;
    this.active = false;
    this._play = h("button", { type: "button", onclick: () => this.toggle() }, t("replay.pause"));
    this._speed = h("select", { "aria-label": t("replay.speed") }, [["0.1", "⅒ ×"], ["0.25", "¼ ×"], ["0.5", "½ ×"], ["1", "1 ×"]].map(([value, text]) => h("option", { value, selected: value === "0.25" }, text)));
    this._scrub = h("input", { type: "range", min: 0, max: 1000, value: 0, "aria-label": t("replay.scrub"), oninput: () => this._seek() });
    this._canvas = h("canvas.curves", { role: "img", "aria-label": t("replay.curves") });
    this._legend = h("div.legend");
    this._when = h("span.soft.small");
    this.element = h("section.replay.stack", { hidden: true, "aria-label": t("replay.title") },
      h("div.row", {}, h("h2", {}, t("replay.title")), this._play, this._speed, h("button", { type: "button", onclick: onClose }, t("replay.close")), this._when),
      this._canvas, this._scrub, this._legend);
  }

  open(history) {
    this._frames = history.slice();
    this.active = this._frames.length > 1;
    this.element.hidden = !this.active;
    if (!this.active) return false;
    this._curves = strongest(this._frames, this._basics.channels);
    this._legend.replaceChildren(...this._curves.map(({ name }, i) => {
      const mark = h("i");
      mark.style.background = COLOURS[i];
      return h("span", {}, mark, channelWords(name));
    }));
    this._at = this._frames[0].tMs;
    this._playing = true;
    this._last = performance.now();
    requestAnimationFrame(() => this._step());
    return true;
  }

  close() {
    this.active = false;
    this.element.hidden = true;
    this._frames = [];
  }

  toggle() {
    this._playing = !this._playing;
    this._play.textContent = t(this._playing ? "replay.pause" : "replay.play");
    this._last = performance.now();
  }

  _seek() {
    const [first, last] = this._span();
    this._at = first + (Number(this._scrub.value) / 1000) * (last - first);
    if (this._playing) this.toggle();
    this._shown = null;
  }

  _span() {
    return [this._frames[0].tMs, this._frames[this._frames.length - 1].tMs];
  }

  async _step() {
    if (!this.active) return;
    const now = performance.now();
    const [first, last] = this._span();
    if (this._playing) {
      this._at += (now - this._last) * Number(this._speed.value);
      if (this._at > last) this._at = first;
      this._scrub.value = String(Math.round(((this._at - first) / (last - first)) * 1000));
    }
    this._last = now;
    await this._show();
    if (this.active) requestAnimationFrame(() => this._step());
  }

  async _show() {
    const frame = this._frames.findLast((each) => each.tMs <= this._at) ?? this._frames[0];
    if (frame !== this._shown) {
      this._shown = frame;
      const bitmap = await picture(frame);
      if (!this.active) return bitmap?.close();
      this._stage.draw({ ...frame, bitmap });
      bitmap?.close();
      const last = this._span()[1];
      this._when.textContent = t("replay.at", { s: ((last - frame.tMs) / 1000).toFixed(1) });
    }
    this._plot();
  }

  _plot() {
    const context = sharp(this._canvas);
    const { clientWidth: width, clientHeight: height } = this._canvas;
    const [first, last] = this._span();
    const x = (tMs) => ((tMs - first) / (last - first)) * width;
    const y = (level) => height - 8 - Math.min(1.05, level) * (height - 16);
    context.strokeStyle = colour("--line");
    context.lineWidth = 1;
    for (const [, floor] of this._basics.letters) line(context, [[0, y(floor)], [width, y(floor)]]);
    this._curves.forEach(({ index }, i) => {
      context.strokeStyle = COLOURS[i];
      context.lineWidth = 2;
      line(context, this._frames.map((frame) => [x(frame.tMs), y(frame.intensity[index] || 0)]));
    });
    context.strokeStyle = colour("--ink");
    context.lineWidth = 1.5;
    line(context, [[x(this._at), 0], [x(this._at), height]]);
  }
}

export function line(context, points) {
  context.beginPath();
  points.forEach(([px, py], i) => (i ? context.lineTo(px, py) : context.moveTo(px, py)));
  context.stroke();
}

/** The channels that moved most, facial actions only. */
function strongest(frames, channels) {
  return channels
    .map((name, index) => {
      const values = frames.map((frame) => frame.intensity[index] || 0);
      return { name, index, range: Math.max(...values) - Math.min(...values) };
    })
    .filter(({ name, range }) => range > 0.1 && !/^AU(5[1-6]|6[1-4])$/.test(name))
    .sort((a, b) => b.range - a.range)
    .slice(0, COLOURS.length);
}
