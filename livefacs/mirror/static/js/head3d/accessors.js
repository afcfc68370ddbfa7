// Numbers out of a glTF's buffers, every size checked before it is believed.

/** What a user is told of a file that cannot be shown. */
export class ModelError extends Error {}

/** @typedef {Record<string, any>} Json */
/** @typedef {Float32Array | Uint8Array | Uint16Array | Uint32Array | Int8Array | Int16Array} Numbers */

/** @type {Record<number, {array: any, bytes: number, most: number}>} */
const KINDS = {
  5120: { array: Int8Array, bytes: 1, most: 127 }, 5121: { array: Uint8Array, bytes: 1, most: 255 },
  5122: { array: Int16Array, bytes: 2, most: 32767 }, 5123: { array: Uint16Array, bytes: 2, most: 65535 },
  5125: { array: Uint32Array, bytes: 4, most: 4294967295 }, 5126: { array: Float32Array, bytes: 4, most: 1 },
};
/** @type {Record<string, number>} */
const WIDTHS = { SCALAR: 1, VEC2: 2, VEC3: 3, VEC4: 4, MAT4: 16 };
export const MOST_VERTICES = 2_000_000; // of a whole file

/**
 * @param {unknown} list
 * @param {unknown} index
 * @param {string} what
 * @returns {Json} an entry that is there
 */
export function entry(list, index, what) {
  const found = Array.isArray(list) && Number.isInteger(index) ? list[/** @type {number} */ (index)] : undefined;
  if (typeof found !== "object" || found === null) throw new ModelError(`names ${what} ${String(index)}, which is not in the file`);
  return found;
}

export class Accessors {
  /**
   * @param {Json} document
   * @param {Uint8Array[]} buffers
   */
  constructor(document, buffers) {
    this._document = document;
    this._buffers = buffers;
  }

  /**
   * Values of an accessor as floats, normalized ones as -1..1 or 0..1.
   *
   * @param {unknown} index
   * @param {string} type such as VEC3
   * @returns {Float32Array}
   */
  floats(index, type) {
    const { accessor, kind, width, count } = this._open(index, [type]);
    const raw = this._dense(accessor, kind, width, count);
    const out = raw instanceof Float32Array ? raw : Float32Array.from(raw);
    const scale = accessor.normalized && kind.array !== Float32Array ? 1 / kind.most : 1;
    if (scale !== 1) for (let i = 0; i < out.length; i += 1) out[i] = Math.max(out[i] * scale, -1);
    const sparse = this.sparse(index, type);
    if (sparse) sparse.index.forEach((row, i) => { for (let k = 0; k < width; k += 1) out[row * width + k] = sparse.values[i * width + k]; });
    for (let i = 0; i < out.length; i += 1) if (!Number.isFinite(out[i])) throw new ModelError(`has a number that is none in accessor ${String(index)}`);
    return out;
  }

  /**
   * @param {unknown} index
   * @param {string[]} types
   * @returns {Numbers} whole numbers as they are
   */
  integers(index, types) {
    const { accessor, kind, width, count } = this._open(index, types);
    if (kind.array === Float32Array) throw new ModelError(`has fractions in accessor ${String(index)}, where whole numbers belong`);
    return this._dense(accessor, kind, width, count);
  }

  /** @param {unknown} index @returns {number} */
  count(index) {
    return this._open(index, Object.keys(WIDTHS)).count;
  }

  /** @param {unknown} index @returns {boolean} true where nothing but the sparse part is stored */
  isOnlySparse(index) {
    const accessor = entry(this._document.accessors, index, "accessor");
    return accessor.bufferView === undefined;
  }

  /**
   * The sparse part of an accessor; rows rise.
   *
   * @param {unknown} index
   * @param {string} type
   * @returns {{index: Uint32Array, values: Float32Array} | null}
   */
  sparse(index, type) {
    const { accessor, kind, width, count } = this._open(index, [type]);
    const part = accessor.sparse;
    if (part === undefined) return null;
    if (!Number.isInteger(part?.count) || part.count < 1 || part.count > count) throw new ModelError(`has a sparse accessor ${String(index)} of a size that cannot be`);
    const indexKind = KINDS[part.indices?.componentType];
    if (!indexKind) throw new ModelError(`has a sparse accessor ${String(index)} with rows of an unknown kind`);
    const rows = Uint32Array.from(this._view(part.indices, indexKind, 1, part.count));
    rows.forEach((row, i) => { if (row >= count || (i && row <= rows[i - 1])) throw new ModelError(`has a sparse accessor ${String(index)} whose rows do not rise`); });
    const values = Float32Array.from(this._view(part.values, kind, width, part.count));
    if (accessor.normalized) for (let i = 0; i < values.length; i += 1) values[i] = Math.max(values[i] / kind.most, -1);
    return { index: rows, values };
  }

  /**
   * @param {unknown} index of a buffer view
   * @returns {Uint8Array}
   */
  bytes(index) {
    const view = entry(this._document.bufferViews, index, "buffer view");
    const buffer = this._buffers[view.buffer];
    const [offset, length] = [view.byteOffset ?? 0, view.byteLength];
    if (!buffer || !isSize(offset) || !isSize(length) || offset + length > buffer.length) throw new ModelError(`is shorter than its buffer view ${String(index)} says`);
    return buffer.subarray(offset, offset + length);
  }

  /**
   * @param {unknown} index
   * @param {string[]} types
   */
  _open(index, types) {
    const accessor = entry(this._document.accessors, index, "accessor");
    const kind = KINDS[accessor.componentType];
    if (!kind || !types.includes(accessor.type)) throw new ModelError(`has an accessor ${String(index)} of kind ${String(accessor.type)}, expected ${types.join(" or ")}`);
    if (!isSize(accessor.count) || accessor.count < 1) throw new ModelError(`has an accessor ${String(index)} with ${String(accessor.count)} rows`);
    const width = WIDTHS[accessor.type];
    if (accessor.count > MOST_VERTICES * 6) throw new ModelError(`has ${accessor.count} rows in accessor ${String(index)}; at most ${MOST_VERTICES * 6} are read`);
    return { accessor, kind, width, count: /** @type {number} */ (accessor.count) };
  }

  /**
   * @param {Json} accessor
   * @param {{array: any, bytes: number, most: number}} kind
   * @param {number} width
   * @param {number} count
   * @returns {Numbers}
   */
  _dense(accessor, kind, width, count) {
    if (accessor.bufferView === undefined) {
      if (count > MOST_VERTICES) throw new ModelError(`has ${count} vertices; at most ${MOST_VERTICES} are shown`);
      return new kind.array(width * count);
    }
    return this._view(accessor, kind, width, count);
  }

  /**
   * A copy of `count` rows, interleaved or not.
   *
   * @param {Json} part with bufferView and byteOffset
   * @param {{array: any, bytes: number, most: number}} kind
   * @param {number} width
   * @param {number} count
   * @returns {Numbers}
   */
  _view(part, kind, width, count) {
    const bytes = this.bytes(part.bufferView);
    const row = kind.bytes * width;
    const stride = this._document.bufferViews[part.bufferView].byteStride ?? row;
    const start = part.byteOffset ?? 0;
    if (!isSize(start) || !isSize(stride) || stride < row || start + stride * (count - 1) + row > bytes.length) throw new ModelError("has an accessor that reaches beyond its buffer");
    const packed = new Uint8Array(row * count);
    if (stride === row) packed.set(bytes.subarray(start, start + row * count));
    else for (let i = 0; i < count; i += 1) packed.set(bytes.subarray(start + i * stride, start + i * stride + row), i * row);
    return new kind.array(packed.buffer);
  }
}

/** @param {unknown} value @returns {boolean} */
function isSize(value) {
  return Number.isInteger(value) && /** @type {number} */ (value) >= 0 && /** @type {number} */ (value) < 2 ** 31;
}
