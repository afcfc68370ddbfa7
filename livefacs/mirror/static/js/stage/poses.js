// Poses: hold an expression, set the sliders to what the character should do, solve the map.

import { announce, h, post, t } from "../dom.js";

/** @typedef {import("./map.js").TunedMap} TunedMap */

export class Poses {
  /**
   * @param {TunedMap} map
   * @param {import("./face.js").Face} face
   */
  constructor(map, face) {
    this._map = map;
    this._face = face;
    /** @type {Map<string, HTMLInputElement>} */
    this._sliders = new Map();
    this._list = h("ul", {});
    this._count = h("p", { role: "status" });
    this._result = h("div.stack", {});
    this._grid = h("div.posing", {});
    const button = (/** @type {string} */ key, /** @type {() => void} */ act, main = false) => h(`button${main ? ".main" : ""}`, { type: "button", "data-pose": key, onclick: act }, t(`stage.poses.${key}`));
    this.element = h("div.stack", {}, h("h2", {}, t("stage.poses.title")), h("p.soft", {}, t("stage.poses.how")),
      h("div.row", {}, button("hold", () => this._hold(), true), button("copy", () => this._copy()), button("zero", () => this._zero()), button("clear", () => this._ask("clear")), button("fit", () => this._fit(false))),
      this._count, this._list, this._result, this._grid);
    /** @type {Map<string, number>} */
    this._now = new Map();
    this._shape = "";
    this.refresh();
  }

  refresh() {
    const controls = this._map.controls.filter((control) => !control.undriven);
    const shape = controls.map((control) => control.name).join();
    if (shape !== this._shape) {
      this._shape = shape;
      this._sliders.clear();
      this._grid.replaceChildren(...controls.map((control) => this._slider(control)));
    }
    const poses = this._map.document.poses;
    this._count.textContent = t("stage.poses.count", { n: poses.length });
    this._list.replaceChildren(...poses.map((/** @type {{values: Record<string, number>}} */ pose, /** @type {number} */ i) => {
      const words = Object.entries(pose.values).filter(([, value]) => value).map(([name, value]) => `${name} ${value.toFixed(2)}`).join(", ");
      return h("li", {}, t("stage.poses.pair", { n: i + 1, words: words || t("stage.poses.rest") }));
    }));
  }

  /** @param {import("./map.js").Control} control */
  _slider(control) {
    const [low, high] = control.limits;
    const id = `pose-${control.name}`;
    const range = /** @type {HTMLInputElement} */ (h("input", { type: "range", id, min: low, max: high, step: 0.01, value: control.offset, "data-slider": control.name }));
    range.addEventListener("input", () => this._show());
    this._sliders.set(control.name, range);
    return h("div", {}, h("label", { for: id }, control.name), range);
  }

  /** @returns {Record<string, number>} */
  get _values() {
    return Object.fromEntries([...this._sliders].map(([name, range]) => [name, Number(range.value)]));
  }

  /** The character does what the sliders say while they are set. */
  _show() {
    this._face.frozen = true;
    this._face.head?.pose(this._values);
  }

  /** @param {Map<string, number>} values */
  note(values) {
    this._now = values;
  }

  _copy() {
    for (const [name, range] of this._sliders) range.value = String(this._now.get(name) ?? 0);
    this._show();
  }

  _zero() {
    for (const [name, range] of this._sliders) range.value = String(this._map.control(name)?.offset ?? 0);
    this._show();
  }

  async _hold() {
    await this._map.ask("poses/add", { values: this._values });
    this._face.frozen = false;
  }

  /** @param {string} act */
  async _ask(act) {
    await this._map.ask(`poses/${act}`);
    this._result.replaceChildren();
  }

  leave() {
    this._face.frozen = false;
  }

  /** @param {boolean} take */
  async _fit(take) {
    try {
      const { fits } = await post("/api/stage/poses/fit", { take });
      if (take) { announce(t("stage.poses.written")); await this._map.noteRevision({ revision: -1 }); }
      this._result.replaceChildren(this._table(fits), take ? h("p.good", {}, t("stage.poses.written")) : h("button.main", { type: "button", "data-pose": "use", onclick: () => this._fit(true) }, t("stage.poses.use")));
    } catch (error) {
      this._result.replaceChildren(h("p.bad", { role: "alert" }, /** @type {Error} */ (error).message));
    }
  }

  /** @param {{control: string, weights: Record<string, number>, rms: number, left_out_rms: number, worst: string, worst_residual: number}[]} fits */
  _table(fits) {
    const heads = ["control", "weights", "rms", "left_out", "worst"].map((key) => h("th", { scope: "col" }, t(`stage.poses.${key}`)));
    return h("table", {}, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, fits.map((fit) => h("tr", { "data-fit": fit.control },
      h("td", {}, fit.control), h("td", {}, Object.entries(fit.weights).map(([name, weight]) => `${name} ${weight.toFixed(2)}`).join(", ")),
      h("td", {}, fit.rms.toFixed(3)), h("td", {}, fit.left_out_rms.toFixed(3)), h("td", {}, `${fit.worst_residual.toFixed(3)} (${fit.worst})`)))));
  }
}
