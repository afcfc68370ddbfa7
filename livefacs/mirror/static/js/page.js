// What the mirror's page and the stage's share: theme, health of the session in words, the list of keys.

import { h, t, keep, recall } from "./dom.js";
import { healthKeys } from "./live.js";

const THEME = "livefacs-mirror-theme";
const SAID_MS = 400;

/** The theme that was chosen, or the system's. */
export function setTheme(name = recall(THEME) ?? (matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark")) {
  document.documentElement.dataset.theme = name;
}

export function flipTheme() {
  const name = document.documentElement.dataset.theme === "light" ? "dark" : "light";
  setTheme(name);
  keep(THEME, name);
}

/** @param {string} texts where the list of keys stands among the texts */
export function openKeys(texts) {
  const dialog = h("dialog", { "aria-label": t(`${texts}.title`), onclose: () => dialog.remove() }, h("h2", {}, t(`${texts}.title`)),
    h("div.keys", {}, t(`${texts}.list`).flatMap(([key, what]) => [h("kbd", {}, key), h("span", {}, what)])), h("button", { type: "button", onclick: () => dialog.close() }, t("keys.close")));
  document.body.append(dialog);
  dialog.showModal();
}

/** How the session does, at the top of the page; beside it theme and keys. */
export class Status {
  /** @param {() => void} onTheme @param {() => void} onKeys */
  constructor(onTheme, onKeys) {
    this._saidAt = -Infinity;
    this._dot = h("span.dot.warn", { "aria-hidden": "true" });
    this._words = h("span", {}, t("app.connecting"));
    this._figures = h("span.figures");
    this.element = h("div.status", {}, h("span.health", {}, this._dot, this._words), this._figures,
      h("button.quiet", { type: "button", "aria-label": t("app.theme"), onclick: onTheme }, "◐"), h("button.quiet", { type: "button", "aria-label": t("app.keys"), onclick: onKeys }, "?"));
  }

  /** @param {any} frame @param {number} latencyMs */
  note(frame, latencyMs) {
    if (performance.now() - this._saidAt < SAID_MS) return;
    this._saidAt = performance.now();
    const keys = healthKeys(frame);
    const words = keys.map((key) => t(`health.${key}`)).filter(Boolean);
    this.say(words[0] ? words.slice(0, 2).join(" · ") : t("health.ok"), keys.includes("no_face") ? "bad" : keys.length ? "warn" : "");
    const latency = Number.isFinite(latencyMs) ? t("mirror.latency", { ms: latencyMs.toFixed(0) }) : "";
    this._figures.textContent = [t("mirror.rate", { rate: frame.rateHz.toFixed(0) }), latency].filter(Boolean).join(" · ");
  }

  /** @param {string} words @param {string | null} kind bad, warn or nothing; null leaves it */
  say(words, kind = null) {
    this._words.textContent = words;
    if (kind !== null) this._dot.className = `dot ${kind}`;
  }
}
