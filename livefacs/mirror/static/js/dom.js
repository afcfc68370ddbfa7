// Small things every view needs: elements, texts, calls.

let table = {};

export const loadTexts = (...names) => readTexts("texts.en.json", ...names);

/** These files alone: for a page that has none of the mirror's texts. */
export async function readTexts(...names) {
  table = Object.assign({}, ...(await Promise.all(names.map((name) => get(`/static/${name}`)))));
}

/** A text by its dotted path, with {name} filled in. */
export function t(path, values = {}) {
  const found = path.split(".").reduce((at, part) => at?.[part], table);
  if (typeof found !== "string") return found ?? path;
  return found.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
}

/** An element: h("p.soft", {id: "a", onclick: f}, "text", child). */
export function h(what, attributes = {}, ...children) {
  const [tag, ...classes] = what.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  return fill(element, attributes, children);
}

export function s(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

export function announce(text) {
  document.getElementById("announce").textContent = text;
}

/**
 * What the program answers; an error has its words where it refuses.
 *
 * @param {string} path
 * @param {RequestInit} [options]
 */
export async function ask(path, options) {
  const answer = await fetch(path, options);
  if (answer.ok) return answer;
  const { error } = await answer.json().catch(() => ({})); // no JSON: not this program's words
  throw new Error(error ?? answer.statusText);
}

/** Ask with a body: a table as JSON, a piece of a file as it is. */
export function askWith(path, body) {
  const isFile = body instanceof Blob;
  const headers = { "Content-Type": isFile ? "application/octet-stream" : "application/json" };
  return ask(path, { method: "POST", headers, body: isFile ? body : JSON.stringify(body) });
}

export async function get(path) {
  return (await ask(path)).json();
}

export async function post(path, body = {}) {
  return (await askWith(path, body)).json();
}

/** @param {Blob} blob @param {string} name to keep it under */
export function saveFile(blob, name) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** Kept in the browser; private windows refuse, and then it lasts until the page is closed or loaded again. */
export function keep(key, text, where = "localStorage") {
  try {
    if (text === null) window[where].removeItem(key);
    else window[where].setItem(key, text);
  } catch { /* as above */ }
}

/** @returns {string | null} */
export function recall(key, where = "localStorage") {
  try { return window[where].getItem(key); } catch { return null; }
}

/** What was kept as JSON; nothing where it cannot be read. */
export function recallTable(key, where = "localStorage") {
  try { return JSON.parse(recall(key, where) ?? "{}") ?? {}; } catch { return {}; }
}

/** A canvas that follows its size on screen; returns its 2D context in CSS pixels. */
export function sharp(canvas) {
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  const width = Math.max(1, Math.round(canvas.clientWidth * ratio));
  const height = Math.max(1, Math.round(canvas.clientHeight * ratio));
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
  return context;
}

export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** "AU12_L" as people say it: "AU 12, left side". */
export function channelWords(channel) {
  const [stem, side] = channel.split("_");
  const code = stem.replace(/^(AU|AD)/, "$1 ");
  return side ? t("side.words", { code, side: t(`side.${side}`) }) : code;
}

export function keyHint(key) {
  return h("kbd", { "aria-hidden": "true" }, key);
}
