// Sends pictures: the newest only, each with a ticket that came for the one before it.

const HEAD_BYTES = 16;
const MAGIC = 0x3143464c; // "LFC1", little-endian
const RETRY_MS = [300, 1000, 2000];

/** The talk with livefacs. `tell(state)` hears: connecting, sending, busy, away, outdated. */
export class Sender {
  constructor(tell) {
    this.tell = tell;
    this.latencyMs = NaN;
    this.nSent = 0;
    this.wishes = null; // what livefacs was asked for: width, height, rate_hz
    this._socket = null;
    this._ticket = null;
    this._waiting = null;
    this._isOpen = false;
    this._nTries = 0;
    this._timer = 0;
  }

  get isReady() {
    return this._socket?.readyState === WebSocket.OPEN && this._nTries === 0;
  }

  open() {
    this._isOpen = true;
    this._connect();
  }

  close() {
    this._isOpen = false;
    clearTimeout(this._timer);
    this._drop();
  }

  /** A picture as a JPEG blob, captured at `ms` of performance.now(). One that waits makes way. */
  async put(blob, ms) {
    const socket = this._socket, jpeg = await blob.arrayBuffer();
    if (socket !== this._socket) return;
    this._waiting = { jpeg, ms };
    this._flush();
  }

  _connect() {
    this._drop();
    this.tell("connecting");
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = this._socket = new WebSocket(`${scheme}://${location.host}/camera/live`);
    let isBusy = false;
    socket.binaryType = "arraybuffer";
    socket.onmessage = (event) => {
      const message = JSON.parse(event.data);
      if (message.type === "time") {
        socket.send(JSON.stringify({ type: "time", id: message.id, t: performance.now() }));
      } else if (message.type === "busy") {
        isBusy = true;
        this.tell("busy");
      } else if (message.type === "go") {
        this.wishes = message;
        this._nTries = 0;
        this._ticket = message.ticket;
        this.tell("sending");
        this._flush();
      } else if (message.type === "next") {
        this._ticket = message.ticket;
        const known = Number.isFinite(this.latencyMs);
        this.latencyMs = known ? 0.9 * this.latencyMs + 0.1 * message.latency_ms : message.latency_ms;
        this._flush();
      }
    };
    socket.onclose = () => {
      if (socket !== this._socket) return;
      this._drop();
      if (!isBusy) this.tell("away");
      this._again(isBusy);
    };
  }

  _again(isBusy) {
    const pause = isBusy ? RETRY_MS.at(-1) : RETRY_MS[Math.min(this._nTries, RETRY_MS.length - 1)];
    this._nTries += 1;
    this._timer = setTimeout(async () => {
      if (this._isOpen && !isBusy && await isOutdated()) this.tell("outdated");
      else if (this._isOpen) this._connect();
    }, pause);
  }

  _flush() {
    const socket = this._socket, waiting = this._waiting;
    if (this._ticket === null || !waiting || socket?.readyState !== WebSocket.OPEN) return;
    const message = new Uint8Array(HEAD_BYTES + waiting.jpeg.byteLength);
    const head = new DataView(message.buffer);
    head.setUint32(0, MAGIC, true);
    head.setUint32(4, this._ticket, true);
    head.setFloat64(8, waiting.ms, true);
    message.set(new Uint8Array(waiting.jpeg), HEAD_BYTES);
    this._ticket = this._waiting = null;
    socket.send(message);
    this.nSent += 1;
  }

  _drop() {
    const socket = this._socket;
    this._socket = this._ticket = this._waiting = null;
    this.latencyMs = NaN;
    socket?.close();
  }
}

/** True where livefacs answers, but takes this page's token no more. */
async function isOutdated() {
  try {
    return (await fetch(location.pathname, { cache: "no-store" })).status === 403;
  } catch {
    return false; // out of reach
  }
}
