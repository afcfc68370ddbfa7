// A face that shows given levels of actions: the head in 3D, or a flat puppet where there is no WebGL 2.

import { h, s, get } from "./dom.js";
import { isSoftware } from "./head3d/software.js";

const STILL = { yaw: 0, pitch: 0, roll: 0 };

/** Milliseconds between two pictures: without a graphics card one costs as much as a camera's frame. */
const PICTURE_MS = 125;

export class ShownFace {
  /**
   * @param {string} label what the picture shows, for those who do not see it
   * @param {string} kind head, or marmoset
   * @param {boolean} mirrored as one sees oneself; else as one sees another person
   */
  constructor(label, kind = "head", mirrored = true) {
    this.kind = kind;
    this._label = label;
    this._mirrored = mirrored;
    this.element = h("div.shown-face");
    /** @type {import("./head3d/head3d.js").Head3D | null} */
    this._head = null;
    /** @type {{draw: (c: (name: string) => number, turn: object) => void} | null} */
    this._flat = null;
    this._theme = "";
    this._drawnAt = -Infinity;
    /** @type {Promise<void> | null} */
    this._opened = null;
  }

  /** @returns {Promise<void>} the face is there */
  open() {
    this._opened ??= this._open();
    return this._opened;
  }

  async _open() {
    if (this.kind === "head") {
      const { Head3D } = await import("./head3d/head3d.js");
      const canvas = /** @type {HTMLCanvasElement} */ (h("canvas", { role: "img", tabindex: 0, "aria-label": this._label }));
      try {
        this._head = new Head3D(canvas);
      } catch {
        this.kind = "arkit52"; // no WebGL 2: the flat face, by the controls of its map
      }
      if (this._head) {
        this.element.replaceChildren(canvas);
        await this._head.showShipped();
        this._head.frame([0, -0.02, -0.03], 0.54); // the face, not the neck
        this._head.setMirrored(this._mirrored);
        return;
      }
    }
    const face = this.kind === "marmoset" ? (await import("./puppet-marmoset.js")).marmosetFace() : (await import("./puppet-human.js")).humanFace();
    const svg = s("svg", { viewBox: "0 0 240 240", role: "img", "aria-label": this._label }, face.root);
    if (this._mirrored) svg.style.transform = "scaleX(-1)";
    this._flat = face;
    this.element.replaceChildren(svg);
  }

  /** @param {string} label */
  name(label) {
    this._label = label;
    this.element.firstElementChild?.setAttribute("aria-label", label);
  }

  /**
   * Levels of channels in the names that this face is moved by: its own, or its map's controls.
   *
   * @param {Record<string, number>} levels
   * @returns {Promise<Record<string, number>>}
   */
  async valuesOf(levels) {
    await this.open();
    if (this._head) return levels;
    const asked = Object.entries(levels).map(([channel, level]) => `${channel}:${level}`).join(",");
    return (await get(`/api/puppet/${this.kind}?levels=${encodeURIComponent(asked)}`)).values;
  }

  /** @returns {boolean} somebody can see it, and the picture before it is old enough */
  isDue() {
    return this.element.offsetParent !== null && (!this._head || !isSoftware() || performance.now() - this._drawnAt >= PICTURE_MS);
  }

  /** @param {Record<string, number>} values by name; everything else rests */
  draw(values) {
    this._drawnAt = performance.now();
    if (this._head) {
      const theme = document.documentElement.dataset.theme ?? "";
      if (theme !== this._theme) this._head.setBackground(getComputedStyle(this.element).backgroundColor);
      this._theme = theme;
      this._head.pose(values);
      this._head.draw();
    } else this._flat?.draw((name) => values[name] ?? 0, STILL);
  }
}
