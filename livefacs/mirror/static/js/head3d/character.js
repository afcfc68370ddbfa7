// A model that moves: weights by name, head and eyes by angles, points morphed on the processor.
//
// Faces move in small parts: a target lists the points that it moves, so sixty targets on a mesh of
// fifteen thousand points are a fraction of a millisecond, and normals come from the moved surface.

import { conjugate, identity, multiply, compose, quaternionProduct, rotationOf, turned } from "./matrix.js";

/** @typedef {import("./gltf.js").Model} Model */
/** @typedef {import("./gltf.js").Primitive} Primitive */
/** @typedef {{name: string, binds: import("./gltf.js").Bind[]}} Control */

const DEGREE = Math.PI / 180;

/** One primitive with its moved points. */
export class Surface {
  /** @param {Primitive} primitive */
  constructor(primitive) {
    this.primitive = primitive;
    this.positions = Float32Array.from(primitive.positions);
    this._weld = welded(primitive.positions);
    const still = unit(summedNormals(primitive.positions, primitive.indices, this._weld));
    this.normals = Float32Array.from(primitive.normals ?? still);
    this._off = this.normals.map((value, i) => value - still[i]);
    this.version = 0;
    this._wasStill = true;
  }

  /** @param {Float32Array} weights of the mesh's targets */
  morph(weights) {
    const { primitive, positions } = this;
    let moves = false;
    positions.set(primitive.positions);
    primitive.targets.forEach(({ index, deltas }, t) => {
      const weight = weights[t];
      if (!weight || !index.length) return;
      moves = true;
      for (let i = 0, k = 0; i < index.length; i += 1, k += 3) {
        const at = 3 * index[i];
        positions[at] += weight * deltas[k]; positions[at + 1] += weight * deltas[k + 1]; positions[at + 2] += weight * deltas[k + 2];
      }
    });
    if (!moves && this._wasStill) return;
    this._wasStill = !moves;
    this._bend();
    this.version += 1;
  }

  /** The file's normals, turned by as much as the moved surface differs from the resting one. */
  _bend() {
    const { normals, _off: off } = this;
    unit(summedNormals(this.positions, this.primitive.indices, this._weld, normals));
    for (let i = 0; i < normals.length; i += 1) normals[i] += off[i];
  }
}

/** @param {Float32Array} positions @returns {Uint32Array} for each point the first one at its place */
function welded(positions) {
  const first = new Map();
  const weld = new Uint32Array(positions.length / 3);
  for (let i = 0; i < weld.length; i += 1) {
    const key = `${positions[3 * i]},${positions[3 * i + 1]},${positions[3 * i + 2]}`;
    const known = first.get(key);
    if (known === undefined) first.set(key, i);
    weld[i] = known ?? i;
  }
  return weld;
}

/**
 * Normals of the points, weighted by area and not yet of unit length.
 *
 * @param {Float32Array} p
 * @param {Uint32Array} indices
 * @param {Uint32Array} weld
 * @param {Float32Array} [out]
 */
function summedNormals(p, indices, weld, out = new Float32Array(p.length)) {
  out.fill(0);
  for (let i = 0; i < indices.length; i += 3) {
    const [a, b, c] = [3 * weld[indices[i]], 3 * weld[indices[i + 1]], 3 * weld[indices[i + 2]]];
    const ux = p[b] - p[a], uy = p[b + 1] - p[a + 1], uz = p[b + 2] - p[a + 2];
    const vx = p[c] - p[a], vy = p[c + 1] - p[a + 1], vz = p[c + 2] - p[a + 2];
    const x = uy * vz - uz * vy, y = uz * vx - ux * vz, z = ux * vy - uy * vx;
    out[a] += x; out[a + 1] += y; out[a + 2] += z;
    out[b] += x; out[b + 1] += y; out[b + 2] += z;
    out[c] += x; out[c + 1] += y; out[c + 2] += z;
  }
  for (let i = 0; i < weld.length; i += 1) {
    const from = 3 * weld[i];
    if (weld[i] !== i) { out[3 * i] = out[from]; out[3 * i + 1] = out[from + 1]; out[3 * i + 2] = out[from + 2]; }
  }
  return out;
}

/** @param {Float32Array} vectors */
function unit(vectors) {
  for (let i = 0; i < vectors.length; i += 3) {
    const x = vectors[i], y = vectors[i + 1], z = vectors[i + 2];
    const k = 1 / (Math.sqrt(x * x + y * y + z * z) || 1); // Math.hypot takes ten times as long
    vectors[i] = x * k; vectors[i + 1] = y * k; vectors[i + 2] = z * k;
  }
  return vectors;
}

export class Character {
  /** @param {Model} model */
  constructor(model) {
    this.model = model;
    this.weights = model.meshes.map((mesh) => new Float32Array(mesh.targetNames.length));
    this.surfaces = model.meshes.map((mesh) => mesh.primitives.map((primitive) => new Surface(primitive)));
    this._names = new Map([...model.names].map(([name, binds]) => [plain(name), binds]));
    this._rotations = model.nodes.map((node) => Float32Array.from(node.r));
    this._worlds = model.nodes.map((node) => node.world);
    this._order = inOrder(model.nodes);
    this._local = identity();
    this._dirtyShape = true;
    this._dirtyPose = true;
    this.version = 0;
  }

  /** @returns {string[]} every name that moves something */
  get names() {
    return [...this.model.names.keys()];
  }

  /**
   * What of this character a control moves: the same name, whatever its spelling (mouthSmileLeft,
   * mouthSmile_L, mouth_smile_left).
   *
   * @param {string} name
   * @returns {import("./gltf.js").Bind[]} nothing where the character has no such shape
   */
  find(name) {
    return this._names.get(plain(name)) ?? [];
  }

  /**
   * @param {string[]} controls
   * @returns {{binds: import("./gltf.js").Bind[][], missing: string[]}}
   */
  match(controls) {
    const binds = controls.map((name) => this.find(name));
    return { binds, missing: controls.filter((_, i) => !binds[i].length) };
  }

  /**
   * Set all weights at once; what no control moves rests.
   *
   * @param {import("./gltf.js").Bind[][]} binds of each control
   * @param {ArrayLike<number>} values of each control
   */
  pose(binds, values) {
    for (const weights of this.weights) weights.fill(0);
    const sums = this.model.combine === "sum";
    binds.forEach((own, i) => {
      const value = values[i];
      if (!value || !Number.isFinite(value)) return;
      for (const { mesh, target, weight } of own) {
        const amount = value * weight;
        const now = this.weights[mesh][target];
        if (sums) this.weights[mesh][target] = now + amount;
        else if (Math.abs(amount) > Math.abs(now)) this.weights[mesh][target] = amount;
      }
    });
    this._dirtyShape = true;
  }

  /** @param {Record<string, number>} values by name */
  poseByName(values) {
    const names = Object.keys(values);
    this.pose(names.map((name) => this.find(name)), names.map((name) => values[name]));
  }

  /**
   * @param {number} yaw degrees, to the own left
   * @param {number} pitch degrees, down
   * @param {number} roll degrees, towards the own right shoulder
   */
  turnHead(yaw, pitch, roll) {
    this._turn(this.model.bones.head, yaw, pitch, roll);
  }

  /**
   * @param {number} yaw degrees, to the own left
   * @param {number} pitch degrees, down
   */
  turnEyes(yaw, pitch) {
    this._turn(this.model.bones.left, yaw, pitch, 0);
    this._turn(this.model.bones.right, yaw, pitch, 0);
  }

  /**
   * Turn a bone about the character's own axes, however the bone's own are laid.
   *
   * @param {number} bone
   * @param {number} yaw degrees
   * @param {number} pitch degrees
   * @param {number} roll degrees
   */
  _turn(bone, yaw, pitch, roll) {
    if (bone < 0) return;
    const away = this.model.facesAway ? -1 : 1;
    const turn = turned(yaw * DEGREE, away * pitch * DEGREE, away * roll * DEGREE);
    const { parent, r } = this.model.nodes[bone];
    const above = parent < 0 ? [0, 0, 0, 1] : rotationOf(this.model.nodes[parent].world);
    this._rotations[bone].set(quaternionProduct(quaternionProduct(quaternionProduct(conjugate(above), turn), above), r));
    this._dirtyPose = true;
  }

  /** Bring points and nodes up to date. @returns {boolean} true where anything changed */
  update() {
    if (!this._dirtyShape && !this._dirtyPose) return false;
    if (this._dirtyShape) this.surfaces.forEach((surfaces, mesh) => surfaces.forEach((surface) => surface.morph(this.weights[mesh])));
    if (this._dirtyPose) this._placeNodes();
    this._dirtyShape = this._dirtyPose = false;
    this.version += 1;
    return true;
  }

  _placeNodes() {
    const { nodes } = this.model;
    for (const i of this._order) {
      const node = nodes[i];
      compose(node.t, this._rotations[i], node.s, this._local);
      this._worlds[i] = node.parent < 0 ? Float32Array.from(this._local) : multiply(this._worlds[node.parent], this._local);
    }
  }

  /** @param {number} node @returns {import("./matrix.js").Mat4} */
  world(node) {
    return this._worlds[node];
  }

  /** @param {number} skin @returns {Float32Array} its joints' matrices one after the other */
  jointMatrices(skin) {
    const { joints, inverseBind } = this.model.skins[skin];
    const out = new Float32Array(16 * joints.length);
    joints.forEach((joint, i) => out.set(multiply(this._worlds[joint], inverseBind[i]), 16 * i));
    return out;
  }

  /**
   * Lowest and highest corner of everything shown, at rest.
   *
   * @returns {{low: number[], high: number[]}}
   */
  bounds() {
    const low = [Infinity, Infinity, Infinity];
    const high = [-Infinity, -Infinity, -Infinity];
    this.model.nodes.forEach((node, i) => {
      if (node.mesh < 0) return;
      // Bind poses put skinned points where the first joint's matrix says.
      const skin = this.model.skins[node.skin];
      const at = skin?.joints.length ? multiply(this._worlds[skin.joints[0]], skin.inverseBind[0]) : this._worlds[i];
      for (const primitive of this.model.meshes[node.mesh].primitives) grow(low, high, primitive.positions, at);
    });
    return { low, high };
  }

  /** @returns {number[] | null} place of the head's bone at rest */
  headPlace() {
    const bone = this.model.bones.head;
    return bone < 0 ? null : [...this.model.nodes[bone].world.slice(12, 15)];
  }
}

/** @param {number[]} low @param {number[]} high @param {Float32Array} p @param {import("./matrix.js").Mat4} m */
function grow(low, high, p, m) {
  for (let i = 0; i < p.length; i += 3) {
    for (let k = 0; k < 3; k += 1) {
      const value = m[k] * p[i] + m[4 + k] * p[i + 1] + m[8 + k] * p[i + 2] + m[12 + k];
      if (value < low[k]) low[k] = value;
      if (value > high[k]) high[k] = value;
    }
  }
}

/** @param {import("./gltf.js").Node[]} nodes @returns {number[]} parents first */
function inOrder(nodes) {
  /** @type {number[]} */
  const order = [];
  const done = new Set();
  const visit = (/** @type {number} */ start) => {
    const chain = [];
    for (let at = start; at >= 0 && !done.has(at); at = nodes[at].parent) chain.push(at);
    for (const i of chain.reverse()) { done.add(i); order.push(i); }
  };
  nodes.forEach((_, i) => visit(i));
  return order;
}

/**
 * @param {string} name
 * @returns {string} small letters and digits, without the prefix of a node (Face.jawOpen), the side last
 */
export function plain(name) {
  const words = name.replace(/^.*[.:](?=.{3})/, "").replace(/([a-z0-9])(?=(Left|Right)(?![a-z]))/, "$1_");
  const sided = /^(.*?)[_.\- ]?(left|right|l|r)$/i.exec(words);
  const marked = sided && /[_.\- ]|^(left|right)$/i.test(words.slice(sided[1].length)) ? `${sided[1]}|${sided[2][0]}` : words;
  return marked.toLowerCase().replace(/[^a-z0-9|]/g, "");
}
