// Tones and spoken prompts for those who cannot look at the page, made by the browser itself.

/** @type {Record<string, number[]>} hertz, one after the other */
const TUNES = { step: [523, 698], reached: [660], lost: [330], passed: [523, 659, 784], failed: [392, 294] };
const NOTE_S = 0.14;
const LOUDNESS = 0.16;

export class Tones {
  constructor() {
    this.on = true;
    /** @type {AudioContext | null} */
    this._context = null;
  }

  /** Browsers let a page sound once something was pressed in it. */
  wake() {
    if (!("AudioContext" in window)) return;
    this._context ??= new AudioContext();
    if (this._context.state === "suspended") this._context.resume();
  }

  /** @param {string} name step, reached, lost, passed or failed */
  play(name) {
    if (!this.on || !this._context) return;
    TUNES[name].forEach((hertz, i) => this._note(hertz, i * NOTE_S));
  }

  _note(hertz, after) {
    const context = this._context;
    const from = context.currentTime + after;
    const voice = context.createOscillator();
    const gain = context.createGain();
    voice.frequency.value = hertz;
    gain.gain.setValueAtTime(0, from);
    gain.gain.linearRampToValueAtTime(LOUDNESS, from + 0.015);
    gain.gain.exponentialRampToValueAtTime(0.001, from + NOTE_S);
    voice.connect(gain).connect(context.destination);
    voice.start(from);
    voice.stop(from + NOTE_S);
  }
}

export class Voice {
  constructor() {
    this.on = false;
  }

  /** @returns {boolean} the browser can speak */
  static get isThere() {
    return "speechSynthesis" in window;
  }

  /**
   * @param {string} text
   * @param {boolean} after what is being said, not in its place
   */
  say(text, after = false) {
    if (!this.on || !Voice.isThere || !text) return;
    if (!after) speechSynthesis.cancel();
    const said = new SpeechSynthesisUtterance(text);
    said.lang = "en";
    speechSynthesis.speak(said);
  }

  hush() {
    if (Voice.isThere) speechSynthesis.cancel();
  }
}
