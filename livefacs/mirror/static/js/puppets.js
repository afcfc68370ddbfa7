// Two characters that a rig map moves: a human by ARKit controls, a marmoset by shared muscles.
// Both are drawn as seen from in front (their left at the right); the page mirrors them by CSS.

import { h, s, t } from "./dom.js";
import { humanFace } from "./puppet-human.js";
import { marmosetFace } from "./puppet-marmoset.js";

export function puppetFigure(rig) {
  const face = rig === "arkit52" ? humanFace() : marmosetFace();
  const title = t(rig === "arkit52" ? "mirror.human" : "mirror.marmoset");
  const svg = s("svg", { viewBox: "0 0 240 240", role: "img", "aria-label": title }, face.root);
  svg.style.transform = "scaleX(-1)";
  const note = rig === "arkit52" ? null : t("mirror.marmoset_note");
  const element = h("figure", { "data-rig": rig, title: note }, svg, h("figcaption.soft", {}, title));
  return { element, draw: (frame) => drawPuppet(face, frame.rigs[rig], frame.head) };
}

function drawPuppet(face, rig, head) {
  if (!rig) return;
  const values = new Map(rig.names.map((name, i) => [name, rig.values[i]]));
  const turn = { yaw: limit(head.yaw, 35), pitch: limit(head.pitch, 25), roll: limit(head.roll, 30) };
  face.draw((name) => values.get(name) ?? 0, turn);
}

function limit(value, most) {
  return Math.max(-most, Math.min(most, Number.isFinite(value) ? value : 0));
}
