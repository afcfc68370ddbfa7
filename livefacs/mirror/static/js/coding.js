// Code a clip, then compare with the key: index, missed, added, letters apart, second opinion.

import { h, t, announce, get, post, sharp, colour, channelWords } from "./dom.js";
import { AnswerForm } from "./answer.js";
import { Player } from "./player.js";
import { COLOURS, line, tellColours } from "./plot.js";

export class CodingView {
  constructor({ basics }) {
    this._basics = basics;
    this._player = new Player();
    this._form = new AnswerForm((answer) => this._score(answer), t("code.submit"));
    this._choice = h("select", { id: "pack", onchange: () => this._choosePack(this._choice.value) });
    this._items = h("nav.list", { "aria-label": t("code.items") });
    this._about = h("div.small.soft.stack");
    this._note = h("p.soft");
    this._result = h("div");
    this._measured = h("div.stack");
    this.element = h("div.coding", {}, h("div.side.stack", {}, h("label", { for: "pack" }, t("code.pack")), this._choice, this._items, h("div.row", {}, h("a.button", { href: "#make" }, t("make.heading")), h("a.button", { href: "#compare" }, t("compare.title"))), this._about),
      h("div.stack", {}, this._player.element, this._note, this._measured), h("div.stack", {}, h("h1", {}, t("code.title")), this._form.element, this._result));
  }

  async enter() {
    const { packs, errors } = await get("/api/packs");
    this._packs = packs;
    this._choice.replaceChildren(...packs.map((pack) => h("option", { value: pack.name, selected: pack.name === this._pack?.name }, pack.title)));
    if (!packs.length) this._about.replaceChildren(h("p", {}, t("code.no_packs")));
    else if (!this._pack || !packs.some((pack) => pack.name === this._pack.name)) await this._choosePack(packs[0].name);
    if (errors.length) this._about.append(h("p.bad", {}, t("code.errors")), ...errors.map((error) => h("p", {}, error)));
  }

  async _choosePack(name) {
    this._pack = this._packs.find((pack) => pack.name === name);
    this._items.replaceChildren(...this._pack.items.map((item, i) => h("button", { type: "button", "data-item": item.name, onclick: () => this._chooseItem(item.name) }, h("span", {}, `${i + 1}  ${item.name}`))));
    const codes = Object.entries(this._pack.codes);
    this._about.replaceChildren(h("p", {}, this._pack.note), h("p", {}, `${t("code.rights")}: ${this._pack.rights}`), h("p", {}, `${t("code.source")}: ${this._pack.source}`),
      ...(codes.length ? [h("p", {}, `${this._pack.scheme}: ${codes.map(([code, what]) => `${code} ${what}`).join("; ")}`)] : []));
    await this._chooseItem(this._pack.items[0].name);
  }

  async _chooseItem(name) {
    this._item = name;
    for (const button of this._items.children) button.setAttribute("aria-current", String(button.dataset.item === name));
    this._result.replaceChildren();
    this._measured.replaceChildren();
    this._form.reset(this._pack.name, Object.keys(this._pack.codes));
    this.element.dataset.ready = "";
    try {
      const info = await this._player.load(`/api/packs/${encodeURIComponent(this._pack.name)}/${encodeURIComponent(name)}`);
      if (info === null) return;
      this._note.textContent = info.note;
      this.element.dataset.ready = name;
    } catch (error) {
      this._note.textContent = error.message;
    }
  }

  async _score(answer) {
    const path = `/api/packs/${encodeURIComponent(this._pack.name)}/${encodeURIComponent(this._item)}/score`;
    const found = await post(path, { answer });
    this._result.replaceChildren(resultElement(found));
    announce(`${t("code.index")} ${found.index.toFixed(2)}`);
    if (!this._basics.can_measure || this._measured.childElementCount) return;
    this._measured.replaceChildren(h("div", {}, h("button", { type: "button", onclick: () => this._measure() }, t("code.measure"))));
  }

  async _measure() {
    this._measured.replaceChildren(h("p.soft", { role: "status" }, t("code.loading")));
    try {
      const found = await get(`/api/packs/${encodeURIComponent(this._pack.name)}/${encodeURIComponent(this._item)}/measured`);
      const canvas = h("canvas.plot", { role: "img", "aria-label": t("code.measured") });
      const legend = h("div.legend");
      this._measured.replaceChildren(h("p", {}, t("code.measured")), canvas, legend);
      plotMeasured(canvas, legend, found);
    } catch (error) {
      this._measured.replaceChildren(h("p.bad", {}, error.message));
    }
  }

  frame() {}

  key(key) {
    return this._player.key(key);
  }

  leave() {
    this._player.pause();
  }
}

/** What a comparison says, for coding and for the test's report. */
function resultElement(found) {
  const total = 2 * found.agreed.length + found.missed.length + found.added.length;
  const chips = (codes, kind = "") => (codes.length ? h("div.chips", {}, codes.map((code) => h(`span.chip${kind}`, {}, code))) : h("span.soft", {}, t("code.none")));
  const verdict = t(found.passed ? "code.passed" : "code.failed", { line: found.pass_line.toFixed(2) });
  const rows = [["agreed", ".good"], ["missed", ".bad"], ["added", ".bad"], ["optional", ""]].filter(([name]) => name !== "optional" || found.optional.length);
  return h("div.panel.stack", { "data-index": found.index, "data-passed": String(found.passed) },
    h("div.row", {}, h("p.total", {}, found.index.toFixed(2)), h("div", {}, h("p", {}, t("code.index")), h("p.soft.small", {}, t("code.formula", { agreed: found.agreed.length, codes: total })), h(`p.${found.passed ? "good" : "bad"}`, {}, verdict))),
    h("div.lists", {}, rows.flatMap(([name, kind]) => [h("span.soft", {}, t(`code.${name}`)), chips(found[name], kind)]),
      h("span.soft", {}, t("code.key")), h("span", {}, found.key.replaceAll("+", " + "))),
    found.letters_compared ? h("p.small", {}, `${t("code.letters")}: ${t("code.letters_note", { equal: found.letters_equal, all: found.letters_compared, near: found.letters_near })}`) : null,
    found.sides_differ.length ? h("p.small", {}, `${t("code.sides")}: ${found.sides_differ.join(", ")}`) : null);
}

function plotMeasured(canvas, legend, { channels, values }) {
  const ranked = channels.map((name, i) => ({ name, i, top: Math.max(...values.map((row) => row[i])) })).filter(({ top }) => top >= 0.15).sort((a, b) => b.top - a.top).slice(0, COLOURS.length);
  const context = sharp(canvas);
  const { clientWidth: width, clientHeight: height } = canvas;
  context.strokeStyle = colour("--line");
  for (const level of [0.05, 0.15, 0.3, 0.6, 0.9]) line(context, [[0, height * (1 - 0.92 * level)], [width, height * (1 - 0.92 * level)]]);
  ranked.forEach(({ i }, k) => {
    context.strokeStyle = COLOURS[k];
    context.lineWidth = 2.4;
    line(context, values.map((row, at) => [(at / Math.max(1, values.length - 1)) * width, height * (1 - 0.92 * Math.min(1.05, row[i]))]));
  });
  tellColours(legend, ranked.map(({ name }, k) => [COLOURS[k], channelWords(name)]));
}
