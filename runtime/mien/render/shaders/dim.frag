#version 100
// Black, blended over the picture: u_black of it, 0 none .. 1 all.
precision mediump float;

uniform float u_black;

void main() {
    gl_FragColor = vec4(0.0, 0.0, 0.0, u_black);
}
