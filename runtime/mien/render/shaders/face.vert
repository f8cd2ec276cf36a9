#version 100
// Blend shapes are already in a_position and a_normal; here the eyes turn (EYE), then the head.
precision highp float;

attribute vec3 a_position;
attribute vec3 a_normal;
attribute vec2 a_uv;
attribute vec4 a_color;
attribute vec4 a_bind;  // how far the vertex goes with the head, with the left eye, with the right eye

uniform mat4 u_view_projection;
uniform mat4 u_head;
uniform float u_lift;  // how much nearer to the camera the depth test takes this part to be, in metres
#ifdef EYE
uniform mat4 u_left;
uniform mat4 u_right;
#endif

varying vec3 v_world;
varying vec3 v_normal;
varying vec2 v_uv;
varying vec4 v_color;

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
    v_normal = mix(normal, u_head * normal, a_bind.x).xyz;
    v_uv = a_uv;
    v_color = a_color;
    gl_Position = u_view_projection * world;
    vec4 lifted = u_view_projection * (world + vec4(0.0, 0.0, u_lift, 0.0));
    gl_Position.z = lifted.z * gl_Position.w / lifted.w;
}
