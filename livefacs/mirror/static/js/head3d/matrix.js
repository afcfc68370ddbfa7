// Column-major 4 × 4 matrices and quaternions (x, y, z, w), as glTF and WebGL have them.

/** @typedef {Float32Array} Mat4 */

/** @returns {Mat4} */
export function identity() {
  return new Float32Array([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
}

/**
 * @param {Mat4} a
 * @param {Mat4} b
 * @param {Mat4} [out] may not be a or b
 * @returns {Mat4} a · b
 */
export function multiply(a, b, out = new Float32Array(16)) {
  for (let column = 0; column < 4; column += 1) {
    for (let row = 0; row < 4; row += 1) {
      let sum = 0;
      for (let k = 0; k < 4; k += 1) sum += a[4 * k + row] * b[4 * column + k];
      out[4 * column + row] = sum;
    }
  }
  return out;
}

/**
 * @param {ArrayLike<number>} t translation
 * @param {ArrayLike<number>} r rotation
 * @param {ArrayLike<number>} s scale
 * @param {Mat4} [out]
 * @returns {Mat4}
 */
export function compose(t, r, s, out = new Float32Array(16)) {
  const [x, y, z, w] = [r[0], r[1], r[2], r[3]];
  out[0] = (1 - 2 * (y * y + z * z)) * s[0]; out[1] = 2 * (x * y + z * w) * s[0]; out[2] = 2 * (x * z - y * w) * s[0]; out[3] = 0;
  out[4] = 2 * (x * y - z * w) * s[1]; out[5] = (1 - 2 * (x * x + z * z)) * s[1]; out[6] = 2 * (y * z + x * w) * s[1]; out[7] = 0;
  out[8] = 2 * (x * z + y * w) * s[2]; out[9] = 2 * (y * z - x * w) * s[2]; out[10] = (1 - 2 * (x * x + y * y)) * s[2]; out[11] = 0;
  out[12] = t[0]; out[13] = t[1]; out[14] = t[2]; out[15] = 1;
  return out;
}

/**
 * @param {number} fovRad vertical
 * @param {number} aspect
 * @param {number} near
 * @param {number} far
 * @returns {Mat4}
 */
export function perspective(fovRad, aspect, near, far) {
  const f = 1 / Math.tan(fovRad / 2);
  return new Float32Array([f / aspect, 0, 0, 0, 0, f, 0, 0, 0, 0, (far + near) / (near - far), -1, 0, 0, (2 * far * near) / (near - far), 0]);
}

/**
 * The rotation of a head or an eye: roll about z, then pitch about x, then yaw about y.
 *
 * @param {number} yaw radians, to the own left
 * @param {number} pitch radians, down
 * @param {number} roll radians, towards the own right shoulder
 * @returns {[number, number, number, number]}
 */
export function turned(yaw, pitch, roll) {
  const [cy, sy, cp, sp, cr, sr] = [Math.cos(yaw / 2), Math.sin(yaw / 2), Math.cos(pitch / 2), Math.sin(pitch / 2), Math.cos(roll / 2), Math.sin(roll / 2)];
  return [cy * sp * cr + sy * cp * sr, sy * cp * cr - cy * sp * sr, cy * cp * sr - sy * sp * cr, cy * cp * cr + sy * sp * sr];
}

/**
 * @param {ArrayLike<number>} a
 * @param {ArrayLike<number>} b
 * @returns {[number, number, number, number]} a · b
 */
export function quaternionProduct(a, b) {
  return [
    a[3] * b[0] + a[0] * b[3] + a[1] * b[2] - a[2] * b[1],
    a[3] * b[1] - a[0] * b[2] + a[1] * b[3] + a[2] * b[0],
    a[3] * b[2] + a[0] * b[1] - a[1] * b[0] + a[2] * b[3],
    a[3] * b[3] - a[0] * b[0] - a[1] * b[1] - a[2] * b[2],
  ];
}

/** @param {Mat4} m @returns {[number, number, number, number]} its rotation, scale left out */
export function rotationOf(m) {
  const [a, b, c] = [0, 4, 8].map((k) => 1 / (Math.hypot(m[k], m[k + 1], m[k + 2]) || 1));
  const [m00, m10, m20] = [m[0] * a, m[1] * a, m[2] * a];
  const [m01, m11, m21] = [m[4] * b, m[5] * b, m[6] * b];
  const [m02, m12, m22] = [m[8] * c, m[9] * c, m[10] * c];
  const trace = m00 + m11 + m22;
  if (trace > 0) { const s = 0.5 / Math.sqrt(trace + 1); return [(m21 - m12) * s, (m02 - m20) * s, (m10 - m01) * s, 0.25 / s]; }
  if (m00 > m11 && m00 > m22) { const s = 2 * Math.sqrt(1 + m00 - m11 - m22); return [0.25 * s, (m01 + m10) / s, (m02 + m20) / s, (m21 - m12) / s]; }
  if (m11 > m22) { const s = 2 * Math.sqrt(1 + m11 - m00 - m22); return [(m01 + m10) / s, 0.25 * s, (m12 + m21) / s, (m02 - m20) / s]; }
  const s = 2 * Math.sqrt(1 + m22 - m00 - m11); return [(m02 + m20) / s, (m12 + m21) / s, 0.25 * s, (m10 - m01) / s];
}

/** @param {ArrayLike<number>} q @returns {[number, number, number, number]} */
export function conjugate(q) {
  return [-q[0], -q[1], -q[2], q[3]];
}
