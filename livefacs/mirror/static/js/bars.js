// Butterfly bars: the performer's left grows to the left, as in a mirror; ticks are A to E.

import { h, t } from "./dom.js";

/** @type {[string, string[]][]} */
const SECTIONS = [
  ["upper", ["1", "2", "4", "5", "6", "7", "43", "45"]],
  ["lower", ["9", "10", "12", "14", "15", "16", "17", "18", "20", "22", "24", "28"]],
  ["jaw", ["25", "26", "27", "29", "30", "34"]],
];
const HYSTERESIS = 0.25; // of the span below a border, before a letter is given up

export class Letters {
  constructor(letters) {
    this.floors = letters.map(([letter, floor]) => [letter, floor]).reverse();
    this._last = new Map();
  }

  /** The letter of a channel's level; it lets go a little below its floor. */
  of(channel, level) {
    const plain = this.plain(level);
    const before = this._last.get(channel) ?? "";
    let letter = plain;
    if (before && this._rank(before) > this._rank(plain) && level >= this._release(before)) letter = before;
    this._last.set(channel, letter);
    return letter;
  }

  plain(level) {
    let found = "";
    for (const [letter, floor] of this.floors) if (level >= floor) found = letter;
    return found;
  }

  /** The level that stands for a letter: the middle of its span, and 1 for the last. */
  middle(letter) {
    const i = this._rank(letter);
    if (i < 0 || i === this.floors.length - 1) return 1;
    return (this.floors[i][1] + this.floors[i + 1][1]) / 2;
  }

  floor(letter) {
    return this.floors.find(([name]) => name === letter)?.[1] ?? 0;
  }

  _rank(letter) {
    return this.floors.findIndex(([name]) => name === letter);
  }

  _release(letter) {
    const rank = this._rank(letter);
    const below = rank > 0 ? this.floors[rank - 1][1] : 0;
    const floor = this.floors[rank][1];
    return floor - HYSTERESIS * (floor - below);
  }
}

export class Bars {
  constructor(basics, letters, onSelect) {
    this._letters = letters;
    this._rows = [];
    this._maxima = {};
    this._seen = {};
    this._ariaAt = 0;
    const cards = Object.fromEntries(basics.cards.map((card) => [card.code, card]));
    this.element = h("div.bars", { role: "group", "aria-label": t("mirror.bars") },
      h("div.sides", { "aria-hidden": "true" }, h("span.left", {}, t("mirror.your_left")), h("span"), h("span.right", {}, t("mirror.your_right"))),
      SECTIONS.map(([name, codes]) => h("section", {}, h("h2", {}, t(`mirror.${name}`)),
        codes.filter((code) => cards[code]?.channels.length).map((code) => this._row(cards[code], basics.channels, onSelect)))));
  }

  setMaxima(maxima) {
    this._maxima = maxima;
  }

  _row(card, channels, onSelect) {
    const sided = card.channels.length === 2;
    const sides = sided ? ["L", "R"] : ["L", "R"].map(() => "");
    const halves = sides.map((side, i) => {
      const channel = sided ? card.channels[i] : card.channels[0];
      return this._half(card, channel, channels.indexOf(channel), sided ? side : "", i);
    });
    const name = h("span.name", {}, h("b", {}, card.code), h("span", {}, card.name));
    const element = h("button.au", { type: "button", "data-code": card.code, title: `${card.code} ${card.name}`, onclick: () => onSelect(card.code) },
      halves[0].mark, halves[0].track, name, halves[1].track, halves[1].mark);
    this._rows.push({ element, halves, on: false });
    return element;
  }

  _half(card, channel, index, side, i) {
    const label = side ? t("mirror.meter", { code: card.code, name: card.name, side: t(`side.${side}`) }) : t("mirror.meter_mid", { code: card.code, name: card.name });
    const bar = h("span.fill");
    const most = h("span.most", { hidden: true });
    const twin = side === "" && i === 1;
    const track = h(`span.track.${i === 0 ? "l" : "r"}${side ? "" : ".m"}`,
      twin ? { "aria-hidden": "true" } : { role: "meter", "aria-label": label, "aria-valuemin": 0, "aria-valuemax": 1, "aria-valuenow": 0, "data-channel": channel }, bar, most);
    const mark = h(`span.mark.${side === "L" ? "left" : side === "R" ? "right" : "mid"}`, { "aria-hidden": "true" });
    return { channel, index, i, side, track, bar, most, mark, twin, shown: -1, letter: null };
  }

  draw(frame) {
    const speak = performance.now() - this._ariaAt > 1000;
    if (speak) this._ariaAt = performance.now();
    const lost = (frame.health & 1) !== 0;
    this.element.classList.toggle("lost", lost);
    for (const row of this._rows) {
      let on = false;
      for (const half of row.halves) on = this._drawHalf(half, frame, speak, lost) || on;
      if (on !== row.on) {
        row.on = on;
        row.element.classList.toggle("on", on);
      }
    }
  }

  _drawHalf(half, frame, speak, lost) {
    const level = Math.min(1, Math.max(0, frame.intensity[half.index] || 0));
    if (Math.abs(level - half.shown) > 0.003) {
      half.shown = level;
      half.bar.style.transform = `scaleX(${level.toFixed(3)})`;
      half.bar.style.opacity = (0.35 + 0.65 * Math.min(1, frame.confidence[half.index] * 1.4)).toFixed(2);
    }
    this._drawMost(half, level);
    const letter = half.twin || lost ? "" : this._letters.of(half.channel, level);
    if (letter !== half.letter) {
      half.letter = letter;
      half.mark.textContent = letter;
      half.mark.classList.toggle("provisional", "CDE".includes(letter) && !(half.channel in this._maxima));
    }
    if (speak && !half.twin) {
      half.track.setAttribute("aria-valuenow", level.toFixed(2));
      half.track.setAttribute("aria-valuetext", letter || "0");
    }
    return !lost && level >= this._letters.floor("B");
  }

  /** The personal maximum: of the calibration, or else the most that was seen since the start. */
  _drawMost(half, level) {
    const seen = Math.max(this._seen[half.channel] ?? 0, level);
    this._seen[half.channel] = seen;
    const most = Math.min(1, this._maxima[half.channel] ?? seen);
    if (half.most.hidden !== most < 0.05) half.most.hidden = most < 0.05;
    const at = `${((half.i === 0 ? 1 - most : most) * 100).toFixed(1)}%`;
    if (half.mostAt !== at) {
      half.mostAt = at;
      half.most.style.left = at;
    }
  }
}

/** The line of codes a coder would write, from letter B on. */
export class Reading {
  constructor(basics, letters) {
    this._letters = letters;
    this._cards = basics.cards.filter((card) => card.channels.length && /^\d+$/.test(card.code) && Number(card.code) < 50);
    this._index = new Map(basics.channels.map((name, index) => [name, index]));
    this.element = h("p.reading", { role: "group", "aria-label": t("mirror.reading") });
    this._shown = null;
    this._since = new Map();
  }

  codes(frame) {
    return this._cards.flatMap((card) => this._code(card, frame));
  }

  _code(card, frame) {
    const marks = card.channels.map((channel) => this._letters.of(channel, frame.intensity[this._index.get(channel)] || 0));
    const higher = marks.reduce((a, b) => (a > b ? a : b));
    if (higher < "B") return [];
    // One-sided only where the other side shows no trace; else the higher letter stands for both.
    if (marks.length === 1 || marks.every(Boolean)) return [["", card.code, higher]];
    return [[marks[0] ? "L" : "R", card.code, higher]];
  }

  draw(frame) {
    const lost = (frame.health & 1) !== 0;
    const codes = lost ? [] : this._steady(this.codes(frame), frame.tMs);
    const line = lost ? "no face" : codes.map((code) => code.join("")).join("+");
    if (line === this._shown) return;
    this._shown = line;
    this.element.dataset.line = line;
    if (!codes.length) this.element.replaceChildren(h("span.rest", {}, t(lost ? "mirror.no_face" : "mirror.nothing")));
    else this.element.replaceChildren(...codes.flatMap(([side, code, letter], i) => [
      i ? h("span.plus", {}, "+") : "", h(`span${side === "L" ? ".left" : side === "R" ? ".right" : ""}`, {}, side + code, h("span.letter", {}, letter))]));
  }

  /** A code has to stand for a tenth of a second, so that the line does not flicker. */
  _steady(codes, tMs) {
    const names = new Set(codes.map(([side, code]) => side + code));
    for (const name of this._since.keys()) if (!names.has(name)) this._since.delete(name);
    for (const name of names) if (!this._since.has(name)) this._since.set(name, tMs);
    return codes.filter(([side, code]) => Math.abs(tMs - this._since.get(side + code)) >= 100);
  }
}
