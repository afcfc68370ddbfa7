// What an attempt was worth, in words and marks.

import { h, t, channelWords } from "./dom.js";

/** @returns {string} the verdict with its advice, as it is announced */
export function verdictText(result) {
  return `${t(result.passed ? "practise.passed" : "practise.failed")}, ${result.total.toFixed(0)}. ${adviceText(result.advice)}`;
}

export function resultPanel(result) {
  const verdict = t(result.passed ? "practise.passed" : "practise.failed");
  const others = result.intruders.slice(0, 4).map((one) => `${channelWords(one.channel)} ${one.letter} (${one.excess.toFixed(2)})`);
  return h("div.result.panel", { "data-passed": String(result.passed), "data-total": result.total },
    h("div", {}, h("p.total", {}, result.total.toFixed(0)), h(`p.${result.passed ? "good" : "bad"}`, {}, verdict)),
    h("div.stack", {}, Object.entries(result.parts).map(([name, value]) => part(name, value))),
    h("p.advice", {}, adviceText(result.advice)),
    result.letters.length ? h("div.also.chips", { "aria-label": t("practise.letters"), role: "group" }, result.letters.map((one) => h(`span.chip.${one.held ? "good" : "bad"}`, { "data-asked": one.asked }, `${one.asked} → ${one.got || "–"}`))) : null,
    h("p.soft.also.rule", {}, ruleText(result)),
    h("p.soft.also", {}, others.length ? `${t("practise.intruders")}: ${others.join(", ")}` : t("practise.no_intruders")));
}

/** What passes, with where this attempt stands: shown beside the verdict. */
function ruleText({ rule, total, parts, reached }) {
  const said = [t("practise.rule_total", { score: rule.total, total: total.toFixed(0) })];
  if (rule.part) said.push(t("practise.rule_part", { part: t(`parts.${rule.part}`), mark: rule.mark, value: (parts[rule.part] ?? 0).toFixed(0) }));
  if (!reached) said.push(t("practise.rule_reach"));
  return `${t("practise.rule_is")} ${said.join("; ")}.`;
}

export function adviceText({ key, values }) {
  const said = { ...values };
  if (said.channel) said.channel = channelWords(said.channel);
  return t(`advice.${key}`, said);
}

function part(name, value) {
  const bar = h("i");
  bar.style.transform = `scaleX(${value / 100})`;
  return h("div.part", {}, h("span", {}, t(`parts.${name}`)), h("span.meter", { role: "meter", "aria-label": t(`parts.${name}`), "aria-valuenow": value, "aria-valuemin": 0, "aria-valuemax": 100 }, bar), h("span", {}, value.toFixed(0)));
}
