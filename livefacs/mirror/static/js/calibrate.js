// Guided calibration: neutral first, then each action as far as it goes.

import { h, t, announce, channelWords } from "./dom.js";

const NEUTRAL_MS = 1600;

export function openCalibration({ live, basics, takeNeutral }) {
  let at = -1;
  const body = h("div.stack");
  const dialog = h("dialog", { "aria-label": t("calibrate.title"), onclose: close }, body);
  const listeners = [["range", showRange], ["range-result", showResult], ["trouble", showTrouble]];
  for (const [type, listener] of listeners) live.addEventListener(type, listener);

  function close() {
    if (at >= 0) live.send({ type: "range-stop" });
    for (const [type, listener] of listeners) live.removeEventListener(type, listener);
    dialog.remove();
  }

  function intro() {
    const begin = h("button", { type: "button", onclick: next }, t("calibrate.begin"));
    const said = h("p", { role: "status" });
    const neutral = h("button.main", { type: "button", onclick: () => {
      takeNeutral();
      said.textContent = t("calibrate.taking");
      setTimeout(() => { said.textContent = t("mirror.neutral_done"); begin.focus(); }, NEUTRAL_MS);
    } }, t("calibrate.neutral"));
    body.replaceChildren(h("h2", {}, t("calibrate.title")), h("p", {}, t("calibrate.intro")), h("p.soft", {}, t("calibrate.neutral_help")),
      h("div.row", {}, neutral, begin, closeButton()), said);
  }

  function closeButton() {
    return h("button", { type: "button", onclick: () => dialog.close() }, t("calibrate.close"));
  }

  function next() {
    at += 1;
    if (at >= basics.round.length) return finish();
    const code = basics.round[at];
    const card = basics.cards.find((each) => each.code === code);
    live.send({ type: "range-watch", action: code });
    body.replaceChildren(
      h("p.soft", {}, t("calibrate.step", { n: at + 1, of: basics.round.length })),
      h("article.card", {}, h("h2", {}, h("b", {}, card.code), card.name), h("dl", {}, h("dd.how", {}, card.how_to_perform))),
      h("p", {}, t("calibrate.watch")), h("p.prompt", { "data-range": code }),
      h("div.row", {}, h("button.main", { type: "button", onclick: next }, t("calibrate.next")), h("button", { type: "button", onclick: finish }, t("calibrate.finish"))));
    body.querySelector("button.main").focus();
    announce(`${card.code} ${card.name}. ${card.how_to_perform}`);
    return undefined;
  }

  function finish() {
    live.send({ type: "range-done" });
    at = -1;
  }

  function showRange({ detail }) {
    const line = body.querySelector(`[data-range="${detail.action}"]`);
    if (line) line.textContent = Object.entries(detail.reached).map(([name, value]) => `${channelWords(name)} ${value.toFixed(2)}`).join(" · ");
  }

  function showResult({ detail }) {
    const rows = Object.entries(detail.maxima).map(([name, value]) => h("tr", {}, h("th", { scope: "row" }, channelWords(name)), h("td", {}, t("calibrate.reached", { value: value.toFixed(2) }))));
    body.replaceChildren(h("h2", {}, t("calibrate.result")), h("p", { role: "status" }, detail.profile ? t("calibrate.profile", { profile: detail.profile }) : t("calibrate.kept")), h("table", {}, h("tbody", {}, rows)), closeButton());
  }

  function showTrouble({ detail }) {
    body.append(h("p.bad", { role: "alert" }, detail.text));
  }

  document.body.append(dialog);
  dialog.showModal();
  intro();
}
