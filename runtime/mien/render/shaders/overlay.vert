#version 100
// Flat pictures over everything: the corners come in clip space, at the near plane.
precision highp float;

attribute vec4 a_place;  // x and y, then the place in the picture
attribute vec3 a_look;   // opacity, progress, how strong what lies ahead is

varying vec2 v_at;
varying vec3 v_look;

void main() {
    v_at = a_place.zw;
    v_look = a_look;
    gl_Position = vec4(a_place.xy, -1.0, 1.0);
}
