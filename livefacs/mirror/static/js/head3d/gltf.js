// A glTF 2 or VRM file as what the renderer needs: meshes with morph targets, nodes, skins, names.

import { Accessors, MOST_VERTICES, ModelError, entry } from "./accessors.js";
import { compose, identity, multiply } from "./matrix.js";
import { vrmOf } from "./vrm.js";

/** @typedef {import("./accessors.js").Json} Json */
/** @typedef {{index: Uint32Array, deltas: Float32Array}} Target displacement of some points */
/**
 * @typedef {object} Primitive
 * @property {Float32Array} positions
 * @property {Float32Array | null} normals
 * @property {Float32Array | null} uvs
 * @property {Float32Array | null} colours four a point
 * @property {Uint16Array | null} joints four a point
 * @property {Float32Array | null} weights four a point
 * @property {Uint32Array} indices
 * @property {Target[]} targets
 * @property {number} material
 */
/** @typedef {{name: string, primitives: Primitive[], targetNames: string[]}} Mesh */
/**
 * @typedef {object} Node
 * @property {string} name
 * @property {number} parent -1 at the top
 * @property {number[]} t
 * @property {number[]} r
 * @property {number[]} s
 * @property {number} mesh -1 without
 * @property {number} skin -1 without
 * @property {import("./matrix.js").Mat4} world at rest
 */
/** @typedef {{joints: number[], inverseBind: import("./matrix.js").Mat4[]}} Skin */
/** @typedef {{name: string, colour: number[], doubleSided: boolean, texture: number, alphaMode: string, alphaCutoff: number}} Material */
/** @typedef {{mesh: number, target: number, weight: number}} Bind */
/**
 * @typedef {object} Model
 * @property {Mesh[]} meshes
 * @property {Node[]} nodes parents before their children
 * @property {Skin[]} skins
 * @property {Material[]} materials
 * @property {(Blob | null)[]} images
 * @property {Map<string, Bind[]>} names what may be driven
 * @property {"largest" | "sum"} combine of names that move the same target
 * @property {{head: number, left: number, right: number}} bones nodes, -1 without
 * @property {boolean} facesAway looks along -z, as VRM 0 has it
 * @property {string} kind glTF, VRM 0 or VRM 1
 */

const MOST_BYTES = 300 * 2 ** 20;
const MOST_NODES = 20_000;
const MOST_TARGETS = 1_000; // of a mesh
const KNOWN = new Set(["KHR_mesh_quantization", "KHR_texture_transform", "KHR_materials_unlit", "KHR_materials_emissive_strength", "VRM", "VRMC_vrm", "VRMC_materials_mtoon", "VRMC_springBone", "VRMC_node_constraint", "VRMC_materials_hdr_emissiveMultiplier"]);

/**
 * @param {ArrayBuffer} file a .glb, .vrm, or .gltf with everything inside
 * @returns {Model}
 * @throws {ModelError} says in one sentence why it cannot be shown
 */
export function modelFromFile(file) {
  if (file.byteLength > MOST_BYTES) throw new ModelError(`has ${Math.round(file.byteLength / 2 ** 20)} MB; at most ${MOST_BYTES / 2 ** 20} are read`);
  const { document, binary } = partsOf(file);
  refuseUnknown(document);
  const accessors = new Accessors(document, buffersOf(document, binary));
  const nodes = nodesOf(document);
  const meshes = meshesOf(document, accessors);
  for (const node of nodes) if (node.mesh >= 0) entry(meshes, node.mesh, "mesh");
  const skins = skinsOf(document, accessors, nodes);
  const vrm = vrmOf(document, meshes, nodes);
  if (!nodes.some((node) => node.mesh >= 0)) throw new ModelError("shows no mesh");
  return {
    meshes, nodes, skins, materials: materialsOf(document), images: imagesOf(document, accessors),
    names: vrm?.names ?? targetNames(document, meshes), combine: vrm ? "sum" : "largest",
    bones: vrm?.bones ?? bonesByName(nodes), facesAway: vrm?.facesAway ?? false, kind: vrm?.kind ?? "glTF",
  };
}

/** @param {ArrayBuffer} file @returns {{document: Json, binary: Uint8Array | null}} */
function partsOf(file) {
  const view = new DataView(file);
  if (file.byteLength < 12 || view.getUint32(0, true) !== 0x46546c67) return { document: parsed(new Uint8Array(file)), binary: null };
  if (view.getUint32(4, true) !== 2) throw new ModelError(`is glTF ${view.getUint32(4, true)}; expected glTF 2`);
  if (view.getUint32(8, true) > file.byteLength) throw new ModelError(`ends after ${file.byteLength} of ${view.getUint32(8, true)} bytes: it was not copied whole`);
  /** @type {Json | null} */
  let document = null;
  let binary = null;
  for (let at = 12; at + 8 <= file.byteLength;) {
    const [length, kind] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
    if (at + 8 + length > file.byteLength) throw new ModelError("has a part that reaches beyond its end: it was not copied whole");
    const part = new Uint8Array(file, at + 8, length);
    if (kind === 0x4e4f534a && !document) document = parsed(part);
    else if (kind === 0x004e4942 && !binary) binary = part;
    at += 8 + length;
  }
  if (!document) throw new ModelError("has no JSON part");
  return { document, binary };
}

/** @param {Uint8Array} bytes @returns {Json} */
function parsed(bytes) {
  let document;
  try {
    document = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new ModelError("is no glTF 2: expected a .glb, .vrm, or .gltf with its data inside");
  }
  if (typeof document !== "object" || document === null || typeof document.asset?.version !== "string") throw new ModelError("is no glTF 2: its JSON has no asset version");
  if (!document.asset.version.startsWith("2")) throw new ModelError(`is glTF ${document.asset.version}; expected glTF 2`);
  return document;
}

/** @param {Json} document */
function refuseUnknown(document) {
  const required = list(document.extensionsRequired).filter((name) => !KNOWN.has(String(name)));
  if (required.length) throw new ModelError(`needs ${required.join(", ")}, which this page does not read: export it without compression`);
}

/** @param {unknown} value @returns {any[]} */
export function list(value) {
  return Array.isArray(value) ? value : [];
}

/** @param {Json} document @param {Uint8Array | null} binary @returns {Uint8Array[]} */
function buffersOf(document, binary) {
  return list(document.buffers).map((buffer, i) => {
    const length = buffer?.byteLength;
    let bytes = i === 0 && buffer?.uri === undefined ? binary : null;
    if (typeof buffer?.uri === "string") {
      const match = /^data:[^,]*;base64,/.exec(buffer.uri);
      if (!match) throw new ModelError(`keeps its data in ${buffer.uri.slice(0, 60)}: export it as one .glb file`);
      bytes = fromBase64(buffer.uri.slice(match[0].length));
    }
    if (!bytes || !Number.isInteger(length) || bytes.length < length) throw new ModelError(`has no data for its buffer ${i}`);
    return bytes;
  });
}

/** @param {string} text @returns {Uint8Array} */
function fromBase64(text) {
  try {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch {
    throw new ModelError("has a data: address that is not base64");
  }
}

/** @param {Json} document @returns {Node[]} in the file's order */
function nodesOf(document) {
  const written = list(document.nodes);
  if (written.length > MOST_NODES) throw new ModelError(`has ${written.length} nodes; at most ${MOST_NODES} are read`);
  const nodes = written.map((node, i) => nodeOf(node, i));
  written.forEach((node, parent) => {
    for (const child of list(node?.children)) {
      if (!nodes[child]) throw new ModelError(`names node ${String(child)}, which is not in the file`);
      if (nodes[child].parent >= 0 || child === parent) throw new ModelError(`has a node ${child} under two others or under itself`);
      nodes[child].parent = parent;
    }
  });
  const done = new Set();
  const local = identity();
  nodes.forEach((_, start) => {
    const chain = [];
    for (let at = start; at >= 0 && !done.has(at); at = nodes[at].parent) {
      if (chain.length > nodes.length) throw new ModelError("has nodes that are their own ancestors");
      chain.push(at);
    }
    for (const i of chain.reverse()) {
      const node = nodes[i];
      compose(node.t, node.r, node.s, local);
      node.world = node.parent < 0 ? Float32Array.from(local) : multiply(nodes[node.parent].world, local);
      done.add(i);
    }
  });
  return nodes;
}

/** @param {Json} node @param {number} i @returns {Node} */
function nodeOf(node, i) {
  if (typeof node !== "object" || node === null) throw new ModelError(`has a node ${i} that is none`);
  let [t, r, s] = [numbers(node.translation, [0, 0, 0]), numbers(node.rotation, [0, 0, 0, 1]), numbers(node.scale, [1, 1, 1])];
  if (node.matrix !== undefined) [t, r, s] = decomposed(numbers(node.matrix, Array.from(identity())));
  const index = (/** @type {unknown} */ value) => (Number.isInteger(value) ? /** @type {number} */ (value) : -1);
  return { name: String(node.name ?? `node ${i}`), parent: -1, t, r, s, mesh: index(node.mesh), skin: index(node.skin), world: identity() };
}

/** @param {unknown} value @param {number[]} usual @returns {number[]} */
function numbers(value, usual) {
  if (value === undefined) return usual;
  if (!Array.isArray(value) || value.length !== usual.length || !value.every(Number.isFinite)) throw new ModelError("has a node whose place is not made of numbers");
  return value;
}

/** @param {number[]} m @returns {[number[], number[], number[]]} */
function decomposed(m) {
  const s = [0, 4, 8].map((k) => Math.hypot(m[k], m[k + 1], m[k + 2]) || 1);
  const r = (/** @type {number} */ row, /** @type {number} */ column) => m[4 * column + row] / s[column];
  const w = Math.sqrt(Math.max(0, 1 + r(0, 0) + r(1, 1) + r(2, 2))) / 2;
  const part = (/** @type {number} */ value, /** @type {number} */ sign) => Math.sqrt(Math.max(0, value)) / 2 * (sign < 0 ? -1 : 1);
  const q = [part(1 + r(0, 0) - r(1, 1) - r(2, 2), r(2, 1) - r(1, 2)), part(1 - r(0, 0) + r(1, 1) - r(2, 2), r(0, 2) - r(2, 0)), part(1 - r(0, 0) - r(1, 1) + r(2, 2), r(1, 0) - r(0, 1)), w];
  return [[m[12], m[13], m[14]], q, s];
}

/** @param {Json} document @param {Accessors} accessors @returns {Mesh[]} */
function meshesOf(document, accessors) {
  let total = 0;
  return list(document.meshes).map((mesh, i) => {
    const primitives = list(mesh?.primitives).filter((each) => (each?.mode ?? 4) === 4).map((each) => {
      total += accessors.count(each?.attributes?.POSITION);
      if (total > MOST_VERTICES) throw new ModelError(`has more than ${MOST_VERTICES} vertices; that many are not shown`);
      return primitiveOf(each, accessors);
    });
    const names = list(mesh?.extras?.targetNames ?? mesh?.primitives?.[0]?.extras?.targetNames).map(String);
    const n = primitives[0]?.targets.length ?? 0;
    const targetNames = Array.from({ length: n }, (_, k) => names[k] ?? `target ${k}`);
    return { name: String(mesh?.name ?? `mesh ${i}`), primitives, targetNames };
  });
}

/** @param {Json} primitive @param {Accessors} accessors @returns {Primitive} */
function primitiveOf(primitive, accessors) {
  const has = primitive.attributes ?? {};
  const positions = accessors.floats(has.POSITION, "VEC3");
  const n = positions.length / 3;
  const indices = primitive.indices === undefined ? Uint32Array.from({ length: n }, (_, i) => i) : Uint32Array.from(accessors.integers(primitive.indices, ["SCALAR"]));
  for (const index of indices) if (index >= n) throw new ModelError(`has a triangle at point ${index} of ${n}`);
  const optional = (/** @type {string} */ name, /** @type {string} */ type, /** @type {number} */ width) => {
    if (has[name] === undefined) return null;
    const values = accessors.floats(has[name], type);
    if (values.length !== width * n) throw new ModelError(`has ${name} of another length than its points`);
    return values;
  };
  const joints = has.JOINTS_0 === undefined ? null : Uint16Array.from(accessors.integers(has.JOINTS_0, ["VEC4"]));
  const weights = optional("WEIGHTS_0", "VEC4", 4);
  if (joints && (!weights || joints.length !== weights.length)) throw new ModelError("has joints without weights");
  const targets = list(primitive.targets);
  if (targets.length > MOST_TARGETS) throw new ModelError(`has ${targets.length} morph targets; at most ${MOST_TARGETS} are read`);
  return {
    positions, normals: optional("NORMAL", "VEC3", 3), uvs: optional("TEXCOORD_0", "VEC2", 2), colours: coloursOf(has.COLOR_0, accessors, n), joints, weights,
    indices, targets: targets.map((target) => targetOf(target, accessors, n)), material: Number.isInteger(primitive.material) ? primitive.material : -1,
  };
}

/** @param {unknown} index @param {Accessors} accessors @param {number} n @returns {Float32Array | null} */
function coloursOf(index, accessors, n) {
  if (index === undefined) return null;
  const width = entry(accessors._document.accessors, index, "accessor").type === "VEC3" ? 3 : 4;
  const values = accessors.floats(index, width === 3 ? "VEC3" : "VEC4");
  if (values.length !== width * n) throw new ModelError("has colours of another length than its points");
  const out = new Float32Array(4 * n).fill(1);
  for (let i = 0; i < n; i += 1) for (let k = 0; k < width; k += 1) out[4 * i + k] = values[width * i + k];
  return out;
}

/**
 * @param {Json} target
 * @param {Accessors} accessors
 * @param {number} n
 * @returns {Target} only the points that move
 */
function targetOf(target, accessors, n) {
  const nothing = { index: new Uint32Array(0), deltas: new Float32Array(0) };
  if (target?.POSITION === undefined) return nothing;
  if (accessors.count(target.POSITION) !== n) throw new ModelError("has a morph target of another length than its points");
  if (accessors.isOnlySparse(target.POSITION)) {
    const found = accessors.sparse(target.POSITION, "VEC3");
    return found ? { index: found.index, deltas: found.values } : nothing;
  }
  const all = accessors.floats(target.POSITION, "VEC3");
  const index = [];
  for (let i = 0; i < n; i += 1) if (all[3 * i] || all[3 * i + 1] || all[3 * i + 2]) index.push(i);
  const deltas = new Float32Array(3 * index.length);
  index.forEach((row, i) => deltas.set(all.subarray(3 * row, 3 * row + 3), 3 * i));
  return { index: Uint32Array.from(index), deltas };
}

/** @param {Json} document @param {Accessors} accessors @param {Node[]} nodes @returns {Skin[]} */
function skinsOf(document, accessors, nodes) {
  return list(document.skins).map((skin) => {
    const joints = list(skin?.joints);
    for (const joint of joints) entry(nodes, joint, "joint");
    const flat = skin?.inverseBindMatrices === undefined ? null : accessors.floats(skin.inverseBindMatrices, "MAT4");
    if (flat && flat.length < 16 * joints.length) throw new ModelError("has a skin with fewer matrices than joints");
    return { joints, inverseBind: joints.map((_, i) => (flat ? flat.slice(16 * i, 16 * i + 16) : identity())) };
  });
}

/** @param {Json} document @returns {Material[]} */
function materialsOf(document) {
  return list(document.materials).map((material) => {
    const pbr = material?.pbrMetallicRoughness ?? {};
    const texture = document.textures?.[pbr.baseColorTexture?.index];
    const image = texture?.source ?? -1;
    const colour = list(pbr.baseColorFactor).map(Number);
    return {
      name: String(material?.name ?? ""), colour: colour.length === 4 && colour.every(Number.isFinite) ? colour : [1, 1, 1, 1],
      doubleSided: Boolean(material?.doubleSided), texture: Number.isInteger(image) ? image : -1,
      alphaMode: String(material?.alphaMode ?? "OPAQUE"), alphaCutoff: Number(material?.alphaCutoff ?? 0.5),
    };
  });
}

/** @param {Json} document @param {Accessors} accessors @returns {(Blob | null)[]} */
function imagesOf(document, accessors) {
  return list(document.images).map((image) => {
    if (Number.isInteger(image?.bufferView)) return new Blob([Uint8Array.from(accessors.bytes(image.bufferView))], { type: String(image.mimeType ?? "") });
    const match = typeof image?.uri === "string" ? /^data:([^;,]*);base64,/.exec(image.uri) : null;
    return match ? new Blob([Uint8Array.from(fromBase64(image.uri.slice(match[0].length)))], { type: match[1] }) : null;
  });
}

/**
 * Targets by their own names, and the names that the file lists for weights of several.
 *
 * @param {Json} document
 * @param {Mesh[]} meshes
 * @returns {Map<string, Bind[]>}
 */
function targetNames(document, meshes) {
  /** @type {Map<string, Bind[]>} */
  const names = new Map();
  meshes.forEach((mesh, i) => mesh.targetNames.forEach((name, target) => {
    names.set(name, [...(names.get(name) ?? []), { mesh: i, target, weight: 1 }]);
  }));
  const own = new Map(names);
  for (const mesh of list(document.meshes)) {
    const extra = mesh?.extras?.names;
    if (typeof extra !== "object" || extra === null) continue;
    for (const [name, weights] of Object.entries(extra)) {
      const binds = Object.entries(weights ?? {}).flatMap(([target, weight]) => (own.get(target) ?? []).map((bind) => ({ ...bind, weight: Number(weight) })));
      if (binds.length) names.set(name, binds);
    }
  }
  return names;
}

/** @param {Node[]} nodes @returns {{head: number, left: number, right: number}} */
function bonesByName(nodes) {
  const find = (/** @type {RegExp} */ pattern) => nodes.findIndex((node) => pattern.test(node.name));
  return { head: find(/(^|[:_.-])head$/i), left: find(/(^eye[_.-]?(l|left)$|left_?eye$|grp_eyeLeft)/i), right: find(/(^eye[_.-]?(r|right)$|right_?eye$|grp_eyeRight)/i) };
}
