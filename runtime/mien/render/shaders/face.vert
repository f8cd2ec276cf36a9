#version 100
// Blend shapes are already in a_position and a_normal; here the eyes turn (EYE), then the head. The soft light (sky,
// ground, fill, occlusion) changes slowly over a face: it is summed here, once a vertex.
precision highp float;

attribute vec3 a_position;
attribute vec3 a_normal;
attribute vec2 a_uv;
attribute vec4 a_color;
attribute vec4 a_bind;  // how far the vertex goes with the head, with the left eye, with the right eye

uniform mat4 u_view_projection;
uniform mat4 u_head;
uniform vec3 u_wrap;
uniform vec3 u_fill_direction;
uniform vec3 u_fill_color;
uniform vec3 u_sky_color;
uniform vec3 u_ground_color;
uniform float u_lift;  // how much nearer to the camera the depth test takes this part to be, in metres
#ifdef EYE
uniform mat4 u_left;
uniform mat4 u_right;
#endif

varying vec3 v_world;
varying vec3 v_normal;
varying vec2 v_uv;
varying vec4 v_color;
varying vec3 v_soft;

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
    vec3 occlusion = open + (1.0 / u_wrap - 1.0) * open * (1.0 - open);
    float fill = clamp(dot(v_normal, u_fill_direction) * 0.6 + 0.4, 0.0, 1.0);
    v_soft = (mix(u_ground_color, u_sky_color, v_normal.y * 0.5 + 0.5) + u_fill_color * fill) * occlusion;
    gl_Position = u_view_projection * world;
    vec4 lifted = u_view_projection * (world + vec4(0.0, 0.0, u_lift, 0.0));
    gl_Position.z = lifted.z * gl_Position.w / lifted.w;
}
