// WebGL 2: draws a character, seen by a camera that goes round it.

import { identity, multiply, perspective } from "./matrix.js";
import { shaders } from "./shaders.js";
import { isSoftware } from "./software.js";

/** @typedef {import("./character.js").Character} Character */
/** @typedef {import("./character.js").Surface} Surface */
/** @typedef {import("./gltf.js").Material} Material */
/** @typedef {{program: WebGLProgram, at: Record<string, WebGLUniformLocation | null>}} Program */
/** @typedef {{vao: WebGLVertexArrayObject, positions: WebGLBuffer, normals: WebGLBuffer, count: number, version: number, surface: Surface, node: number, skin: number}} Drawn */

/** @type {Record<string, number>} */
const KINDS = { skin: 1, eye: 2, mouth: 3, hair: 4 };
const LARGEST_TEXTURE = 2048;

export class Renderer {
  /**
   * @param {HTMLCanvasElement} canvas
   * @throws {Error} where the browser has no WebGL 2
   */
  constructor(canvas) {
    const gl = canvas.getContext("webgl2", { antialias: !isSoftware(), alpha: false });
    if (!gl) throw new Error("no WebGL 2");
    this.canvas = canvas;
    this.gl = gl;
    this.orbit = { yaw: 0, pitch: 0, distance: 0.62, centre: [0, 0, 0] };
    this.mirrored = false;
    /** @type {[number, number, number]} sRGB, 0..1 */
    this.background = [0.08, 0.07, 0.06];
    /** @type {[number, number]} */
    this.fadeFrom = [0, 0];
    /** @type {Character | null} */
    this.character = null;
    /** @type {Drawn[]} */
    this._drawn = [];
    /** @type {(WebGLTexture | null)[]} */
    this._textures = [];
    /** @type {Map<string, Program>} */
    this._programs = new Map();
    this._stale = true;
    this._restore();
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => { this._restore(); if (this.character) this.show(this.character); });
  }

  _restore() {
    const { gl } = this;
    this._programs.clear();
    this._jointTexture = gl.createTexture();
    gl.vertexAttrib4f(2, 1, 1, 1, 1); // where a surface has no colours, and no joints
    gl.vertexAttribI4ui(4, 0, 0, 0, 0);
    this._white = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, this._white);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 1, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array([255, 255, 255, 255]));
  }

  /** @param {Character} character shown from now on, framed at its head */
  show(character) {
    this._forget();
    this.character = character;
    const { model } = character;
    model.nodes.forEach((node, i) => {
      if (node.mesh < 0) return;
      character.surfaces[node.mesh].forEach((surface) => this._drawn.push(this._upload(surface, i, node.skin)));
    });
    // The largest first, which hides most of the others; what one sees through last, in the file's order.
    const rank = (/** @type {Drawn} */ drawn) => (this._blends(drawn) ? 1 : -drawn.count);
    this._drawn.sort((a, b) => rank(a) - rank(b));
    model.images.forEach((blob, i) => { this._textures[i] = null; if (blob) this._load(blob, i, character); });
    this._stale = true;
  }

  /** @param {Drawn} drawn @returns {boolean} */
  _blends(drawn) {
    return this._materialOf(drawn)?.alphaMode === "BLEND";
  }

  _forget() {
    const { gl } = this;
    for (const each of this._drawn) { gl.deleteVertexArray(each.vao); gl.deleteBuffer(each.positions); gl.deleteBuffer(each.normals); }
    for (const texture of this._textures) gl.deleteTexture(texture);
    this._drawn = [];
    this._textures = [];
  }

  /**
   * @param {Surface} surface
   * @param {number} node
   * @param {number} skin
   * @returns {Drawn}
   */
  _upload(surface, node, skin) {
    const { gl } = this;
    const { primitive } = surface;
    const vao = gl.createVertexArray();
    gl.bindVertexArray(vao);
    const positions = attribute(gl, 0, surface.positions, 3, gl.DYNAMIC_DRAW);
    const normals = attribute(gl, 1, surface.normals, 3, gl.DYNAMIC_DRAW);
    if (primitive.colours) attribute(gl, 2, primitive.colours, 4, gl.STATIC_DRAW);
    if (primitive.uvs) attribute(gl, 3, primitive.uvs, 2, gl.STATIC_DRAW);
    if (primitive.joints && primitive.weights && skin >= 0) {
      gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
      gl.bufferData(gl.ARRAY_BUFFER, primitive.joints, gl.STATIC_DRAW);
      gl.enableVertexAttribArray(4);
      gl.vertexAttribIPointer(4, 4, gl.UNSIGNED_SHORT, 0, 0);
      attribute(gl, 5, primitive.weights, 4, gl.STATIC_DRAW);
    }
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, primitive.indices, gl.STATIC_DRAW);
    gl.bindVertexArray(null);
    return { vao, positions, normals, count: primitive.indices.length, version: surface.version, surface, node, skin: primitive.joints ? skin : -1 };
  }

  /** @param {Blob} blob @param {number} i @param {Character} character */
  async _load(blob, i, character) {
    /** @type {ImageBitmap} */
    let bitmap;
    try {
      bitmap = await createImageBitmap(blob);
      const scale = LARGEST_TEXTURE / Math.max(bitmap.width, bitmap.height);
      if (scale < 1) bitmap = await createImageBitmap(bitmap, { resizeWidth: Math.round(bitmap.width * scale), resizeHeight: Math.round(bitmap.height * scale) });
    } catch {
      return; // a picture that the browser cannot read: the part stays plain
    }
    if (this.character !== character) return;
    const { gl } = this;
    const texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, bitmap);
    gl.generateMipmap(gl.TEXTURE_2D);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_LINEAR);
    bitmap.close();
    this._textures[i] = texture;
    this._stale = true;
  }

  /** Something about the view changed: draw again even where the face did not move. */
  invalidate() {
    this._stale = true;
  }

  /** Draw if anything changed. @returns {boolean} true where it was drawn */
  draw() {
    const { gl, canvas, character, orbit } = this;
    if (!character || gl.isContextLost()) return false;
    const resized = fit(canvas, isSoftware() ? 1 : 2);
    const moved = character.update();
    if (!moved && !this._stale && !resized) return false;
    this._stale = false;
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(...this.background, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.enable(gl.DEPTH_TEST);
    gl.frontFace(this.mirrored ? gl.CW : gl.CCW);
    const projection = perspective(0.42, canvas.width / canvas.height || 1, orbit.distance / 50, orbit.distance * 20);
    if (this.mirrored) for (const k of [0, 4, 8, 12]) projection[k] = -projection[k];
    const view = this._view();
    /** @type {Program | null} */
    let used = null;
    for (const drawn of this._drawn) {
      const program = this._programFor(drawn);
      if (program !== used) this._use(program, projection, view);
      used = program;
      this._drawOne(drawn, character, program.at);
    }
    gl.bindVertexArray(null);
    return true;
  }

  /** @param {Drawn} drawn @returns {Program} made when a surface first needs it */
  _programFor(drawn) {
    const material = this._materialOf(drawn);
    const kind = this.character?.model.kind === "glTF" ? KINDS[material?.name ?? ""] ?? 0 : 0;
    const needs = {
      kind,
      dense: isSoftware() && kind > 0 && !this._textures[material?.texture ?? -1],
      skinned: drawn.skin >= 0,
      textured: Boolean(material && this._textures[material.texture]),
      holed: material?.alphaMode === "MASK" || material?.alphaMode === "BLEND",
      twoSided: Boolean(material?.doubleSided),
      fading: this.fadeFrom[1] > this.fadeFrom[0],
    };
    const key = Object.values(needs).join();
    let found = this._programs.get(key);
    if (!found) {
      const { vertex, fragment } = shaders(needs);
      const program = link(this.gl, vertex, fragment);
      found = { program, at: uniforms(this.gl, program) };
      this._programs.set(key, found);
    }
    return found;
  }

  /** @param {Drawn} drawn @returns {Material | undefined} */
  _materialOf(drawn) {
    return this.character?.model.materials[drawn.surface.primitive.material];
  }

  /** @param {Program} used @param {import("./matrix.js").Mat4} projection @param {import("./matrix.js").Mat4} view */
  _use({ program, at }, projection, view) {
    const { gl } = this;
    gl.useProgram(program);
    gl.uniformMatrix4fv(at.projection, false, projection);
    gl.uniformMatrix4fv(at.view, false, view);
    gl.uniform1f(at.mirror, this.mirrored ? -1 : 1);
    gl.uniform3fv(at.fade, this.background);
    gl.uniform2fv(at.fadeFrom, this.fadeFrom);
    gl.uniform1i(at.jointMatrices, 1);
    gl.uniform1i(at.picture, 0);
  }

  /** @returns {import("./matrix.js").Mat4} */
  _view() {
    const { yaw, pitch, distance, centre } = this.orbit;
    const turn = yaw + (this.character?.model.facesAway ? Math.PI : 0);
    const [cy, sy, cp, sp] = [Math.cos(turn), Math.sin(turn), Math.cos(pitch), Math.sin(pitch)];
    const rotation = new Float32Array([cy, sp * sy, -cp * sy, 0, 0, cp, sp, 0, sy, -sp * cy, cp * cy, 0, 0, 0, -distance, 1]);
    const shift = identity();
    shift.set([-centre[0], -centre[1], -centre[2]], 12);
    return multiply(rotation, shift);
  }

  /** @param {Drawn} drawn @param {Character} character @param {Program["at"]} at */
  _drawOne(drawn, character, at) {
    const { gl } = this;
    const { surface } = drawn;
    if (drawn.version !== surface.version) {
      gl.bindBuffer(gl.ARRAY_BUFFER, drawn.positions);
      gl.bufferSubData(gl.ARRAY_BUFFER, 0, surface.positions);
      gl.bindBuffer(gl.ARRAY_BUFFER, drawn.normals);
      gl.bufferSubData(gl.ARRAY_BUFFER, 0, surface.normals);
      drawn.version = surface.version;
    }
    this._setMaterial(this._materialOf(drawn), at);
    if (drawn.skin >= 0) this._setJoints(character.jointMatrices(drawn.skin));
    gl.uniformMatrix4fv(at.world, false, character.world(drawn.node));
    gl.bindVertexArray(drawn.vao);
    gl.drawElements(gl.TRIANGLES, drawn.count, gl.UNSIGNED_INT, 0);
  }

  /** @param {Material | undefined} material @param {Program["at"]} at */
  _setMaterial(material, at) {
    const { gl } = this;
    const texture = material ? this._textures[material.texture] ?? null : null;
    gl.uniform4fv(at.base, material?.colour ?? [0.8, 0.8, 0.8, 1]);
    gl.uniform1f(at.cutoff, material?.alphaMode === "MASK" ? material.alphaCutoff : 0.02);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, texture ?? this._white ?? null);
    if (material?.doubleSided) gl.disable(gl.CULL_FACE); else gl.enable(gl.CULL_FACE);
    if (material?.alphaMode === "BLEND") { gl.enable(gl.BLEND); gl.blendFuncSeparate(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA, gl.ONE, gl.ONE); } else gl.disable(gl.BLEND);
  }

  /** @param {Float32Array} matrices */
  _setJoints(matrices) {
    const { gl } = this;
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, this._jointTexture ?? null);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA32F, matrices.length / 4, 1, 0, gl.RGBA, gl.FLOAT, matrices);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  }
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number} most pixels for one of the page
 * @returns {boolean} true where its pixels changed
 */
function fit(canvas, most) {
  const ratio = Math.min(devicePixelRatio || 1, most);
  const [width, height] = [Math.max(1, Math.round(canvas.clientWidth * ratio)), Math.max(1, Math.round(canvas.clientHeight * ratio))];
  if (canvas.width === width && canvas.height === height) return false;
  canvas.width = width;
  canvas.height = height;
  return true;
}

/**
 * @param {WebGL2RenderingContext} gl
 * @param {number} place
 * @param {Float32Array} values
 * @param {number} width
 * @param {number} usage
 * @returns {WebGLBuffer}
 */
function attribute(gl, place, values, width, usage) {
  const buffer = gl.createBuffer();
  gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
  gl.bufferData(gl.ARRAY_BUFFER, values, usage);
  gl.enableVertexAttribArray(place);
  gl.vertexAttribPointer(place, width, gl.FLOAT, false, 0, 0);
  return buffer;
}

/**
 * @param {WebGL2RenderingContext} gl
 * @param {string} vertex
 * @param {string} fragment
 * @returns {WebGLProgram}
 */
function link(gl, vertex, fragment) {
  const program = gl.createProgram();
  for (const [kind, source] of /** @type {[number, string][]} */ ([[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]])) {
    const shader = /** @type {WebGLShader} */ (gl.createShader(kind));
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS) && !gl.isContextLost()) throw new Error(`shader: ${gl.getShaderInfoLog(shader)}`);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) throw new Error(`shader: ${gl.getProgramInfoLog(program)}`);
  return program;
}

/** @param {WebGL2RenderingContext} gl @param {WebGLProgram} program @returns {Record<string, WebGLUniformLocation | null>} */
function uniforms(gl, program) {
  /** @type {Record<string, WebGLUniformLocation | null>} */
  const found = {};
  const n = gl.getProgramParameter(program, gl.ACTIVE_UNIFORMS);
  for (let i = 0; i < n; i += 1) {
    const name = gl.getActiveUniform(program, i)?.name ?? "";
    found[name] = gl.getUniformLocation(program, name);
  }
  return found;
}
