// The human puppet: a paper-cut face on ARKit's 52 controls.

import { s } from "./dom.js";
import { Eye, Mouth, pose, set, xy } from "./puppet-shapes.js";

/** @type {[string, number][]} */
const SIDES = [["Right", -1], ["Left", 1]]; // the character's left is at the right

export function humanFace() {
  const skin = s("path", { fill: "#d99b72" });
  const ears = SIDES.map(([, k]) => s("ellipse", { cx: 120 + 72 * k, cy: 122, rx: 11, ry: 18, fill: "#c98860" }));
  const neck = s("path", { d: "M 92 190 L 88 240 L 152 240 L 148 190 Z", fill: "#b87a55" });
  const shirt = s("path", { d: "M 40 240 Q 60 214 92 212 Q 120 232 148 212 Q 180 214 200 240 Z", fill: "#2f5d62" });
  const hair = s("path", { d: "M 46 112 C 38 40 84 20 122 22 C 168 22 204 46 194 112 C 190 92 178 74 160 66 C 130 74 84 72 66 80 C 56 88 50 98 46 112 Z", fill: "#2d201a" });
  const back = s("path", { d: "M 44 130 C 34 40 88 16 120 18 C 160 16 206 42 196 130 C 196 160 184 176 176 182 L 64 182 C 54 174 44 158 44 130 Z", fill: "#241913" });
  const cheeks = SIDES.map(() => s("ellipse", { rx: 17, ry: 11, fill: "#e07f5f", opacity: 0.4 }));
  const brows = SIDES.map(() => s("path", { fill: "none", stroke: "#2d201a", "stroke-width": 7, "stroke-linecap": "round", "stroke-linejoin": "round" }));
  const eyes = SIDES.map(([, k]) => new Eye(120 + 32 * k, 112, { rx: 17, ry: 11, iris: 8, colour: "#5b7f5a", lid: "#b8764f", white: "#fbf4ea", line: "#2d1a12" }));
  const nose = s("path", { fill: "none", stroke: "#a9653f", "stroke-width": 3, "stroke-linecap": "round" });
  const wrinkles = s("path", { fill: "none", stroke: "#a9653f", "stroke-width": 2, "stroke-linecap": "round" });
  const folds = SIDES.map(() => s("path", { fill: "none", stroke: "#a9653f", "stroke-width": 2.2, "stroke-linecap": "round" }));
  const frown = s("path", { fill: "none", stroke: "#a9653f", "stroke-width": 2.2, "stroke-linecap": "round" });
  const mouth = new Mouth({ lip: "#b4533f", lipLow: "#c56350", inside: "#4a1510", tooth: "#fbf4ea", line: "#7d2f22" });
  const chin = s("path", { fill: "none", stroke: "#b8764f", "stroke-width": 2, "stroke-linecap": "round" });
  const features = s("g", {}, cheeks, folds, nose, wrinkles, frown, mouth.root, chin, eyes.map((e) => e.root), brows);
  const head = s("g", {}, back, ears, skin, features, hair);
  const root = s("g", {}, neck, shirt, head);

  function draw(c, turn) {
    pose(head, features, turn);
    const open = c("jawOpen"), slide = (c("jawLeft") - c("jawRight")) * 9;
    const drop = open * 20;
    set(skin, { d: `M 50 104 C 50 56 84 44 120 44 C 156 44 190 56 190 104 C 190 150 ${xy(172 + slide, 176 + drop)} ${xy(146 + slide, 192 + drop)} Q ${xy(120 + slide, 204 + drop)} ${xy(94 + slide, 192 + drop)} C ${xy(68 + slide, 176 + drop)} 50 150 50 104 Z` });
    SIDES.forEach(([side, k], i) => {
      drawBrow(brows[i], k, c, side);
      drawEye(eyes[i], k, c, side);
      drawCheek(cheeks[i], folds[i], k, c, side);
    });
    drawNose(c);
    drawMouth(c, slide);
  }

  function drawNose(c) {
    const l = c("noseSneerLeft"), r = c("noseSneerRight");
    set(nose, { d: `M 117 100 Q 112 126 ${xy(107, 136 - 3 * r)} Q ${xy(103, 144 - 5 * r)} ${xy(112, 146 - 4 * r)} Q 120 150 ${xy(128, 146 - 4 * l)} Q ${xy(137, 144 - 5 * l)} ${xy(133, 136 - 3 * l)}` });
    set(wrinkles, { d: "M 111 112 L 116 108 M 110 119 L 115 115 M 129 112 L 124 108 M 130 119 L 125 115", opacity: Math.min(1, (l + r) * 0.8).toFixed(2) });
    const down = (c("browDownLeft") + c("browDownRight")) / 2;
    set(frown, { d: "M 115 96 L 116 84 M 125 96 L 124 84", opacity: Math.min(1, Math.max(0, down * 1.2 - 0.1)).toFixed(2) });
  }

  function drawMouth(c, slide) {
    const pucker = Math.max(c("mouthPucker"), c("mouthFunnel") * 0.75), funnel = c("mouthFunnel");
    const shift = (c("mouthLeft") - c("mouthRight")) * 8 + slide * 0.8;
    const corner = (side, k) => ({
      x: 120 + shift + k * (28 + 10 * c(`mouthSmile${side}`) + 8 * c(`mouthStretch${side}`) + 4 * c(`mouthDimple${side}`) - 16 * pucker + 2 * c(`mouthFrown${side}`)),
      y: 168 - 15 * c(`mouthSmile${side}`) + 12 * c(`mouthFrown${side}`) + 3 * c(`mouthStretch${side}`) + 4 * c("jawOpen") - 1.5 * c(`mouthDimple${side}`),
    });
    const up = (c("mouthUpperUpLeft") + c("mouthUpperUpRight")) / 2, low = (c("mouthLowerDownLeft") + c("mouthLowerDownRight")) / 2;
    const shrug = c("mouthShrugLower"), jaw = Math.max(0, c("jawOpen") - c("mouthClose"));
    const press = (c("mouthPressLeft") + c("mouthPressRight")) / 2;
    const smile = (c("mouthSmileLeft") + c("mouthSmileRight")) / 2, lowered = (c("mouthFrownLeft") + c("mouthFrownRight")) / 2;
    const middle = 168 - 6 * shrug - 3 * lowered + 3 * smile;
    const topY = middle - 7 * up - 4 * funnel - 1.5 * jaw;
    const gap = 30 * jaw + 9 * low + 9 * funnel + 6 * up - 3 * press;
    mouth.draw({
      left: corner("Left", 1), right: corner("Right", -1),
      top: { x: 120 + shift, y: topY }, bottom: { x: 120 + shift, y: topY + Math.max(0, gap) },
      thickUp: Math.max(1.2, 7 * (1 - 0.85 * c("mouthRollUpper")) * (1 - 0.5 * press) + 3 * pucker + 2 * funnel - 2 * smile),
      thickLow: Math.max(1.2, 9 * (1 - 0.85 * c("mouthRollLower")) * (1 - 0.5 * press) + 3 * pucker + 3 * funnel - 2 * smile),
      teeth: 1,
    });
    const y = 190 + 18 * c("jawOpen") - 3 * shrug;
    set(chin, { d: `M ${xy(110 + slide, y)} Q ${xy(120 + slide, y - 4 - 7 * shrug)} ${xy(130 + slide, y)}`, opacity: (0.35 + 0.6 * Math.min(1, shrug)).toFixed(2) });
  }

  return { root, draw };
}

function drawBrow(path, k, c, side) {
  const down = c(`browDown${side}`), inner = c("browInnerUp"), outer = c(`browOuterUp${side}`);
  const at = (x, y) => xy(120 + k * x, y);
  const [ix, iy] = [14 - 3 * down, 90 - 13 * inner + 9 * down];
  const [mx, my] = [33, 83 - 9 * (inner + outer) * 0.6 + 7 * down];
  const [ox, oy] = [53, 90 - 12 * outer + 4 * down];
  set(path, { d: `M ${at(ix, iy)} Q ${at(mx, my)} ${at(ox, oy)}` });
}

function drawEye(eye, k, c, side) {
  const outward = c(`eyeLookOut${side}`) - c(`eyeLookIn${side}`);
  eye.draw({
    blink: c(`eyeBlink${side}`), wide: c(`eyeWide${side}`),
    squint: Math.min(1, c(`eyeSquint${side}`) + 0.6 * c(`cheekSquint${side}`)),
    lookX: k * outward, lookY: c(`eyeLookDown${side}`) - c(`eyeLookUp${side}`),
  });
}

function drawCheek(cheek, fold, k, c, side) {
  const lift = Math.max(c(`cheekSquint${side}`), 0.5 * c(`mouthSmile${side}`)), puff = c("cheekPuff");
  set(cheek, { cx: 120 + k * (44 + 4 * puff), cy: 146 - 7 * lift + 8 * puff, rx: 15 + 3 * lift + 7 * puff, ry: 9 + 3 * lift + 7 * puff, opacity: (0.28 + 0.4 * Math.min(1, lift + puff)).toFixed(2) });
  const deep = Math.min(1, c(`mouthSmile${side}`) + 0.6 * c(`noseSneer${side}`) + 0.6 * c(`mouthUpperUp${side}`));
  set(fold, { d: `M ${xy(120 + k * 17, 140)} Q ${xy(120 + k * (36 + 6 * deep), 148)} ${xy(120 + k * (40 + 8 * deep), 166 - 6 * deep)}`, opacity: (0.9 * deep).toFixed(2) });
}
