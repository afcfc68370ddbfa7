// The browser's camera: opened with what was chosen, its pictures encoded one at a time.

const MOST_SIDE = 2048;
const QUALITY = 0.85;
const OLDEST_MS = 1000;

/** What went wrong with a camera, as the key of its text. */
export function troubleFrom(error) {
  const keys = { NotAllowedError: "refused", SecurityError: "refused", NotFoundError: "none", NotReadableError: "taken", AbortError: "taken", OverconstrainedError: "unfit" };
  return keys[error?.name] ?? null;
}

export function hasCamera() {
  return window.isSecureContext && !!navigator.mediaDevices?.getUserMedia;
}

export async function listCameras() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.filter((device) => device.kind === "videoinput" && device.deviceId);
}

export class Capture {
  /** `onPicture(blob, ms)` takes what is encoded; `isWanted()` says whether anybody listens. */
  constructor(video, { onPicture, isWanted, onEnded }) {
    this.video = video;
    this.nSkipped = 0;
    this._onPicture = onPicture;
    this._isWanted = isWanted;
    this._onEnded = onEnded;
    this._stream = null;
    this._rateHz = 30;
    this._due = 0;
    this._isEncoding = false;
    this._canvas = document.createElement("canvas");
    this._context = this._canvas.getContext("2d", { alpha: false, desynchronized: true });
  }

  get isOpen() {
    return this._stream !== null;
  }

  /** Which way the camera looks, where it says so: "user" or "environment". */
  get facing() {
    return this._stream?.getVideoTracks()[0]?.getSettings().facingMode ?? "";
  }

  get deviceId() {
    return this._stream?.getVideoTracks()[0]?.getSettings().deviceId ?? "";
  }

  async open({ camera, width, height, rateHz }) {
    this.close();
    const way = camera === "user" || camera === "environment"
      ? { facingMode: { ideal: camera } } : { deviceId: { exact: camera } };
    const video = { ...way, width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: rateHz } };
    const stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
    this._stream = stream;
    this._rateHz = rateHz;
    stream.getVideoTracks()[0].addEventListener("ended", () => {
      if (stream === this._stream) this._onEnded();
    });
    this.video.srcObject = stream;
    await this.video.play();
    this._wait(stream);
  }

  close() {
    for (const track of this._stream?.getTracks() ?? []) track.stop();
    this._stream = this.video.srcObject = null;
  }

  _wait(stream) {
    const take = (now, about) => {
      if (stream !== this._stream) return;
      this._take(now, about?.captureTime);
      this._wait(stream);
    };
    if (this.video.requestVideoFrameCallback) this.video.requestVideoFrameCallback(take);
    else requestAnimationFrame((now) => take(now, null));
  }

  _take(now, capturedMs) {
    const { videoWidth, videoHeight } = this.video;
    const period = 1000 / this._rateHz;
    if (!videoWidth || !this._isWanted() || now < this._due - period / 2) return;
    this._due = Math.max(this._due + period, now);
    if (this._isEncoding) {
      this.nSkipped += 1;
      return;
    }
    // Browsers that do not tell when a picture was captured: when it came to the page.
    const told = performance.now() - capturedMs;
    const ms = told >= 0 && told < OLDEST_MS ? capturedMs : now;
    const scale = Math.min(1, MOST_SIDE / Math.max(videoWidth, videoHeight));
    const width = Math.round(videoWidth * scale), height = Math.round(videoHeight * scale);
    if (this._canvas.width !== width || this._canvas.height !== height) Object.assign(this._canvas, { width, height });
    this._context.drawImage(this.video, 0, 0, width, height);
    this._isEncoding = true;
    this._canvas.toBlob((blob) => {
      this._isEncoding = false;
      if (blob) this._onPicture(blob, ms);
    }, "image/jpeg", QUALITY);
  }
}
