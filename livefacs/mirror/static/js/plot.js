// Curves: their lines, their colours, and what the colours mean.

import { colour, h } from "./dom.js";

export const COLOURS = ["#e07a3f", "#3a9d94", "#b86fa5", "#8a9a3a", "#5b86c4", "#c0504d"];

export function line(context, points) {
  context.beginPath();
  points.forEach(([px, py], i) => (i ? context.lineTo(px, py) : context.moveTo(px, py)));
  context.stroke();
}

/** @param {HTMLElement} element @param {[string, string][]} entries a colour, or the name of a theme's, and words */
export function tellColours(element, entries) {
  element.replaceChildren(...entries.map(([paint, words]) => {
    const mark = h("i");
    mark.style.background = paint.startsWith("--") ? colour(paint) : paint;
    return h("span", {}, mark, words);
  }));
}

/** @returns {boolean} true for what the face does, not the head or the gaze */
export function isFacial(channel) {
  return !/^AU(5[1-6]|6[1-4])$/.test(channel);
}
