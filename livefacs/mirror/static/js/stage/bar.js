// The session in one bar: camera, profile, neutral, filter, stream, record, marker.

import { announce, get, h, post, t } from "../dom.js";

// The filter from steady to immediate: cutoff at rest, Hz, and its rise with speed.
const FILTERS = [[0.4, 0.8], [0.6, 1.2], [1, 2], [2, 4], [4, 8], [0, 0]];
const LOOK_MS = 1000;

export class Bar {
  /** @param {(session: any) => void} onSession */
  constructor(onSession) {
    this._onSession = onSession;
    /** @type {any} */
    this.session = { running: false };
    this._stream = h("button", { type: "button", "aria-pressed": "true", "data-act": "stream", onclick: () => this._command(this.session.streaming ? "stop" : "start") }, t("stage.bar.stream_on"));
    this._record = h("button.record", { type: "button", "aria-pressed": "false", onclick: () => this.record() }, t("stage.bar.record"));
    this._slate = /** @type {HTMLInputElement} */ (h("input", { type: "text", id: "slate", maxlength: 60 }));
    this._slate.addEventListener("change", () => this._command("slate", [this._slate.value]));
    this._number = /** @type {HTMLInputElement} */ (h("input.number", { type: "number", id: "take-number", min: 0, max: 999999, step: 1 }));
    this._number.addEventListener("change", () => this._command("take", [Math.round(Number(this._number.value))]));
    this._label = /** @type {HTMLInputElement} */ (h("input", { type: "text", id: "mark-label", maxlength: 60, placeholder: t("stage.bar.mark_label") }));
    this._label.addEventListener("keydown", (event) => { if (event.key === "Enter") this.mark(); });
    this._filter = /** @type {HTMLInputElement} */ (h("input", { type: "range", id: "filter", min: 0, max: FILTERS.length - 1, step: 1, value: 2 }));
    this._filter.addEventListener("change", () => this._setFilter());
    this._delay = h("span.small.soft", {}, "");
    this._camera = h("button", { type: "button", onclick: () => this._chooseCamera() }, t("stage.bar.camera"));
    this._profile = /** @type {HTMLSelectElement} */ (h("select", { id: "profile" }));
    this._profile.addEventListener("change", () => this._choose("profile", this._profile.value));
    this._demo = h("p.demo.small.soft", { hidden: true }, t("stage.bar.demo"));
    this._words = h("span.small", { role: "status" }, "");
    this._choices = h("span.row", { hidden: true }, this._camera, h("label", {}, t("stage.bar.profile"), this._profile));
    this.element = h("section.bar", { "aria-label": t("stage.bar.label") }, this._choices, h("a.button", { href: "/?from=stage#profiles" }, t("stage.bar.calibrate")),
      h("button", { type: "button", "data-act": "neutral", onclick: () => this._command("neutral") }, t("stage.bar.neutral")), this._stream,
      h("label.slate", { for: "slate" }, t("stage.bar.slate"), this._slate), h("label.take", { for: "take-number" }, t("stage.bar.take"), this._number), this._record,
      h("span.marker", {}, h("label.slate", { for: "mark-label" }, t("stage.bar.mark_as"), this._label), h("button", { type: "button", "data-act": "mark", onclick: () => this.mark() }, t("stage.bar.mark"))),
      h("div.filter", {}, h("label", { for: "filter" }, t("stage.bar.filter"), " ", this._delay), this._filter, h("div.ends", { "aria-hidden": "true" }, h("span", {}, t("stage.bar.steady")), h("span", {}, t("stage.bar.even")), h("span", {}, t("stage.bar.immediate")))),
      this._words, this._demo);
    this._look();
    setInterval(() => this._look(), LOOK_MS);
    this._loadChoices();
  }

  async _loadChoices() {
    const choices = await get("/api/stage/choices");
    if (!choices.sources) return;
    this._sources = choices.sources;
    this._source = choices.source;
    this._profile.replaceChildren(...choices.profiles.map((/** @type {string} */ name) => h("option", { value: name, selected: name === choices.profile }, name)));
    this._choices.hidden = false;
  }

  async _look() {
    try {
      this.note(await get("/api/stage/session"));
    } catch { /* the page tells that the link is lost */ }
  }

  /** @param {any} session */
  note(session) {
    this.session = session;
    this._onSession(session);
    if (!session.running) { this._words.textContent = t("stage.bar.off"); return; }
    this._stream.setAttribute("aria-pressed", String(session.streaming));
    this._stream.textContent = t(session.streaming ? "stage.bar.stream_on" : "stage.bar.stream_off");
    this._record.setAttribute("aria-pressed", String(session.recording));
    this._record.textContent = t(session.recording ? "stage.bar.finish" : "stage.bar.record");
    if (document.activeElement !== this._slate) this._slate.value = session.slate ?? "";
    if (document.activeElement !== this._number) this._number.value = session.take ?? "";
    this._words.textContent = session.recording_failure ? t("stage.bar.failed", { why: session.recording_failure }) : session.recording ? t("stage.bar.recording", { slate: session.slate ?? "" }) : this._told ?? "";
    this._demo.hidden = !session.is_demo;
    if (session.filter && document.activeElement !== this._filter) {
      const off = FILTERS.map(([hz]) => Math.abs(Math.log((hz || 60) / (session.filter.cutoff_hz || 60))));
      this._filter.value = String(off.indexOf(Math.min(...off)));
    }
    if (session.filter) this._delay.textContent = t("stage.bar.delay", { ms: delayMs(session.filter.cutoff_hz) });
  }

  /** @param {string} notice what the program says of its source: that the performer stands in, say */
  tellNotice(notice) {
    this._demo.textContent = notice || t("stage.bar.demo");
  }

  /** @param {string} word @param {unknown[]} [words] */
  async _command(word, words = []) {
    try {
      const { reply } = await post(`/api/command/${word}`, { arguments: words });
      this._told = "";
      announce(`${word}: ${reply}`);
    } catch (error) {
      this._told = /** @type {Error} */ (error).message;
    }
    await this._look();
  }

  record() {
    return this.session.recording ? this._command("finish") : this._command("record", this._slate.value ? [this._slate.value] : []);
  }

  mark() {
    return this._command("mark", this._label.value.trim() ? [this._label.value.trim()] : []);
  }

  neutral() {
    return this._command("neutral");
  }

  async _setFilter() {
    const [cutoff_hz, beta] = FILTERS[Number(this._filter.value)];
    await post("/api/stage/filter", { cutoff_hz, beta });
    this._filter.blur();
    await this._look();
  }

  /** @param {string} kind @param {string} name */
  async _choose(kind, name) {
    try {
      await post("/api/stage/choose", { kind, name });
      if (kind === "source") this._source = name;
    } catch (error) {
      this._told = /** @type {Error} */ (error).message;
    }
  }

  _chooseCamera() {
    const dialog = /** @type {HTMLDialogElement} */ (h("dialog", { "aria-label": t("stage.bar.choose"), onclose: () => dialog.remove() }, h("h2", {}, t("stage.bar.choose")),
      h("div.stills", {}, (this._sources ?? []).map((/** @type {{spec: string, name: string}} */ each) => {
        const none = h("span.soft", {}, t("stage.bar.no_still"));
        const isPage = each.spec.startsWith("browser"); // its camera opens when it is started there
        const image = isPage ? none : h("img", { alt: "", src: `/api/stage/still?source=${encodeURIComponent(each.spec)}` });
        image.addEventListener("error", () => image.replaceWith(none));
        return h("button", { type: "button", "aria-pressed": String(each.spec === this._source), onclick: () => { this._choose("source", each.spec); dialog.close(); } }, image, each.name);
      })), h("button", { type: "button", onclick: () => dialog.close() }, t("stage.bar.close"))));
    document.body.append(dialog);
    dialog.showModal();
  }
}

/** @param {number} cutoffHz @returns {string} what a first-order low-pass delays slow motion by */
function delayMs(cutoffHz) {
  return cutoffHz > 0 ? (1000 / (2 * Math.PI * cutoffHz)).toFixed(0) : "0";
}
