// Practice: choose a drill, follow the prompt, read the score and one sentence of advice.

import { h, t, announce, colour, get, keep, keyHint, recallTable, sharp } from "./dom.js";
import { Again } from "./again.js";
import { cardElement } from "./card.js";
import { Gauge } from "./gauge.js";
import { HandsFree } from "./hands-free.js";
import { Lesson, summaryPanel } from "./lesson.js";
import { line } from "./plot.js";
import { resultPanel, verdictText } from "./result.js";
import { showing } from "./showing.js";
import { Stage } from "./stage.js";

export class PractiseView {
  constructor({ live, basics, letters }) {
    this._live = live;
    this._basics = basics;
    this._letters = letters;
    this._drill = null;
    this._phase = "";
    this._trail = [];
    this.stage = new Stage(basics);
    this._list = h("nav.list", { "aria-label": t("practise.drills"), onkeydown: (event) => this._listKey(event), onkeyup: (event) => { if (event.key === " ") event.preventDefault(); } });
    this._cards = h("div.stack");
    this._showing = showing(basics, letters);
    this._aside = h("aside.stack", {}, this._cards);
    this._title = h("h1", {}, t("practise.choose"));
    this._kind = h("p.soft");
    this._start = h("button.main", { type: "button", disabled: true, onclick: () => this.start() }, t("practise.start"), keyHint("Space"));
    this._stop = h("button", { type: "button", hidden: true, onclick: () => this.stop() }, t("practise.stop"), keyHint("Esc"));
    this._own = h("button.quiet", { type: "button", onclick: async () => (await import("./draw.js")).openCurve(basics, (drill) => this._take(drill)) }, t("practise.draw"));
    this._prompt = h("p.prompt", { role: "status" });
    this._rule = h("p.soft.small.rule");
    this._gauge = new Gauge(letters);
    this._plot = h("canvas.plot", { role: "img", "aria-label": t("practise.curve"), hidden: true });
    this._result = h("div");
    this._again = new Again(basics);
    this._hands = new HandsFree(basics, letters);
    this._lesson = new Lesson(live, (state) => this._lessonState(state));
    this.element = h("div.practise", {}, h("div.side.stack", {}, this._lesson.starter, this._list),
      h("div.task", {}, h("div.leading", {}, this._hands.bar, this._lesson.bar), h("div.head", {}, h("div", {}, this._title, this._kind), h("div.row", {}, this._hands.button, this._own, this._stop, this._start)),
        this._hands.title, this.stage.element, this._prompt, this._gauge.element, this._hands.element, this._rule, this._plot, this._result, this._again.element),
      this._aside);
    live.addEventListener("attempt", (event) => this._again.open(event.detail));
    live.addEventListener("drill", (event) => this._state(event.detail));
    live.addEventListener("link", () => this._linkChanged());
  }

  async enter() {
    const [found, progress] = await Promise.all([get("/api/drills"), get("/api/progress")]);
    this._drills = found.drills;
    this._passed = new Set(Object.keys(progress.drills).filter((name) => progress.drills[name].passed));
    const due = new Set(progress.actions.filter((row) => row.is_due).map((row) => row.action));
    const sets = [...new Set(found.drills.map((drill) => drill.set_title))];
    this._list.replaceChildren(...sets.flatMap((title) => [h("h3", {}, title),
      ...found.drills.filter((drill) => drill.set_title === title).map((drill) => this._entry(drill, due, progress.drills[drill.name]))]),
    ...(found.errors.length ? [h("h3.bad", {}, t("practise.errors")), ...found.errors.map((error) => h("p.small", {}, error))] : []));
    if (!this._drill) this._choose(this._remembered() ?? found.drills.find((drill) => due.has(drill.actions.join("+"))) ?? found.drills[0]);
    this._mark();
    this._aside.prepend(this._showing.element); // a card's dialog may have it
    this._showHow();
    this._showing.start();
  }

  /** The drill that was chosen before the page was loaded again, and a word if it was running. */
  _remembered() {
    const kept = recallTable(CHOSEN, "sessionStorage");
    const drill = this._drills.find((each) => each.name === kept.name);
    if (drill && kept.running) this._interrupted = t("practise.reloaded");
    return drill;
  }

  _entry(drill, due, tried) {
    const score = tried ? h("span.tag", {}, tried.best.toFixed(0), tried.passed ? " ✓" : "") : null;
    const tag = due.has(drill.actions.join("+")) ? h("span.tag.due", {}, score ? [score, " "] : [], t("practise.due")) : score;
    return h("button", { type: "button", "data-drill": drill.name, onclick: () => this._choose(drill) }, h("span", {}, drill.title), tag ?? this._later(drill));
  }

  /** A word beside drills that the path has later; they may be chosen all the same. */
  _later(drill) {
    const first = drill.after.filter((name) => !this._passed.has(name)).map((name) => this._drills.find((each) => each.name === name)?.title ?? name);
    return first.length ? h("span.tag", { title: t("lesson.after", { titles: first.join(", ") }) }, t("lesson.later")) : null;
  }

  /** Chosen by hand: whatever runs ends. */
  _choose(drill) {
    this._lesson.stop();
    if (this._phase && this._phase !== "done") this.stop();
    this._result.replaceChildren();
    this._again.close();
    this._put(drill);
  }

  _put(drill) {
    this._drill = drill;
    this._title.textContent = drill.title;
    this._kind.textContent = [t(`kind.${drill.kind}`), drill.curve.length || drill.kind === "letters" ? "" : t("practise.level_of", { letter: drill.level }), drill.note].filter(Boolean).join(" · ");
    this._start.disabled = false;
    this._prompt.textContent = this._interrupted ?? t("practise.ready");
    this._interrupted = null;
    remember({ name: drill.name, running: false });
    this._rule.textContent = t("practise.rule", { score: drill.pass_score });
    this._gauge.aim(drill);
    this._hands.aim(drill);
    this._plot.hidden = !drill.curve.length;
    this._trail = [];
    if (drill.curve.length) this._drawPlot();
    const codes = drill.actions.map((code) => this._basics.cards.find((card) => card.code === code));
    this._cards.replaceChildren(...codes.filter(Boolean).map(cardElement));
    this._mark();
    this._showHow();
  }

  /** The drill on a face beside the learner's own. */
  _showHow() {
    if (this._drill) this._showing.aim(this._drill, (marks) => { this.stage.marks = marks; });
  }

  /** The chosen drill is the list's one stop for Tab; the arrows choose others. */
  _mark() {
    for (const button of this._list.querySelectorAll("button")) {
      const chosen = button.dataset.drill === this._drill?.name;
      button.setAttribute("aria-current", String(chosen));
      button.tabIndex = chosen ? 0 : -1;
    }
  }

  _listKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !event.target.dataset.drill) return;
    const buttons = [...this._list.querySelectorAll("button")];
    const at = buttons.indexOf(event.target);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (event.key === " ") this.key(" ");
    else if (buttons[to]) {
      buttons[to].click();
      buttons[to].focus();
    } else if (to === undefined) return;
    event.preventDefault();
  }

  /** A drill made in the page: it is sent whole. */
  _take(drill) {
    this._own_drill = drill;
    this._choose({ ...drill, set_title: "", targets: [], floor: this._letters.floor(drill.level), curve: drill.curve, note: "" });
    this.start();
  }

  /** A session chooses, begins and rests by itself. */
  _lessonState(state) {
    const drill = this._drills?.find((each) => each.name === state.drill);
    if (state.phase === "done") {
      this._setPhase("");
      this._result.replaceChildren(summaryPanel(state.summary));
      this._result.scrollIntoView({ block: "nearest" });
      this._prompt.textContent = "";
      this.enter();
      return;
    }
    if (!drill) return;
    if (drill.name !== this._drill.name || (state.phase === "drill" && this._phase === "rest")) this._put(drill);
    if (state.phase === "rest") {
      this._setPhase("rest");
      this._hands.rest(drill);
      this._prompt.textContent = t("lesson.rest", { title: drill.title, s: Math.ceil(state.rest_s) });
    } else if (this._phase === "rest" || this._phase === "") {
      this._result.replaceChildren();
      this._prompt.textContent = t("practise.settle");
      this._setPhase("settle");
    }
  }

  start() {
    if (!this._drill) return;
    const own = this._own_drill?.name === this._drill.name ? this._own_drill : null;
    this._hands.wake();
    if (this._hands.on && !own) { // nobody is at the keys: again and again, whenever the face rests
      this._lesson.begin(this._drill.name);
      return;
    }
    const what = own ? { drill: own } : { name: this._drill.name };
    this._live.send({ type: "drill-start", ...what, from_rest: this._hands.on });
    this._trail = [];
    this._result.replaceChildren();
    remember({ name: this._drill.name, running: true });
    this._prompt.textContent = t("practise.settle");
    this._setPhase("settle");
  }

  stop() {
    if (this._lesson.running) {
      this._lesson.stop();
      return;
    }
    this._live.send({ type: "drill-stop" });
    remember({ name: this._drill.name, running: false });
    this._setPhase("");
    this._prompt.textContent = t("practise.ready");
  }

  _linkChanged() {
    if (this._live.connected || !this._phase || this._phase === "done") return;
    this._setPhase("");
    this._prompt.textContent = t("practise.cut");
  }

  _setPhase(phase) {
    if (phase === this._phase) return;
    this._phase = phase;
    if (phase === "settle") this._again.begin();
    const running = phase === "settle" || phase === "go";
    this._start.hidden = running || phase === "rest";
    this._stop.hidden = !running || this._lesson.running;
    this._start.firstChild.textContent = phase === "done" ? t("practise.again") : t("practise.start");
    this.element.dataset.phase = phase;
    document.body.classList.toggle("drilling", running);
  }

  _state(state) {
    if (!this._drill || state.drill !== this._drill.name || (this._phase === "rest" && state.phase !== "done")) return;
    this._setPhase(state.phase);
    this._again.aim(this._drill.targets);
    this._showing.follow(state.phase === "go" ? state.elapsed_s : null);
    this._gauge.draw(state, this._drill);
    this._hands.take(state, this._drill);
    this._prompt.textContent = this._words(state);
    if (this._drill.curve.length && state.phase !== "settle") {
      this._trail.push([state.elapsed_s, state.level]);
      this._drawPlot(state.elapsed_s);
    }
    if (state.phase === "done") this._show(state.result);
  }

  _words(state) {
    if (!state.face && state.phase !== "done") return t(state.held_s > 0 ? "practise.lost_hold" : "practise.lost");
    if (state.phase === "settle") return t(state.resting ? "practise.settle" : "practise.let_go");
    if (state.phase === "done") return t("practise.done");
    const drill = this._drill;
    if (drill.kind === "alternate") return `${t("practise.go")}: ${t("practise.turns", { n: state.onsets, of: drill.cycles * drill.actions.length })}`;
    if (state.step) return state.step.letter ? t("practise.letter", { letter: state.step.letter, s: state.held_s.toFixed(1), of: drill.hold_s }) : t("practise.maximum");
    if (drill.curve.length) return `${t("practise.go")}: ${t("practise.elapsed", { s: state.elapsed_s.toFixed(1), of: drill.curve.at(-1)[0] })}`;
    if (state.held_s > 0) return `${t("practise.hold")}: ${t("practise.held", { s: state.held_s.toFixed(1), of: drill.hold_s })}`;
    return `${t("practise.go")}: ${drill.actions.join("+")} ${drill.side === "both" ? "" : t(`mirror.your_${drill.side}`)}`;
  }

  _show(result) {
    remember({ name: this._drill.name, running: false });
    if (!result) {
      this._result.replaceChildren(h("p", {}, t("practise.no_score")));
      return;
    }
    announce(verdictText(result));
    this._result.replaceChildren(resultPanel(result));
  }

  _drawPlot(now = null) {
    const context = sharp(this._plot);
    const { clientWidth: width, clientHeight: height } = this._plot;
    const curve = this._drill.curve;
    const end = curve.at(-1)[0];
    const at = ([seconds, level]) => [(seconds / end) * width, height - 10 - level * (height - 20)];
    context.lineJoin = "round";
    context.strokeStyle = colour("--edge");
    context.lineWidth = 9;
    line(context, curve.map(at));
    context.strokeStyle = colour("--right");
    context.lineWidth = 3;
    line(context, this._trail.map(at));
    if (now === null) return;
    context.strokeStyle = colour("--ink");
    context.lineWidth = 1.5;
    line(context, [[at([now, 0])[0], 0], [at([now, 0])[0], height]]);
  }

  frame(frame) {
    this.stage.draw(frame);
    this._again.frame(frame);
  }

  key(key) {
    if (this._lesson.running && key === " ") this._lesson.next();
    else if (key === "s") { this._hands.wake(); this._lesson.begin(); }
    else if (key === "f") this._hands.toggle();
    else if (key === " ") (this._start.hidden ? this._stop : this._start).click();
    else if (key === "escape" && this._hands.on && !this._phase) this._hands.toggle();
    else if (key === "escape") this.stop();
    else if (key === "l") this._showing.toggleMarks();
    else return false;
    return true;
  }

  leave() {
    if (this._lesson.running || this._phase === "settle" || this._phase === "go") this.stop();
    this._showing.stop();
    this._again.close();
    this._hands.leave();
    this.stage.marks = [];
  }
}

const CHOSEN = "livefacs-mirror-drill";

function remember(drill) {
  keep(CHOSEN, JSON.stringify(drill), "sessionStorage");
}
