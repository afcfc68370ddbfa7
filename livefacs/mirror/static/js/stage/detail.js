// One control: what feeds it, its curve and figures, and what is wrong with it.

import { announce, h, post, t } from "../dom.js";
import { CurveEditor } from "./curve.js";

/** @typedef {import("./map.js").Control} Control */
/** @typedef {import("./map.js").TunedMap} TunedMap */

/** @type {[string, number, number, number][]} key, lowest, highest, step */
const FIGURES = [["gain", -2, 4, 0.01], ["offset", -1, 1, 0.01], ["dead_zone", 0, 0.5, 0.005], ["asymmetry", 0, 3, 0.05], ["smoothing", 0, 300, 1]];

export class Detail {
  /** @param {TunedMap} map */
  constructor(map) {
    this._map = map;
    this.element = h("section.detail", { "aria-live": "off" });
    this.both = true;
    /** @type {Map<string, {range: HTMLInputElement, number: HTMLInputElement}>} */
    this._figures = new Map();
    /** @type {{signal: string, weight: number, now: HTMLElement, fill: HTMLElement}[]} */
    this._feeds = [];
    this.name = "";
    this._curve = new CurveEditor((points) => this._change({ curve: points }));
    this._found = h("div.stack", { "aria-live": "polite" });
    this._shape = "";
    this.show("");
  }

  /** @returns {string[]} the control, and its partner where both are tuned */
  get _names() {
    const control = this._map.control(this.name);
    return control?.partner && this.both ? [control.name, control.partner] : [this.name];
  }

  /** @param {Record<string, any>} keys */
  _change(keys) {
    this._map.change(this._names, keys);
  }

  /** @param {string} name */
  show(name) {
    const isNew = name !== this.name;
    this.name = name;
    const control = this._map.control(name);
    if (!control) {
      this._shape = "";
      this.element.replaceChildren(h("p.soft", {}, t("stage.none")));
      return;
    }
    if (isNew) this._found.replaceChildren();
    const shape = JSON.stringify([control.name, control.terms, control.suppress, control.undriven, control.combine]);
    if (shape !== this._shape) this._build(control);
    this._shape = shape;
    this._fill(control);
  }

  /** @param {Control} control */
  _build(control) {
    this._figures.clear();
    this._feeds = [];
    const both = h("input", { type: "checkbox", id: "both", checked: this.both });
    both.addEventListener("change", () => { this.both = /** @type {HTMLInputElement} */ (both).checked; });
    const figures = FIGURES.filter(([key]) => key !== "asymmetry" || control.partner).map((each) => this._slider(each));
    this._live = h("p.small.soft", {});
    this.element.replaceChildren(
      h("div.row", {}, h("h2", {}, control.name), control.partner ? h("span.row", {}, both, h("label", { for: "both" }, t("stage.both"))) : null),
      control.undriven ? h("p", {}, t("stage.undriven", { why: control.undriven })) : h("p.small.soft", {}, control.source),
      h("div.two", {}, h("div.stack", {}, this._curve.element, this._live, this._named()), h("div.sliders", {}, figures, this._limits())),
      this._feedTable(control), this._suppressions(control),
      h("div.stack", {}, h("h3", {}, t("stage.wrong")), h("div.wrong", {}, Object.entries(this._map.document.complaints).map(([key, words]) => h("button", { type: "button", "data-wrong": key, onclick: () => this._ask(key) }, words))), this._found),
      h("div.row", {}, h("button.quiet", { type: "button", "data-reset": true, onclick: () => this._reset() }, t("stage.reset"))),
    );
  }

  async _reset() {
    for (const name of this._names) await this._map.ask("reset", { control: name });
    announce(t("stage.reset"));
  }

  /** @param {[string, number, number, number]} figure */
  _slider([key, low, high, step]) {
    const id = `figure-${key}`;
    const range = /** @type {HTMLInputElement} */ (h("input", { type: "range", id, min: low, max: high, step }));
    const number = /** @type {HTMLInputElement} */ (h("input.number", { type: "number", step, "aria-label": t(`stage.${key}`), "data-figure": key }));
    const send = (/** @type {string} */ text) => {
      const value = Number(text);
      if (text === "" || !Number.isFinite(value)) return;
      range.value = number.value = String(value);
      this._change(key === "smoothing" ? { smoothing: value > 0 ? { time_constant_ms: value } : "none" } : { [key]: value });
    };
    range.addEventListener("input", () => send(range.value));
    number.addEventListener("change", () => send(number.value));
    this._figures.set(key, { range, number });
    return h("div.slider", {}, h("label", { for: id }, t(`stage.${key}`)), range, number);
  }

  _limits() {
    const inputs = ["low", "high"].map((key) => /** @type {HTMLInputElement} */ (h("input.number", { type: "number", step: 0.05, id: `limit-${key}` })));
    const send = () => {
      const [low, high] = inputs.map((input) => Number(input.value));
      if (inputs.every((input) => input.value !== "")) this._change({ limits: [low, high] });
    };
    inputs.forEach((input) => input.addEventListener("change", send));
    this._limitInputs = inputs;
    return h("div.row", {}, inputs.map((input, i) => h("span", {}, h("label", { for: input.id }, t(`stage.${["low", "high"][i]}`)), " ", input)));
  }

  _named() {
    const names = [...this._map.document.named_curves, ""];
    this._curveName = /** @type {HTMLSelectElement} */ (h("select", { id: "curve-name" }, names.map((name) => h("option", { value: name }, name ? name.replaceAll("_", " ") : t("stage.custom")))));
    this._curveName.addEventListener("change", () => { if (this._curveName?.value) this._change({ curve: this._curveName.value }); });
    return h("div.row", {}, h("label", { for: "curve-name" }, t("stage.named")), this._curveName);
  }

  /** @param {Control} control */
  _feedTable(control) {
    const rows = Object.entries(control.terms).map(([signal, weight]) => {
      const input = /** @type {HTMLInputElement} */ (h("input.number", { type: "number", step: 0.05, value: weight, "aria-label": `${signal} ${t("stage.weight")}` }));
      input.addEventListener("change", () => { if (input.value !== "") this._map.change([control.name], { terms: { ...control.terms, [signal]: Number(input.value) } }); });
      const now = h("span", {}, "");
      const fill = h("i");
      this._feeds.push({ signal, weight, now, fill });
      return h("tr", {}, h("td", {}, signal), h("td", {}, input), h("td.number", {}, now), h("td", {}, h("span.gives", {}, fill)),
        h("td", {}, h("button.quiet", { type: "button", "aria-label": `${t("stage.remove")} ${signal}`, onclick: () => this._map.change([control.name], { terms: without(control.terms, signal) }) }, "×")));
    });
    const combined = control.combine.map((part) => {
      for (const [signal, factor] of Object.entries(part.signals)) this._feeds.push({ signal, weight: factor * part.weight, now: h("span"), fill: h("i") });
      return h("p.small.soft", {}, t("stage.combined", { words: `${part.weight} × ${part.kind} (${Object.keys(part.signals).join(", ")})` }));
    });
    const adding = this._adder("term", this._map.document.signals, (signal, weight) => this._map.change([control.name], { terms: { ...control.terms, [signal]: weight }, undriven: null }));
    return h("div.stack", {}, h("h3", {}, t("stage.fed_by")),
      rows.length ? h("table", {}, h("thead", {}, h("tr", {}, [t("stage.action"), t("stage.weight"), t("stage.now"), t("stage.gives"), ""].map((words, i) => (i === 4 ? h("td") : h("th", { scope: "col" }, words))))), h("tbody", {}, rows)) : null, combined, adding);
  }

  /** @param {Control} control */
  _suppressions(control) {
    const rows = Object.entries(control.suppress).map(([signal, share]) => h("div.row", {}, h("span", {}, `${signal} ${share}`),
      h("button.quiet", { type: "button", "aria-label": `${t("stage.remove")} ${signal}`, onclick: () => this._map.change([control.name], { suppress: without(control.suppress, signal) }) }, "×")));
    const actions = this._map.document.signals.filter((/** @type {string} */ name) => /^A[UD]/.test(name));
    const adding = this._adder("hold", actions, (signal, share) => this._map.change([control.name], { suppress: { ...control.suppress, [signal]: Math.max(0, Math.min(1, share)) } }));
    return h("div.stack", {}, h("h3", {}, t("stage.held_back")), rows, adding);
  }

  /**
   * @param {string} id
   * @param {string[]} signals
   * @param {(signal: string, amount: number) => void} add
   */
  _adder(id, signals, add) {
    const select = /** @type {HTMLSelectElement} */ (h("select", { "aria-label": t("stage.action") }, signals.map((name) => h("option", {}, name))));
    const amount = /** @type {HTMLInputElement} */ (h("input.number", { type: "number", step: 0.05, value: 0.5, "aria-label": t(id === "hold" ? "stage.share" : "stage.weight") }));
    return h("div.row", {}, select, amount, h("button", { type: "button", "data-add": id, onclick: () => add(select.value, Number(amount.value)) }, t("stage.add")));
  }

  /** @param {Control} control */
  _fill(control) {
    this._curve.show(control);
    /** @type {Record<string, number>} */
    const values = { gain: control.gain, offset: control.offset, dead_zone: control.dead_zone, asymmetry: control.asymmetry, smoothing: control.time_constant_ms ?? 0 };
    for (const [key, { range, number }] of this._figures) {
      if (document.activeElement !== range) range.value = String(values[key]);
      if (document.activeElement !== number) number.value = String(Math.round(values[key] * 1000) / 1000);
    }
    this._limitInputs?.forEach((input, i) => { if (document.activeElement !== input) input.value = String(control.limits[i]); });
    if (this._curveName) this._curveName.value = control.curve_name;
  }

  /**
   * @param {Map<string, number>} values
   * @param {Map<string, number>} drives
   * @param {Map<string, number>} signals
   * @param {number} peak
   */
  note(values, drives, signals, peak) {
    const drive = drives.get(this.name);
    const value = values.get(this.name);
    if (drive === undefined || value === undefined || !this._live) return;
    this._curve.point(drive, value);
    this._live.textContent = `${t("stage.drive")} ${drive.toFixed(2)} · ${t("stage.value")} ${value.toFixed(2)} · ${t("stage.peak")} ${peak.toFixed(2)}`;
    for (const { signal, weight, now, fill } of this._feeds) {
      const level = signals.get(signal) ?? 0;
      now.textContent = level.toFixed(2);
      fill.style.transform = `scaleX(${Math.min(1, Math.abs(weight * level)).toFixed(3)})`;
    }
  }

  /** @param {string} complaint */
  async _ask(complaint) {
    try {
      const found = await post("/api/stage/wrong", { control: this.name, complaint });
      const parts = found.parts.map((/** @type {[string, number, number, number]} */ [signal, weight, now, gives]) => `${signal} ${now.toFixed(2)} × ${weight} = ${gives.toFixed(2)}`).join(", ");
      this._found.replaceChildren(h("p", {}, found.says), parts ? h("p.small.soft", {}, parts) : "",
        ...found.proposals.map((/** @type {{says: string, changes: Record<string, any>}} */ each) => h("div.proposal", {}, h("span", {}, each.says),
          h("button", { type: "button", "data-take": true, onclick: async () => { await this._map.changeAll(this._forBoth(each.changes)); this._found.replaceChildren(); } }, t("stage.take")))),
        h("button.quiet", { type: "button", onclick: () => this._found.replaceChildren() }, t("stage.leave")));
    } catch (error) {
      this._found.replaceChildren(h("p.bad", {}, /** @type {Error} */ (error).message));
    }
  }

  /** @param {Record<string, any>} changes @returns {Record<string, any>} for the partner too, where that makes sense */
  _forBoth(changes) {
    const control = this._map.control(this.name);
    const own = changes[this.name];
    if (!control?.partner || !this.both || changes[control.partner] || own.suppress || own.terms) return changes;
    return { ...changes, [control.partner]: own };
  }
}

/** @param {Record<string, number>} table @param {string} key */
function without(table, key) {
  return Object.fromEntries(Object.entries(table).filter(([name]) => name !== key));
}
