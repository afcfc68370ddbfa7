// The live stream: one WebSocket, binary frames, the newest only. Layout: mirror/packets.py.

const HEADER = 80;
const KEPT_MS = 10000;
const RESTART_MS = 1000; // a longer step back in time is another session

const HEALTH = ["no_face", "held", "uncalibrated", "out_of_range", "side_hidden", "frames_skipped", "late", "recorder_late"];
const HINTS = ["dark", "far", "turned", "at_border", "several"];

export class Live extends EventTarget {
  constructor(path = "/live") {
    super();
    this._path = path;
    this.frame = null;
    this.history = [];
    this.rigs = [];
    this.state = null;
    this.connected = false;
    this.latencyMs = NaN;
    this.drawn = 0;
    this._offsets = [];
    this._wait = 250;
    this._connect();
    setInterval(() => this._askClock(), 1000);
  }

  send(message) {
    if (this._socket?.readyState === WebSocket.OPEN) this._socket.send(JSON.stringify(message));
  }

  _connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}${this._path}`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.connected = true;
      this._wait = 250;
      this._offsets = [];
      this._askClock();
      this._tell("link");
    };
    socket.onmessage = (event) => {
      if (typeof event.data === "string") this._takeText(JSON.parse(event.data));
      else this._takeFrame(event.data);
    };
    socket.onclose = () => {
      this.connected = false;
      this._tell("link");
      setTimeout(() => this._connect(), this._wait);
      this._wait = Math.min(this._wait * 1.6, 3000);
    };
    this._socket = socket;
  }

  _takeText(message) {
    if (message.type === "clock") this._noteClock(message);
    else if (message.type === "rigs") this.rigs = message.rigs;
    else if (message.type === "state") {
      if (this.state && this.state.server !== message.server) this.history = [];
      this.state = message;
    }
    this._tell(message.type, message);
  }

  async _takeFrame(buffer) {
    const frame = read(buffer, this.rigs);
    if (frame === null) return;
    try {
      frame.bitmap = await picture(frame);
    } catch {
      frame.bitmap = null;
    }
    requestAnimationFrame(() => this._draw(frame));
  }

  _draw(frame) {
    if (this._isOvertaken(frame)) {
      frame.bitmap?.close();
      this.send({ type: "ack", i_frame: frame.iFrame });
      return;
    }
    this.frame?.bitmap?.close();
    this.frame = frame;
    this.drawn += 1;
    this._keep(frame);
    this._tell("frame", frame);
    this._noteLatency(frame);
    this.send({ type: "ack", i_frame: frame.iFrame });
  }

  /** Pictures are decoded side by side: a later frame may be ready before an earlier one. */
  _isOvertaken(frame) {
    const ahead = (this.frame?.tMs ?? -Infinity) - frame.tMs;
    return ahead >= 0 && ahead < RESTART_MS;
  }

  _keep(frame) {
    const history = this.history;
    if (history.length && frame.tMs <= history[history.length - 1].tMs) history.length = 0;
    history.push({ ...frame, bitmap: null });
    while (history.length && history[0].tMs < frame.tMs - KEPT_MS) history.shift();
  }

  _askClock() {
    this.send({ type: "clock", page_ms: performance.now() });
  }

  _noteClock({ page_ms, server_ms }) {
    const now = performance.now();
    this._offsets.push({ rtt: now - page_ms, offset: server_ms - (now + page_ms) / 2 });
    if (this._offsets.length > 8) this._offsets.shift();
  }

  _noteLatency(frame) {
    if (!this._offsets.length) return;
    const best = this._offsets.reduce((a, b) => (b.rtt < a.rtt ? b : a));
    const since = performance.now() + best.offset - frame.arrivedMs;
    const latency = since + (Number.isFinite(frame.ageMs) ? frame.ageMs : 0);
    this.latencyMs = Number.isFinite(this.latencyMs) ? this.latencyMs + 0.1 * (latency - this.latencyMs) : latency;
  }

  _tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function read(buffer, rigs) {
  const view = new DataView(buffer);
  if (buffer.byteLength < HEADER || view.getUint32(0) !== 0x4c464d31) return null;
  const u32 = (at) => view.getUint32(at, true);
  const f32 = (at) => view.getFloat32(at, true);
  const [nChannels, nPoints, nControls, nJpeg] = [u32(20), u32(24), u32(28), u32(76)];
  let at = HEADER;
  const floats = (n) => {
    const values = new Float32Array(buffer, at, n);
    at += 4 * n;
    return values;
  };
  const frame = {
    iFrame: u32(4), health: u32(8), hints: u32(12),
    width: view.getUint16(16, true), height: view.getUint16(18, true),
    tMs: view.getFloat64(32, true), arrivedMs: view.getFloat64(40, true),
    ageMs: f32(48), rateHz: f32(52),
    head: { yaw: f32(56), pitch: f32(60), roll: f32(64) },
    gaze: { yaw: f32(68), pitch: f32(72) },
    intensity: floats(nChannels), confidence: floats(nChannels),
    points: floats(2 * nPoints),
  };
  frame.rigs = controls(floats(nControls), rigs);
  frame.jpeg = new Uint8Array(buffer, at, nJpeg);
  return frame;
}

function controls(values, rigs) {
  const found = {};
  let at = 0;
  for (const rig of rigs) {
    if (at + rig.controls.length > values.length) break;
    found[rig.name] = { names: rig.controls, values: values.subarray(at, at + rig.controls.length) };
    at += rig.controls.length;
  }
  return found;
}

export function picture(frame) {
  if (!frame.jpeg.length) return null;
  return createImageBitmap(new Blob([frame.jpeg], { type: "image/jpeg" }));
}

/** Health and hints of a frame in keys of the "health" texts, worst first. */
export function healthKeys(frame) {
  const flags = HEALTH.filter((_, bit) => frame.health & (1 << bit));
  const hints = HINTS.filter((_, bit) => frame.hints & (1 << bit));
  return [...flags.filter((k) => k === "no_face"), ...hints, ...flags.filter((k) => k !== "no_face" && k !== "frames_skipped")];
}
