// A clip's frames as pictures: exact steps, slow motion, loop, onset and apex side by side.

import { h, t, ask, get } from "./dom.js";
import { speedChoice } from "./playback.js";

export class Player {
  constructor() {
    this._at = 0;
    this._playing = false;
    this._frames = [];
    /** @type {((at: number) => void) | null} */
    this.onseek = null;
    this._canvas = h("canvas.clip", { role: "img", "aria-label": t("code.picture"), width: 640, height: 480 });
    this._frame = h("div.frame", {}, this._canvas);
    const corners = ["right", "left"].map((side) => h(`span.corner.${side === "right" ? "l" : "r"}.is-${side}`, {}, t(`code.performers_${side}`)));
    this._play = h("button.main", { type: "button", onclick: () => this.toggle() }, t("code.play"));
    this._scrub = h("input", { type: "range", min: 0, max: 0, value: 0, "aria-label": t("code.scrub"), oninput: () => this.seek(Number(this._scrub.value)) });
    this._speed = speedChoice(t("code.speed"), "1");
    this._loop = h("button", { type: "button", "aria-pressed": "true", onclick: () => flip(this._loop) }, t("code.loop"));
    this._pair = h("button", { type: "button", "aria-pressed": "false", onclick: () => this._togglePair() }, t("code.apex"));
    this._count = h("span.soft", { role: "status" });
    this.element = h("div.player", {}, h("div.framed", {}, this._frame, corners), this._scrub,
      h("div.row", {}, this._play, h("button", { type: "button", "aria-label": t("code.back"), onclick: () => this.step(-1) }, "←"), h("button", { type: "button", "aria-label": t("code.forward"), onclick: () => this.step(1) }, "→"), this._speed, this._loop, this._pair, this._count));
  }

  /** Load an item: all its frames, so that every step is at once. */
  async load(path) {
    this.pause();
    const load = (this._load = {});
    this._free();
    this._count.textContent = t("code.loading");
    const [info, frames] = await this._fetch(path);
    if (load !== this._load) return null;
    this._frames = frames;
    this._rate = info.rate_hz;
    this._apex = info.apex;
    this._scrub.max = String(frames.length - 1);
    this._fit();
    this.seek(0);
    return info;
  }

  /** About an item, and its frames. @returns {Promise<[any, any[]]>} */
  async _fetch(path) {
    const info = await get(path);
    const frame = async (i) => createImageBitmap(await (await ask(`${path}/frames/${i}`)).blob());
    return [info, await Promise.all(Array.from({ length: info.frames }, (_, i) => frame(i)))];
  }

  /** Make the place as large as the frames. */
  _fit() {
    this._canvas.width = this._frames[0].width;
    this._canvas.height = this._frames[0].height;
    if (this._pair.getAttribute("aria-pressed") === "true") this._togglePair();
  }

  _free() {
    for (const frame of this._frames) frame.close();
    this._frames = [];
  }

  seek(at) {
    if (!this._frames.length) return;
    this._at = Math.max(0, Math.min(this._frames.length - 1, at));
    this._paint(this._frames[this._at]);
    this._scrub.value = String(this._at);
    this._count.textContent = t("code.frame", { n: this._at + 1, of: this._frames.length });
    this.onseek?.(this._at);
  }

  _paint(frame) {
    this._canvas.getContext("2d").drawImage(frame, 0, 0);
  }

  /** @returns {number} the frame that is shown */
  get at() {
    return this._at;
  }

  step(by) {
    this.pause();
    this.seek(this._at + by);
  }

  toggle() {
    if (this._playing) this.pause();
    else this._begin();
  }

  pause() {
    this._playing = false;
    this._play.textContent = t("code.play");
  }

  _begin() {
    if (!this._frames.length) return;
    this._playing = true;
    this._play.textContent = t("code.pause");
    if (this._at >= this._frames.length - 1) this._at = 0;
    let last = performance.now();
    let exact = this._at;
    const tick = (now) => {
      if (!this._playing) return;
      exact += ((now - last) / 1000) * this._rate * Number(this._speed.value);
      last = now;
      if (exact >= this._frames.length) {
        if (this._loop.getAttribute("aria-pressed") !== "true") return this.pause();
        exact = 0;
      }
      const whole = Math.floor(exact);
      if (whole !== this._at) this.seek(whole);
      requestAnimationFrame(tick);
      return undefined;
    };
    requestAnimationFrame(tick);
  }

  _togglePair() {
    if (!this._frames.length) return;
    const on = flip(this._pair);
    this.pause();
    this._frame.classList.toggle("pair", on);
    this._frame.replaceChildren(...(on ? [this._still(0, "onset_frame"), this._still(this._apex, "apex_frame")] : [this._canvas]));
  }

  _still(at, name) {
    const frame = this._frames[at];
    const canvas = h("canvas.clip", { width: frame.width, height: frame.height, role: "img", "aria-label": t(`code.${name}`) });
    canvas.getContext("2d").drawImage(frame, 0, 0);
    return h("figure", {}, canvas, h("figcaption", {}, t(`code.${name}`)));
  }

  key(key) {
    if (key === " ") this.toggle();
    else if (key === "arrowleft") this.step(-1);
    else if (key === "arrowright") this.step(1);
    else return false;
    return true;
  }
}

function flip(button) {
  const on = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(on));
  return on;
}
