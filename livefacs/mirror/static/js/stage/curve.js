// The response curve of a control: points to drag, a dot that shows where the drive is now.

import { s, t } from "../dom.js";

/** @typedef {[number, number]} Point */

const STEP = 0.02;
const LINEAR = /** @type {Point[]} */ ([[0, 0], [1, 1]]);

export class CurveEditor {
  /** @param {(points: Point[]) => void} onChange */
  constructor(onChange) {
    this._onChange = onChange;
    /** @type {Point[]} */
    this._points = LINEAR;
    this._line = s("path", { class: "line" });
    this._zone = s("rect", { class: "zone", x: 0, y: 0, height: 1, width: 0 });
    this._dot = s("circle", { class: "dot", r: 0.026, cx: 0, cy: 1 });
    this._handles = s("g");
    const grid = [0.25, 0.5, 0.75].map((at) => s("path", { class: "grid", d: `M${at} 0V1M0 ${at}H1` }));
    this.element = s("svg", { class: "curve", viewBox: "-0.07 -0.07 1.14 1.14", preserveAspectRatio: "none", role: "group", "aria-label": t("stage.curve") },
      this._zone, grid, this._line, this._handles, this._dot);
    this.element.addEventListener("dblclick", (event) => this._add(/** @type {MouseEvent} */ (event)));
    this._dragging = -1;
    this.element.addEventListener("pointermove", (event) => this._drag(/** @type {PointerEvent} */ (event)));
    this.element.addEventListener("pointerup", () => { this._dragging = -1; });
  }

  /**
   * @param {import("./map.js").Control} control
   */
  show(control) {
    this._control = control;
    if (this._dragging >= 0) return; // the hand leads
    const named = control.curve.length > 6 ? control.curve.filter((_, i) => i % 4 === 0) : control.curve;
    this._points = named.length ? named.map(([x, y]) => /** @type {Point} */ ([x, y])) : LINEAR.map(([x, y]) => /** @type {Point} */ ([x, y]));
    this._draw();
  }

  /** @param {number} drive @param {number} value of the control, limits and gain included */
  point(drive, value) {
    const control = this._control;
    if (!control) return;
    const x = Math.max(0, Math.min(1, (Math.abs(drive) - control.dead_zone) / (1 - control.dead_zone)));
    const y = control.gain ? Math.max(0, Math.min(1, Math.abs((value - control.offset) / control.gain))) : 0;
    this._dot.setAttribute("cx", x.toFixed(3));
    this._dot.setAttribute("cy", (1 - y).toFixed(3));
  }

  _draw() {
    const points = this._points;
    this._zone.setAttribute("width", String(this._control?.dead_zone ?? 0));
    const first = points[0], last = points[points.length - 1];
    const path = [[Math.min(0, first[0]), first[1]], ...points, [Math.max(1, last[0]), last[1]]];
    this._line.setAttribute("d", path.map(([x, y], i) => `${i ? "L" : "M"}${x} ${1 - y}`).join(""));
    const focused = [...this._handles.children].indexOf(/** @type {Element} */ (document.activeElement));
    this._handles.replaceChildren(...points.map(([x, y], i) => this._handle(x, y, i)));
    if (focused >= 0) /** @type {SVGElement | undefined} */ (this._handles.children[Math.min(focused, points.length - 1)])?.focus();
  }

  /** @param {number} x @param {number} y @param {number} i */
  _handle(x, y, i) {
    const words = t("stage.point", { n: i + 1, x: x.toFixed(2), y: y.toFixed(2) });
    const handle = s("circle", { class: "point", cx: x, cy: 1 - y, r: 0.04, tabindex: 0, role: "slider", "aria-label": words, "aria-valuemin": 0, "aria-valuemax": 1, "aria-valuenow": y.toFixed(2), "aria-valuetext": words });
    handle.addEventListener("pointerdown", (event) => {
      this._dragging = i;
      this.element.setPointerCapture(/** @type {PointerEvent} */ (event).pointerId);
    });
    handle.addEventListener("keydown", (event) => this._key(/** @type {KeyboardEvent} */ (event), i));
    return handle;
  }

  /** @param {MouseEvent} event @returns {Point} */
  _place(event) {
    const box = this.element.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * 1.14 - 0.07;
    const y = 1 - (((event.clientY - box.top) / box.height) * 1.14 - 0.07);
    return [x, y];
  }

  /** @param {PointerEvent} event */
  _drag(event) {
    if (this._dragging < 0) return;
    const [x, y] = this._place(event);
    this._move(this._dragging, x, y);
  }

  /** @param {number} i @param {number} x @param {number} y */
  _move(i, x, y) {
    const points = this._points;
    const low = i ? points[i - 1][0] + 0.01 : 0;
    const high = i < points.length - 1 ? points[i + 1][0] - 0.01 : 1.5;
    points[i] = [round(Math.max(low, Math.min(high, x))), round(Math.max(0, Math.min(1, y)))];
    this._draw();
    this._onChange(points.map(([a, b]) => [a, b]));
  }

  /** @param {MouseEvent} event */
  _add(event) {
    const [x, y] = this._place(event);
    if (x <= 0 || x >= 1 || this._points.some((point) => Math.abs(point[0] - x) < 0.03)) return;
    this._points = [...this._points, /** @type {Point} */ ([round(x), round(Math.max(0, Math.min(1, y)))])].sort((a, b) => a[0] - b[0]);
    this._draw();
    this._onChange(this._points);
  }

  /** @param {KeyboardEvent} event @param {number} i */
  _key(event, i) {
    const [x, y] = this._points[i];
    /** @type {Record<string, () => void>} */
    const meaning = {
      ArrowUp: () => this._move(i, x, y + STEP), ArrowDown: () => this._move(i, x, y - STEP), ArrowLeft: () => this._move(i, x - STEP, y), ArrowRight: () => this._move(i, x + STEP, y),
      Delete: () => this._remove(i), Backspace: () => this._remove(i),
    };
    if (!(event.key in meaning)) return;
    event.preventDefault();
    event.stopPropagation();
    meaning[event.key]();
  }

  /** @param {number} i */
  _remove(i) {
    if (this._points.length <= 2) return;
    this._points.splice(i, 1);
    this._draw();
    this._onChange(this._points);
  }
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 1000) / 1000;
}
