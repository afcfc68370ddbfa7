// The stage: header, face, tabs, session bar, and the live stream that feeds them.

import { announce, get, h, loadTexts, post, t } from "../dom.js";
import { Live } from "../live.js";
import { Status, flipTheme, openKeys, setTheme } from "../page.js";
import { Bar } from "./bar.js";
import { Destinations } from "./destinations.js";
import { Detail } from "./detail.js";
import { Face } from "./face.js";
import { TunedMap } from "./map.js";
import { Poses } from "./poses.js";
import { Rows } from "./rows.js";
import { Takes } from "./takes.js";

const TABS = ["tune", "poses", "out", "takes"];

class Stage {
  /**
   * @param {TunedMap} map
   * @param {{channels: string[], can_retry: boolean}} basics
   * @param {any[]} schemes
   */
  constructor(map, basics, schemes) {
    this.map = map;
    this._canRetry = basics.can_retry;
    this.live = new Live("/stage/live");
    this.face = new Face(basics.channels);
    this.rows = new Rows((name) => this._choose(name));
    this.detail = new Detail(map);
    this.poses = new Poses(map, this.face);
    this.bar = new Bar((session) => this._session(session));
    this.destinations = new Destinations(schemes, (session) => this.bar.note(session));
    this.takes = new Takes(this.face, map.document.rigs);
    this._frozen = false;
    this._tab = "tune";
    this._header();
    this._body();
    this._refresh();
    map.addEventListener("change", () => this._refresh());
    map.addEventListener("refused", (event) => this._refused(/** @type {CustomEvent} */ (event).detail));
    this.live.addEventListener("frame", (event) => this._frame(/** @type {CustomEvent} */ (event).detail));
    this.live.addEventListener("map", (event) => map.noteRevision(/** @type {CustomEvent} */ (event).detail));
    this.live.addEventListener("sweep", (event) => this.destinations.noteSweep(/** @type {CustomEvent} */ (event).detail));
    this.live.addEventListener("state", (event) => this._tellState(/** @type {CustomEvent} */ (event).detail));
    this.live.addEventListener("refused", (event) => this._refused(/** @type {CustomEvent} */ (event).detail.text));
    this.live.addEventListener("link", () => this._link());
    addEventListener("keydown", (event) => this._key(event));
  }

  _header() {
    const skip = /** @type {HTMLElement} */ (document.getElementById("skip"));
    skip.textContent = t("app.skip");
    this._status = new Status(() => this._flipTheme(), () => openKeys("stage.keys"));
    document.getElementById("top")?.append(h("span.mark", {}, "livefacs ", h("i", {}, "stage")), h("nav", { "aria-label": t("app.views") }, h("a", { href: "/" }, t("nav.mirror")), h("a", { href: "/stage", "aria-current": "page" }, t("stage.nav"))), this._status.element);
  }

  _body() {
    this._tabs = TABS.map((name) => h("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": `panel-${name}`, onclick: () => this._show(name) }, t(`stage.tabs.${name}`)));
    this._errors = h("div.broken", { role: "alert", hidden: true });
    this._trouble = h("div.broken", { role: "alert", hidden: true });
    this._panels = {
      tune: h("div.tune", {}, this._finder(), this.rows.element, this.detail.element),
      poses: this.poses.element, out: this.destinations.element, takes: this.takes.element,
    };
    const panels = TABS.map((name) => h("div", { role: "tabpanel", id: `panel-${name}`, "aria-labelledby": `tab-${name}`, tabindex: name === "tune" ? null : 0 }, this._panels[/** @type {"tune"} */ (name)]));
    this._panelElements = panels;
    document.getElementById("view")?.append(h("h1.unseen", {}, t("stage.title")), this.face.element, h("section.work", { "aria-label": t("stage.tab_list") }, h("div", { role: "tablist", "aria-label": t("stage.tab_list") }, this._tabs), this._errors, this._trouble, panels), this.bar.element);
    this._show("tune");
  }

  _finder() {
    this._rig = /** @type {HTMLSelectElement} */ (h("select", { id: "rig", onchange: () => this.map.ask("open", { rig: this._rig.value }) }));
    this._search = /** @type {HTMLInputElement} */ (h("input", { type: "search", id: "search", placeholder: "/", oninput: () => { this.rows.search = this._search.value; this.rows.refresh(); } }));
    const only = /** @type {HTMLSelectElement} */ (h("select", { id: "only", onchange: () => { this.rows.only = only.value; this.rows.refresh(); } }, ["all", "moving", "changed", "wrong"].map((key) => h("option", { value: key }, t(`stage.only.${key}`)))));
    const button = (/** @type {string} */ key, /** @type {() => void} */ act) => h("button", { type: "button", "data-act": key, onclick: act }, t(`stage.${key}`));
    this._undo = button("undo", () => this.map.ask("undo"));
    this._redo = button("redo", () => this.map.ask("redo"));
    this._compare = h("button", { type: "button", "aria-pressed": "false", "data-act": "ab", onclick: () => this._flipCompare() }, t("stage.ab"));
    this._solo = h("button", { type: "button", "aria-pressed": "false", onclick: () => this._flipSolo() }, t("stage.solo"));
    this._freeze = h("button", { type: "button", "aria-pressed": "false", onclick: () => this._flipFreeze() }, t("stage.freeze"));
    this._where = h("p.small.soft", {});
    return h("div.finder", {}, h("label", { for: "rig" }, t("stage.rig"), this._rig), h("label", { for: "search" }, t("stage.search"), this._search), h("label", { for: "only" }, t("stage.only.label"), only),
      this._undo, this._redo, this._compare, this._solo, this._freeze, h("button.quiet", { type: "button", onclick: () => { this.rows.peaks.clear(); } }, t("stage.peaks")), this._where);
  }

  /** @param {string} name */
  _show(name) {
    if (this._tab === "takes" && name !== "takes") this.takes.leave();
    if (this._tab === "poses" && name !== "poses") this.poses.leave();
    this._tab = name;
    document.body.dataset.tab = name;
    TABS.forEach((each, i) => {
      const isShown = each === name;
      this._tabs?.[i].setAttribute("aria-selected", String(isShown));
      if (this._tabs) this._tabs[i].tabIndex = isShown ? 0 : -1;
      if (this._panelElements) this._panelElements[i].hidden = !isShown;
    });
    if (name === "takes") this.takes.enter();
  }

  /** The map changed: here, in another page, or in an editor. */
  _refresh() {
    const found = this.map.document;
    const rigs = found.rigs.includes(found.rig) ? found.rigs : [found.rig, ...found.rigs];
    this._rig?.replaceChildren(...rigs.map((/** @type {string} */ name) => h("option", { value: name, selected: name === found.rig }, name)));
    this.face.setControls(this.map.controls.map((control) => control.name));
    this.rows.show(this.map.controls);
    if (!this.map.control(this.detail.name) && this.detail.name) this._choose("");
    this.detail.show(this.detail.name);
    this.rows.choose(this.detail.name);
    this.poses.refresh();
    for (const [button, is] of /** @type {[HTMLButtonElement, boolean][]} */ ([[this._undo, found.can_undo], [this._redo, found.can_redo]])) button.disabled = !is;
    this._compare?.setAttribute("aria-pressed", String(found.showing_saved));
    if (this._compare) this._compare.textContent = t(found.showing_saved ? "stage.showing_a" : "stage.showing_b");
    if (this._where) this._where.textContent = t(found.is_written ? "stage.written" : "stage.not_written", { path: found.path });
    document.body.dataset.revision = String(found.revision);
    this._tellErrors(found.errors);
  }

  /** @param {string[]} errors */
  _tellErrors(errors) {
    if (!this._errors) return;
    this._errors.hidden = !errors.length;
    this._errors.replaceChildren(h("strong", {}, t("stage.errors")), h("pre", {}, errors.join("\n")));
  }

  /** @param {string} words */
  _refused(words) {
    announce(words);
    if (!this._errors) return;
    this._errors.hidden = false;
    this._errors.replaceChildren(h("pre", {}, words));
    clearTimeout(this._refusal);
    this._refusal = setTimeout(() => this._tellErrors(this.map.document.errors), 6000);
  }

  /** @param {string} name */
  _choose(name) {
    this.rows.choose(name);
    this.detail.show(name);
    if (this.face.solo) this.face.solo = name;
  }

  _flipCompare() {
    this.map.ask("compare", { saved: !this.map.document.showing_saved });
  }

  _flipSolo() {
    this.face.solo = this.face.solo ? "" : this.detail.name;
    this._solo?.setAttribute("aria-pressed", String(Boolean(this.face.solo)));
  }

  _flipFreeze() {
    this._frozen = !this._frozen;
    this.face.frozen = this._frozen;
    this._freeze?.setAttribute("aria-pressed", String(this._frozen));
  }

  /** @param {any} session */
  _session(session) {
    this.destinations.show(session.destinations ?? [], session.clock_ms ?? 0);
  }

  /** @param {any} frame */
  _frame(frame) {
    this._status?.note(frame, this.live.latencyMs);
    this.face.note(frame);
    if (this._frozen || !frame.rigs.signals) return;
    const table = (/** @type {{names: string[], values: Float32Array}} */ rig) => new Map(rig.names.map((name, i) => [name, rig.values[i]]));
    const values = table(frame.rigs.values);
    if (this._tab === "tune") {
      this.rows.note(values);
      this.detail.note(values, table(frame.rigs.drives), table(frame.rigs.signals), this.rows.peaks.get(this.detail.name) ?? 0);
    } else if (this._tab === "poses") this.poses.note(values);
  }

  /** @param {{trouble: string, notice: string}} state what the program says of its source */
  _tellState(state) {
    this.bar.tellNotice(state.notice);
    if (!this._trouble) return;
    this._trouble.hidden = !state.trouble;
    const again = h("button", { type: "button", "data-act": "retry", onclick: () => post("/api/retry").catch((error) => announce(error.message)) }, t("trouble.retry"));
    this._trouble.replaceChildren(h("strong", {}, t("trouble.title")), h("p", {}, state.trouble), this._canRetry && state.trouble ? again : "");
    if (state.trouble) this._status?.say(t("trouble.title"), "bad");
  }

  async _link() {
    document.body.dataset.link = this.live.connected ? "on" : "off";
    if (this.live.connected) { await this.map.noteRevision({ revision: -1 }); return; }
    this._status?.say(t("app.lost"), "bad");
  }

  _flipTheme() {
    flipTheme();
    this.face.repaint();
  }

  /** @param {KeyboardEvent} event */
  _key(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (target.closest?.("input:not([type=range]):not([type=checkbox]), select, textarea")) {
      if (event.key === "Escape") target.blur();
      return;
    }
    const tab = TABS[Number(event.key) - 1];
    /** @type {Record<string, () => void>} */
    const meaning = {
      "/": () => this._search?.focus(), z: () => this.map.ask("undo"), y: () => this.map.ask("redo"), a: () => this._flipCompare(), s: () => this._flipSolo(), f: () => this._flipFreeze(),
      x: () => this.face.flipMirror(), v: () => this.face.flipCamera(), r: () => this.bar.record(), m: () => this.bar.mark(), n: () => this.bar.neutral(), t: () => this._flipTheme(), "?": () => openKeys("stage.keys"),
    };
    if (tab) this._show(tab);
    else if (event.key.toLowerCase() in meaning) meaning[event.key.toLowerCase()]();
    else if (target.getAttribute?.("role") === "tab" && /^Arrow(Left|Right)$/.test(event.key)) this._stepTab(event.key === "ArrowRight" ? 1 : -1);
    else return;
    event.preventDefault();
  }

  /** @param {number} step */
  _stepTab(step) {
    const at = (TABS.indexOf(this._tab) + step + TABS.length) % TABS.length;
    this._show(TABS[at]);
    this._tabs?.[at].focus();
  }
}

setTheme();
const [, map, basics, { schemes }] = await Promise.all([loadTexts("stage.en.json"), TunedMap.load(), get("/api/basics"), get("/api/stage/schemes")]);
const stage = new Stage(map, basics, schemes);
/** @type {any} */ (window).stage = stage;
performance.mark("livefacs-ready");
document.body.dataset.ready = "yes";
await stage.face.open();
document.body.dataset.face = "yes";
