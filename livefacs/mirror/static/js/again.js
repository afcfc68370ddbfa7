// The attempt again: its pictures and curves, where the hold broke, what joined in, the best beside it.
// All of it is in memory only, within bounds, until the next attempt.

import { h, t, channelWords, colour, saveFile, sharp } from "./dom.js";
import { picture } from "./live.js";
import { Playback } from "./playback.js";
import { COLOURS, line, tellColours } from "./plot.js";
import { ShownFace } from "./shown-face.js";
import { levelAt } from "./showing.js";
import { Stage } from "./stage.js";

const MOST_BYTES = 40e6; // of one attempt; beyond it every second picture goes
const MOST_KEPT = 3; // attempts with pictures: this one, and the best of the drills tried last
const BEFORE_MS = 300;

/** Pictures of what is being tried. */
class Recording {
  constructor() {
    /** @type {any[]} */
    this.frames = [];
    this._bytes = 0;
    this._every = 1;
    this._seen = 0;
  }

  add(frame) {
    this._seen += 1;
    if (this._seen % this._every) return;
    this.frames.push({ ...frame, bitmap: null });
    this._bytes += frame.jpeg.buffer.byteLength;
    if (this._bytes <= MOST_BYTES) return;
    this.frames = this.frames.filter((_, i) => i % 2 === 0);
    this._bytes /= 2;
    this._every *= 2;
  }

  /** What came before the start goes. */
  trim(fromMs) {
    this.frames = this.frames.filter((frame) => frame.tMs >= fromMs - BEFORE_MS);
  }
}

export class Again {
  constructor(basics) {
    this._basics = basics;
    /** @type {Recording | null} */
    this._recording = null;
    /** @type {any} */
    this._attempt = null;
    /** @type {Map<string, any>} best of each drill, the one tried last at the end */
    this._best = new Map();
    /** @type {ShownFace | null} */
    this._leader = null;
    this._time = new Playback((at) => this._show(at));
    this._own = new Stage(basics);
    this._other = new Stage(basics);
    this._otherWords = h("figcaption.small");
    this._leaderPlace = h("div");
    this._leaderFigure = h("figure", { hidden: true }, this._leaderPlace, h("figcaption.small", {}, t("again.leader")));
    this._bestFigure = h("figure", { hidden: true }, this._other.element, this._otherWords);
    this._canvas = h("canvas.plot", { role: "img", "aria-label": t("again.curves") });
    this._legend = h("div.legend");
    this._events = h("ul.events");
    this.element = h("section.again.stack", { hidden: true, "aria-label": t("again.title") },
      h("div.row", {}, h("h2", {}, t("again.title")), this._time.button, this._time.speed, h("button.quiet", { type: "button", onclick: () => this._save() }, t("again.save"))),
      h("div.pictures", {}, h("figure", {}, this._own.element, h("figcaption.small", {}, t("again.this"))), this._bestFigure, this._leaderFigure),
      this._canvas, this._time.scrub, this._legend, this._events, h("p.soft.small", {}, t("again.memory")));
  }

  /** A new attempt begins: the one before goes. */
  begin() {
    this.close();
    this._recording = new Recording();
  }

  frame(frame) {
    this._recording?.add(frame);
  }

  close() {
    this._time.close();
    this.element.hidden = true;
    this._attempt = null;
    this._recording = null;
  }

  /** @param {any} attempt curves and events, as the program saw them */
  open(attempt) {
    const recording = this._recording;
    this._recording = null;
    if (!recording) return;
    recording.trim(attempt.began_ms);
    this._attempt = { ...attempt, frames: recording.frames };
    const best = this._best.get(attempt.drill) ?? null;
    this._beside = best;
    this._bestFigure.hidden = !best;
    if (best) this._otherWords.textContent = t("again.best", { total: best.total.toFixed(0) });
    this._note(best);
    this._tellEvents();
    this._aimLeader();
    this.element.hidden = false;
    this.element.dataset.frames = String(recording.frames.length);
    this._shown = this._shownBeside = null;
    this._time.open(0, Math.max(200, attempt.t_s.at(-1) * 1000));
  }

  /** The best of each drill stays, of the few that were tried last. */
  _note(best) {
    const { drill, total } = this._attempt;
    const kept = best && best.total > total ? best : this._attempt;
    this._best.delete(drill);
    this._best.set(drill, kept);
    if (this._best.size > MOST_KEPT) this._best.delete(this._best.keys().next().value);
  }

  _tellEvents() {
    const { breaks, intruders, sides } = this._attempt;
    const said = [
      ...breaks.map(({ at_s: s, channel }) => [s, channel ? t("again.broke", { s: s.toFixed(1), channel: channelWords(channel) }) : t("again.lost", { s: s.toFixed(1) })]),
      ...intruders.map(({ from_s: s, channel, letter }) => [s, t("again.joined", { s: s.toFixed(1), channel: channelWords(channel), letter })]),
    ].sort((a, b) => a[0] - b[0]);
    this._events.replaceChildren(...said.map(([s, text]) => h("li", {}, h("button.quiet", { type: "button", "data-at": s, onclick: () => this._time.goTo(s * 1000) }, text))));
    tellColours(this._legend, [...Object.keys(sides).map((side) => [SIDE_COLOURS[side] ?? "--mid", side ? t(`mirror.your_${side === "L" ? "left" : "right"}`) : t("practise.gauge")]), ...intruders.map((one, i) => [COLOURS[i + 2], channelWords(one.channel)])]);
  }

  /** The leader of a curve does it beside the learner. */
  async _aimLeader() {
    const { curve, drill } = this._attempt;
    this._leaderFigure.hidden = !curve.length || !this._targets;
    if (this._leaderFigure.hidden) return;
    this._leader ??= new ShownFace(t("again.leader"));
    this._leaderPlace.replaceChildren(this._leader.element);
    this._apex = await this._leader.valuesOf(Object.fromEntries(this._targets.map((channel) => [channel, 1])));
    if (this._attempt?.drill !== drill) this._apex = null;
  }

  /** @param {string[]} channels that the drill asks for */
  aim(channels) {
    this._targets = channels.length ? channels : null;
  }

  async _show(atMs) {
    const attempt = this._attempt;
    if (!attempt || !this.element.checkVisibility()) return; // hands free hides it
    this._shown = await this._picture(this._own, attempt, atMs, this._shown);
    if (this._beside && this._beside !== attempt) this._shownBeside = await this._picture(this._other, this._beside, atMs, this._shownBeside);
    if (this._attempt !== attempt) return;
    if (attempt.curve.length && this._apex && this._leader?.isDue()) {
      const level = levelAt(attempt.curve, atMs / 1000);
      this._leader.draw(Object.fromEntries(Object.entries(this._apex).map(([name, value]) => [name, value * level])));
    }
    this._plot(atMs / 1000);
  }

  /** The picture of a moment, where it is another one than before. */
  async _picture(stage, attempt, atMs, before) {
    const at = attempt.began_ms + Math.min(atMs, attempt.t_s.at(-1) * 1000);
    const frame = attempt.frames.findLast((each) => each.tMs <= at) ?? attempt.frames[0];
    if (!frame || frame === before) return before;
    const bitmap = await picture(frame);
    stage.draw({ ...frame, bitmap });
    bitmap?.close();
    return frame;
  }

  _plot(at) {
    const { t_s: times, sides, intruders, breaks, floor, curve } = this._attempt;
    const context = sharp(this._canvas);
    const { clientWidth: width, clientHeight: height } = this._canvas;
    const end = Math.max(0.2, times.at(-1));
    const x = (s) => (s / end) * width;
    const y = (level) => height - 8 - Math.min(1.05, Math.max(0, level)) * (height - 16);
    const draw = (values, paint, thick, dash = []) => {
      context.strokeStyle = paint;
      context.lineWidth = thick;
      context.setLineDash(dash);
      line(context, values.map((value, i) => [x(times[i]), y(value)]));
      context.setLineDash([]);
    };
    if (floor !== null) {
      context.fillStyle = colour("--raised");
      context.fillRect(0, y(1.05), width, y(floor) - y(1.05));
    }
    context.strokeStyle = colour("--edge");
    context.lineWidth = 7;
    if (curve.length) line(context, curve.map(([s, level]) => [x(s), y(level)]));
    intruders.forEach((one, i) => draw(one.values, COLOURS[i + 2], 1.6, [5, 4]));
    for (const [side, values] of Object.entries(sides)) draw(values, colour(SIDE_COLOURS[side] ?? "--mid"), 2.6);
    context.strokeStyle = colour("--bad");
    context.lineWidth = 2;
    for (const one of breaks) line(context, [[x(one.at_s), 0], [x(one.at_s), height]]);
    context.strokeStyle = colour("--ink");
    context.lineWidth = 1.5;
    line(context, [[x(at), 0], [x(at), height]]);
  }

  /** Nothing is stored unless asked: this asks. */
  _save() {
    const { drill, t_s: times, sides, intruders } = this._attempt;
    const names = [...Object.keys(sides).map((side) => (side ? `target_${side}` : "target")), ...intruders.map((one) => `${one.channel}_over_rest`)];
    const columns = [...Object.values(sides), ...intruders.map((one) => one.values)];
    const rows = times.map((s, i) => [s, ...columns.map((values) => values[i])].join(","));
    saveFile(new Blob([`${["t_s", ...names].join(",")}\n${rows.join("\n")}\n`], { type: "text/csv" }), `${drill}.csv`);
  }
}

/** @type {Record<string, string>} */
const SIDE_COLOURS = { L: "--left", R: "--right", "": "--mid" };
