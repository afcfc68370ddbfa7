// A 3D face in a page: the head that ships or the user's own character, to turn and to drive.

import { ModelError } from "./accessors.js";
import { Character } from "./character.js";
import { modelFromFile } from "./gltf.js";
import { Renderer } from "./renderer.js";

/** @typedef {import("./gltf.js").Bind} Bind */

const HEAD_URL = "/stage/head.glb";
const TURN_PER_PIXEL = 0.008;
const KEY_TURN = 0.12;

/** @type {Promise<ArrayBuffer> | null} */
let shipped = null;

/** @returns {Promise<ArrayBuffer>} the head that ships; asked for once a page */
function shippedHead() {
  shipped ??= fetch(HEAD_URL).then((answer) => {
    if (!answer.ok) throw new ModelError("cannot be fetched from this program");
    return answer.arrayBuffer();
  });
  return shipped;
}

export { ModelError };

/** A canvas with a character in it. */
export class Head3D {
  /**
   * @param {HTMLCanvasElement} canvas its size in the page decides; focusable, arrows turn the head
   * @throws {Error} where the browser has no WebGL 2
   */
  constructor(canvas) {
    this.canvas = canvas;
    this.renderer = new Renderer(canvas);
    /** @type {string[]} */
    this.controls = [];
    /** @type {Bind[][]} */
    this._binds = [];
    this._running = false;
    /** @type {Map<number, [number, number]>} where fingers, or the mouse, hold the head */
    this._fingers = new Map();
    this.drawn = 0;
    this._tick = () => { if (!this._running) return; this.draw(); requestAnimationFrame(this._tick); };
    this._listen();
  }

  /** Show the head that ships. */
  async showShipped() {
    this.showFile(await shippedHead());
    this.renderer.fadeFrom = [-0.2, -0.145];
    this.frame([0, -0.012, -0.03], 0.66);
  }

  /**
   * Show a .glb, .vrm or .gltf.
   *
   * @param {ArrayBuffer} file
   * @throws {ModelError} says in one sentence why it cannot be shown
   */
  showFile(file) {
    const character = new Character(modelFromFile(file));
    this.renderer.fadeFrom = [0, 0];
    this.renderer.show(character);
    this._frameHead(character);
    this.setControls(this.controls);
  }

  /** @returns {Character | null} */
  get character() {
    return this.renderer.character;
  }

  /**
   * The names that `drive` gives values for.
   *
   * @param {string[]} controls
   * @returns {string[]} those that the character does not have
   */
  setControls(controls) {
    this.controls = controls;
    const matched = this.character?.match(controls);
    this._binds = matched?.binds ?? [];
    return matched?.missing ?? [];
  }

  /** @param {ArrayLike<number>} values in the order of the controls */
  drive(values) {
    this.character?.pose(this._binds, values);
  }

  /** @param {Record<string, number>} values by name; everything else rests */
  pose(values) {
    this.character?.poseByName(values);
  }

  /**
   * @param {{yaw: number, pitch: number, roll: number}} head degrees
   * @param {{yaw: number, pitch: number}} gaze degrees
   */
  look(head, gaze) {
    this.character?.turnHead(head.yaw, head.pitch, head.roll);
    this.character?.turnEyes(gaze.yaw, gaze.pitch);
  }

  /** @param {boolean} mirrored as in a mirror: the character's left at the left */
  setMirrored(mirrored) {
    this.renderer.mirrored = mirrored;
    this.renderer.invalidate();
  }

  /** @param {string} colour such as rgb(20, 18, 15) */
  setBackground(colour) {
    const parts = (colour.match(/[\d.]+/g) ?? ["20", "18", "15"]).slice(0, 3).map((part) => Number(part) / 255);
    this.renderer.background = /** @type {[number, number, number]} */ (parts);
    this.renderer.invalidate();
  }

  /**
   * @param {number[]} centre metres
   * @param {number} distance metres
   */
  frame(centre, distance) {
    this._home = { centre, distance };
    this.home();
  }

  /** Look straight at the face again. */
  home() {
    Object.assign(this.renderer.orbit, { yaw: 0, pitch: 0, ...this._home });
    this.renderer.invalidate();
  }

  /** Draw whenever something changed, as often as the screen does. */
  start() {
    if (this._running) return;
    this._running = true;
    requestAnimationFrame(this._tick);
  }

  stop() {
    this._running = false;
  }

  draw() {
    if (this.renderer.draw()) this.drawn += 1;
  }

  /** @param {Character} character */
  _frameHead(character) {
    const { low, high } = character.bounds();
    const size = high.map((value, k) => value - low[k]);
    const head = character.headPlace();
    // A whole figure is shown from its head; a head alone as a whole.
    const tall = size[1] > 2.2 * size[0] || (head !== null && head[1] - low[1] > 0.55 * size[1]);
    const top = high[1];
    if (tall && head && top > head[1]) {
      const height = (top - head[1]) * 1.25;
      this.frame([head[0], (top + head[1]) / 2, head[2]], height * 3);
    } else {
      this.frame(low.map((value, k) => (value + high[k]) / 2), Math.max(size[0], size[1], 1e-6) * 2.7 + size[2] / 2);
    }
  }

  /**
   * @param {number} yaw
   * @param {number} pitch
   */
  turn(yaw, pitch) {
    const { orbit, mirrored } = this.renderer;
    orbit.yaw += mirrored ? -yaw : yaw;
    orbit.pitch = Math.max(-1.4, Math.min(1.4, orbit.pitch + pitch));
    this.renderer.invalidate();
  }

  /** @param {number} factor */
  zoom(factor) {
    const { orbit } = this.renderer;
    const home = this._home?.distance ?? orbit.distance;
    orbit.distance = Math.max(home * 0.3, Math.min(home * 4, orbit.distance * factor));
    this.renderer.invalidate();
  }

  _listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); this._fingers.set(event.pointerId, [event.clientX, event.clientY]); });
    canvas.addEventListener("pointermove", (event) => this._drag(event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => this._fingers.delete(/** @type {PointerEvent} */ (event).pointerId));
    canvas.addEventListener("wheel", (event) => { event.preventDefault(); this.zoom(Math.exp(event.deltaY * 0.001)); }, { passive: false });
    canvas.addEventListener("dblclick", () => this.home());
    canvas.addEventListener("keydown", (event) => { if (this._key(event.key)) { event.preventDefault(); event.stopPropagation(); } });
  }

  /** One finger or the mouse turns the head, two come closer. @param {PointerEvent} event */
  _drag(event) {
    const before = this._fingers.get(event.pointerId);
    if (!before || !event.buttons) return;
    const apart = this._apart();
    this._fingers.set(event.pointerId, [event.clientX, event.clientY]);
    if (apart) this.zoom(apart / (this._apart() || apart));
    else this.turn((event.clientX - before[0]) * TURN_PER_PIXEL, (event.clientY - before[1]) * TURN_PER_PIXEL);
  }

  /** @returns {number} pixels between two fingers; 0 where there are not two */
  _apart() {
    const [one, two] = this._fingers.values();
    return one && two ? Math.hypot(one[0] - two[0], one[1] - two[1]) : 0;
  }

  /** @param {string} key @returns {boolean} true where it meant something */
  _key(key) {
    /** @type {Record<string, () => void>} */
    const meaning = {
      ArrowLeft: () => this.turn(-KEY_TURN, 0), ArrowRight: () => this.turn(KEY_TURN, 0), ArrowUp: () => this.turn(0, -KEY_TURN), ArrowDown: () => this.turn(0, KEY_TURN),
      "+": () => this.zoom(0.9), "-": () => this.zoom(1.1), Home: () => this.home(),
    };
    meaning[key]?.();
    return key in meaning;
  }
}
