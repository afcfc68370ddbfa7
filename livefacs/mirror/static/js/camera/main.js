// The camera page: start, stop, what is chosen, and what becomes of it.

import { announce, h, readTexts, s, t } from "../dom.js";
import { Capture, hasCamera, listCameras, troubleFrom } from "./capture.js";
import { Sender } from "./sender.js";

const SIZES = ["640×480", "1280×720", "1920×1080"];
const RATES = [15, 24, 25, 30, 60];
const KEPT = "livefacs-camera";

const page = { state: "idle", isOn: false, lock: null, before: { sent: 0, ms: 0 } };
const video = h("video", { muted: true, playsinline: true, "aria-label": "" });
video.muted = true; // the attribute alone does not count in a made element

const sender = new Sender((state) => {
  if (state === "outdated") stop("outdated");
  else show(state);
});
const capture = new Capture(video, {
  isWanted: () => page.isOn && sender.isReady,
  onPicture: (blob, ms) => { if (page.isOn) sender.put(blob, ms); },
  onEnded: () => stop("ended"),
});

function build() {
  const light = matchMedia("(prefers-color-scheme: light)");
  const dress = () => { document.documentElement.dataset.theme = light.matches ? "light" : "dark"; };
  light.addEventListener("change", dress);
  dress();
  const kept = recall();
  video.setAttribute("aria-label", t("camera.preview"));
  page.camera = h("select", { id: "which", onchange: change },
    h("option", { value: "user" }, t("camera.front")), h("option", { value: "environment" }, t("camera.back")));
  page.size = h("select", { id: "size", onchange: change }, ...SIZES.map((size) => h("option", { value: size }, size)));
  page.rate = h("select", { id: "rate", onchange: change }, ...RATES.map((rate) => h("option", { value: String(rate) }, t("camera.each", { n: rate }))));
  for (const [key, value] of Object.entries(kept)) if (page[key] && has(page[key], value)) page[key].value = value;
  if (!kept.rate) page.rate.value = "30";
  page.hasChosen = !!kept.size;
  page.button = h("button.main", { type: "button", id: "start", onclick: () => (page.isOn ? stop() : start()) }, t("camera.start"));
  page.status = h("p.state", { id: "state", "data-state": "idle" }, h("span.dot", { "aria-hidden": "true" }), h("span", {}, t("camera.idle")));
  page.trouble = h("p.trouble", { id: "trouble", role: "alert", hidden: true });
  page.empty = face();
  const fact = (id, name) => h("div", {}, h("dt", {}, t(name)), h("dd", { id }, "–"));
  document.getElementById("top").append(h("span.mark", {}, "livefacs ", h("i", {}, "camera")));
  document.getElementById("view").append(
    h("h1.unseen", {}, t("camera.title")),
    h("figure.seen", {}, video, page.empty),
    h("div.steer", {}, page.status, page.trouble, page.button,
      h("dl.facts", { "aria-label": t("camera.facts") },
        fact("sent", "camera.sent"), fact("latency", "camera.latency"), fact("pixels", "camera.pixels"), fact("skipped", "camera.skipped")),
      h("div.wishes", {}, labelled("camera.which", page.camera), labelled("camera.size", page.size), labelled("camera.rate", page.rate)),
      h("p.soft.small", {}, t("wakeLock" in navigator ? "camera.keepsOn" : "camera.goesOff"))));
  video.addEventListener("resize", () => {
    if (video.videoWidth) video.parentElement.style.setProperty("--ratio", String(video.videoWidth / video.videoHeight));
  });
  if (!hasCamera()) {
    complain(t("camera.insecure"));
    page.button.disabled = true;
  }
}

const labelled = (name, control) => h("label", {}, t(name), control);
const has = (select, value) => [...select.options].some((option) => option.value === value);

function face() {
  return s("svg", { viewBox: "0 0 64 64", fill: "none", stroke: "currentColor", "stroke-width": 2.4, "stroke-linecap": "round", "aria-hidden": "true" },
    s("path", { d: "M32 6c13 0 19 10 19 24S43 58 32 58 13 44 13 30 19 6 32 6Z" }), s("path", { d: "M21 24q4-3 8 0M35 24q4-3 8 0M24 43q8 6 16 0M25 31h.1M39 31h.1M32 31v6" }));
}

async function start() {
  complain("");
  page.isOn = true;
  page.button.textContent = t("camera.stop");
  if (await openCamera()) sender.open();
}

function stop(why = "") {
  page.isOn = false;
  sender.close();
  capture.close();
  page.lock?.release();
  page.lock = null;
  page.empty.removeAttribute("hidden");
  page.button.textContent = t("camera.start");
  if (why) complain(t(`camera.${why}`));
  show(why ? "idle" : "stopped");
}

async function openCamera() {
  show("starting");
  const [width, height] = page.size.value.split("×").map(Number);
  try {
    await capture.open({ camera: page.camera.value, width, height, rateHz: Number(page.rate.value) });
  } catch (error) {
    if (!page.isOn) return false;
    stop();
    const key = troubleFrom(error);
    complain(key ? t(`camera.${key}`) : t("camera.failed", { why: String(error?.message ?? error) }));
    show("idle");
    return false;
  }
  if (!page.isOn) { // stopped while the camera was asked for
    capture.close();
    return false;
  }
  page.empty.setAttribute("hidden", "");
  video.classList.toggle("mirrored", capture.facing !== "environment");
  await nameCameras();
  await keepOn();
  return true;
}

/** Names are told once the camera was allowed. */
async function nameCameras() {
  const devices = await listCameras();
  if (devices.length < 2) return;
  devices.forEach((device, i) => {
    if (!has(page.camera, device.deviceId)) page.camera.append(h("option", { value: device.deviceId }, device.label || t("camera.unnamed", { n: i + 1 })));
  });
}

async function keepOn() {
  try {
    page.lock = (await navigator.wakeLock?.request("screen")) ?? null;
  } catch {
    page.lock = null; // a low battery refuses it
  }
}

async function change() {
  page.hasChosen = true;
  try { localStorage.setItem(KEPT, JSON.stringify({ size: page.size.value, rate: page.rate.value })); } catch { /* private windows refuse: kept until the page closes */ }
  if (page.isOn && await openCamera()) show(sender.isReady ? "sending" : "connecting");
}

function recall() {
  try { return JSON.parse(localStorage.getItem(KEPT) ?? "{}") ?? {}; } catch { return {}; }
}

/** What livefacs was asked for, unless something else was chosen here. */
function adopt(wishes) {
  const size = `${wishes.width}×${wishes.height}`, rate = String(wishes.rate_hz);
  if (!has(page.size, size)) page.size.append(h("option", { value: size }, t("camera.asked", { size })));
  if (!has(page.rate, rate)) page.rate.append(h("option", { value: rate }, rate));
  if (page.hasChosen || (page.size.value === size && page.rate.value === rate)) return;
  [page.size.value, page.rate.value, page.hasChosen] = [size, rate, true];
  openCamera().then((isOpen) => { if (isOpen) show("sending"); });
}

function show(state) {
  if (state === "sending" && sender.wishes) adopt(sender.wishes);
  if (state === page.state) return;
  page.state = page.status.dataset.state = state;
  page.status.lastChild.textContent = t(`camera.${state}`);
  announce(t(`camera.${state}`));
}

function complain(text) {
  page.trouble.hidden = !text;
  page.trouble.textContent = text;
}

function tellFacts() {
  const now = performance.now(), { sent, ms } = page.before;
  const rate = (sender.nSent - sent) / Math.max(now - ms, 1) * 1000;
  page.before = { sent: sender.nSent, ms: now };
  const isSending = page.isOn && page.state === "sending";
  const write = (id, text) => { document.getElementById(id).textContent = isSending ? text : "–"; };
  write("sent", rate.toFixed(0));
  write("latency", Number.isFinite(sender.latencyMs) ? `${sender.latencyMs.toFixed(0)} ms` : "–");
  write("pixels", `${video.videoWidth}×${video.videoHeight}`);
  write("skipped", String(capture.nSkipped));
}

/** A page in the background gets no pictures: it leaves its place, and comes back. */
async function look() {
  if (!page.isOn) return;
  if (document.hidden) {
    sender.close();
    show("paused");
  } else {
    await keepOn();
    sender.open();
  }
}

await readTexts("camera.en.json");
build();
setInterval(tellFacts, 1000);
document.addEventListener("visibilitychange", look);
window.addEventListener("pagehide", () => sender.close());
document.body.dataset.ready = "yes";
Object.assign(window, { camera: { sender, capture, page } }); // for tests and curious people
