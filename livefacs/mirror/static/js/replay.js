// The last ten seconds in slow motion, with the curves of what moved most.

import { h, t, sharp, colour, channelWords } from "./dom.js";
import { picture } from "./live.js";
import { Playback } from "./playback.js";
import { COLOURS, isFacial, line, tellColours } from "./plot.js";

export class Replay {
  constructor(basics, stage, onClose) {
    this._basics = basics;
    this._stage = stage;
    this._time = new Playback((at) => this._show(at));
    this._canvas = h("canvas.curves", { role: "img", "aria-label": t("replay.curves") });
    this._legend = h("div.legend");
    this._when = h("span.soft.small");
    this.element = h("section.replay.stack", { hidden: true, "aria-label": t("replay.title") },
      h("div.row", {}, h("h2", {}, t("replay.title")), this._time.button, this._time.speed, h("button", { type: "button", onclick: onClose }, t("replay.close")), this._when),
      this._canvas, this._time.scrub, this._legend);
  }

  get active() {
    return this._time.active;
  }

  open(history) {
    this._frames = history.slice();
    this.element.hidden = this._frames.length < 2;
    if (this.element.hidden) return false;
    this._curves = strongest(this._frames, this._basics.channels);
    tellColours(this._legend, this._curves.map(({ name }, i) => [COLOURS[i], channelWords(name)]));
    this._shown = null;
    this._time.open(...this._span());
    return true;
  }

  close() {
    this._time.close();
    this.element.hidden = true;
    this._frames = [];
  }

  toggle() {
    this._time.toggle();
  }

  /** @returns {[number, number]} */
  _span() {
    return [this._frames[0].tMs, this._frames[this._frames.length - 1].tMs];
  }

  async _show(at) {
    const frame = this._frames.findLast((each) => each.tMs <= at) ?? this._frames[0];
    if (frame !== this._shown) {
      this._shown = frame;
      const bitmap = await picture(frame);
      if (!this.active) return bitmap?.close();
      this._stage.draw({ ...frame, bitmap });
      bitmap?.close();
      const last = this._span()[1];
      this._when.textContent = t("replay.at", { s: ((last - frame.tMs) / 1000).toFixed(1) });
    }
    this._plot(at);
  }

  _plot(at) {
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
    line(context, [[x(at), 0], [x(at), height]]);
  }
}

/** The channels that moved most, facial actions only. */
function strongest(frames, channels) {
  return channels
    .map((name, index) => {
      const values = frames.map((frame) => frame.intensity[index] || 0);
      return { name, index, range: Math.max(...values) - Math.min(...values) };
    })
    .filter(({ name, range }) => range > 0.1 && isFacial(name))
    .sort((a, b) => b.range - a.range)
    .slice(0, COLOURS.length);
}
