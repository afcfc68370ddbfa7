// The mirror view: glass, reading, bars, poses, puppets, replay, small motion.

import { h, s, t, keep, keyHint, recallTable } from "./dom.js";
import { Bars, Reading } from "./bars.js";
import { Magnifier } from "./magnify.js";
import { Replay } from "./replay.js";
import { Stage } from "./stage.js";

const REMEMBERED = "livefacs-mirror-tools";

export class MirrorView {
  constructor({ live, basics, letters, calibrate, takeNeutral }) {
    this._live = live;
    this._letters = letters;
    this.stage = new Stage(basics);
    this.reading = new Reading(basics, letters);
    this.bars = new Bars(basics, letters, async (code) => (await import("./card.js")).openCard({ basics, letters }, code, this.stage));
    this._replay = new Replay(basics, this.stage, () => this._toggleReplay());
    this._magnifier = new Magnifier(basics, live, () => this._press("magnify"));
    this._poses = new Poses();
    this._puppets = [];
    this._puppetRow = h("div.puppets", { hidden: true });
    this._note = h("p.soft.small", {}, t("mirror.read_note"));
    this._buttons = {};
    const tools = h("div.tools", { role: "toolbar", "aria-label": t("mirror.tools") },
      this._tool("mesh", "M", () => this._setMesh(!this.stage.showMesh)),
      this._tool("replay", "R", () => this._toggleReplay()),
      this._tool("magnify", "G", () => this._press("magnify")),
      this._tool("puppets", "P", () => this._press("puppets")),
      this._tool("neutral", "N", takeNeutral, false),
      this._tool("calibrate", "K", calibrate, false),
      this._tool("far", "F", () => this._toggleFar()));
    this.element = h("div.mirror", {},
      h("div", {}, h("h1.unseen", {}, t("nav.mirror")), h("div.look", {}, this.stage.element, this._puppetRow), this.reading.element, h("div.under", {}, this._note, h("button.away", { type: "button", onclick: () => this._toggleFar() }, t("replay.leave_far"))), tools, this._replay.element, this._magnifier.element),
      h("div.stack", {}, this.bars.element, this._poses.element));
    this._restore();
  }

  _tool(name, key, onclick, toggles = true) {
    const button = h("button", { type: "button", onclick, "aria-pressed": toggles ? "false" : null, "aria-keyshortcuts": key }, t(`mirror.${name}`), keyHint(key));
    this._buttons[name] = button;
    return button;
  }

  _pressed(name, on) {
    this._buttons[name].setAttribute("aria-pressed", String(on));
  }

  _setMesh(on) {
    this.stage.showMesh = on;
    this._pressed("mesh", on);
    this._remember();
  }

  _press(name) {
    const element = name === "magnify" ? this._magnifier.element : this._puppetRow;
    element.hidden = !element.hidden;
    if (name === "puppets") this._makePuppets();
    this._pressed(name, !element.hidden);
    this._makeRoom();
    this._remember();
  }

  /** They are fetched once somebody wants to see them. */
  async _makePuppets() {
    const { puppetFigure } = await import("./puppets.js");
    if (this._puppets.length) return;
    this._puppets = ["arkit52", "marmoset"].map(puppetFigure);
    this._puppetRow.append(...this._puppets.map((each) => each.element));
  }

  _toggleReplay() {
    if (this._replay.active) this._replay.close();
    else this._replay.open(this._live.history);
    this._pressed("replay", this._replay.active);
    this._makeRoom();
  }

  _makeRoom() {
    this.element.classList.toggle("busy", this._replay.active || !this._magnifier.element.hidden);
    this.element.classList.toggle("replaying", this._replay.active);
  }

  _toggleFar() {
    const on = document.body.classList.toggle("far");
    this._pressed("far", on);
  }

  _remember() {
    keep(REMEMBERED, JSON.stringify({ mesh: this.stage.showMesh, puppets: !this._puppetRow.hidden }));
  }

  _restore() {
    const kept = recallTable(REMEMBERED);
    this._setMesh(kept.mesh ?? true);
    if (kept.puppets) this._press("puppets");
  }

  state(state) {
    this.bars.setMaxima(state.maxima);
    const provisional = Object.keys(state.maxima).length ? "" : `; ${t("mirror.provisional")}`;
    this._note.textContent = `${t("mirror.read_note")}${provisional}${state.source ? ` · ${state.source}` : ""}`;
  }

  frame(frame) {
    if (this._replay.active) return;
    this.stage.draw(frame);
    this.reading.draw(frame);
    this.bars.draw(frame);
    this._poses.draw(frame);
    this._magnifier.draw();
    if (!this._puppetRow.hidden) for (const puppet of this._puppets) puppet.draw(frame);
  }

  key(key) {
    const name = { m: "mesh", r: "replay", g: "magnify", p: "puppets", n: "neutral", k: "calibrate", f: "far" }[key];
    if (name) this._buttons[name].click();
    else if (key === "escape") this._escape();
    else if (key === " " && this._replay.active) this._replay.toggle();
    else return false;
    return true;
  }

  _escape() {
    if (this._replay.active) this._toggleReplay();
    else if (document.body.classList.contains("far")) this._toggleFar();
    this.stage.marks = []; // of a card
  }

  leave() {
    if (this._replay.active) this._toggleReplay();
    document.body.classList.remove("far");
    this.stage.marks = [];
    this._pressed("far", false);
  }
}

class Poses {
  constructor() {
    this._head = dial();
    this._gaze = dial();
    this._headWords = h("span.small");
    this._gazeWords = h("span.small");
    this._saidAt = 0;
    this.element = h("section.poses", { "aria-label": t("mirror.pose") },
      h("div.pose", {}, this._head.svg, h("div", {}, h("div.soft.small", {}, t("mirror.head")), this._headWords)),
      h("div.pose", {}, this._gaze.svg, h("div", {}, h("div.soft.small", {}, t("mirror.gaze")), this._gazeWords)));
  }

  draw(frame) {
    this._head.point(frame.head.yaw / 45, frame.head.pitch / 35, frame.head.roll);
    this._gaze.point(frame.gaze.yaw / 30, frame.gaze.pitch / 25, 0);
    if (performance.now() - this._saidAt < 250) return;
    this._saidAt = performance.now();
    const whole = (values) => Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.toFixed(0).replace(/^-0$/, "0")]));
    this._headWords.textContent = t("mirror.pose_words", whole(frame.head));
    this._gazeWords.textContent = t("mirror.gaze_words", whole(frame.gaze));
  }
}

/** A dial as seen in a mirror: turning to one's left moves the point to the left. */
function dial() {
  const point = s("circle", { class: "point", r: 5, cx: 30, cy: 30 });
  const needle = s("line", { class: "needle", x1: 30, y1: 6, x2: 30, y2: 1 });
  const svg = s("svg", { viewBox: "0 0 60 60", "aria-hidden": "true" },
    s("circle", { class: "ring", cx: 30, cy: 30, r: 24 }), s("path", { class: "cross", d: "M 30 12 V 48 M 12 30 H 48" }), needle, point);
  return {
    svg,
    point(x, y, roll) {
      const [dx, dy] = [Math.max(-1, Math.min(1, x)), Math.max(-1, Math.min(1, y))];
      point.setAttribute("cx", (30 - 20 * dx).toFixed(1));
      point.setAttribute("cy", (30 + 20 * dy).toFixed(1));
      needle.setAttribute("transform", `rotate(${roll.toFixed(1)} 30 30)`);
    },
  };
}

