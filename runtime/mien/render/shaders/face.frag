#version 100
// One pass: wrapped key light, soft light, rim, one specular, baked occlusion. EYE: eyes reflect two lamps. HAIR:
// anisotropic highlight across vertical strands (Kajiya and Kay, 1989). MASK: alpha test, for hair and lash cards only,
// because discard disables a tiled GPU's early depth test.
// u_presence fades the frame to a dim grey.
// Light is summed with squared sRGB values, with a square root at the end: gamma 2 instead of 2.2, at no cost.
#ifdef GL_FRAGMENT_PRECISION_HIGH
precision highp float;
#else
precision mediump float;
#endif

uniform sampler2D u_texture;
uniform vec3 u_camera;
uniform vec4 u_material;  // specular, gloss, rim, texture: 0 none, 1 alpha is opacity, 2 alpha is specular
uniform vec3 u_wrap;      // 1 / (1 + wrap of the key light), per colour
uniform vec3 u_key_direction;
uniform vec3 u_key_color;
uniform vec3 u_rim_direction;
uniform vec3 u_rim_color;
uniform float u_presence;
#ifdef EYE
uniform vec3 u_sky_color;
uniform vec3 u_lamp_direction;
uniform vec3 u_second_lamp_direction;
#endif

varying vec3 v_world;
varying vec3 v_normal;
varying vec2 v_uv;
varying vec4 v_color;
varying vec3 v_soft;
varying vec3 v_key;

void main() {
    vec4 texel = mix(vec4(1.0), texture2D(u_texture, v_uv), min(u_material.w, 1.0));
#ifdef MASK
    if (texel.a < 0.5) discard;
    texel.a = 1.0;
#endif
    vec3 albedo = texel.rgb * v_color.rgb;
    albedo *= albedo;
    vec3 normal = normalize(v_normal);
    vec3 view = normalize(u_camera - v_world);
    normal *= gl_FrontFacing ? 1.0 : -1.0;

    float open = v_color.a;
    vec3 wrapped = max(1.0 - u_wrap * (1.0 - dot(normal, u_key_direction)), 0.0);
#ifndef EYE
    if (u_material.y > 999.0) wrapped = vec3(mix(0.45, 1.0, smoothstep(0.36, 0.44, wrapped.g)));  // two tones
#endif
    vec3 light = u_key_color * wrapped * v_key + v_soft;

    float edge = 1.0 - clamp(dot(normal, view), 0.0, 1.0);
#ifdef EYE
    vec3 mirrored = reflect(-view, normal);
    float lamp = smoothstep(0.958, 0.992, dot(mirrored, u_lamp_direction));
    float second = smoothstep(0.72, 1.0, dot(mirrored, u_second_lamp_direction));
    vec3 shine = (lamp * lamp + 0.05 * second * second) * u_key_color + 0.4 * edge * edge * u_sky_color;
    vec3 color = albedo * light + u_material.x * shine * open;
#else
    float backlit = clamp(dot(normal, u_rim_direction) + 0.1, 0.0, 1.0) * open * open;
    float rim = edge * edge * edge * edge * backlit * u_material.z;
    vec3 halfway = normalize(view + u_key_direction);
#ifdef HAIR
    vec3 strand = vec3(0.0, 1.0, 0.0) - normal * normal.y + vec3(0.0, 0.0, 0.05);
    float along = dot(normalize(strand), halfway) + 0.02 - 0.3 * (texel.g - 0.5);
    float band = pow(max(1.0 - along * along, 0.0), u_material.y) * wrapped.g * (0.3 + texel.g);
    vec3 specular = u_material.x * band * (albedo * 9.0 + 0.12);
#else
    vec3 specular = vec3(u_material.x * texel.a * pow(max(dot(normal, halfway), 0.0), u_material.y));
#endif
    // A highlight that is white on light skin would look ashen on dark skin.
    specular *= u_key_color * (0.55 + 0.9 * albedo);
    vec3 color = albedo * light + (rim * u_rim_color * (0.3 + albedo) + specular) * open;
#endif
    color /= 1.0 + 0.11 * color * color;  // a soft shoulder keeps the hue of bright skin
    color = sqrt(clamp(color, 0.0, 1.0));
    float grey = dot(color, vec3(0.19, 0.37, 0.07));
    float solid = max(texel.a, u_material.w - 1.0);
#ifndef EYE
    solid = min(solid + step(0.89, u_material.x) * specular.g, 1.0);  // the highlight on glass is opaque
#endif
    gl_FragColor = vec4(mix(vec3(grey), color, u_presence), solid);
}
