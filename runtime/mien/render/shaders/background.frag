#version 100
// A vertical gradient with a soft glow behind the head; dithering hides banding.
// PICTURE: a picture that covers the screen in place of the gradient.
// COMPOSITE: the face was drawn to a smaller texture and is composited over the background.
#ifdef GL_FRAGMENT_PRECISION_HIGH
precision highp float;
#else
precision mediump float;
#endif

uniform vec3 u_top;
uniform vec3 u_bottom;
uniform vec3 u_glow;
uniform vec4 u_glow_shape;  // centre x and y in -1..1, then 1/radius along x and y
uniform float u_presence;
#ifdef PICTURE
uniform sampler2D u_picture;
uniform vec2 u_cover;  // the share of its width and height that is shown
#endif
#ifdef COMPOSITE
uniform sampler2D u_face;
#endif

varying vec2 v_screen;
#ifdef COMPOSITE
varying vec2 v_face;
#endif

void main() {
#ifdef PICTURE
    vec3 color = texture2D(u_picture, v_screen * vec2(0.5, -0.5) * u_cover + 0.5).rgb;
#else
    vec2 from_glow = (v_screen - u_glow_shape.xy) * u_glow_shape.zw;
    float glow = 1.0 / (1.0 + dot(from_glow, from_glow));
    vec3 color = mix(u_bottom, u_top, smoothstep(-1.0, 1.0, v_screen.y)) + u_glow * glow * glow;
#endif
    color = mix(vec3(dot(color, vec3(0.19, 0.37, 0.07))), color, u_presence);
    float noise = fract(52.9829189 * fract(dot(gl_FragCoord.xy, vec2(0.06711056, 0.00583715))));
    color += (noise - 0.5) / 255.0;
#ifdef COMPOSITE
    vec4 face = texture2D(u_face, v_face);
    color = color * (1.0 - face.a) + face.rgb;
#endif
    gl_FragColor = vec4(color, 1.0);
}
