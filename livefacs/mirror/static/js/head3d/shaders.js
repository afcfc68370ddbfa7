// One way to shade, as a program for each sort of surface: skin that lets light in, eyes that shine,
// plain surfaces of other files. Without a graphics card both sides of every branch are computed for
// every pixel, so what a surface does not need is left out when its program is made; and the head's
// points, which lie a few pixels apart, are shaded in place of the pixels.

/**
 * What one sort of surface needs.
 *
 * @typedef {object} Needs
 * @property {number} kind 0 plain, 1 skin, 2 eye, 3 wet, 4 hair
 * @property {boolean} skinned bent by joints
 * @property {boolean} textured
 * @property {boolean} holed parts are cut out by alpha
 * @property {boolean} twoSided
 * @property {boolean} fading the neck fades into the background
 * @property {boolean} dense its points lie so close that light is computed at them, not at each pixel
 */

/** @param {Needs} needs @returns {string} */
function head(needs) {
  const flags = Object.entries(needs).filter(([, is]) => typeof is === "boolean" && is);
  return ["#version 300 es", `#define KIND ${needs.kind}`, ...flags.map(([name]) => `#define ${name.toUpperCase()}`), "precision highp float;", ""].join("\n");
}

const LIGHT = `
uniform float mirror;
uniform vec3 fade; // colour that the neck fades into
uniform vec2 fadeFrom; // heights of full fade and of none

// Directions to the lights, of unit length, x turned round in a mirror.
const vec3 KEY = vec3(-0.4511, 0.5514, 0.7018);
const vec3 FILL = vec3(0.8230, 0.0514, 0.5658);
const vec3 RIM = vec3(0.5535, 0.3522, -0.7547);
const vec3 WINDOW = vec3(0.3478, 0.4969, 0.7950); // seen in the eyes only
const vec3 SPREAD = KIND == 1 ? vec3(0.42, 0.20, 0.14) : KIND == 2 ? vec3(0.25) : vec3(0.10);
const vec3 OVER_SPREAD = 1.0 / (1.0 + SPREAD);

// Polynomials and roots in place of powers: at most 2.4 of 255 away, and that near black.
vec3 toLinear(vec3 c) { return max(c * (c * (c * 0.1861 + 0.8508) - 0.0354), 0.0); } // c^2.2
vec3 toScreen(vec3 c) { // c^(1/2.2)
  vec3 root = sqrt(c), fourth = sqrt(root);
  return 0.7771 * root + 0.3288 * fourth - 0.1053 * sqrt(fourth);
}

/** Light that enters the skin comes out redder and further round the edge. */
vec3 wrapped(float cosine) {
  vec3 lit = clamp((cosine + SPREAD) * OVER_SPREAD, 0.0, 1.0);
  return lit * lit;
}

/** A highlight (GGX) of a light whose cosine with the normal is nl and with the eye's direction lv. */
float shine(float nl, float nv, float lv, float roughness, float f0) {
  float overHalf = inversesqrt(max(2.0 + 2.0 * lv, 1e-4));
  float nh = clamp((nl + nv) * overHalf, 0.0, 1.0), vh = (1.0 + lv) * overHalf;
  float a = roughness * roughness;
  float d = nh * nh * (a * a - 1.0) + 1.0;
  float k = (roughness + 1.0) * (roughness + 1.0) / 8.0;
  nl = max(nl, 0.0);
  float away = 1.0 - vh, square = away * away;
  float fresnel = f0 + (1.0 - f0) * square * square * away;
  return a * a * fresnel * nl / (12.5664 * d * d * (nv * (1.0 - k) + k) * (nl * (1.0 - k) + k));
}

/** What is seen of a colour under the light, ready for the screen; n and v of unit length. */
vec3 shade(vec3 albedo, vec3 n, vec3 v, float height) {
  vec3 turn = vec3(mirror, 1.0, 1.0);
  vec3 own = n * turn; // as unmirrored
  float nk = dot(own, KEY), nf = dot(own, FILL), nv = max(dot(n, v), 0.0);
  vec3 light = mix(vec3(0.16, 0.13, 0.12), vec3(0.38, 0.40, 0.44), n.y * 0.5 + 0.5);
  light += wrapped(nk) * vec3(2.35, 2.18, 2.0) + wrapped(nf) * vec3(0.36, 0.42, 0.52);
  float turned = 1.0 - nv;
  light += turned * turned * turned * max(dot(own, RIM) + 0.4, 0.0) * vec3(0.75, 0.80, 0.95);
  // The upper lid and the corners shade the eye; teeth lie in the shade of the lips.
#if KIND == 2
  light *= 1.0 - 0.55 * smoothstep(0.05, 0.55, n.y) - 0.25 * smoothstep(0.55, 0.95, abs(n.x));
#elif KIND == 3
  light *= 0.72;
#endif
  vec3 seen = albedo * light;
  vec3 toEye = v * turn;
  float kv = dot(KEY, toEye);
  nv = max(nv, 0.05);
#if KIND == 0
  seen += shine(nk, nv, kv, 0.6, 0.03) * 0.6;
#elif KIND == 1
  seen += shine(nk, nv, kv, 0.46, 0.028) * 1.6 + shine(nk, nv, kv, 0.30, 0.028) * 0.22 + shine(nf, nv, dot(FILL, toEye), 0.55, 0.028) * 0.4;
#elif KIND == 2
  seen += shine(nk, nv, kv, 0.13, 0.035) * 1.4 + shine(dot(own, WINDOW), nv, dot(WINDOW, toEye), 0.10, 0.03) * 0.35;
#elif KIND == 3
  seen += shine(nk, nv, kv, 0.25, 0.03) * 0.7;
#endif
  seen *= 0.62;
  seen = (seen * (2.51 * seen + 0.03)) / (seen * (2.43 * seen + 0.59) + 0.14); // a film's curve (Narkowicz 2015)
  vec3 shown = toScreen(clamp(seen, 0.0, 1.0));
#ifdef FADING
  shown = mix(fade, shown, smoothstep(fadeFrom.x, fadeFrom.y, height));
#endif
  return shown;
}
`;

const VERTEX = `
precision highp sampler2D;
layout(location = 0) in vec3 position;
layout(location = 1) in vec3 normal;
layout(location = 2) in vec4 colour;
layout(location = 3) in vec2 uv;
layout(location = 4) in uvec4 joints;
layout(location = 5) in vec4 weights;
uniform mat4 world;
uniform mat4 view;
uniform mat4 projection;
uniform sampler2D jointMatrices;
#ifdef DENSE
uniform vec4 base;
out vec3 vShown;
#else
out vec3 vToEye;
out vec3 vNormal;
out vec4 vColour;
out vec2 vUv;
out float vHeight;
#endif

mat4 jointMatrix(uint joint) {
  int x = int(joint) * 4;
  return mat4(texelFetch(jointMatrices, ivec2(x, 0), 0), texelFetch(jointMatrices, ivec2(x + 1, 0), 0),
    texelFetch(jointMatrices, ivec2(x + 2, 0), 0), texelFetch(jointMatrices, ivec2(x + 3, 0), 0));
}

void main() {
#ifdef SKINNED
  mat4 placed = weights.x * jointMatrix(joints.x) + weights.y * jointMatrix(joints.y)
    + weights.z * jointMatrix(joints.z) + weights.w * jointMatrix(joints.w);
#else
  mat4 placed = world;
#endif
  vec4 inWorld = placed * vec4(position, 1.0);
  vec4 inView = view * inWorld;
  gl_Position = projection * inView;
  vec3 toEye = normalize(-inView.xyz), turned = mat3(view) * (mat3(placed) * normal);
#ifdef DENSE
  vec3 n = normalize(turned);
#ifdef TWOSIDED
  n = dot(n, toEye) < 0.0 ? -n : n;
#endif
  vShown = shade(base.rgb * colour.rgb, n, toEye, inWorld.y);
#else
  vToEye = toEye;
  vNormal = turned;
  vColour = colour;
  vUv = uv;
  vHeight = inWorld.y;
#endif
}`;

const FRAGMENT = `
in vec3 vToEye;
in vec3 vNormal;
in vec4 vColour;
in vec2 vUv;
in float vHeight;
uniform vec4 base;
uniform sampler2D picture;
uniform float cutoff;
out vec4 result;

void main() {
  vec4 albedo = base * vColour;
#ifdef TEXTURED
  vec4 texel = texture(picture, vUv);
  albedo *= vec4(toLinear(texel.rgb), texel.a);
#endif
#ifdef HOLED
  if (albedo.a < cutoff) discard;
#endif
  vec3 n = normalize(vNormal);
#ifdef TWOSIDED
  n = dot(n, vToEye) < 0.0 ? -n : n;
#endif
  result = vec4(shade(albedo.rgb, n, vToEye, vHeight), KIND == 0 ? albedo.a : 1.0);
}`;

const PASSED = `
in vec3 vShown;
out vec4 result;
void main() { result = vec4(vShown, 1.0); }`;

/** @param {Needs} needs @returns {{vertex: string, fragment: string}} */
export function shaders(needs) {
  const own = head(needs);
  if (needs.dense) return { vertex: own + LIGHT + VERTEX, fragment: own + PASSED };
  return { vertex: own + VERTEX, fragment: own + LIGHT + FRAGMENT };
}
