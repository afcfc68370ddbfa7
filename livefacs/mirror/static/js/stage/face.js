// The face in 3D beside the work: the head that ships or the user's own character.

import { announce, ask, get, h, t } from "../dom.js";
import { Head3D, ModelError } from "../head3d/head3d.js";

const GAZE_CONTROLS = /eyeLook(In|Out)/; // the eyes turn by the measured gaze

export class Face {
  /** @param {string[]} channels Action Unit channels in the order of a frame's intensities */
  constructor(channels) {
    this._channels = channels;
    this._canvas = /** @type {HTMLCanvasElement} */ (h("canvas.three", { tabindex: 0, role: "img", "aria-label": t("stage.head") }));
    this._camera = /** @type {HTMLCanvasElement} */ (h("canvas.camera", { hidden: true, "aria-label": t("stage.camera"), role: "img" }));
    this._said = h("div.said.small.soft", { role: "status" });
    this._mode = /** @type {HTMLSelectElement} */ (h("select", { id: "shows", onchange: () => this._match() }, h("option", { value: "rig" }, t("stage.shows.rig")), h("option", { value: "performer" }, t("stage.shows.performer"))));
    this._file = /** @type {HTMLInputElement} */ (h("input", { type: "file", accept: ".glb,.vrm,.gltf", hidden: true, "aria-label": t("stage.load") }));
    this._file.addEventListener("change", () => { const file = this._file.files?.[0]; if (file) this.loadFile(file); });
    this._mirrorButton = h("button.quiet", { type: "button", "aria-pressed": "false", onclick: () => this.flipMirror() }, t("stage.mirrored"));
    this.element = h("section.face", { "aria-label": t("stage.head") }, this._canvas, this._camera, h("div.tools", {},
      h("label", { for: "shows" }, t("stage.shows.label")), this._mode, this._mirrorButton,
      h("button.quiet", { type: "button", onclick: () => this.flipCamera() }, t("stage.camera")),
      h("button", { type: "button", onclick: () => this._file.click() }, t("stage.load")), this._file,
      h("button.quiet", { type: "button", onclick: () => this._shipped() }, t("stage.back"))), this._said);
    this._listen();
    this.mirrored = false;
    this.solo = "";
    this.frozen = false;
    this._isPlaying = false; // a take, not the performer
    this._showsCamera = false;
    /** @type {string[]} */
    this._controls = [];
    /** @type {Head3D | null} */
    this.head = null;
    this._kind = "";
  }

  /** Show something: the named character of the command line, else the head that ships. */
  async open() {
    try {
      this.head = new Head3D(this._canvas);
    } catch {
      this._said.textContent = t("stage.no_gl");
      return;
    }
    this._paint();
    await this._shipped();
    this.head.start();
    const { character } = await get("/api/stage/choices");
    if (character) await this._show(await (await ask("/stage/character")).arrayBuffer(), character);
  }

  async _shipped() {
    await this.head?.showShipped();
    this._kind = "";
    this._said.textContent = "";
    this._match();
  }

  _paint() {
    this.head?.setBackground(getComputedStyle(this.element).backgroundColor);
  }

  /** The theme changed. */
  repaint() {
    this._paint();
  }

  /** @param {File} file */
  async loadFile(file) {
    await this._show(await file.arrayBuffer(), file.name);
  }

  /** @param {ArrayBuffer} buffer @param {string} name */
  async _show(buffer, name) {
    const { head } = this;
    if (!head) return;
    try {
      head.showFile(buffer);
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      this._said.textContent = t("stage.refused", { name, why: error.message });
      announce(this._said.textContent);
      return;
    }
    const model = head.character?.model;
    this._kind = t("stage.loaded", { name, kind: model?.kind ?? "", n: model?.names.size ?? 0 });
    this._match();
  }

  /** @param {string[]} controls of the map */
  setControls(controls) {
    this._controls = controls;
    this._match();
  }

  /** Find the names that drive on the character, and tell those that it does not have. */
  _match() {
    const byMap = this._mode.value === "rig";
    const missing = this.head?.setControls(byMap ? this._controls : this._channels) ?? [];
    const told = byMap ? missing.filter((name) => !(GAZE_CONTROLS.test(name) && this.head?.character?.model.bones.left !== -1)) : [];
    const words = !byMap ? "" : told.length ? t("stage.missing", { names: told.join(", ") }) : t("stage.missing_none");
    this._said.textContent = [this._kind, words].filter(Boolean).join(" ");
    this._said.dataset.missing = String(told.length);
    // A rig of other names than the head's moves nothing on it: then the performer is shown.
    if (byMap && !this._kind && this._controls.length && missing.length > this._controls.length * 0.7) { this._mode.value = "performer"; this._match(); }
  }

  /** @param {Record<string, any>} frame as `live.js` reads it */
  note(frame) {
    if (this._isPlaying) return;
    this.showPicture(frame.bitmap);
    if (!this.frozen) this._drive(frame);
  }

  /**
   * Recorded frames take the performer's place.
   *
   * @param {boolean} hasVideo
   */
  beginPlaying(hasVideo) {
    this._isPlaying = true;
    this._camera.classList.add("of-take");
    this._camera.getContext("2d")?.clearRect(0, 0, this._camera.width, this._camera.height);
    this._camera.hidden = !hasVideo;
  }

  endPlaying() {
    this._isPlaying = false;
    this._camera.classList.remove("of-take");
    this._camera.hidden = !this._showsCamera;
  }

  /** @param {Record<string, any>} frame of a take */
  play(frame) {
    this._drive(frame);
  }

  /** @param {Record<string, any>} frame */
  _drive(frame) {
    const { head } = this;
    if (!head) return;
    if (this._mode.value === "rig" && frame.rigs.values) {
      const { names, values } = frame.rigs.values;
      if (this.solo) head.drive(names.map((/** @type {string} */ name, /** @type {number} */ i) => (name === this.solo ? values[i] : 0)));
      else if (names.length === this._controls.length) head.drive(values);
    } else {
      head.drive(frame.intensity);
    }
    head.look(frame.head, frame.gaze);
  }

  /** @param {ImageBitmap | null} bitmap */
  showPicture(bitmap) {
    if (this._camera.hidden || !bitmap) return;
    const { width, height } = bitmap;
    if (this._camera.width !== width || this._camera.height !== height) Object.assign(this._camera, { width, height });
    this._camera.getContext("2d")?.drawImage(bitmap, 0, 0);
  }

  flipMirror() {
    this.mirrored = !this.mirrored;
    this._mirrorButton.setAttribute("aria-pressed", String(this.mirrored));
    this.element.classList.toggle("mirrored", this.mirrored);
    this.head?.setMirrored(this.mirrored);
  }

  flipCamera() {
    this._showsCamera = this._camera.hidden;
    this._camera.hidden = !this._camera.hidden;
  }

  _listen() {
    const { element } = this;
    element.addEventListener("dragover", (event) => { event.preventDefault(); element.classList.add("drop"); this._said.textContent = t("stage.drop"); });
    element.addEventListener("dragleave", () => element.classList.remove("drop"));
    element.addEventListener("drop", (event) => {
      event.preventDefault();
      element.classList.remove("drop");
      const file = event.dataTransfer?.files[0];
      if (file) this.loadFile(file);
    });
  }
}
