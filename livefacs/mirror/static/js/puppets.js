// Two characters that a rig map moves: a human by ARKit controls, a marmoset by shared muscles.
// Both are drawn as seen from in front (their left at the right); the page mirrors them by CSS.
// Where there is a graphics card, the human is the head in 3D; without one it would hold the page up.

import { h, s, t } from "./dom.js";
import { isSoftware } from "./head3d/software.js";
import { humanFace } from "./puppet-human.js";
import { marmosetFace } from "./puppet-marmoset.js";

export function puppetFigure(rig) {
  const face = rig === "arkit52" ? humanFace() : marmosetFace();
  const title = t(rig === "arkit52" ? "mirror.human" : "mirror.marmoset");
  const svg = s("svg", { viewBox: "0 0 240 240", role: "img", "aria-label": title }, face.root);
  svg.style.transform = "scaleX(-1)";
  const note = rig === "arkit52" ? null : t("mirror.marmoset_note");
  const element = h("figure", { "data-rig": rig, title: note }, svg, h("figcaption.soft", {}, title));
  const flat = (frame) => drawPuppet(face, frame.rigs[rig], frame.head);
  return { element, draw: rig === "arkit52" ? solidOr(flat, svg) : flat };
}

/** Draws with the 3D head once it is there, and with the flat face until then or for good. */
function solidOr(flat, svg) {
  let solid = null;
  let asked = false;
  return (frame) => {
    if (!asked) {
      asked = true;
      if (!isSoftware()) solidHead(svg).then((draw) => { solid = draw; }, () => { /* no WebGL 2: the flat face stays */ });
    }
    (solid ?? flat)(frame);
  };
}

/** The 3D head in place of a picture; gives what draws a frame on it. */
export async function solidHead(svg) {
  const canvas = h("canvas", { role: "img", tabindex: 0, "aria-label": svg.getAttribute("aria-label") });
  const { Head3D } = await import("./head3d/head3d.js");
  const head = new Head3D(canvas);
  await head.showShipped();
  head.setMirrored(true);
  svg.replaceWith(canvas);
  head.setBackground(getComputedStyle(canvas).backgroundColor);
  return (frame) => {
    const rig = frame.rigs.arkit52;
    if (!rig) return;
    if (head.controls !== rig.names) head.setControls(rig.names);
    head.drive(rig.values);
    head.look(frame.head, frame.gaze);
    head.draw();
  };
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
