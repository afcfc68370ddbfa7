// Leads through one round: what to do now, how it is done, what was seen; then what came of it.

import { h, t, announce, keyHint, post } from "./dom.js";
import { Tones } from "./tones.js";

const HEARD = { step: "step", seen: "reached", end: "passed" };
const OPEN = ["running", "waiting", "learning"];

export class Guide {
  /**
   * @param {any} basics
   * @param {(actions: string[]) => void} onAgain
   * @param {() => void} onLeave
   */
  constructor(basics, onAgain, onLeave) {
    this._basics = basics;
    this._onAgain = onAgain;
    this._onLeave = onLeave;
    this._tones = new Tones();
    /** @type {any} */
    this.document = { phase: "idle" };
    this._moment = null;
    this._seen = [h("i"), h("i")];
    this._bar = h("i");
    this._step = h("p.soft");
    this._asked = h("h1.asked", { tabindex: "-1" });
    this._progress = h("div.time", { role: "progressbar", "aria-label": t("guide.time"), "aria-valuemin": "0", "aria-valuemax": "100" }, this._bar);
    this._seenWords = h("span.soft");
    this._dots = h("p.dots", {}, this._seen.map((dot) => h("span", { "aria-hidden": "true" }, dot)), this._seenWords);
    this._hint = h("p.hint", { role: "status" });
    this._how = h("div.stack.how");
    this._fault = h("p.bad", { role: "alert" });
    this._buttons = { retry: this._button("retry", "R"), skip: this._button("skip", "S"), finish: this._button("finish", "Q"), stop: this._button("stop") };
    this._tone = h("button.quiet", { type: "button", "aria-pressed": "true", onclick: () => this._flipTones() }, t("guide.tones"));
    this._result = h("div.stack.outcome");
    this._running = h("div.stack", {}, this._step, this._asked, this._progress, this._dots, this._hint, h("div.row", {}, Object.values(this._buttons)), this._how, h("div.row", {}, this._tone));
    this.element = h("section.guide", { "aria-label": t("guide.label"), hidden: true }, this._running, this._result, this._fault);
  }

  _button(act, key = "") {
    return h("button", { type: "button", "data-act": act, "aria-keyshortcuts": key || null, onclick: () => this.act(act) }, t(`guide.${act}`), key ? keyHint(key) : null);
  }

  get isOpen() {
    return OPEN.includes(this.document.phase);
  }

  get isShown() {
    return this.document.phase !== "idle";
  }

  /** Something was pressed: from now on the page may sound. */
  wake() {
    this._tones.wake();
  }

  _flipTones() {
    this._tones.on = !this._tones.on;
    this.wake();
    this._tone.setAttribute("aria-pressed", String(this._tones.on));
  }

  key(key) {
    const act = { r: "retry", s: "skip", q: "finish" }[key];
    if (!act || this.document.phase !== "running" || this._buttons[act].hidden) return false;
    this.act(act);
    return true;
  }

  /** @param {string} act @param {any} [body] */
  async act(act, body = {}) {
    this.wake();
    this._fault.textContent = "";
    try {
      this.take(await post(`/api/guidance/${act}`, body));
    } catch (error) {
      this._fault.textContent = error.message;
    }
  }

  /** What the mirror says of the round; the newest counts. */
  take(document_) {
    const before = this.document;
    this.document = document_;
    const { phase, moment, heard, state } = document_;
    const isNew = this._moment !== null && moment !== this._moment;
    if (isNew && HEARD[heard]) this._tones.play(phase === "ended" || phase === "unsaved" ? "failed" : HEARD[heard]);
    const steps = phase !== before.phase || state?.number !== before.state?.number || (isNew && heard === "step");
    this._moment = moment;
    this.element.hidden = phase === "idle";
    this._running.hidden = !this.isOpen;
    this._result.hidden = this.isOpen || phase === "idle";
    if (this.isOpen) this._show(state, steps);
    else if (phase !== "idle" && (steps || before.text !== document_.text)) this._conclude();
    if (phase === "idle" && before.phase !== "idle") this._onLeave();
  }

  _show(state, steps) {
    const { phase, text, kind } = this.document;
    this.element.dataset.step = state.step;
    this._progress.hidden = !state.needed_s;
    this._dots.hidden = Boolean(state.needed_s) || phase === "learning";
    const share = state.needed_s ? Math.min(1, state.done_s / state.needed_s) : 0;
    this._bar.style.transform = `scaleX(${share.toFixed(3)})`;
    this._progress.setAttribute("aria-valuenow", String(Math.round(100 * share)));
    this._seen.forEach((dot, i) => { dot.className = i < state.seen ? "full" : i === state.seen && state.is_away ? "half" : ""; });
    const seen = t("guide.seen", { n: state.seen });
    if (this._seenWords.textContent !== seen) this._seenWords.textContent = seen;
    const hint = phase === "waiting" ? text : state.hint;
    if (this._hint.textContent !== hint) this._hint.textContent = hint;
    this._buttons.skip.hidden = kind !== "calibrate" || state.number === 0;
    this._buttons.finish.hidden = kind !== "calibrate" || state.number === 0;
    for (const button of Object.values(this._buttons)) /** @type {HTMLButtonElement} */ (button).disabled = phase === "learning";
    if (!steps) return;
    this._asked.textContent = phase === "learning" ? t("guide.learning") : sentence(state.instruction);
    this._step.textContent = phase === "learning" ? "" : [t("guide.step", { n: state.number + 1, of: state.of }), names(state.actions)].filter(Boolean).join(" · ");
    const cards = phase === "learning" ? [] : this._cards(state.actions);
    // How one action is done alone says the wrong thing where two are asked for: then what changes.
    const how = (card) => (cards.length > 1 ? card.appearance : card.how_to_perform);
    this._how.replaceChildren(...cards.map((card) => h("p", { "data-how": card.code }, h("b", {}, `${card.code} ${card.name}: `), how(card))));
    announce([this._asked.textContent, ...cards.map(how)].join(" "));
  }

  _cards(actions) {
    const stems = [...new Set(actions.map((name) => name.replace(/_[LR]$/, "")))];
    return stems.map((stem) => this._basics.cards.find((card) => card.stem === stem)).filter(Boolean);
  }

  _conclude() {
    const { phase, text, said, again, kind, profile, is_used } = this.document;
    const title = h("h1", { tabindex: "-1" }, t(phase === "ended" ? "guide.ended" : kind === "check" ? "guide.checked" : phase === "unsaved" ? "guide.unsaved" : "guide.done", { profile }));
    const words = [];
    if (phase === "unsaved") words.push(h("p.bad", { role: "alert" }, text), h("p", {}, t("guide.kept")));
    else if (text) words.push(h("p", { role: "status" }, text));
    else if (phase === "done" && kind !== "check") words.push(h("p", { role: "status" }, t(is_used ? "guide.in_use" : "guide.later", { profile })));
    const list = h("ul.said", {}, said.map((line) => h("li", {}, line)));
    const row = h("div.row");
    if (phase === "unsaved") row.append(...this._saving(profile));
    else if (again.length) row.append(h("button.main", { type: "button", "data-again": "", onclick: () => this._onAgain(again) }, t("guide.again", { actions: names(again) })));
    row.append(h("button", { type: "button", "data-act": "stop", onclick: () => this.act("stop") }, t(phase === "unsaved" ? "guide.discard" : "guide.back")));
    this._result.replaceChildren(title, ...words, list, row);
    announce([title.textContent, ...words.map((each) => each.textContent), ...said].join(". "));
    title.focus();
  }

  _saving(profile) {
    const name = /** @type {HTMLInputElement} */ (h("input", { type: "text", id: "save-as", maxlength: 60, value: profile }));
    return [h("label", { for: "save-as" }, t("guide.save_as")), name, h("button.main", { type: "button", "data-act": "save", onclick: () => this.act("save", { profile: name.value.trim() }) }, t("guide.save"))];
  }

  /** The keyboard is where the round is. */
  focus() {
    this._asked.focus();
  }
}

/** ["AU6", "AU12_L"] → "6+12 left" */
function names(actions) {
  return actions.map((name) => {
    const [stem, side] = name.split(/_(?=[LR]$)/);
    return [stem.replace(/^AU/, ""), side ? t(`side.${side}`) : ""].filter(Boolean).join(" ");
  }).join("+");
}

function sentence(text) {
  return text ? `${text[0].toUpperCase()}${text.slice(1)}.` : "";
}
