#version 100
// Blend shapes are already in a_position and a_normal; the eyes rotate here (EYE), then the head. Soft light (sky,
// ground, fill, occlusion) varies slowly over a face, so it is computed per vertex, as is the shadow that the head, as an
// ellipsoid, casts on vertices that do not turn with it.
precision highp float;

attribute vec3 a_position;
attribute vec3 a_normal;
attribute vec2 a_uv;
attribute vec4 a_color;
attribute vec4 a_bind;  // how far the vertex follows the head, the left eye, the right eye

uniform mat4 u_view_projection;
uniform mat4 u_head;
uniform vec3 u_wrap;
uniform vec3 u_key_direction;
uniform vec3 u_fill_direction;
uniform vec3 u_fill_color;
uniform vec3 u_sky_color;
uniform vec3 u_ground_color;
uniform vec3 u_head_center;
uniform vec3 u_head_scale;  // 1 / radius along each axis
uniform float u_lift;  // depth offset towards the camera, in metres
#ifdef EYE
uniform mat4 u_left;
uniform mat4 u_right;
#endif

varying vec3 v_world;
varying vec3 v_normal;
varying vec2 v_uv;
varying vec4 v_color;
varying vec3 v_soft;
varying vec3 v_key;  // share of the key light that arrives; shadows on skin are red

float head_shadow(vec3 point) {
    vec3 from_head = (point - u_head_center) * u_head_scale;
    vec3 ray = normalize(u_key_direction * u_head_scale);
    float along = min(dot(from_head, ray), 0.0);
    float beside = length(from_head - along * ray);
    return smoothstep(0.85, 1.6, beside);
}

void main() {
    vec4 position = vec4(a_position, 1.0);
    vec4 normal = vec4(a_normal, 0.0);
#ifdef EYE
    position = mix(position, u_left * position, a_bind.y);
    normal = mix(normal, u_left * normal, a_bind.y);
    position = mix(position, u_right * position, a_bind.z);
    normal = mix(normal, u_right * normal, a_bind.z);
#endif
    vec4 world = mix(position, u_head * position, a_bind.x);
    v_world = world.xyz;
    v_normal = normalize(mix(normal, u_head * normal, a_bind.x).xyz);
    v_uv = a_uv;
    v_color = a_color;
    float open = a_color.a;
    vec3 bleed = 1.0 / u_wrap - 1.0;
    float lit = mix(open, 1.0, 0.15) * mix(1.0, head_shadow(world.xyz), clamp(7.0 - 7.0 * a_bind.x, 0.0, 1.0));
    v_key = lit + 1.4 * bleed * lit * (1.0 - lit);
    vec3 occlusion = open + bleed * open * (1.0 - open);
    float fill = clamp(dot(v_normal, u_fill_direction) * 0.6 + 0.4, 0.0, 1.0);
    v_soft = (mix(u_ground_color, u_sky_color, v_normal.y * 0.5 + 0.5) + u_fill_color * fill) * occlusion;
    v_soft *= 1.0 + 0.5 * (bleed - dot(bleed, vec3(0.3333)));  // light scattered out of skin is warm
    gl_Position = u_view_projection * world;
    vec4 lifted = u_view_projection * (world + vec4(0.0, 0.0, u_lift, 0.0));
    gl_Position.z = lifted.z * gl_Position.w / lifted.w;
}
