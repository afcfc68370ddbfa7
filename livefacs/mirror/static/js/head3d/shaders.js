// One shader for all: skin that lets light in, eyes that shine, and plain surfaces of other files.

export const VERTEX = `#version 300 es
precision highp float;
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
uniform bool skinned;
uniform sampler2D jointMatrices;
out vec3 vPlace;
out vec3 vNormal;
out vec4 vColour;
out vec2 vUv;
out float vHeight;

mat4 jointMatrix(uint joint) {
  int x = int(joint) * 4;
  return mat4(texelFetch(jointMatrices, ivec2(x, 0), 0), texelFetch(jointMatrices, ivec2(x + 1, 0), 0),
    texelFetch(jointMatrices, ivec2(x + 2, 0), 0), texelFetch(jointMatrices, ivec2(x + 3, 0), 0));
}

void main() {
  mat4 placed = world;
  if (skinned) {
    placed = weights.x * jointMatrix(joints.x) + weights.y * jointMatrix(joints.y)
      + weights.z * jointMatrix(joints.z) + weights.w * jointMatrix(joints.w);
  }
  vec4 inWorld = placed * vec4(position, 1.0);
  vec4 inView = view * inWorld;
  vPlace = inView.xyz;
  vHeight = inWorld.y;
  vNormal = mat3(view) * (mat3(placed) * normal);
  vColour = colour;
  vUv = uv;
  gl_Position = projection * inView;
}`;

export const FRAGMENT = `#version 300 es
precision highp float;
in vec3 vPlace;
in vec3 vNormal;
in vec4 vColour;
in vec2 vUv;
in float vHeight;
uniform int kind; // 0 plain, 1 skin, 2 eye, 3 wet, 4 hair
uniform vec4 base;
uniform bool textured;
uniform sampler2D picture;
uniform float cutoff;
uniform bool twoSided;
uniform float mirror;
uniform vec3 fade; // colour that the neck fades into
uniform vec2 fadeFrom; // heights of full fade and of none
out vec4 result;

const vec3 KEY = vec3(-0.45, 0.55, 0.70);
const vec3 FILL = vec3(0.80, 0.05, 0.55);
const vec3 RIM = vec3(0.55, 0.35, -0.75);

vec3 toLinear(vec3 c) { return pow(c, vec3(2.2)); }

/** Light that enters the skin comes out redder and further round the edge. */
vec3 wrapped(float cosine, vec3 spread) {
  vec3 lit = clamp((vec3(cosine) + spread) / (1.0 + spread), 0.0, 1.0);
  return lit * lit;
}

float shine(vec3 n, vec3 l, vec3 v, float roughness, float f0) {
  vec3 h = normalize(l + v);
  float a = roughness * roughness;
  float nh = max(dot(n, h), 0.0), nl = max(dot(n, l), 0.0), nv = max(dot(n, v), 0.05), vh = max(dot(v, h), 0.0);
  float d = nh * nh * (a * a - 1.0) + 1.0;
  float distribution = a * a / (3.14159 * d * d);
  float k = (roughness + 1.0) * (roughness + 1.0) / 8.0;
  float shadowing = 1.0 / ((nv * (1.0 - k) + k) * (nl * (1.0 - k) + k) * 4.0);
  float away = 1.0 - vh, square = away * away;
  float fresnel = f0 + (1.0 - f0) * square * square * away;
  return distribution * shadowing * fresnel * nl;
}

void main() {
  vec4 albedo = base * vColour;
  if (textured) { vec4 t = texture(picture, vUv); albedo *= vec4(toLinear(t.rgb), t.a); }
  if (albedo.a < cutoff) discard;
  vec3 n = normalize(vNormal);
  vec3 v = normalize(-vPlace);
  if (twoSided && dot(n, v) < 0.0) n = -n;
  vec3 key = normalize(KEY * vec3(mirror, 1.0, 1.0)), fill = normalize(FILL * vec3(mirror, 1.0, 1.0)), rim = normalize(RIM * vec3(mirror, 1.0, 1.0));
  vec3 spread = kind == 1 ? vec3(0.42, 0.20, 0.14) : kind == 2 ? vec3(0.25) : vec3(0.10);
  vec3 sky = mix(vec3(0.16, 0.13, 0.12), vec3(0.38, 0.40, 0.44), n.y * 0.5 + 0.5);
  vec3 light = sky + wrapped(dot(n, key), spread) * vec3(2.35, 2.18, 2.0) + wrapped(dot(n, fill), spread) * vec3(0.36, 0.42, 0.52);
  float turned = 1.0 - max(dot(n, v), 0.0);
  float edge = turned * turned * turned;
  light += edge * max(dot(n, rim) + 0.4, 0.0) * vec3(0.75, 0.80, 0.95);
  // The upper lid and the corners shade the eye; teeth lie in the shade of the lips.
  if (kind == 2) light *= 1.0 - 0.55 * smoothstep(0.05, 0.55, n.y) - 0.25 * smoothstep(0.55, 0.95, abs(n.x));
  if (kind == 3) light *= 0.72;
  vec3 seen = albedo.rgb * light;
  if (kind == 1) seen += vec3(1.0) * (shine(n, key, v, 0.46, 0.028) * 1.6 + shine(n, fill, v, 0.55, 0.028) * 0.4) + shine(n, key, v, 0.30, 0.028) * 0.22;
  else if (kind == 2) seen += shine(n, key, v, 0.13, 0.035) * 1.4 + shine(n, normalize(vec3(0.35 * mirror, 0.5, 0.8)), v, 0.10, 0.03) * 0.35;
  else if (kind == 3) seen += shine(n, key, v, 0.25, 0.03) * 0.7;
  else if (kind == 0) seen += shine(n, key, v, 0.6, 0.03) * 0.6;
  seen = seen * 0.62;
  seen = (seen * (2.51 * seen + 0.03)) / (seen * (2.43 * seen + 0.59) + 0.14); // a film's curve (Narkowicz 2015)
  vec3 shown = pow(clamp(seen, 0.0, 1.0), vec3(1.0 / 2.2));
  if (fadeFrom.y > fadeFrom.x) shown = mix(fade, shown, smoothstep(fadeFrom.x, fadeFrom.y, vHeight));
  result = vec4(shown, kind == 0 ? albedo.a : 1.0);
}`;
