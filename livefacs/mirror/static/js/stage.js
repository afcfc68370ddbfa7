// The looking glass: camera picture and mesh, mirrored by CSS only; every number stays as it is.

import { h, t, get } from "./dom.js";

/** On the picture, whatever the page's colours: left, right, midline. */
const RINGS = { L: "#7ad3c8", R: "#f4b56a", mid: "#f5eee4" };
const LIGHT_SCALE = 0.5; // the light is blurred by CSS: half the pixels are enough

let triangles = null;

export async function loadMesh() {
  triangles = (await get("/static/mesh.json")).triangles;
}

export class Stage {
  constructor(basics) {
    this.picture = h("canvas", { role: "img", "aria-label": t("mirror.picture") });
    this.mesh = h("canvas", { "aria-hidden": "true" });
    this.light = h("canvas.light", { "aria-hidden": "true" });
    this.lost = h("div.lost", { hidden: true });
    this.glass = h("div.glass", {}, this.picture, this.light, this.mesh);
    this.element = h("div.stage", {}, this.glass,
      h("span.corner.l", {}, t("mirror.your_left")), h("span.corner.r", {}, t("mirror.your_right")), this.lost);
    this.showMesh = true;
    /** @type {{L?: number[], R?: number[], mid?: number[]}[]} where to look */
    this.marks = [];
    this._regions = regions(basics);
    this._lit = new Float32Array(478);
  }

  draw(frame) {
    this._drawPicture(frame);
    this._drawMesh(frame);
    const lost = (frame.health & 1) !== 0;
    if (lost !== !this.lost.hidden) {
      this.lost.hidden = !lost;
      this.lost.textContent = lost ? t("health.no_face") : "";
    }
  }

  _drawPicture(frame) {
    const bitmap = frame.bitmap;
    if (!bitmap) return;
    const canvas = this.picture;
    if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
      canvas.width = bitmap.width;
      canvas.height = bitmap.height;
      this.element.style.aspectRatio = `${bitmap.width} / ${bitmap.height}`;
    }
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
  }

  _drawMesh(frame) {
    const mesh = fitted(this.mesh, frame, 1);
    const light = fitted(this.light, frame, LIGHT_SCALE);
    if (frame.points.length >= 956) for (const mark of this.marks) rings(mesh, frame.points, mark);
    if (!this.showMesh || !triangles || frame.points.length < 956) return;
    this._light(frame);
    wires(mesh, frame.points);
    glow(light, frame.points, this._lit);
  }

  /** How strongly each point is lit: the strongest action whose region it belongs to. */
  _light(frame) {
    this._lit.fill(0);
    for (const [channel, points] of this._regions) {
      const level = Math.min(1, frame.intensity[channel] || 0);
      if (level < 0.08) continue;
      for (const point of points) this._lit[point] = Math.max(this._lit[point], level);
    }
  }
}

/** A cleared context in the frame's pixels. */
function fitted(canvas, frame, scale) {
  const [width, height] = [Math.round(frame.width * scale), Math.round(frame.height * scale)];
  if (width && (canvas.width !== width || canvas.height !== height)) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext("2d");
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.setTransform(scale, 0, 0, scale, 0, 0);
  return context;
}

/** A ring round each place where to look, in its side's colour. */
function rings(context, points, places) {
  const size = Math.hypot(points[2 * 33] - points[2 * 263], points[2 * 33 + 1] - points[2 * 263 + 1]);
  context.lineWidth = Math.max(2, size * 0.022);
  for (const [side, ids] of Object.entries(places)) {
    const xs = ids.map((i) => points[2 * i]), ys = ids.map((i) => points[2 * i + 1]);
    const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    const room = size * 0.06;
    context.strokeStyle = RINGS[side];
    context.beginPath();
    context.ellipse((left + right) / 2, (top + bottom) / 2, (right - left) / 2 + room, (bottom - top) / 2 + room, 0, 0, 2 * Math.PI);
    context.stroke();
  }
}

function wires(context, points) {
  context.beginPath();
  for (let i = 0; i < triangles.length; i += 3) {
    const [a, b, c] = [2 * triangles[i], 2 * triangles[i + 1], 2 * triangles[i + 2]];
    context.moveTo(points[a], points[a + 1]);
    context.lineTo(points[b], points[b + 1]);
    context.lineTo(points[c], points[c + 1]);
  }
  context.strokeStyle = "rgba(245, 238, 228, 0.13)";
  context.lineWidth = 0.7;
  context.stroke();
}

function glow(context, points, lit) {
  for (let i = 0; i < triangles.length; i += 3) {
    const [a, b, c] = [triangles[i], triangles[i + 1], triangles[i + 2]];
    const level = (lit[a] + lit[b] + lit[c]) / 3;
    if (level < 0.06) continue;
    context.beginPath();
    context.moveTo(points[2 * a], points[2 * a + 1]);
    context.lineTo(points[2 * b], points[2 * b + 1]);
    context.lineTo(points[2 * c], points[2 * c + 1]);
    context.closePath();
    context.fillStyle = `rgba(255, 140, 40, ${(0.15 + 0.75 * level).toFixed(3)})`;
    context.fill();
  }
}

/** Points of every facial channel, from the landmark groups of its card. */
function regions({ cards, channels, groups }) {
  const found = [];
  for (const card of cards) {
    for (const channel of card.channels) {
      const side = channel.endsWith("_L") ? "L" : channel.endsWith("_R") ? "R" : null;
      const points = card.groups.flatMap((name) => pointsOf(groups[name], side));
      if (points.length && /^A[UD][0-4]?\d(_|$)/.test(channel)) found.push([channels.indexOf(channel), points]);
    }
  }
  return found;
}

function pointsOf(group, side) {
  if (!group) return [];
  if (Array.isArray(group)) return side === null ? group : [];
  const sides = side === null ? ["L", "R", "mid"] : [side];
  return sides.flatMap((name) => group[name] ?? []);
}
