// Small motion: one action's values, magnified, over the noise of this picture.

import { h, t, sharp, colour, channelWords } from "./dom.js";
import { isFacial, line } from "./plot.js";

const SPAN = 0.24;
const SIGMAS = 3;
const AT_ZERO = 0.002;

export class Magnifier {
  constructor(basics, live, onClose) {
    this._basics = basics;
    this._live = live;
    const faces = basics.channels.filter(isFacial);
    this._choice = h("select", { "aria-label": t("magnify.action") }, faces.map((name) => h("option", { value: name, selected: name === "AU12_L" }, channelWords(name))));
    this._canvas = h("canvas", { role: "img", "aria-label": t("magnify.title") });
    this._words = h("p", { role: "status" });
    this.element = h("section.magnify.stack", { hidden: true, "aria-label": t("magnify.title") },
      h("div.row", {}, h("h2", {}, t("magnify.title")), this._choice, h("button", { type: "button", onclick: onClose }, t("magnify.close")), this._words),
      this._canvas, h("p.soft.small", {}, t("magnify.note", { span: "24 %" })));
    this._spokenAt = 0;
  }

  choose(channel) {
    this._choice.value = channel;
  }

  draw() {
    if (this.element.hidden) return;
    const index = this._basics.channels.indexOf(this._choice.value);
    const frames = this._live.history;
    if (frames.length < 8) return;
    const values = frames.map((frame) => frame.intensity[index] || 0);
    const noise = noiseOf(values);
    const rest = quantile(values, 0.25);
    this._plot(frames, values, rest, noise);
    if (performance.now() - this._spokenAt > 400) {
      this._spokenAt = performance.now();
      const moves = Math.abs(values[values.length - 1] - rest) > SIGMAS * noise;
      this._words.textContent = noise === 0 && !moves ? t("magnify.zero") : `${t(moves ? "magnify.moved" : "magnify.still")} · ${t("magnify.noise", { noise: (100 * SIGMAS * noise).toFixed(2) })}`;
      this._words.dataset.noise = String(noise);
    }
  }

  _plot(frames, values, rest, noise) {
    const context = sharp(this._canvas);
    const { clientWidth: width, clientHeight: height } = this._canvas;
    const end = frames[frames.length - 1].tMs;
    const x = (tMs) => width - ((end - tMs) / 10000) * width;
    const y = (value) => height * 0.82 - ((value - rest) / SPAN) * height;
    context.fillStyle = colour("--raised");
    context.fillRect(0, y(rest + SIGMAS * noise), width, Math.max(2, y(rest - SIGMAS * noise) - y(rest + SIGMAS * noise)));
    context.strokeStyle = colour("--line");
    for (const [, floor] of this._basics.letters) line(context, [[0, y(floor)], [width, y(floor)]]);
    context.strokeStyle = colour("--right");
    context.lineWidth = 2.2;
    line(context, frames.map((frame, i) => [x(frame.tMs), y(values[i])]));
  }
}

/** Noise: the spread of second differences, which slow movement does not enter (their
 * lower quartile, so that quick movement hardly does). The estimator cuts at zero, and what lies there
 * shows no noise: it is left out. A second difference of white noise has √6 times its deviation. */
function noiseOf(values) {
  const triples = values.slice(2).map((value, i) => [values[i], values[i + 1], value]);
  const second = triples.filter((three) => three.every((value) => value > AT_ZERO)).map(([a, b, c]) => Math.abs(c - 2 * b + a));
  if (second.length < 8) return 0;
  return quantile(second, 0.25) / 0.3186 / Math.sqrt(6);
}

function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(share * (sorted.length - 1))];
}
