/** Draws one avatar in a canvas, with the board's own shaders. */

import backgroundFrag from "../../../runtime/mien/render/shaders/background.frag";
import backgroundVert from "../../../runtime/mien/render/shaders/background.vert";
import faceFrag from "../../../runtime/mien/render/shaders/face.frag";
import faceVert from "../../../runtime/mien/render/shaders/face.vert";
import type { Mesh, Part, Texture, Vector } from "./baked.ts";
import { turnEyes, turnHead, viewOf } from "./camera.ts";
import { Morpher } from "./morph.ts";
import { GLOW_SHAPE, LIGHTS, USUAL_BACKGROUND, VARIANTS, drawnBy, headOf, materialOf, plan, wrapOf } from "./scene.ts";

const ATTRIBUTES = ["a_position", "a_normal", "a_uv", "a_color", "a_bind"];
const [POSITION, NORMAL, UV, COLOR, BIND, CORNER] = [0, 1, 2, 3, 4, 5] as const;
const ROW_BYTES = 24;
const STATIC_BYTES = 16;
/** Moves shells that lie tenths of a millimetre above a surface towards the camera, against z-fighting. */
const SHELL_LIFT_M = 0.0012;

/** This browser cannot draw the face; the rest of the page works. */
export class NoGraphics extends Error {}

export class FaceRenderer {
  private readonly gl: WebGL2RenderingContext;
  private readonly morpher: Morpher;
  private readonly passes: Pass[];
  private readonly blended: { pass: Pass; part: Part }[];
  private readonly backdrop: WebGLProgram;
  private readonly moving: WebGLBuffer;
  private readonly head = new Float32Array(16);
  private readonly left = new Float32Array(16);
  private readonly right = new Float32Array(16);
  private presence = 1;
  private aspect = 0;

  /** Throws NoGraphics. */
  constructor(
    readonly canvas: HTMLCanvasElement,
    private readonly mesh: Mesh,
  ) {
    const gl = canvas.getContext("webgl2", { alpha: false, antialias: true, powerPreference: "low-power" });
    if (!gl) throw new NoGraphics("this browser has no WebGL 2");
    this.gl = gl;
    this.morpher = new Morpher(mesh);
    const { parts, indices } = plan(mesh);
    const textures = (mesh.textures.length ? mesh.textures : [WHITE]).map((texture) => upload(gl, texture));
    this.moving = this.fillBuffers(indices);
    this.passes = Object.keys(VARIANTS)
      .filter((variant) => drawnBy(variant, parts).length)
      .map((variant) => new Pass(gl, variant, parts, textures, headOf(mesh)));
    this.blended = parts.flatMap((part) => this.passes.filter((pass) => pass.blended.includes(part)).map((pass) => ({ pass, part })));
    this.backdrop = this.newBackdrop();
    gl.clearColor(0, 0, 0, 0);
    gl.enable(gl.DEPTH_TEST);
    gl.depthFunc(gl.LEQUAL);
    gl.enable(gl.CULL_FACE);
    gl.blendFuncSeparate(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA, gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  get lost(): boolean {
    return this.gl.isContextLost();
  }

  /** 1 in full colour .. 0 dim and grey. */
  setPresence(presence: number): void {
    this.presence = presence;
  }

  /** The size in pixels of the device. */
  resize(width: number, height: number): void {
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
  }

  draw(pose: Float32Array): void {
    const { gl, canvas } = this;
    this.frame(canvas.width / canvas.height);
    if (this.morpher.update(pose)) {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.moving);
      gl.bufferSubData(gl.ARRAY_BUFFER, 0, this.morpher.vertices);
    }
    turnHead(this.mesh, pose, this.head);
    turnEyes(this.mesh, pose, this.left, this.right);
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    for (const pass of this.passes) pass.draw(this.head, this.left, this.right, this.presence);
    gl.useProgram(this.backdrop);
    gl.uniform1f(gl.getUniformLocation(this.backdrop, "u_presence"), this.presence);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    for (const { pass, part } of this.blended) pass.drawBlended(part);
  }

  close(): void {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }

  private frame(aspect: number): void {
    if (aspect === this.aspect) return;
    this.aspect = aspect;
    const view = viewOf(this.mesh, aspect);
    for (const pass of this.passes) pass.look(view.matrix, view.position);
  }

  private fillBuffers(indices: Uint16Array): WebGLBuffer {
    const { gl, mesh } = this;
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, indices, gl.STATIC_DRAW);
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, staticVertices(mesh), gl.STATIC_DRAW);
    gl.vertexAttribPointer(UV, 2, gl.FLOAT, false, STATIC_BYTES, 0);
    gl.vertexAttribPointer(COLOR, 4, gl.UNSIGNED_BYTE, true, STATIC_BYTES, 8);
    gl.vertexAttribPointer(BIND, 4, gl.UNSIGNED_BYTE, true, STATIC_BYTES, 12);
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 3, -1, -1, 3]), gl.STATIC_DRAW);
    gl.vertexAttribPointer(CORNER, 2, gl.FLOAT, false, 8, 0);
    const moving = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, moving);
    gl.bufferData(gl.ARRAY_BUFFER, this.morpher.vertices, gl.DYNAMIC_DRAW);
    gl.vertexAttribPointer(POSITION, 3, gl.FLOAT, false, ROW_BYTES, 0);
    gl.vertexAttribPointer(NORMAL, 3, gl.FLOAT, false, ROW_BYTES, 12);
    for (const location of [POSITION, NORMAL, UV, COLOR, BIND, CORNER]) gl.enableVertexAttribArray(location);
    return moving;
  }

  private newBackdrop(): WebGLProgram {
    const { gl, mesh } = this;
    const built = program(gl, backgroundVert, backgroundFrag, "", { a_position: CORNER });
    const [top, bottom] = mesh.background ?? [USUAL_BACKGROUND.top, USUAL_BACKGROUND.bottom];
    const glow: Vector = mesh.background ? [0, 0, 0] : USUAL_BACKGROUND.glow;
    gl.useProgram(built);
    for (const [name, color] of [["u_top", top], ["u_bottom", bottom], ["u_glow", glow]] as const) {
      gl.uniform3f(gl.getUniformLocation(built, name), ...color);
    }
    gl.uniform4f(gl.getUniformLocation(built, "u_glow_shape"), ...GLOW_SHAPE);
    gl.uniform4f(gl.getUniformLocation(built, "u_upright"), 1, 0, 0, 1);
    return built;
  }
}

/** The parts that share one variant of the face's shaders. */
class Pass {
  readonly blended: readonly Part[];
  private readonly opaque: readonly Part[];
  private readonly program: WebGLProgram;
  private readonly at: (name: string) => WebGLUniformLocation | null;

  constructor(
    private readonly gl: WebGL2RenderingContext,
    variant: string,
    parts: readonly Part[],
    private readonly textures: readonly WebGLTexture[],
    head: { center: Vector; inverseRadii: Vector },
  ) {
    this.program = program(gl, faceVert, faceFrag, variant, Object.fromEntries(ATTRIBUTES.map((name, at) => [name, at])));
    const mine = drawnBy(variant, parts);
    this.opaque = mine.filter((part) => !part.alpha);
    this.blended = mine.filter((part) => part.alpha);
    const places = new Map<string, WebGLUniformLocation | null>();
    this.at = (name) => {
      if (!places.has(name)) places.set(name, gl.getUniformLocation(this.program, name));
      return places.get(name) ?? null;
    };
    gl.useProgram(this.program);
    gl.uniform3f(this.at("u_head_center"), ...head.center);
    gl.uniform3f(this.at("u_head_scale"), ...head.inverseRadii);
    gl.uniform1i(this.at("u_texture"), 0);
    for (const [name, value] of Object.entries(LIGHTS)) gl.uniform3f(this.at(name), ...value);
  }

  look(matrix: Float32Array, position: Vector): void {
    this.gl.useProgram(this.program);
    this.gl.uniformMatrix4fv(this.at("u_view_projection"), false, matrix);
    this.gl.uniform3f(this.at("u_camera"), ...position);
  }

  draw(head: Float32Array, left: Float32Array, right: Float32Array, presence: number): void {
    const { gl } = this;
    gl.useProgram(this.program);
    gl.uniformMatrix4fv(this.at("u_head"), false, head);
    gl.uniformMatrix4fv(this.at("u_left"), false, left);
    gl.uniformMatrix4fv(this.at("u_right"), false, right);
    gl.uniform1f(this.at("u_presence"), presence);
    for (const part of this.opaque) this.drawPart(part);
  }

  drawBlended(part: Part): void {
    const { gl } = this;
    gl.useProgram(this.program);
    gl.uniform1f(this.at("u_lift"), SHELL_LIFT_M);
    gl.enable(gl.BLEND);
    gl.depthMask(false);
    this.drawPart(part);
    gl.depthMask(true);
    gl.disable(gl.BLEND);
    gl.uniform1f(this.at("u_lift"), 0);
  }

  private drawPart(part: Part): void {
    const { gl } = this;
    gl.uniform4f(this.at("u_material"), ...materialOf(part));
    gl.uniform3f(this.at("u_wrap"), ...wrapOf(part));
    gl.bindTexture(gl.TEXTURE_2D, this.textures[Math.max(0, part.texture)] ?? null);
    if (part.doubleSided) gl.disable(gl.CULL_FACE);
    gl.drawElements(gl.TRIANGLES, part.indexCount, gl.UNSIGNED_SHORT, 2 * part.firstIndex);
    if (part.doubleSided) gl.enable(gl.CULL_FACE);
  }
}

const WHITE: Texture = { width: 1, height: 1, pixels: new Uint8Array([255, 255, 255, 255]) };

function staticVertices(mesh: Mesh): ArrayBuffer {
  const count = mesh.headWeights.length;
  const bytes = new ArrayBuffer(count * STATIC_BYTES);
  const view = new DataView(bytes);
  for (let vertex = 0; vertex < count; vertex++) {
    const at = vertex * STATIC_BYTES;
    view.setFloat32(at, mesh.uvs[vertex * 2]!, true);
    view.setFloat32(at + 4, mesh.uvs[vertex * 2 + 1]!, true);
    for (let byte = 0; byte < 4; byte++) view.setUint8(at + 8 + byte, mesh.colors[vertex * 4 + byte]!);
    view.setUint8(at + 12, Math.round(Math.min(1, Math.max(0, mesh.headWeights[vertex]!)) * 255));
  }
  for (const part of mesh.parts) {
    const offset = part.role === "eye_left" ? 13 : part.role === "eye_right" ? 14 : 0;
    if (!offset) continue;
    for (let at = part.firstIndex; at < part.firstIndex + part.indexCount; at++) {
      view.setUint8(mesh.indices[at]! * STATIC_BYTES + offset, 255);
    }
  }
  return bytes;
}

function upload(gl: WebGL2RenderingContext, texture: Texture): WebGLTexture {
  const { width, height, pixels } = texture;
  const name = gl.createTexture();
  const whole = (value: number): boolean => (value & (value - 1)) === 0;
  const mipmapped = whole(width) && whole(height) && width * height > 1;
  gl.bindTexture(gl.TEXTURE_2D, name);
  gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, width, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
  if (mipmapped) gl.generateMipmap(gl.TEXTURE_2D);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, mipmapped ? gl.LINEAR_MIPMAP_LINEAR : gl.LINEAR);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
  for (const axis of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) {
    gl.texParameteri(gl.TEXTURE_2D, axis, mipmapped ? gl.REPEAT : gl.CLAMP_TO_EDGE);
  }
  return name;
}

function program(
  gl: WebGL2RenderingContext,
  vertex: string,
  fragment: string,
  define: string,
  attributes: Readonly<Record<string, number>>,
): WebGLProgram {
  const made = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]] as const) {
    const shader = gl.createShader(kind);
    if (!shader) throw new NoGraphics("the graphics context is lost");
    gl.shaderSource(shader, define ? source.replace("\n", `\n#define ${define}\n`) : source);
    gl.compileShader(shader);
    gl.attachShader(made, shader);
  }
  for (const [name, location] of Object.entries(attributes)) gl.bindAttribLocation(made, location, name);
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS)) throw new NoGraphics("this graphics driver cannot draw the face");
  return made;
}
