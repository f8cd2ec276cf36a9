#version 100
// Ink over its shadow over a plate; words already heard are bright. A negative progress: the image is a picture. The
// result is premultiplied.
#ifdef GL_FRAGMENT_PRECISION_HIGH
precision highp float;
#else
precision mediump float;
#endif

uniform sampler2D u_image;  // ink, shadow, word number, plate

varying vec2 v_at;
varying vec3 v_look;

void main() {
    vec4 texel = texture2D(u_image, v_at);
    float word = floor(texel.b * 255.0 + 0.5);
    float heard = clamp(v_look.y - word, 0.0, 1.0);
    float strength = mix(v_look.z, 1.0, heard);
    float ink = texel.r * strength;
    float under = 1.0 - (1.0 - texel.g * strength) * (1.0 - texel.a);
    vec3 color = ink * vec3(1.0, 0.985, 0.96) + (1.0 - ink) * under * vec3(0.035, 0.045, 0.06);
    vec4 written = vec4(color, ink + (1.0 - ink) * under);
    gl_FragColor = (v_look.y < 0.0 ? texel : written) * v_look.x;
}
