// VRM 0 and 1: expressions by their names, head and eye bones.

/** @typedef {import("./accessors.js").Json} Json */
/** @typedef {import("./gltf.js").Bind} Bind */

/**
 * @param {Json} document
 * @param {import("./gltf.js").Mesh[]} meshes
 * @param {import("./gltf.js").Node[]} nodes
 * @returns {{names: Map<string, Bind[]>, bones: {head: number, left: number, right: number}, facesAway: boolean, kind: string} | null}
 */
export function vrmOf(document, meshes, nodes) {
  const extensions = document.extensions ?? {};
  if (extensions.VRMC_vrm) return vrm1(extensions.VRMC_vrm, meshes, nodes);
  if (extensions.VRM) return vrm0(extensions.VRM, meshes, nodes);
  return null;
}

/** @param {unknown} value @returns {any[]} */
function list(value) {
  return Array.isArray(value) ? value : [];
}

/**
 * @param {import("./gltf.js").Mesh[]} meshes
 * @param {Map<string, Bind[]>} names
 */
function addTargets(meshes, names) {
  meshes.forEach((mesh, i) => mesh.targetNames.forEach((name, target) => {
    if (!names.has(name)) names.set(name, [{ mesh: i, target, weight: 1 }]);
  }));
}

/**
 * @param {Json} vrm
 * @param {import("./gltf.js").Mesh[]} meshes
 * @param {import("./gltf.js").Node[]} nodes
 */
function vrm1(vrm, meshes, nodes) {
  /** @type {Map<string, Bind[]>} */
  const names = new Map();
  for (const group of [vrm.expressions?.preset, vrm.expressions?.custom]) {
    for (const [name, expression] of Object.entries(group ?? {})) {
      const binds = list(expression?.morphTargetBinds).map((bind) => ({ mesh: nodes[bind?.node]?.mesh ?? -1, target: bind?.index, weight: Number(bind?.weight ?? 1) }));
      names.set(name, binds.filter((bind) => meshes[bind.mesh]?.targetNames[bind.target] !== undefined && Number.isFinite(bind.weight)));
    }
  }
  addTargets(meshes, names);
  const bone = (/** @type {string} */ name) => nodeIndex(vrm.humanoid?.humanBones?.[name]?.node, nodes);
  return { names, bones: { head: bone("head"), left: bone("leftEye"), right: bone("rightEye") }, facesAway: false, kind: "VRM 1" };
}

/**
 * @param {Json} vrm
 * @param {import("./gltf.js").Mesh[]} meshes
 * @param {import("./gltf.js").Node[]} nodes
 */
function vrm0(vrm, meshes, nodes) {
  /** @type {Map<string, Bind[]>} */
  const names = new Map();
  for (const group of list(vrm.blendShapeMaster?.blendShapeGroups)) {
    const binds = list(group?.binds).map((bind) => ({ mesh: bind?.mesh, target: bind?.index, weight: Number(bind?.weight ?? 100) / 100 }));
    const sound = binds.filter((bind) => meshes[bind.mesh]?.targetNames[bind.target] !== undefined && Number.isFinite(bind.weight));
    for (const name of new Set([PRESETS[group?.presetName], group?.name])) if (name && name !== "unknown") names.set(String(name), sound);
  }
  addTargets(meshes, names);
  const bones = list(vrm.humanoid?.humanBones);
  const bone = (/** @type {string} */ name) => nodeIndex(bones.find((each) => each?.bone === name)?.node, nodes);
  return { names, bones: { head: bone("head"), left: bone("leftEye"), right: bone("rightEye") }, facesAway: true, kind: "VRM 0" };
}

/** @type {Record<string, string>} as files write presets, and as the maps name them */
const PRESETS = { neutral: "Neutral", a: "A", i: "I", u: "U", e: "E", o: "O", blink: "Blink", blink_l: "Blink_L", blink_r: "Blink_R", joy: "Joy", angry: "Angry", sorrow: "Sorrow", fun: "Fun", lookup: "LookUp", lookdown: "LookDown", lookleft: "LookLeft", lookright: "LookRight" };

/** @param {unknown} value @param {import("./gltf.js").Node[]} nodes @returns {number} */
function nodeIndex(value, nodes) {
  return Number.isInteger(value) && nodes[/** @type {number} */ (value)] ? /** @type {number} */ (value) : -1;
}
