// The marmoset: a common marmoset's face, moved by the muscles it shares with people.

import { s } from "./dom.js";
import { Eye, Mouth, pose, set, xy } from "./puppet-shapes.js";

/** @type {[string, number][]} */
const SIDES = [["right", -1], ["left", 1]];

export function marmosetFace() {
  const tufts = SIDES.map(([, k]) => tuft(k));
  const body = s("path", { d: "M 44 240 Q 58 196 120 194 Q 182 196 196 240 Z", fill: "#8b8074" });
  const chest = s("path", { d: "M 84 240 Q 96 206 120 204 Q 144 206 156 240 Z", fill: "#6a5d50" });
  const crown = s("path", { d: "M 52 128 C 44 62 82 38 120 38 C 158 38 196 62 188 128 C 190 172 160 204 120 206 C 80 204 50 172 52 128 Z", fill: "#4b3f36" });
  const mask = s("path", { fill: "#b89a80" });
  const blaze = s("path", { d: "M 104 76 Q 120 56 136 76 Q 132 90 120 90 Q 108 90 104 76 Z", fill: "#f4ead9" });
  const brows = SIDES.map(() => s("path", { fill: "none", stroke: "#3a2f27", "stroke-width": 9, "stroke-linecap": "round" }));
  const eyes = SIDES.map(([, k]) => new Eye(120 + 25 * k, 118, { rx: 16, ry: 14, iris: 11.5, colour: "#b06a1c", lid: "#8f735c", white: "#e9d7ae", line: "#2a1c12" }));
  const cheeks = SIDES.map(() => s("ellipse", { fill: "#cdb197" }));
  const muzzle = s("ellipse", { cx: 120, cy: 166, rx: 38, ry: 27, fill: "#d2b69d" });
  const nose = s("path", { fill: "#6b4a3c" });
  const frown = s("path", { fill: "none", stroke: "#6f5644", "stroke-width": 2.4, "stroke-linecap": "round" });
  const mouth = new Mouth({ lip: "#93604c", lipLow: "#a06c57", inside: "#4a1a16", tooth: "#fbf4ea", line: "#54301f" });
  const features = s("g", {}, mask, blaze, cheeks, muzzle, frown, eyes.map((e) => e.root), brows, mouth.root, nose);
  const head = s("g", {}, tufts.map((each) => each.root), crown, features);
  const root = s("g", {}, body, chest, head);

  function draw(c, turn) {
    pose(head, features, turn);
    const jaw = c("jaw_drop"), slide = (c("jaw_left") - c("jaw_right")) * 8;
    set(mask, { d: `M 66 116 C 66 84 96 76 120 88 C 144 76 174 84 174 116 C 176 150 ${xy(160 + slide, 184 + 10 * jaw)} ${xy(120 + slide, 196 + 14 * jaw)} C ${xy(80 + slide, 184 + 10 * jaw)} 64 150 66 116 Z` });
    set(muzzle, { cx: 120 + slide * 0.7, cy: 166 + 5 * jaw, ry: 27 + 8 * jaw });
    SIDES.forEach(([side, k], i) => {
      drawEar(tufts[i], k, c, side);
      drawBrow(brows[i], k, c, side);
      drawEye(eyes[i], c, side);
      const lift = c(`orbicularis_oculi_orbital_${side}`);
      set(cheeks[i], { cx: 120 + k * 42, cy: 146 - 7 * lift, rx: 14 + 3 * lift, ry: 10 + 3 * lift });
    });
    drawNose(c);
    drawMouth(c, jaw, slide);
  }

  function drawNose(c) {
    const l = 5 * c("levator_labii_superioris_left"), r = 5 * c("levator_labii_superioris_right");
    set(nose, { d: `M ${xy(106, 146 - r)} Q 120 ${(139 - (l + r) / 2).toFixed(1)} ${xy(134, 146 - l)} Q ${xy(136, 156 - l)} 126 155 Q 120 151 114 155 Q ${xy(104, 156 - r)} ${xy(106, 146 - r)} Z` });
    const down = (c("procerus_depressor_supercilii_left") + c("procerus_depressor_supercilii_right")) / 2;
    set(frown, { d: "M 116 108 L 117 96 M 124 108 L 123 96", opacity: Math.min(1, down * 1.5).toFixed(2) });
  }

  function drawMouth(c, jaw, slide) {
    const pucker = c("orbicularis_oris_pucker"), press = c("orbicularis_oris_press"), part = c("lips_part");
    const corner = (side, k) => ({
      x: 120 + slide + k * (25 + 9 * c(`zygomaticus_major_${side}`) - 14 * pucker),
      y: 172 - 11 * c(`zygomaticus_major_${side}`) + 10 * c(`depressor_anguli_oris_${side}`) + 3 * jaw,
    });
    const up = (c("levator_labii_superioris_left") + c("levator_labii_superioris_right")) / 2;
    const low = (c("depressor_labii_inferioris_left") + c("depressor_labii_inferioris_right")) / 2;
    const topY = 171 - 6 * up - 1.5 * jaw;
    mouth.draw({
      left: corner("left", 1), right: corner("right", -1),
      top: { x: 120 + slide, y: topY }, bottom: { x: 120 + slide, y: topY + Math.max(0, 27 * jaw + 7 * low + 4 * part - 3 * press) },
      thickUp: Math.max(0.8, 3.4 - 2.4 * press + 3 * pucker), thickLow: Math.max(0.8, 4.2 - 2.8 * press + 3 * pucker), teeth: 0.7,
    });
  }

  return { root, draw };
}

/** A white ear tuft: a fan of hair round the ear. */
function tuft(k) {
  const root = s("g", {});
  for (let i = 0; i < 13; i += 1) {
    const angle = ((-62 + i * 11.5) * Math.PI) / 180;
    const length = 54 + (i % 3) * 7;
    const [dx, dy] = [k * Math.cos(angle) * length, Math.sin(angle) * length];
    const [wx, wy] = [-Math.sin(angle) * 7, k * Math.cos(angle) * 7];
    root.append(s("path", { d: `M ${xy(wx, wy)} Q ${xy(dx * 0.6 + wx, dy * 0.6 + wy)} ${xy(dx, dy)} Q ${xy(dx * 0.6 - wx, dy * 0.6 - wy)} ${xy(-wx, -wy)} Z`, fill: i % 2 ? "#f7f1e6" : "#e7ddcc" }));
  }
  root.append(s("ellipse", { cx: k * 6, cy: 2, rx: 12, ry: 16, fill: "#a98a72" }));
  return { root };
}

function drawEar({ root }, k, c, side) {
  const forward = c(`anterior_auricularis_${side}`), up = c(`superior_auricularis_${side}`);
  const flat = c(`posterior_auricularis_${side}`), down = c(`depressor_helicis_${side}`);
  const angle = k * (-16 * up + 20 * flat + 12 * down);
  const wide = 1 + 0.16 * forward - 0.38 * flat;
  root.setAttribute("transform", `translate(${(120 + k * 60).toFixed(1)} ${(112 - 9 * up + 7 * down).toFixed(1)}) rotate(${angle.toFixed(2)}) scale(${wide.toFixed(3)} ${(1 + 0.1 * up).toFixed(3)})`);
}

function drawBrow(path, k, c, side) {
  const up = c(`frontalis_${side}`), down = c(`procerus_depressor_supercilii_${side}`);
  const at = (x, y) => xy(120 + k * x, y);
  set(path, { d: `M ${at(12 - 2 * down, 97 - 11 * up + 8 * down)} Q ${at(27, 88 - 14 * up + 6 * down)} ${at(42, 98 - 12 * up + 3 * down)}` });
}

function drawEye(eye, c, side) {
  eye.draw({
    blink: c(`orbicularis_oculi_closure_${side}`), wide: 0.6 * c(`anterior_auricularis_${side}`),
    squint: Math.min(1, c(`orbicularis_oculi_palpebral_${side}`) + 0.5 * c(`orbicularis_oculi_orbital_${side}`)),
    lookX: c(`eye_yaw_deg_${side}`) / 20, lookY: c(`eye_pitch_deg_${side}`) / 20,
  });
}
