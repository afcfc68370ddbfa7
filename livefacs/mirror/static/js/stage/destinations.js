// Where the performance goes: add, sweep, mirror, remove; what each one says.

import { h, post, t } from "../dom.js";

const LEAST_MS = 400; // between two counts that make a rate

/** @typedef {{url: string, scheme: string, rig: string, mirror: boolean, packets: number, refused: number, last_error: string}} Destination */

export class Destinations {
  /**
   * @param {{scheme: string, summary: string, url: string}[]} schemes
   * @param {(session: any) => void} onSession
   */
  constructor(schemes, onSession) {
    this._onSession = onSession;
    /** @type {Map<string, {packets: number, refused: number, at: number, rate: number, isRefused: boolean}>} */
    this._counts = new Map();
    /** @type {Map<string, string>} */
    this._sweeps = new Map();
    this._list = h("ul.destinations", {});
    this._error = h("p.bad", { role: "alert" });
    const kind = /** @type {HTMLSelectElement} */ (h("select", { id: "kind" }, schemes.map((each) => h("option", { value: each.scheme }, `${each.scheme}: ${each.summary}`))));
    const address = /** @type {HTMLInputElement} */ (h("input", { type: "text", id: "address", value: schemes[0].url, spellcheck: "false" }));
    const mirror = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox", id: "mirror-out" }));
    kind.addEventListener("change", () => { address.value = schemes.find((each) => each.scheme === kind.value)?.url ?? ""; });
    const add = () => this._ask("add", mirror.checked ? `${address.value}${address.value.includes("?") ? "&" : "?"}mirror=on` : address.value);
    address.addEventListener("keydown", (event) => { if (event.key === "Enter") add(); });
    this.element = h("div.stack", {}, h("h2", {}, t("stage.out.title")), this._list,
      h("div.adder", {}, h("label", { for: "kind" }, t("stage.out.kind"), kind), h("label", { for: "address" }, t("stage.out.address"), address), h("span.row", {}, mirror, h("label", { for: "mirror-out" }, t("stage.out.mirror"))),
        h("button.main", { type: "button", "data-add-destination": true, onclick: add }, t("stage.out.add"))), this._error);
    this._shape = "";
  }

  /** @param {string} act @param {string} url */
  async _ask(act, url) {
    try {
      this._error.textContent = "";
      this._onSession(await post(`/api/stage/destinations/${act}`, { url }));
    } catch (error) {
      this._error.textContent = /** @type {Error} */ (error).message;
    }
  }

  /** @param {{url: string, name: string}} told */
  noteSweep({ url, name }) {
    this._sweeps.set(url, name);
    const words = this._list.querySelector(`[data-url="${CSS.escape(url)}"] .sweeping`);
    if (words) words.textContent = name ? t("stage.out.sweeping", { name }) : "";
  }

  /** @param {Destination[]} destinations @param {number} at when it was so, the program's milliseconds */
  show(destinations, at) {
    const shape = destinations.map((each) => each.url).join();
    if (shape !== this._shape || !this._list.childElementCount) {
      this._shape = shape;
      this._list.replaceChildren(...destinations.map((each) => this._item(each)));
      if (!destinations.length) this._list.append(h("li", {}, h("p.soft", {}, t("stage.out.none"))));
    }
    destinations.forEach((each, i) => this._note(each, this._list.children[i], at));
  }

  /** @param {Destination} each */
  _item(each) {
    return h("li", { "data-url": each.url }, h("div", {}, h("code", {}, each.url), " ", h("span.small.soft", {}, each.rig ? t("stage.out.rig", { name: each.rig }) : t("stage.out.units")), h("p.small", {}, h("span.dot", { "aria-hidden": "true" }), h("span.words", {}), " ", h("span.sweeping", { role: "status" }, this._sweeps.get(each.url) ?? ""))),
      h("div.row", {}, h("button", { type: "button", "data-sweep": true, onclick: () => this._ask("sweep", each.url) }, t("stage.out.sweep")), h("button.quiet", { type: "button", onclick: () => this._ask("remove", each.url) }, t("stage.out.remove"))),
      h("p.error.small", {}));
  }

  /** @param {Destination} each @param {number} at */
  _count(each, at) {
    const before = this._counts.get(each.url);
    if (before && Math.abs(at - before.at) < LEAST_MS) return before;
    const since = before && at > before.at ? before : null;
    const counted = {
      packets: each.packets, refused: each.refused, at,
      rate: since ? (1000 * (each.packets - since.packets)) / (at - since.at) : 0,
      isRefused: since ? each.refused > since.refused : Boolean(each.last_error),
    };
    this._counts.set(each.url, counted);
    return counted;
  }

  /** @param {Destination} each @param {Element} item @param {number} at */
  _note(each, item, at) {
    const { rate, isRefused } = this._count(each, at);
    const state = isRefused || (each.last_error && !rate) ? "bad" : rate ? "ok" : "idle";
    const dot = item.querySelector(".dot");
    if (dot) dot.className = `dot ${state === "bad" ? "bad" : state === "idle" ? "warn" : ""}`;
    const words = item.querySelector(".words");
    if (words) words.textContent = `${t(`stage.out.state_${state}`)} · ${t("stage.out.rate", { rate: rate.toFixed(0) })}`;
    const error = item.querySelector(".error");
    if (error) error.textContent = !each.last_error || state === "bad" ? each.last_error : t("stage.out.earlier", { words: each.last_error });
    error?.classList.toggle("soft", state !== "bad");
  }
}
