// The page: header, views, keys, theme, and the live stream that feeds them.

import { h, t, announce, get, loadTexts, post } from "./dom.js";
import { Letters } from "./bars.js";
import { Live } from "./live.js";
import { Status, flipTheme, openKeys, setTheme } from "./page.js";
import { loadMesh } from "./stage.js";

/** A view's modules are fetched for the view that is opened, the others' once the page is ready. */
const MODULES = {
  mirror: async () => (await import("./mirror.js")).MirrorView,
  practise: async () => (await import("./practise.js")).PractiseView,
  code: async () => (await import("./coding.js")).CodingView,
  test: async () => (await import("./selftest.js")).TestView,
  progress: async () => (await import("./progress.js")).ProgressView,
  profiles: async () => (await import("./profiles.js")).ProfilesView,
  make: async () => (await import("./make.js")).MakeView,
  compare: async () => (await import("./compare.js")).CompareView,
};
const TEACHER = ["make", "compare"]; // reached from the coding view
const VIEWS = Object.keys(MODULES).filter((name) => !TEACHER.includes(name));

class App {
  constructor(basics) {
    this._basics = basics;
    this.live = new Live();
    const shared = {
      live: this.live, basics, letters: new Letters(basics.letters),
      takeNeutral: () => { this.live.send({ type: "neutral" }); announce(t("mirror.neutral_done")); },
      calibrate: () => { location.hash = "profiles"; },
    };
    this._shared = shared;
    this._views = {};
    this._view = null;
    this._main = document.getElementById("view");
    this._header();
    this.live.addEventListener("frame", (/** @type {CustomEvent} */ event) => this._frame(event.detail));
    this.live.addEventListener("state", (/** @type {CustomEvent} */ event) => this._state(event.detail));
    this.live.addEventListener("link", () => this._link());
    addEventListener("hashchange", () => this.open());
    addEventListener("keydown", (event) => this._key(event));
  }

  _header() {
    document.getElementById("skip").textContent = t("app.skip");
    document.getElementById("skip").addEventListener("click", (event) => { event.preventDefault(); this._main.focus(); });
    this._status = new Status(flipTheme, () => openKeys("keys"));
    this._offline = h("p.offline", { role: "alert", hidden: true });
    this._standIn = h("p.offline.stand-in", { role: "status", hidden: true });
    this._links = VIEWS.map((name) => h("a", { href: `#${name}` }, t(`nav.${name}`)));
    document.getElementById("top").after(this._offline, this._standIn);
    document.getElementById("top").append(
      h("span.mark", {}, "livefacs ", h("i", {}, "mirror")), h("nav", { "aria-label": t("app.views") }, this._links), this._status.element);
  }

  /** Show the view that the address names. */
  async open() {
    const name = wantedView();
    const View = await MODULES[name]();
    if (name === wantedView()) await this.show(name, View);
  }

  async show(name, View) {
    this._view?.leave();
    this._name = name;
    const view = (this._views[name] ??= new View(this._shared));
    this._view = view;
    document.body.dataset.view = name;
    document.title = `${t(`nav.${name}`)} · ${t("app.title")}`;
    this._links.forEach((link, i) => (VIEWS[i] === (TEACHER.includes(name) ? "code" : name) ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current")));
    this._place();
    if (this.live.state) view.state?.(this.live.state);
    try {
      await view.enter?.();
    } catch (error) {
      announce(error.message);
    }
  }

  /** The view, or the page that says why there is no picture. */
  _place() {
    const trouble = this.live.state?.trouble;
    const needsPicture = ["mirror", "practise", "profiles"].includes(this._name);
    this._main.replaceChildren(trouble && needsPicture ? troublePage(trouble, this._basics.can_retry) : this._view.element);
  }

  _frame(frame) {
    this._view?.frame(frame);
    this._status.note(frame, this.live.latencyMs);
  }

  _state(state) {
    this._view?.state?.(state);
    if (this._view) this._place();
    this._standIn.hidden = !state.notice;
    this._standIn.textContent = state.notice;
    if (state.trouble) this._status.say(t("trouble.title"));
    else if (!this.live.frame) this._status.say(t("health.starting"));
  }

  _link() {
    document.body.dataset.link = this.live.connected ? "on" : "off";
    this._offline.hidden = this.live.connected;
    this._offline.textContent = this.live.connected ? "" : t(this.live.frame ? "app.stale" : "app.lost");
    if (this.live.connected) return;
    this._status.say(t("app.lost"), "bad");
  }

  _key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const typing = event.target.closest?.("input:not([type=range]), select, textarea");
    const pressing = event.target.closest?.("button, a, input[type=range]");
    const key = event.key.toLowerCase();
    if (typing || (pressing && (key === " " || key === "enter" || key.startsWith("arrow")))) return;
    if (this._common(key) || this._view?.key(key)) event.preventDefault();
  }

  _common(key) {
    const view = VIEWS[Number(key) - 1];
    if (view) location.hash = view;
    else if (key === "t") flipTheme();
    else if (key === "?") openKeys("keys");
    else return false;
    return true;
  }
}

function troublePage(text, canRetry) {
  const retry = h("button.main", { type: "button", onclick: async () => {
    retry.textContent = t("trouble.asked");
    await post("/api/retry").catch((error) => announce(error.message));
  } }, t("trouble.retry"));
  return h("section.trouble", {}, h("h1", {}, t("trouble.title")), h("p.said", { role: "alert" }, text), h("h2", {}, t("trouble.what")), h("ul", {}, t("trouble.tips").map((tip) => h("li", {}, tip))), canRetry ? h("p", {}, retry) : null);
}

function wantedView() {
  const name = location.hash.slice(1);
  return Object.hasOwn(MODULES, name) ? name : "mirror";
}

setTheme();
const first = wantedView();
const [, basics, , View] = await Promise.all([loadTexts("profiles.en.json"), get("/api/basics"), loadMesh(), MODULES[first]()]);
const app = new App(basics);
Object.assign(window, { livefacs: app });
app.show(first, View);
if (wantedView() !== first) app.open();
performance.mark("livefacs-ready");
document.body.dataset.ready = "yes";
for (const module of Object.values(MODULES)) await module().catch(() => { /* asked for again by who opens it */ });
