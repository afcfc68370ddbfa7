// Small things every view needs: elements, texts, calls.

let table = {};

export async function loadTexts(...names) {
  const files = ["texts.en.json", ...names].map(async (name) => (await fetch(`/static/${name}`)).json());
  table = Object.assign({}, ...(await Promise.all(files)));
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

export async function get(path) {
  const answer = await fetch(path);
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error ?? answer.statusText);
  return body;
}

export async function post(path, body = {}) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.error ?? answer.statusText);
  return found;
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
