#version 100
// 2D images over everything, with corners in clip space at the near plane.
precision highp float;

attribute vec4 a_place;  // x and y, then the texture position
attribute vec3 a_look;   // opacity, progress, opacity of later words

varying vec2 v_at;
varying vec3 v_look;

void main() {
    v_at = a_place.zw;
    v_look = a_look;
    gl_Position = vec4(a_place.xy, -1.0, 1.0);
}
