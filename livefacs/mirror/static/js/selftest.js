// The self-test: a timed series without keys, then the report.

import { h, t, announce, get, keep, post, recall } from "./dom.js";
import { AnswerForm } from "./answer.js";
import { facePlayer } from "./face-player.js";
import { Letters } from "./letters.js";
import { Player } from "./player.js";

export class TestView {
  constructor({ basics }) {
    this._running = null;
    this.element = h("div");
    this._letters = new Letters(basics, (page) => this.element.replaceChildren(page), () => this._intro());
  }

  async enter() {
    if (this._running || this._letters.running) return;
    const { packs, school } = await get("/api/packs");
    this._packs = [...packs, ...school];
    const kept = recall(RUNNING, "sessionStorage");
    if (!kept) return this._intro();
    try {
      const test = await get(`/api/tests/${kept}`);
      if (!test.finished && test.seconds > 0) return await this._go(test);
      if (!test.finished) return this._report(await post(`/api/tests/${kept}/end`));
    } catch {
      this._lost = t("test.gone");
    }
    remember(null);
    return this._intro();
  }

  async _intro() {
    const pack = h("select", { id: "test-pack", onchange: () => limits() }, this._packs.map((each) => h("option", { value: each.name }, each.title)));
    const count = h("input", { id: "test-count", type: "number", min: 1, value: 1 });
    const minutes = h("input", { id: "test-minutes", type: "number", min: 1, max: 240, value: 10 });
    const note = h("p.soft.small", { role: "status" });
    const chosen = () => this._packs.find((each) => each.name === pack.value);
    const limits = () => {
      count.max = String(chosen()?.draws ?? chosen()?.items.length ?? 1);
      count.value = chosen()?.draws ? "10" : count.max;
      note.textContent = chosen()?.note ?? "";
      minutes.value = String(chosen()?.minutes ?? 10);
    };
    limits();
    const letters = await this._letters.intro();
    const field = (id, input) => h("div.stack", {}, h("label", { for: id }, t(`test.${id.slice(5)}`)), input);
    this.element.replaceChildren(h("div.page", {}, h("h1", {}, t("test.title")), h("p", {}, t("test.intro")), h("p.notice", {}, t("test.not_official")),
      this._lost ? h("p.bad", { role: "alert" }, this._lost) : null,
      h("form.row", { onsubmit: (event) => { event.preventDefault(); this._begin(chosen(), Number(count.value), Number(minutes.value)); } },
        field("test-pack", pack), field("test-count", count), field("test-minutes", minutes), h("button.main", { type: "submit", disabled: !this._packs.length }, t("test.start"))), note, letters));
  }

  async _begin(pack, items, minutes) {
    this._lost = null;
    await this._go(await post("/api/tests", { pack: pack.name, items, minutes }));
  }

  /** Begin a test, or go on with one after the page was loaded again. */
  async _go(test) {
    remember(test.test);
    this._running = { ...test, at: Math.min(test.answered, test.items - 1), endsAt: performance.now() + test.seconds * 1000 };
    this._player = test.face ? facePlayer(test.face) : new Player();
    const codes = Object.entries(test.codes);
    this._form = new AnswerForm((answer) => this._answer(answer), t("test.next"));
    this._where = h("h1");
    this._clock = h("p.clock", { role: "timer" });
    this.element.replaceChildren(h("div.coding", {}, h("div.side.stack", {}, this._where, this._clock, h("p.soft.small", {}, t("test.not_official")), h("button", { type: "button", onclick: () => this._end() }, t("test.end"))),
      this._player.element, h("div.stack", {}, this._form.element, codes.length ? h("details.small", { open: true }, h("summary", {}, t("school.codes")), h("ul", {}, codes.map(([code, what]) => h("li", {}, `${code}: ${what}`)))) : null)));
    this._tick();
    await this._show();
  }

  _tick() {
    const running = this._running;
    if (!running) return;
    const left = Math.max(0, Math.ceil((running.endsAt - performance.now()) / 1000));
    this._clock.textContent = t("test.left", { m: Math.floor(left / 60), s: String(left % 60).padStart(2, "0") });
    if (left === 0) {
      announce(t("test.up"));
      this._end();
    } else setTimeout(() => this._tick(), 250);
  }

  async _show() {
    const { test, pack, items, at, codes } = this._running;
    this._where.textContent = t("test.item", { n: at + 1, of: items });
    this._form.submit.textContent = t(at + 1 < items ? "test.next" : "test.end");
    this.element.dataset.item = "";
    this._form.reset(pack, Object.keys(codes));
    await this._player.load(`/api/tests/${test}/items/${at + 1}`);
    this.element.dataset.item = String(at + 1);
  }

  async _answer(answer) {
    const running = this._running;
    if (!running) return;
    await post(`/api/tests/${running.test}/answer`, { item: running.at + 1, answer }).catch((error) => announce(error.message));
    running.at += 1;
    if (running.at < running.items) await this._show();
    else await this._end();
  }

  async _end() {
    const running = this._running;
    if (!running) return;
    this._running = null;
    delete this.element.dataset.item;
    remember(null);
    this._player.pause();
    const report = await post(`/api/tests/${running.test}/end`);
    this._report(report);
  }

  _report(report) {
    const verdict = t(report.passed ? "report.passed" : "report.not_passed");
    const rows = report.items.map((row) => h("tr", {}, h("th", { scope: "row" }, row.item), h("td", {}, row.key), h("td", {}, row.answer || "–"), h("td.number", {}, row.index.toFixed(2)), h("td", {}, row.missed.join(", ") || "–"), h("td", {}, row.added.join(", ") || "–")));
    const codes = report.codes.map((row) => h("tr", {}, h("th", { scope: "row" }, row.code), h("td.number", {}, row.in_key), h("td.number", {}, row.missed), h("td.number", {}, row.added)));
    const head = (names, numbers) => h("thead", {}, h("tr", {}, names.map((name) => h(numbers.includes(name) ? "th.number" : "th", { scope: "col" }, t(`report.${name}`)))));
    this.element.replaceChildren(h("div.page", { "data-mean": report.mean_index },
      h("h1", {}, t("report.title")), h("div.row", {}, h("p.total", {}, report.mean_index.toFixed(2)), h("p", {}, h(`span.${report.passed ? "good" : "bad"}`, {}, verdict), " ", t("report.line", { line: report.pass_line.toFixed(2) }))),
      h("p.notice", {}, t("report.not_official")),
      h("div.row", {}, h("a.button", { href: `/api/tests/${report.test}/report.html`, target: "_blank", rel: "noopener" }, t("test.html")), h("a.button", { href: `/api/tests/${report.test}/report.csv`, download: "" }, t("test.csv")), h("button", { type: "button", onclick: () => this._intro() }, t("test.again"))),
      h("h2", {}, t("report.items")), h("table", {}, head(["item", "key", "answer", "index", "missed", "added"], ["index"]), h("tbody", {}, rows)),
      h("h2", {}, t("report.codes")), h("table", {}, head(["code", "in_key", "missed", "added"], ["in_key", "missed", "added"]), h("tbody", {}, codes))));
    announce(`${verdict} ${report.mean_index.toFixed(2)}`);
  }

  frame() {}

  key(key) {
    return this._running ? this._player.key(key) : this._letters.key(key);
  }

  leave() {
    this._player?.pause();
    this._letters.pause();
  }
}

const RUNNING = "livefacs-mirror-test";

/** A reload goes on with it. */
function remember(test) {
  keep(RUNNING, test, "sessionStorage");
}
