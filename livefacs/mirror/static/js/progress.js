// What was practised: best, median, what comes up; export and delete.

import { h, s, t, announce, get, post } from "./dom.js";

export class ProgressView {
  constructor() {
    this.element = h("div");
  }

  async enter() {
    const found = await get("/api/progress");
    this.element.replaceChildren(h("div.page", {}, h("h1", {}, t("progress.title")),
      h("p.soft", {}, t("progress.intro"), " ", h("code", {}, found.path)),
      found.set_aside ? h("p.notice", { role: "status" }, t("progress.set_aside", { name: found.set_aside })) : null,
      found.actions.length ? actionTable(found.actions) : h("p", {}, t("progress.none")),
      found.codings.length ? [h("h2", {}, t("progress.codings")), codingTable(found.codings)] : null,
      h("div.row", {}, h("a.button", { href: "/api/progress/export.json", download: "" }, t("progress.export_json")), h("a.button", { href: "/api/progress/export.csv", download: "" }, t("progress.export_csv")), this._deleter())));
  }

  _deleter() {
    const ask = h("button", { type: "button", onclick: () => dialog.showModal() }, t("progress.delete"));
    const dialog = h("dialog", { "aria-label": t("progress.delete") }, h("div.stack", {}, h("h2", {}, t("progress.sure")),
      h("div.row", {}, h("button.main", { type: "button", onclick: () => this._delete(dialog) }, t("progress.yes")), h("button", { type: "button", onclick: () => dialog.close() }, t("progress.no")))));
    return h("span", {}, ask, dialog);
  }

  async _delete(dialog) {
    await post("/api/progress/delete", { confirm: "delete" });
    dialog.close();
    announce(t("progress.deleted"));
    await this.enter();
  }

  frame() {}

  key() {
    return false;
  }

  leave() {}
}

function actionTable(rows) {
  const numbers = ["attempts", "best", "median"];
  const head = ["action", ...numbers, "recent", "due"].map((name) => h(`th.${name}${numbers.includes(name) ? ".number" : ""}`, { scope: "col" }, t(`progress.${name}`)));
  return h("table", {}, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows.map((row) => h("tr", { "data-action": row.action },
    h("th", { scope: "row" }, row.action), h("td.number", {}, row.attempts), h("td.number", {}, row.best.toFixed(0)), h("td.number.median", {}, row.median.toFixed(0)), h("td", {}, spark(row.recent)), h("td", {}, due(row))))));
}

function due(row) {
  if (row.is_due) return t("progress.now");
  return t("progress.days", { n: Math.max(1, Math.round((new Date(row.due).getTime() - Date.now()) / 86400000)) });
}

function spark(values) {
  const x = (i) => (values.length > 1 ? 4 + (i / (values.length - 1)) * 92 : 50);
  const y = (value) => 22 - value * 0.2;
  const path = values.map((value, i) => `${i ? "L" : "M"} ${x(i).toFixed(1)} ${y(value).toFixed(1)}`).join(" ");
  return s("svg", { class: "spark", viewBox: "0 0 100 24", role: "img", "aria-label": values.map((value) => value.toFixed(0)).join(", ") }, s("path", { d: path }), s("circle", { cx: x(values.length - 1), cy: y(values.at(-1)), r: 3 }));
}

function codingTable(rows) {
  return h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("progress.when")), h("th", { scope: "col" }, t("progress.item")), h("th.number", { scope: "col" }, t("progress.index")))),
    h("tbody", {}, rows.slice(0, 20).map((row) => h("tr", {}, h("td", {}, new Date(row.at).toLocaleString()), h("th", { scope: "row" }, `${row.pack} · ${row.item}`), h("td.number", {}, row.agreement.toFixed(2))))));
}
