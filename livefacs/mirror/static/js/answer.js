// The line of codes: checked while it is typed, by the server's own parser.

import { h, t, post } from "./dom.js";

export class AnswerForm {
  constructor(onSubmit, buttonText) {
    this._pack = null;
    this._asked = 0;
    this.ok = true;
    this._check = h("p.check.small", { id: "answer-check", role: "status" });
    this._input = h("input.answer", { id: "answer", type: "text", autocomplete: "off", autocapitalize: "characters", spellcheck: "false", maxlength: 400, "aria-describedby": "answer-check answer-help", oninput: () => this._changed() });
    this._help = h("p.soft.small", { id: "answer-help" });
    this.submit = h("button.main", { type: "submit" }, buttonText);
    this.element = h("form.stack", { onsubmit: (event) => { event.preventDefault(); if (this.ok) onSubmit(this.line); } },
      h("label", { for: "answer" }, t("code.answer")), this._input, this._check, this._help, h("div.row", {}, this.submit));
    this._say("", true);
  }

  get line() {
    return this._input.value.trim();
  }

  /** @param {string} pack whose parser reads the line @param {string[]} [codes] of its own scheme, which are coded by presence */
  reset(pack, codes = []) {
    this._pack = pack;
    this._input.placeholder = codes.length ? codes.slice(0, 2).join("+") : "1C+2C+5B";
    this._help.textContent = codes.length ? t("code.example_scheme", { codes: this._input.placeholder }) : t("code.example");
    this._input.value = "";
    this._say("", true);
    this._input.focus({ preventScroll: true });
  }

  async _changed() {
    const asked = (this._asked += 1);
    if (!this.line) return this._say("", true);
    const found = await post(`/api/packs/${encodeURIComponent(this._pack)}/check`, { line: this.line });
    if (asked !== this._asked) return undefined;
    return found.ok ? this._say([t("code.reads", { codes: found.codes.join(" + ") }), ...found.doubts].join("; "), true) : this._say(found.error, false);
  }

  _say(text, ok) {
    this.ok = ok;
    this._check.textContent = text || t("code.empty");
    this._check.classList.toggle("bad", !ok);
    this._check.classList.toggle("soft", ok);
    this._input.setAttribute("aria-invalid", String(!ok));
    this.submit.disabled = !ok;
  }
}
