// Drills from two metres away: large, with tones, spoken if wanted; it begins when the face rests.

import { h, t, channelWords, keep, keyHint, recallTable } from "./dom.js";
import { adviceText } from "./result.js";
import { Tones, Voice } from "./tones.js";

const KEPT = "livefacs-mirror-hands-free";
const NEAR = 0.08; // of a curve: so close counts as on it,
const OFF = 0.16; // and so far as off it

export class HandsFree {
  constructor(basics, letters) {
    this._basics = basics;
    this._letters = letters;
    this.on = false;
    this._tones = new Tones();
    this._voice = new Voice();
    this._inside = false;
    this._onsets = 0;
    this._phase = "";
    this.button = h("button.quiet", { type: "button", "aria-pressed": "false", onclick: () => this.toggle() }, t("hands.large"), keyHint("F"));
    this._toneButton = h("button", { type: "button", onclick: () => this._setTones(!this._tones.on) }, t("hands.tones"));
    this._voiceButton = h("button", { type: "button", hidden: !Voice.isThere, onclick: () => this._setVoice(!this._voice.on) }, t("hands.voice"));
    this._number = h("b");
    this._name = h("span");
    this._intruders = h("p.intruding", { "aria-label": t("hands.intruders") });
    this._time = h("p.big-time", { role: "timer" });
    this.bar = h("div.row.hands-bar", {}, this._toneButton, this._voiceButton, h("button", { type: "button", onclick: () => this.toggle() }, t("hands.leave"), keyHint("F")));
    this.title = h("h1.big-name", {}, this._number, this._name);
    this.element = h("div.hands", {}, this._time, this._intruders);
    this._recall();
  }

  toggle() {
    this.on = !this.on;
    this.wake();
    this.button.setAttribute("aria-pressed", String(this.on));
    document.body.classList.toggle("large", this.on);
    if (!this.on) this._voice.hush();
  }

  leave() {
    if (this.on) this.toggle();
  }

  /** Something was pressed: from now on the page may sound. */
  wake() {
    if (this.on) this._tones.wake();
  }

  _setTones(on) {
    this._tones.on = on;
    this._tones.wake();
    this._toneButton.setAttribute("aria-pressed", String(on));
    this._keep();
  }

  _setVoice(on) {
    this._voice.on = on;
    this._voiceButton.setAttribute("aria-pressed", String(on));
    if (on) this._voice.say(t("hands.voice_on"));
    else this._voice.hush();
    this._keep();
  }

  _keep() {
    keep(KEPT, JSON.stringify({ tones: this._tones.on, voice: this._voice.on }));
  }

  _recall() {
    const kept = recallTable(KEPT);
    this._tones.on = kept.tones ?? true;
    this._voice.on = kept.voice ?? false;
    this._toneButton.setAttribute("aria-pressed", String(this._tones.on));
    this._voiceButton.setAttribute("aria-pressed", String(this._voice.on));
  }

  /** @param {any} drill that is chosen */
  aim(drill) {
    const cards = drill.actions.map((code) => this._basics.cards.find((card) => card.code === code)).filter(Boolean);
    this._number.textContent = drill.actions.join("+");
    const side = drill.side === "both" ? "" : `, ${t(`mirror.your_${drill.side}`)}`;
    this._words = `${cards.map((card) => card.name).join(", ")}${side}${drill.curve.length || drill.kind === "letters" ? "" : ` ${t("show.to", { letter: drill.level })}`}`;
    this._name.textContent = this._words;
    this._number.dataset.long = String(drill.actions.length > 2);
    this._time.textContent = "";
    this._intruders.replaceChildren();
    this._inside = false;
    this._onsets = 0;
    this._phase = "";
  }

  /** A session rests. @param {any} drill that comes next */
  rest(drill) {
    this._say("rest", t("hands.next", { what: `${drill.actions.join(" and ")}: ${this._words}` }));
  }

  /** @param {any} state of the running drill @param {any} drill */
  take(state, drill) {
    if (!this.on) return;
    if (state.phase === "done") this._end(state.result);
    else if (state.phase === "go") this._go(state, drill);
    else this._say(state.resting ? "settle" : "let_go", t(state.resting ? "practise.settle" : "hands.let_go"));
  }

  _go(state, drill) {
    if (state.step) this._say(`go ${state.step.letter}`, state.step.letter || t("practise.maximum"));
    else this._say("go", t("practise.go"));
    this._time.textContent = drill.curve.length || drill.kind === "alternate" || state.step ? t("hands.time", { s: state.elapsed_s.toFixed(0), of: state.length_s.toFixed(0) }) : t("hands.held", { held: state.held_s.toFixed(1), of: drill.hold_s.toFixed(1), s: Math.max(0, state.length_s - state.elapsed_s).toFixed(0) });
    this._intruders.replaceChildren(...state.intruders.map(([channel, excess]) => h("span.chip.bad", {}, `${channelWords(channel)} ${this._letters.plain(excess)}`)));
    const inside = this._isInside(state, drill);
    if (inside !== this._inside) this._tones.play(inside ? "reached" : "lost");
    this._inside = inside;
  }

  _isInside(state, drill) {
    if (drill.kind === "alternate") {
      if (state.onsets > this._onsets) this._tones.play("reached");
      this._onsets = state.onsets;
      return false;
    }
    if (!drill.curve.length) return state.held_s > 0 || (this._inside && !state.face);
    return Math.abs(state.level - state.wanted) < (this._inside ? OFF : NEAR);
  }

  _end(result) {
    this._time.textContent = result ? result.total.toFixed(0) : "";
    this._intruders.replaceChildren();
    if (!result) return;
    if (this._phase !== "done") this._tones.play(result.passed ? "passed" : "failed");
    this._say("done", `${t(result.passed ? "practise.passed" : "practise.failed")}. ${adviceText(result.advice)}`);
  }

  /** Each phase is spoken once; the next drill after the advice for the last. */
  _say(phase, text) {
    if (phase === this._phase) return;
    this._phase = phase;
    if (this.on) this._voice.say(text, phase === "rest");
  }
}
