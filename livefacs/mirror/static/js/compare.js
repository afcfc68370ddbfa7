// A teacher's view: several coders of the same items, side by side.

import { h, t, announce, askWith, get, post, saveFile } from "./dom.js";

export class CompareView {
  constructor() {
    this._coders = [];
    this._file = /** @type {HTMLInputElement} */ (h("input", { id: "coders", type: "file", accept: ".csv,text/csv", multiple: true, onchange: () => this._add() }));
    this._pack = /** @type {HTMLSelectElement} */ (h("select", { id: "coders-pack", onchange: () => this._compare() }));
    this._list = h("ul.coders");
    this._result = h("div.stack");
    this._said = h("p.bad", { role: "alert", hidden: true });
    this.element = h("div.page", {}, h("h1", {}, t("compare.title")), h("p", {}, t("compare.about")),
      h("div.row", {}, h("div.stack", {}, h("label", { for: "coders" }, t("compare.reports")), this._file), h("div.stack", {}, h("label", { for: "coders-pack" }, t("compare.pack")), this._pack)),
      this._list, this._said, this._result);
  }

  async enter() {
    const { packs } = await get("/api/packs");
    this._pack.replaceChildren(h("option", { value: "" }, t("compare.no_pack")), ...packs.map((pack) => h("option", { value: pack.name }, pack.title)));
  }

  async _add() {
    for (const file of this._file.files) {
      const name = file.name.replace(/\.csv$/i, "");
      this._coders = [...this._coders.filter((each) => each.name !== name), { name, csv: await file.text() }];
    }
    this._file.value = "";
    await this._compare();
  }

  _body() {
    return { coders: this._coders, pack: this._pack.value };
  }

  async _compare() {
    this._list.replaceChildren(...this._coders.map((each) => h("li", {}, `${each.name} `, h("button.quiet", { type: "button", "aria-label": t("compare.without", { name: each.name }), onclick: () => this._remove(each) }, "×"))));
    this._result.replaceChildren();
    this._said.hidden = true;
    if (this._coders.length < 2) return;
    try {
      this._show(await post("/api/compare", this._body()));
    } catch (error) {
      this._fail(error);
    }
  }

  _fail(error) {
    this._said.hidden = false;
    this._said.textContent = error.message;
  }

  async _remove(coder) {
    this._coders = this._coders.filter((each) => each !== coder);
    await this._compare();
  }

  _show(found) {
    const coders = found.names.slice(0, -1);
    const matrix = h("table.matrix", {}, h("caption.small.soft", {}, t("compare.matrix")), h("thead", {}, h("tr", {}, h("td"), found.names.map((name) => h("th.number", { scope: "col" }, name)))),
      h("tbody", {}, found.matrix.map((row, i) => h("tr", { "data-coder": found.names[i] }, h("th", { scope: "row" }, found.names[i]), row.map((value) => h("td.number", {}, value.toFixed(2)))))));
    const actions = h("table", {}, h("caption.small.soft", {}, t("compare.kappas")), h("thead", {}, h("tr", {}, [t("report.code"), t("report.in_key"), t("compare.kappa"), ...coders.map((name) => t("compare.with_key", { name }))].map((head, i) => h(i ? "th.number" : "th", { scope: "col" }, head)))),
      h("tbody", {}, found.actions.map((row) => h("tr", { "data-code": row.code }, h("th", { scope: "row" }, row.code), h("td.number", {}, row.in_key), h("td.number", {}, figure(row.kappa)), coders.map((name) => h("td.number", {}, `${figure(row.with_key[name])} (${row.scored[name]})`))))));
    this._result.replaceChildren(h("p.advice", { "data-index": found.mean_index }, t("compare.mean", { index: found.mean_index.toFixed(2), kappa: figure(found.mean_kappa), n: found.items.length })),
      h("div.wide", { tabindex: 0, role: "region", "aria-label": t("compare.matrix") }, matrix), h("div.wide", { tabindex: 0, role: "region", "aria-label": t("compare.kappas") }, actions), h("p.soft.small", {}, t("compare.note")),
      h("div.row", {}, ["csv", "elan"].map((kind) => h("button", { type: "button", "data-export": kind, onclick: () => this._export(kind) }, t(`compare.${kind}`)))));
    announce(t("compare.title"));
  }

  async _export(kind) {
    try {
      const answer = await askWith(`/api/compare/${kind}`, this._body());
      saveFile(await answer.blob(), kind === "csv" ? "coders.csv" : "coders.eaf");
    } catch (error) {
      this._fail(error);
    }
  }

  frame() {}

  key() {
    return false;
  }

  leave() {}
}

function figure(value) {
  return value === null ? "–" : value.toFixed(2);
}
