// A face that shows an item of the school, played like a clip.

import { get, t } from "./dom.js";
import { Player } from "./player.js";
import { ShownFace } from "./shown-face.js";

/** @type {Map<string, FacePlayer>} */
const players = new Map();

/** The page's one of a kind (head, or marmoset): a browser keeps few faces in 3D. */
export function facePlayer(kind) {
  if (!players.has(kind)) players.set(kind, new FacePlayer(kind));
  return players.get(kind);
}

class FacePlayer extends Player {
  /** @param {string} kind */
  constructor(kind) {
    super();
    this._face = new ShownFace(t("school.face"), kind, false);
    this._frame.replaceChildren(this._face.element);
    this._frame.classList.add("drawn");
    this._pair.hidden = true;
  }

  /** Load an item, and play it. */
  async load(path) {
    const info = await super.load(path);
    if (info) this._begin();
    return info;
  }

  /** Which names move, and their values at every frame. @returns {Promise<[any, any[]]>} */
  async _fetch(path) {
    await this._face.open();
    const info = await get(`${path}?rig=${this._face.kind}`);
    return [info, info.values.map((row) => Object.fromEntries(info.names.map((name, i) => [name, row[i]])))];
  }

  _fit() {}

  _free() {
    this._frames = [];
  }

  _paint(values) {
    this._face.draw(values);
  }
}
