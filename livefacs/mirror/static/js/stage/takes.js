// Takes: listed, played on the face, trimmed, exported.

import { announce, get, h, post, t } from "../dom.js";
import { TakePlayer } from "./take-player.js";

const LOOK_MS = 200;

/** @typedef {{name: string, frames: number, seconds: number, has_video: boolean, has_sound: boolean, notes: string}} Take */
/** @typedef {{name: string, summary: string, needs: ("sound" | "video")[]}} Format */

export class Takes {
  /**
   * @param {import("./face.js").Face} face
   * @param {string[]} rigs
   */
  constructor(face, rigs) {
    this._rigs = rigs;
    this._list = h("div.stack", {});
    this._exports = h("div.stack", { role: "status" });
    this._error = h("p.bad.small", { role: "alert" });
    this._player = new TakePlayer(face, (name) => { announce(t("stage.takes.trimmed", { name })); this.enter(); });
    this.element = h("div.stack", {}, h("h2", {}, t("stage.takes.title")), this._player.element, this._exports, this._error, this._list);
  }

  async enter() {
    try {
      this._show(await get("/api/stage/takes"));
    } catch (error) {
      this._list.replaceChildren(h("p.soft", {}, /** @type {Error} */ (error).message));
    }
  }

  leave() {
    this._player.close();
  }

  /** @param {any} found */
  _show(found) {
    const chosen = [this._format?.value, this._rig?.value];
    /** @type {Format[]} */
    const formats = found.formats.filter((/** @type {Format} */ each) => found.takes.some((/** @type {Take} */ take) => gives(take, each)));
    this._format = /** @type {HTMLSelectElement} */ (h("select", { id: "format", onchange: () => offer() }, formats.map((each) => h("option", { value: each.name, selected: each.name === chosen[0] }, `${each.name}: ${each.summary}`))));
    this._rig = /** @type {HTMLSelectElement} */ (h("select", { id: "export-rig" }, h("option", { value: "" }, t("stage.out.units")), this._rigs.map((name) => h("option", { value: name, selected: name === chosen[1] }, name))));
    const rows = found.takes.map((/** @type {Take} */ take) => this._row(take));
    const offer = () => { // an export of what the take gives
      const format = formats.find((each) => each.name === this._format?.value);
      for (const { take, button } of rows) button.disabled = !format || !gives(take, format);
    };
    offer();
    const folder = found.can_show_folder ? h("button.quiet", { type: "button", "data-folder": true, onclick: () => this._guarded(() => post("/api/stage/folder")) }, t("stage.takes.open_folder")) : null;
    const choices = h("div.row", { hidden: !rows.length }, h("label", { for: "format" }, t("stage.takes.format"), this._format), h("label", { for: "export-rig" }, t("stage.takes.curves_of"), this._rig));
    this._list.replaceChildren(choices, rows.length ? h("table", {}, h("tbody", {}, rows.map((/** @type {{row: HTMLElement}} */ each) => each.row))) : h("p", {}, t("stage.takes.none")), h("p.row.small.soft", {}, t("stage.takes.folder", { path: found.folder }), folder),
      ...found.broken.map((/** @type {string} */ words) => h("p.bad.small", {}, `${t("stage.takes.broken")} ${words}`)));
  }

  /** @param {Take} take */
  _row(take) {
    const button = /** @type {HTMLButtonElement} */ (h("button", { type: "button", "data-export": true, onclick: () => this._guarded(() => this._export(take.name)) }, t("stage.takes.export")));
    const has = [take.has_video ? "with_video" : "without_video", ...(take.has_sound ? ["with_sound"] : [])].map((key) => t(`stage.takes.${key}`)).join(", ");
    const row = h("tr", { "data-take": take.name },
      h("th", { scope: "row" }, take.name, take.notes ? h("p.small.soft", {}, take.notes) : null), h("td", {}, t("stage.takes.seconds", { s: take.seconds, n: take.frames }), h("p.small.soft", {}, has)),
      h("td.acts", {}, h("button", { type: "button", "data-play": true, onclick: () => this._guarded(() => this._player.open(take.name)) }, t("stage.takes.play")), " ", button));
    return { take, button, row };
  }

  /** @param {() => Promise<unknown>} act */
  async _guarded(act) {
    this._error.textContent = "";
    try {
      await act();
    } catch (error) {
      this._error.textContent = /** @type {Error} */ (error).message;
    }
  }

  /** @param {string} name the whole take, or the part that is chosen of the one that plays */
  async _export(name) {
    const part = this._player.name === name ? { first: this._player.first, last: this._player.last } : { first: 0, last: -1 };
    const { export: number } = await post(`/api/stage/takes/${encodeURIComponent(name)}/export`, { format: this._format?.value, rig: this._rig?.value, ...part });
    const bar = /** @type {HTMLProgressElement} */ (h("progress", { max: 1, "aria-label": t("stage.takes.exporting", { name }) }));
    const words = h("span.small", {});
    const line = h("p.row", { "data-exporting": name }, bar, words);
    this._exports.replaceChildren(line);
    for (;;) {
      const job = await get(`/api/stage/exports/${number}`);
      const kb = Math.ceil(job.bytes / 1024);
      const done = job.state === "cutting" ? job.cut : job.written;
      if (job.state === "failed") { line.replaceChildren(h("span.bad", {}, job.error)); return; }
      if (job.state === "ready") { this._save(line, number, job.name, kb); return; }
      if (done) bar.value = done / job.rows; else bar.removeAttribute("value");
      words.textContent = t(`stage.takes.${done ? job.state : "begun"}`, { name: job.name, kb, n: done, of: job.rows, percent: Math.floor((100 * done) / job.rows) });
      await new Promise((done) => setTimeout(done, LOOK_MS));
    }
  }

  /** @param {HTMLElement} line @param {string} number @param {string} name @param {number} kb */
  _save(line, number, name, kb) {
    const link = /** @type {HTMLAnchorElement} */ (h("a.button", { href: `/api/stage/exports/${number}/file`, download: name, "data-saved": true }, t("stage.takes.save", { name, kb })));
    line.replaceChildren(link);
    link.click();
  }
}

/** @param {Take} take @param {Format} format @returns {boolean} */
function gives(take, format) {
  return format.needs.every((part) => take[`has_${part}`]);
}
