#version 100
// Blend shapes are already in a_position and a_normal; here the eyes turn, then the head.
precision highp float;

attribute vec3 a_position;
attribute vec3 a_normal;
attribute vec2 a_uv;
attribute vec4 a_color;
attribute float a_head;

uniform mat4 u_view_projection;
uniform mat4 u_part;
uniform mat4 u_head;

varying vec3 v_world;
varying vec3 v_normal;
varying vec2 v_uv;
varying vec4 v_color;

void main() {
    vec4 position = u_part * vec4(a_position, 1.0);
    vec4 normal = u_part * vec4(a_normal, 0.0);
    vec4 world = mix(position, u_head * position, a_head);
    v_world = world.xyz;
    v_normal = mix(normal, u_head * normal, a_head).xyz;
    v_uv = a_uv;
    v_color = a_color;
    gl_Position = u_view_projection * world;
}
