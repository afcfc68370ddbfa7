// Profiles: who is known, and rounds that make or renew them, with the face beside them.

import { h, t, announce, get, keep, post, recall } from "./dom.js";
import { Guide } from "./guide.js";
import { Stage } from "./stage.js";

const CHOSEN = "livefacs-mirror-profile";
const FIRST = "me";

export class ProfilesView {
  constructor({ live, basics }) {
    this._live = live;
    this._isHere = false;
    this._isNamed = false;
    this.stage = new Stage(basics);
    this.stage.showMesh = false;
    /** @type {any} */
    this._known = { profiles: [], exercises: [], in_use: "", can_use: false };
    this._guide = new Guide(basics, (actions) => this._begin("calibrate", { round: "full", only: actions, add: true }), () => this._arrive());
    this._list = h("ul.people");
    this._name = /** @type {HTMLInputElement} */ (h("input", { type: "text", id: "profile-name", maxlength: 60, autocomplete: "off", oninput: () => this._chosen() }));
    this._rounds = /** @type {HTMLFieldSetElement} */ (h("fieldset.rounds"));
    this._add = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox", id: "round-add" }));
    this._addNote = h("span.soft.small");
    this._fault = h("p.bad", { role: "alert" });
    this._start = /** @type {HTMLButtonElement} */ (h("button.main", { type: "submit", id: "calibrate" }, t("profiles.begin")));
    this._calibration = h("form.panel.stack", { onsubmit: (event) => this._calibrate(event) }, h("h2", {}, t("profiles.calibrate")), h("p.soft", {}, t("profiles.calibrate_help")),
      this._rounds, h("label.tick", { for: "round-add" }, this._add, t("profiles.add"), this._addNote), h("div.row", {}, this._start));
    this._teaching = this._teachingForm();
    const back = new URLSearchParams(location.search).get("from") === "stage" ? h("a.button", { href: "/stage" }, t("profiles.stage")) : null;
    this._desk = h("div.stack.desk", {}, h("h1", { tabindex: "-1" }, t("profiles.title")), h("p.soft", {}, t("profiles.intro")), back,
      h("div.whose", {}, h("label", { for: "profile-name" }, t("profiles.name")), this._name), this._list, this._fault, this._calibration, this._teaching);
    this.element = h("div.profiles", {}, h("div.seen", {}, this.stage.element), h("div.beside", {}, this._guide.element, this._desk));
    live.addEventListener("guidance", (event) => this._take(event.detail));
    live.addEventListener("link", () => this._look());
    live.addEventListener("state", () => { if (this._isHere && !this._guide.isOpen) this._load(); });
  }

  _teachingForm() {
    this._action = /** @type {HTMLInputElement} */ (h("input", { type: "text", id: "taught-name", maxlength: 40, autocomplete: "off", placeholder: "tongue-out" }));
    this._side = /** @type {HTMLSelectElement} */ (h("select", { id: "taught-side" }, ["", "L", "R"].map((side) => h("option", { value: side }, t(`profiles.side_${side || "both"}`)))));
    this._code = /** @type {HTMLInputElement} */ (h("input", { type: "text", id: "taught-code", maxlength: 6, autocomplete: "off", size: 6 }));
    this._replace = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox", id: "taught-replace" }));
    return h("form.panel.stack", { onsubmit: (event) => this._teach(event) }, h("h2", {}, t("profiles.teach")), h("p.soft", {}, t("profiles.teach_help")),
      h("div.fields", {}, h("label", { for: "taught-name" }, t("profiles.action"), this._action), h("label", { for: "taught-side" }, t("profiles.side"), this._side), h("label", { for: "taught-code" }, t("profiles.code"), this._code)),
      h("label.tick", { for: "taught-replace" }, this._replace, t("profiles.replace")), h("div.row", {}, h("button", { type: "submit", id: "teach" }, t("profiles.teach_begin"))));
  }

  async enter() {
    this._isHere = true;
    this._look();
    await this._load();
    this._take(await get("/api/guidance"));
    if (this._guide.isOpen) this._guide.focus();
  }

  leave() {
    this._isHere = false;
    this._live.send({ type: "guidance-away" });
    document.body.classList.remove("guiding");
  }

  /** The round goes on where somebody looks at it. */
  _look() {
    if (this._isHere && this._live.connected) this._live.send({ type: "guidance-look" });
  }

  _take(document_) {
    this._guide.take(document_);
    this._desk.hidden = this._guide.isShown;
    document.body.classList.toggle("guiding", this._isHere && this._guide.isShown);
  }

  /** Back from a round. */
  async _arrive() {
    this._desk.hidden = false;
    await this._load();
    if (this._isHere) this._start.focus();
  }

  async _load() {
    this._known = await get("/api/profiles");
    if (!this._isNamed) this._name.value = this._known.in_use || recall(CHOSEN) || FIRST;
    this._isNamed = true; // from now on it is the user's
    if (!this._rounds.childElementCount) this._drawRounds();
    const { profiles, in_use, can_use } = this._known;
    const drawn = JSON.stringify([profiles, in_use, can_use]);
    if (drawn !== this._drawn) this._redraw();
    this._drawn = drawn;
    this._chosen();
  }

  /** The list anew; the keyboard stays with the person it was at. */
  _redraw() {
    const at = /** @type {HTMLElement} */ (document.activeElement);
    const who = /** @type {HTMLElement | null} */ (this._list.contains(at) ? at.closest("[data-profile]") : null)?.dataset.profile;
    const open = new Set([...this._list.querySelectorAll("li:has(> details[open])")].map((each) => /** @type {HTMLElement} */ (each).dataset.profile));
    this._list.replaceChildren(...this._known.profiles.map((profile) => this._row(profile)));
    for (const each of this._list.children) each.querySelector("details")?.toggleAttribute("open", open.has(/** @type {HTMLElement} */ (each).dataset.profile));
    if (who === undefined) return;
    const row = [...this._list.children].find((each) => /** @type {HTMLElement} */ (each).dataset.profile === who);
    const same = at.dataset.do ? row?.querySelector(`[data-do="${at.dataset.do}"]`) : null;
    /** @type {HTMLElement} */ (same ?? row?.querySelector("button") ?? this._name).focus();
  }

  _drawRounds() {
    const { exercises, short } = this._known;
    const option = (value, words, checked) => h("label.tick", {}, h("input", { type: "radio", name: "round", value, checked, onchange: () => this._chosen() }), words);
    this._some = h("div.some", { hidden: true, role: "group", "aria-label": t("profiles.some") }, exercises.map((each, i) => h("label.tick", {}, h("input", { type: "checkbox", value: String(i) }), each.instruction)));
    this._rounds.append(h("legend.soft", {}, t("profiles.round")), option("short", t("profiles.short", { n: short }), true), option("full", t("profiles.full", { n: exercises.length })), option("some", t("profiles.some"), false), this._some);
  }

  _row(profile) {
    const { in_use, can_use } = this._known;
    const isUsed = profile.name === in_use;
    const act = (what, call) => h("button", { type: "button", "data-do": what, "aria-label": `${t(`profiles.${what}`)}: ${profile.name}`, onclick: call }, t(`profiles.${what}`));
    const taught = profile.taught.map((each) => h("li", {}, each.name, " ", h("button.quiet", { type: "button", "data-forget": each.channel, onclick: () => this._forget(profile.name, each) }, t("profiles.forget"))));
    return h("li", { "data-profile": profile.name },
      h("div.row", {}, h("b", {}, profile.name), isUsed ? h("span.tag", {}, t("profiles.in_use")) : null),
      h(profile.fault ? "p.bad.small" : "p.soft.small", {}, profile.fault || profile.summary),
      h("div.row", {}, profile.fault ? null : act("choose", () => this._choose(profile.name)), can_use && !isUsed && !profile.fault ? act("use", () => this._use(profile.name)) : null, can_use && isUsed ? act("none", () => this._use("none")) : null, profile.fault ? null : act("check", () => this._begin("check", {}, profile.name))),
      profile.details.length ? h("details", {}, h("summary", {}, t("profiles.details")), h("ul.said", {}, profile.details.map((line) => h("li", {}, line))), taught.length ? h("ul.said", {}, taught) : null) : null);
  }

  _choose(name) {
    this._name.value = name;
    this._chosen();
    announce(t("profiles.chosen", { name }));
    this._start.focus();
  }

  /** What may be done with the name that stands there. */
  _chosen() {
    const name = this._name.value.trim();
    const known = this._known.profiles.find((each) => each.name === name);
    const isThere = Boolean(known) && !known.fault;
    const some = this._round() === "some";
    if (this._some) this._some.hidden = !some;
    if (this._add.disabled === isThere) this._add.checked = isThere;
    this._add.disabled = !isThere;
    this._addNote.textContent = known ? t("profiles.add_note") : t("profiles.new_note");
    for (const row of this._list.children) row.toggleAttribute("data-chosen", /** @type {HTMLElement} */ (row).dataset.profile === name);
    const teach = /** @type {HTMLButtonElement} */ (this._teaching.querySelector("#teach"));
    teach.disabled = !isThere;
  }

  _round() {
    return /** @type {HTMLInputElement | null} */ (this._rounds.querySelector("input[name=round]:checked"))?.value ?? "short";
  }

  _calibrate(event) {
    event.preventDefault();
    let round = this._round();
    let only = [];
    if (round === "some") {
      const ticked = [...this._some.querySelectorAll("input:checked")].map((each) => this._known.exercises[Number(/** @type {HTMLInputElement} */ (each).value)]);
      only = ticked.flatMap((each) => each.actions);
      round = "full";
      if (!only.length) { this._fault.textContent = t("profiles.none_ticked"); return; }
    }
    this._begin("calibrate", { round, only, add: this._add.checked });
  }

  _teach(event) {
    event.preventDefault();
    this._begin("teach", { action: this._action.value.trim(), code: this._code.value.trim(), side: this._side.value, replace: this._replace.checked });
  }

  async _begin(kind, body, name = this._guide.isShown ? this._guide.document.profile : this._name.value.trim()) {
    this._fault.textContent = "";
    this._guide.wake();
    try {
      this._take(await post(`/api/guidance/${kind}`, { profile: name, ...body }));
      keep(CHOSEN, name);
      this._guide.focus();
      scrollTo(0, 0);
    } catch (error) {
      this._say(error);
    }
  }

  async _use(name) {
    await post("/api/profiles/use", { profile: name }).then(() => announce(t("profiles.now", { name })), (error) => this._say(error));
  }

  async _forget(profile, each) {
    try {
      await post("/api/profiles/forget", { profile, channel: each.channel });
      announce(t("profiles.forgotten", { name: each.name }));
      await this._load();
    } catch (error) {
      this._say(error);
    }
  }

  _say(error) {
    this._fault.textContent = error.message;
    this._fault.scrollIntoView({ block: "nearest" });
  }

  frame(frame) {
    this.stage.draw(frame);
  }

  key(key) {
    return this._guide.key(key);
  }
}
