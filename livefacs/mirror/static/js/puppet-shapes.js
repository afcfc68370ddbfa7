// Shapes both puppets are made of.

import { s } from "./dom.js";

export const xy = (x, y) => `${x.toFixed(1)} ${y.toFixed(1)}`;

export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}

/** Head pose as a group transform: turned parts slide and squeeze, the head tips about its neck.
 * Yaw to the character's left moves features to the right of the picture; pitch down moves them down. */
export function pose(group, features, turn) {
  group.setAttribute("transform", `rotate(${(-turn.roll).toFixed(2)} 120 200)`);
  const squeeze = Math.cos((turn.yaw * Math.PI) / 180);
  const dx = turn.yaw * 0.62, dy = turn.pitch * 0.55;
  features.setAttribute("transform", `translate(${(120 + dx).toFixed(2)} ${dy.toFixed(2)}) scale(${(0.25 + 0.75 * squeeze).toFixed(3)} 1) translate(-120 0)`);
}

let clips = 0;

/** An eye that opens, closes, widens and looks. */
export class Eye {
  constructor(x, y, { rx, ry, iris, colour, lid, white, line }) {
    this.x = x;
    this.y = y;
    this.rx = rx;
    this.ry = ry;
    const id = `eye-${(clips += 1)}`;
    this.shape = s("path", {});
    this.white = s("path", { fill: white });
    this.iris = s("circle", { r: iris, fill: colour });
    this.pupil = s("circle", { r: iris * 0.52, fill: "#1a120d" });
    this.spark = s("circle", { r: iris * 0.2, fill: "#fff" });
    this.upper = s("path", { fill: "none", stroke: line, "stroke-width": 4, "stroke-linecap": "round" });
    this.lower = s("path", { fill: "none", stroke: line, "stroke-width": 1.8, "stroke-linecap": "round", opacity: 0.6 });
    this.fold = s("path", { fill: "none", stroke: lid, "stroke-width": 2.5, "stroke-linecap": "round" });
    const clip = s("clipPath", { id }, this.shape);
    this.root = s("g", {}, clip, this.white, s("g", { "clip-path": `url(#${id})` }, this.iris, this.pupil, this.spark), this.lower, this.upper, this.fold);
  }

  /** blink, wide, squint 0..1; look x, y −1..1, x > 0 to the right of the picture, y > 0 down. */
  draw({ blink, wide, squint, lookX, lookY }) {
    const { x, y, rx, ry } = this;
    const shut = Math.min(1, blink);
    const top = y - ry * (1 + 0.35 * wide) * (1 - shut) + ry * 0.55 * shut + ry * 0.22 * squint * (1 - shut) + lookY * ry * 0.15 * (1 - shut);
    const bottom = y + ry * 0.72 * (1 - 0.55 * squint) * (1 - 0.15 * shut);
    const low = Math.max(bottom, top + 0.3);
    const upper = `M ${xy(x - rx, y + 1)} Q ${xy(x, 2 * top - y)} ${xy(x + rx, y + 1)}`;
    const lower = `Q ${xy(x, 2 * low - y)} ${xy(x - rx, y + 1)} Z`;
    set(this.shape, { d: `${upper} ${lower}` });
    set(this.white, { d: `${upper} ${lower}` });
    set(this.upper, { d: upper });
    set(this.lower, { d: `M ${xy(x + rx, y + 1)} Q ${xy(x, 2 * low - y)} ${xy(x - rx, y + 1)}` });
    const foldY = Math.min(top - 4 + 3 * shut, y - ry * 0.6);
    set(this.fold, { d: `M ${xy(x - rx * 0.85, foldY + 5)} Q ${xy(x, foldY * 2 - y + 2)} ${xy(x + rx * 0.85, foldY + 5)}` });
    const [ix, iy] = [x + lookX * rx * 0.42, y - ry * 0.08 + lookY * ry * 0.5];
    set(this.iris, { cx: ix, cy: iy });
    set(this.pupil, { cx: ix, cy: iy });
    set(this.spark, { cx: ix - 3, cy: iy - 3 });
  }
}

/** A mouth from its corners and lips. Lengths in the puppet's units; see draw. */
export class Mouth {
  constructor({ lip, lipLow, inside, tooth, line }) {
    this.upper = s("path", { fill: lip });
    this.lower = s("path", { fill: lipLow });
    this.inside = s("path", { fill: inside });
    this.teeth = s("path", { fill: tooth });
    this.line = s("path", { fill: "none", stroke: line, "stroke-width": 2.2, "stroke-linecap": "round" });
    this.root = s("g", {}, this.lower, this.upper, this.inside, this.teeth, this.line);
  }

  /** left, right: corners {x, y}, left at the right of the picture; top, bottom: middle of the
   * parting's upper and lower edge, {x, y}; lift: of the upper lip by side; thick: of both lips. */
  draw({ left, right, top, bottom, thickUp, thickLow, teeth }) {
    const gap = Math.max(0, bottom.y - top.y);
    const mid = { x: top.x, y: top.y };
    const curveUp = curve(right, mid, left);
    const curveLow = curve(left, { x: bottom.x, y: bottom.y }, right);
    const bow = { x: mid.x, y: mid.y - thickUp };
    const low = { x: bottom.x, y: bottom.y + thickLow };
    set(this.upper, { d: `M ${xy(right.x, right.y)} ${bowCurve(right, bow, left)} ${curve(left, mid, right)} Z` });
    set(this.lower, { d: `M ${xy(left.x, left.y)} ${curve(left, low, right)} ${curve(right, bottom, left)} Z` });
    set(this.inside, { d: `M ${xy(right.x, right.y)} ${curveUp} ${curveLow} Z`, opacity: gap > 0.6 ? 1 : 0 });
    const show = gap > 4 ? Math.min(gap * 0.45, 8) * teeth : 0;
    const tooth = { x: mid.x, y: mid.y + show };
    const [a, b] = [between(right, mid, 0.45), between(left, mid, 0.45)];
    set(this.teeth, { d: `M ${xy(a.x, a.y)} Q ${xy(mid.x, 2 * mid.y - (a.y + b.y) / 2)} ${xy(b.x, b.y)} Q ${xy(mid.x, 2 * tooth.y - (a.y + b.y) / 2)} ${xy(a.x, a.y)} Z`, opacity: show > 0 ? 1 : 0 });
    set(this.line, { d: gap > 0.6 ? "" : `M ${xy(right.x, right.y)} ${curveUp}` });
  }
}

function between(a, b, share) {
  return { x: a.x + (b.x - a.x) * share, y: a.y + (b.y - a.y) * share };
}

/** A smooth curve from a to b that passes through mid, flat there. */
function curve(a, mid, b) {
  const pull = 0.5;
  return `C ${xy(a.x + (mid.x - a.x) * pull, mid.y + (a.y - mid.y) * 0.12)} ${xy(mid.x - (mid.x - a.x) * 0.35, mid.y)} ${xy(mid.x, mid.y)} C ${xy(mid.x + (b.x - mid.x) * 0.35, mid.y)} ${xy(b.x + (mid.x - b.x) * pull, mid.y + (b.y - mid.y) * 0.12)} ${xy(b.x, b.y)}`;
}

/** The upper lip's outer edge, with its bow. */
function bowCurve(a, bow, b) {
  const dip = 2.2;
  return `C ${xy(a.x + (bow.x - a.x) * 0.4, bow.y + (a.y - bow.y) * 0.35)} ${xy(bow.x - 12, bow.y - 1)} ${xy(bow.x - 6, bow.y - 0.5)} Q ${xy(bow.x, bow.y + dip)} ${xy(bow.x + 6, bow.y - 0.5)} C ${xy(bow.x + 12, bow.y - 1)} ${xy(b.x + (bow.x - b.x) * 0.4, bow.y + (b.y - bow.y) * 0.35)} ${xy(b.x, b.y)}`;
}
