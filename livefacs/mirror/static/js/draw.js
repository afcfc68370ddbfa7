// A target curve by hand, or from a shape; then it is a follow drill like any other.

import { h, t, sharp, colour } from "./dom.js";
import { line } from "./plot.js";

const SECONDS = 12;
const SHAPES = {
  ramp: [[0, 0], [1, 0], [6, 0.7], [8, 0.7], [12, 0]],
  stairs: [[0, 0], [1.5, 0], [1.8, 0.1], [4, 0.1], [4.3, 0.25], [6.5, 0.25], [6.8, 0.5], [9, 0.5], [9.6, 0], [12, 0]],
  wave: [[0, 0], [2, 0.5], [4, 0], [6, 0.5], [8, 0], [10, 0.5], [12, 0]],
};

export function openCurve(basics, take) {
  let curve = SHAPES.ramp;
  const canvas = h("canvas", { role: "img", "aria-label": t("practise.canvas") });
  const actions = basics.cards.filter((card) => card.channels.length && Number(card.code) < 50);
  const action = h("select", { id: "own-action" }, actions.map((card) => h("option", { value: card.code, selected: card.code === "12" }, `${card.code} ${card.name}`)));
  const shape = h("select", { id: "own-shape", onchange: () => choose(shape.value) }, ["ramp", "stairs", "wave", "drawn"].map((name) => h("option", { value: name }, t("practise.shapes")[name])));
  const dialog = h("dialog.draw", { "aria-label": t("practise.draw"), onclose: () => dialog.remove() },
    h("div.stack", {}, h("h2", {}, t("practise.draw")), h("p.soft", {}, t("practise.draw_help")), canvas,
      h("div.row", {}, h("label", { for: "own-action" }, t("practise.action")), action, h("label", { for: "own-shape" }, t("practise.shape")), shape),
      h("div.row", {}, h("button.main", { type: "button", onclick: follow }, t("practise.follow")), h("button", { type: "button", onclick: () => dialog.close() }, t("keys.close")))));

  function choose(name) {
    if (SHAPES[name]) curve = SHAPES[name];
    plot();
  }

  function plot() {
    const context = sharp(canvas);
    const { clientWidth: width, clientHeight: height } = canvas;
    context.strokeStyle = colour("--line");
    for (const [, floor] of basics.letters) line(context, [[0, height * (1 - floor)], [width, height * (1 - floor)]]);
    context.strokeStyle = colour("--right");
    context.lineWidth = 4;
    line(context, curve.map(([seconds, level]) => [(seconds / SECONDS) * width, (1 - level) * height]));
  }

  function follow() {
    dialog.close();
    take({ name: "own-curve", title: t("practise.own"), kind: "follow", actions: [action.value], curve });
  }

  let drawn = null;
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    drawn = new Array(61).fill(null);
    shape.value = "drawn";
    put(event);
  });
  canvas.addEventListener("pointermove", (event) => drawn && put(event));
  canvas.addEventListener("pointerup", () => { drawn = null; });

  function put(event) {
    const box = canvas.getBoundingClientRect();
    const slot = Math.round(Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * 60);
    drawn[slot] = Math.round(Math.max(0, Math.min(1, 1 - (event.clientY - box.top) / box.height)) * 1000) / 1000;
    curve = joined(drawn);
    plot();
  }

  document.body.append(dialog);
  dialog.showModal();
  plot();
}

/** Points every 0.2 s; what was not drawn lies on the line between its neighbours. */
function joined(drawn) {
  const known = drawn.map((level, slot) => [slot, level]).filter(([, level]) => level !== null);
  const points = known.map(([slot, level]) => [(slot / 60) * SECONDS, level]);
  if (points[0][0] > 0) points.unshift([0, 0]);
  if (points.at(-1)[0] < SECONDS) points.push([SECONDS, 0]);
  return points;
}
