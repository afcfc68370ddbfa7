// A face that shows an item of the school, played like a clip.

import { get, t } from "./dom.js";
import { Player } from "./player.js";
import { ShownFace } from "./shown-face.js";

export class FacePlayer extends Player {
  /** @param {string} kind head, or marmoset */
  constructor(kind) {
    super();
    this._face = new ShownFace(t("school.face"), kind, false);
    this._frame.replaceChildren(this._face.element);
    this._frame.classList.add("drawn");
    this._pair.hidden = true;
  }

  /** Load an item: which names move, and their values at every frame. */
  async load(path) {
    this.pause();
    const load = (this._load = {});
    this._count.textContent = t("code.loading");
    await this._face.open();
    const info = await get(`${path}?rig=${this._face.kind}`);
    if (load !== this._load) return null;
    this._frames = info.values.map((row) => Object.fromEntries(info.names.map((name, i) => [name, row[i]])));
    this._rate = info.rate_hz;
    this._apex = info.apex;
    this._scrub.max = String(this._frames.length - 1);
    this.seek(0);
    this._begin();
    return info;
  }

  _free() {
    this._frames = [];
  }

  _paint(values) {
    this._face.draw(values);
  }
}
