// Show me: the action of a card or a drill on a face, from onset to the asked letter, in a loop;
// beside it what it is taken for, and where to look.

import { h, t } from "./dom.js";
import { speedChoice } from "./playback.js";
import { ShownFace } from "./shown-face.js";

const SECONDS = { onset: 0.8, hold: 1.1, offset: 0.6, rest: 0.6 };
const ROUND_S = Object.values(SECONDS).reduce((a, b) => a + b);
const TURN_S = 0.7; // of an alternation
const SIDES = ["both", "left", "right"];

/** @typedef {{actions: string[], side: string, level: string, kind?: string, curve?: number[][]}} Aim */
/** @typedef {{L?: number[], R?: number[], mid?: number[]}} Places */

/** @type {Showing | null} */
let shared = null;

/** The page's one: each has two faces, and a browser keeps few of them. */
export function showing(basics, letters) {
  shared ??= new Showing(basics, letters);
  return shared;
}

class Showing {
  constructor(basics, letters) {
    this._basics = basics;
    this._letters = letters;
    /** @type {((marks: Places[]) => void) | null} */
    this._mark = null;
    /** @type {Aim | null} */
    this._aim = null;
    this._running = false;
    this._paused = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this._at = 0;
    this._marks = false;
    /** @type {{code: string, tell: string} | null} */
    this._beside = null;
    this._parts();
  }

  _parts() {
    this._own = new ShownFace(t("show.face"));
    this._other = new ShownFace(t("show.face"));
    this._monkey = new ShownFace(t("show.marmoset_face"), "marmoset");
    this._ownWords = h("figcaption.small");
    this._otherWords = h("figcaption.small");
    this._otherFigure = h("figure", { hidden: true }, this._other.element, this._otherWords);
    this._monkeyWords = h("figcaption.small");
    this._monkeyFigure = h("figure", { hidden: true }, this._monkey.element, this._monkeyWords);
    this._monkeyButton = h("button", { type: "button", "aria-pressed": "false", onclick: () => this._toggleMonkey() }, t("show.marmoset"));
    this._play = h("button.quiet", { type: "button", onclick: () => this._pause(!this._paused) });
    this._speed = speedChoice(t("replay.speed"), "1", 0.25);
    this._side = /** @type {HTMLSelectElement} */ (h("select", { "aria-label": t("show.side"), onchange: () => this._changeSide() }, SIDES.map((side) => h("option", { value: side }, t(`show.sides`)[side]))));
    this._look = h("button", { type: "button", "aria-pressed": "false", onclick: () => this.toggleMarks() }, t("show.look"));
    this._alikes = h("div.row.alikes");
    this._tell = h("p.small");
    this._where = h("p.small");
    this.element = h("section.showing", { "aria-label": t("show.title") },
      h("div.faces", {}, h("figure", {}, this._own.element, this._ownWords), this._otherFigure, this._monkeyFigure),
      h("div.row.small", {}, this._play, this._speed, this._side), this._alikes, this._tell, h("div.row.small", {}, this._look, this._monkeyButton), this._where);
    this._pause(this._paused);
  }

  /**
   * @param {Aim} aim what to show
   * @param {(marks: Places[]) => void} mark puts marks on the learner's own face
   */
  aim(aim, mark) {
    this._aim = aim.kind === "letters" ? { ...aim, curve: this._stairs() } : aim;
    this._mark = mark;
    this._beside = null;
    this._at = 0;
    const cards = this._cards(aim.actions);
    this._side.value = aim.side;
    this._side.hidden = !cards.some((card) => card.channels.length > 1);
    this._where.textContent = cards.map((card) => card.look_at?.what).filter(Boolean).join(" ");
    this._look.hidden = !cards.some((card) => card.look_at);
    this._showMarks();
    const alikes = aim.actions.length === 1 ? cards[0]?.look_alikes ?? [] : [];
    this._alikes.hidden = !alikes.length;
    this._alikes.replaceChildren(h("span.soft.small", {}, t("show.alikes")), ...alikes.map((each) => h("button", { type: "button", "aria-pressed": "false", "data-alike": each.code, onclick: () => this._compare(each) }, `${each.code} ${this._cards([each.code])[0]?.name ?? ""}`)));
    this._compare(null);
  }

  /** A to E, each held for a moment. */
  _stairs() {
    const steps = this._letters.floors.map(([letter]) => this._letters.middle(letter));
    return [[0, 0], [0.4, 0], ...steps.flatMap((level, i) => [[1.2 * i + 0.7, level], [1.2 * i + 1.6, level]]), [1.2 * steps.length + 1, 0]];
  }

  _cards(codes) {
    return codes.map((code) => this._basics.cards.find((card) => card.code === code)).filter(Boolean);
  }

  /** Another action beside the own one; the same again takes it away. */
  _compare(alike) {
    this._beside = alike === this._beside ? null : alike;
    for (const button of this._alikes.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.dataset.alike === this._beside?.code));
    this._otherFigure.hidden = !this._beside;
    this._tell.textContent = this._beside?.tell ?? "";
    this._prepare();
  }

  _toggleMonkey() {
    this._monkeyFigure.hidden = !this._monkeyFigure.hidden;
    this._monkeyButton.setAttribute("aria-pressed", String(!this._monkeyFigure.hidden));
    this._prepare();
  }

  _changeSide() {
    this._aim = { ...this._aim, side: this._side.value };
    this._showMarks();
    this._prepare();
  }

  /** What each face goes to at its apex; of an alternation each turn's. */
  async _prepare() {
    const aim = this._aim;
    const beside = this._beside;
    const faces = 1 + Number(!this._otherFigure.hidden) + Number(!this._monkeyFigure.hidden);
    this.element.dataset.faces = String(faces);
    const turns = aim.kind === "alternate" && aim.actions.length > 1 ? aim.actions.map((code) => [code]) : [aim.actions];
    const side = aim.side === "both" ? "" : `, ${t(`mirror.your_${aim.side}`)}`;
    const letter = aim.curve?.length ? "" : ` ${t("show.to", { letter: aim.level })}`;
    this._ownWords.textContent = `${aim.actions.join("+")}${side}${letter}. ${t("show.still")}`;
    this._own.name(`${t("show.face")}: ${this._cards(aim.actions).map((card) => `${card.code} ${card.name}`).join(", ")}${side}${letter}`);
    this._apexes = null;
    const apexes = await Promise.all(turns.map((codes) => this._own.valuesOf(this._levels(codes))));
    let other = null;
    if (beside) {
      this._otherWords.textContent = `${beside.code} ${this._cards([beside.code])[0]?.name ?? ""}${letter}`;
      this._other.name(`${t("show.face")}: ${this._otherWords.textContent}`);
      other = await this._other.valuesOf(this._levels([beside.code]));
    }
    const monkey = this._monkeyFigure.hidden ? null : await this._monkey.valuesOf(this._levels(aim.actions));
    if (monkey) this._monkeyWords.textContent = t(Object.keys(monkey).length ? "show.marmoset_words" : "show.marmoset_none");
    if (aim !== this._aim || beside !== this._beside) return;
    this._apexes = apexes;
    this._otherApex = other;
    this._monkeyApex = monkey;
    this.element.dataset.ready = aim.actions.join("+") + (beside ? `|${beside.code}` : "");
    this._draw();
  }

  /** Levels of the channels that move; a curve is scaled from 1. */
  _levels(codes) {
    const level = this._aim.curve?.length ? 1 : this._letters.middle(this._aim.level);
    const suffix = { left: "_L", right: "_R" }[this._aim.side];
    const channels = this._cards(codes).flatMap((card) => (suffix && card.channels.length > 1 ? card.channels.filter((name) => name.endsWith(suffix)) : card.channels));
    return Object.fromEntries(channels.map((name) => [name, level]));
  }

  toggleMarks() {
    this._marks = !this._marks;
    this._showMarks();
  }

  _showMarks() {
    this._look.setAttribute("aria-pressed", String(this._marks));
    const only = { left: ["L", "mid"], right: ["R", "mid"] }[this._aim?.side] ?? ["L", "R", "mid"];
    const places = this._cards(this._aim?.actions ?? []).map((card) => card.look_at?.points).filter(Boolean);
    this._mark?.(this._marks ? places.map((points) => Object.fromEntries(Object.entries(points).filter(([side]) => only.includes(side)))) : []);
  }

  _pause(paused) {
    this._paused = paused;
    this._play.textContent = t(paused ? "show.play" : "show.pause");
    this._last = performance.now();
  }

  /** Loop from now on. */
  start() {
    if (this._running) return;
    this._running = true;
    this._last = performance.now();
    const step = () => {
      if (!this._running) return;
      const now = performance.now();
      if (!this._paused) this._at += ((now - this._last) / 1000) * Number(this._speed.value);
      this._last = now;
      if (this._own.isDue()) this._draw();
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  stop() {
    this._running = false;
  }

  /** Show the moment of a curve instead of the loop; null goes back to it. */
  follow(seconds) {
    this._held = this._aim?.kind === "letters" ? null : seconds;
  }

  _draw() {
    if (!this._apexes) return;
    const [turn, share] = this._moment();
    const values = this._apexes[turn];
    this._own.draw(scaled(values, share));
    if (this._otherApex && this._beside) this._other.draw(scaled(this._otherApex, share));
    if (this._monkeyApex) this._monkey.draw(scaled(this._monkeyApex, share));
    this.element.dataset.share = share.toFixed(2);
  }

  /** Which apex, and how far towards it: 1 where the loop is paused before it began. */
  _moment() {
    const { curve, kind } = this._aim;
    if (curve?.length) return [0, levelAt(curve, this._held ?? this._at % (curve.at(-1)[0] + SECONDS.rest))];
    if (this._paused && this._at === 0) return [0, 1];
    if (kind === "alternate") {
      const turn = Math.floor(this._at / TURN_S);
      const share = Math.sin(Math.PI * ((this._at % TURN_S) / TURN_S)) ** 2;
      return [turn % this._apexes.length, share];
    }
    return [0, envelope(this._at % ROUND_S)];
  }
}

function envelope(s) {
  const { onset, hold, offset } = SECONDS;
  if (s < onset) return smooth(s / onset);
  if (s < onset + hold) return 1;
  return s < onset + hold + offset ? smooth(1 - (s - onset - hold) / offset) : 0;
}

function smooth(x) {
  return x * x * (3 - 2 * x);
}

/** @param {Record<string, number>} values @param {number} share */
function scaled(values, share) {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value * share]));
}

/** @param {number[][]} curve [seconds, level], rising in time @param {number} s */
export function levelAt(curve, s) {
  const next = curve.findIndex(([at]) => at >= s);
  if (next < 0) return curve.at(-1)[1];
  if (next === 0) return curve[0][1];
  const [[t0, y0], [t1, y1]] = [curve[next - 1], curve[next]];
  return y0 + ((y1 - y0) * (s - t0)) / (t1 - t0);
}
