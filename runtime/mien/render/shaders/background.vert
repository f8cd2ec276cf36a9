#version 100
// One triangle that covers the screen, at the far plane, so that the depth test leaves only what the face does not hide.
precision highp float;

attribute vec2 a_position;

varying vec2 v_screen;

void main() {
    v_screen = a_position;
    gl_Position = vec4(a_position, 1.0, 1.0);
}
