#version 100
// One triangle that covers the screen at the far plane, so that the depth test rejects pixels behind the face.
precision highp float;

attribute vec2 a_position;

uniform vec4 u_upright;  // rotation from the driver's screen to the upright screen, row by row

varying vec2 v_screen;
#ifdef COMPOSITE
varying vec2 v_face;
#endif

void main() {
    v_screen = vec2(dot(u_upright.xy, a_position), dot(u_upright.zw, a_position));
#ifdef COMPOSITE
    v_face = a_position * 0.5 + 0.5;
#endif
    gl_Position = vec4(a_position, 1.0, 1.0);
}
