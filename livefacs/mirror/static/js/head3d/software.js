// Whether there is a graphics card.

/** @type {boolean | null} */
let software = null;

/** @returns {boolean} true without a graphics card: smooth edges would cost more than they give */
export function isSoftware() {
  software ??= asksForSoftware();
  return software;
}

/** Asked once a page: it takes a context of WebGL, of which a browser has few. */
function asksForSoftware() {
  const gl = document.createElement("canvas").getContext("webgl2");
  const info = gl?.getExtension("WEBGL_debug_renderer_info");
  const name = info ? String(gl?.getParameter(info.UNMASKED_RENDERER_WEBGL)) : "";
  gl?.getExtension("WEBGL_lose_context")?.loseContext();
  return /swiftshader|llvmpipe|software/i.test(name);
}
