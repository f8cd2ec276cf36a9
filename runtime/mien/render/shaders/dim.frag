#version 100
// Black, blended over the frame with opacity u_black, 0..1.
precision mediump float;

uniform float u_black;

void main() {
    gl_FragColor = vec4(0.0, 0.0, 0.0, u_black);
}
