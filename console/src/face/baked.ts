/** Reads the baked avatar file (mien.avatar.baked). Files are untrusted: everything is checked before it is used. */

import { CHANNEL_NAMES } from "./channels.ts";

export type ShadingRole = "skin" | "eye_left" | "eye_right" | "mouth" | "hair" | "cloth" | "other";
const ROLES: readonly string[] = ["skin", "eye_left", "eye_right", "mouth", "hair", "cloth", "other"];

export interface Part {
  readonly firstIndex: number;
  readonly indexCount: number;
  readonly role: ShadingRole;
  readonly texture: number;
  readonly specular: number;
  readonly gloss: number;
  readonly alpha: boolean;
  readonly doubleSided: boolean;
  readonly masked: boolean;
}

export interface Target {
  readonly channel: number;
  readonly vertices: Uint16Array;
  /** Six for each vertex: position, normal. */
  readonly deltas: Float32Array;
  readonly furthest: number;
  readonly tipped: number;
}

export interface Texture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

export type Vector = readonly [number, number, number];

export interface Mesh {
  readonly name: string;
  readonly positions: Float32Array;
  readonly normals: Float32Array;
  readonly uvs: Float32Array;
  readonly colors: Uint8Array;
  readonly headWeights: Float32Array;
  readonly indices: Uint16Array;
  readonly parts: readonly Part[];
  readonly textures: readonly Texture[];
  readonly targets: readonly Target[];
  readonly neckPivot: Vector;
  readonly eyePivots: readonly [Vector, Vector];
  readonly frameCenter: Vector;
  readonly frameHeight: number;
  readonly frameWidth: number;
  readonly eyeRange: number;
  readonly background: readonly [Vector, Vector] | null;
}

/** A file that is no baked avatar, or a damaged one. */
export class NotAnAvatar extends Error {}

export const MOST_FILE_BYTES = 64 * 2 ** 20;
const MOST_HEADER_BYTES = 2 ** 18;
const MOST_VERTICES = 65_535;
const MOST_INDICES = 600_000;
const ALIGNMENT = 64;

type Json = Readonly<Record<string, unknown>>;

/** Throws NotAnAvatar. */
export async function readBaked(file: ArrayBuffer): Promise<Mesh> {
  if (new Uint8Array(new Uint32Array([1]).buffer)[0] !== 1) throw new NotAnAvatar("this machine is not little-endian");
  if (file.byteLength < 16 || file.byteLength > MOST_FILE_BYTES) throw new NotAnAvatar("of a size that no avatar has");
  const header = headerOf(file);
  if (header["signed"] === true) checkSum(file);
  const reader = new Arrays(file);
  const vertices = count(header, "vertex_count", 1, MOST_VERTICES);
  const indexCount = count(header, "index_count", 3, MOST_INDICES);
  const arrays = object(header["arrays"], "arrays");
  const indices = reader.view(Uint16Array, arrays["indices"], indexCount);
  if (indices.some((index) => index >= vertices)) throw new NotAnAvatar("a triangle of a vertex that is not there");
  const textures: Texture[] = [];
  for (const entry of list(header["textures"], "textures", 8)) textures.push(await reader.texture(entry));
  return {
    name: String(header["name"]).slice(0, 100),
    positions: finite(reader.view(Float32Array, arrays["positions"], vertices * 3)),
    normals: finite(reader.view(Float32Array, arrays["normals"], vertices * 3)),
    uvs: finite(reader.view(Float32Array, arrays["uvs"], vertices * 2)),
    colors: reader.view(Uint8Array, arrays["colors"], vertices * 4),
    headWeights: finite(reader.view(Float32Array, arrays["head_weights"], vertices)),
    indices,
    parts: list(header["parts"], "parts", 32).map((entry) => partOf(entry, indexCount, textures.length)),
    textures,
    targets: list(header["targets"], "targets", 64).flatMap((entry) => reader.target(entry, vertices) ?? []),
    neckPivot: vector(header["neck_pivot"]),
    eyePivots: pair(header["eye_pivots"]),
    frameCenter: vector(header["frame_center"]),
    frameHeight: number(header["frame_height"], "frame_height", 0.001, 100),
    frameWidth: number(header["frame_width"] ?? 0, "frame_width", 0, 100),
    eyeRange: number(header["eye_range"] ?? 1, "eye_range", 0, 1),
    background: header["background"] ? pair(header["background"]) : null,
  };
}

function headerOf(file: ArrayBuffer): Json {
  const view = new DataView(file);
  const magic = new TextDecoder("latin1").decode(new Uint8Array(file, 0, 8));
  if (magic !== "MIENAVTR") throw new NotAnAvatar("not a baked avatar");
  if (view.getUint32(8, true) !== 1) throw new NotAnAvatar(`baked in version ${view.getUint32(8, true)}; this page reads 1`);
  const length = view.getUint32(12, true);
  if (length > MOST_HEADER_BYTES || 16 + length > file.byteLength) throw new NotAnAvatar("its header is out of range");
  try {
    return object(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(file, 16, length))), "header");
  } catch (error) {
    throw error instanceof NotAnAvatar ? error : new NotAnAvatar("its header is not JSON");
  }
}

let crcTable: Uint32Array | null = null;

export function crc32(bytes: Uint8Array): number {
  crcTable ??= Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    return value;
  });
  let crc = 0xffffffff;
  for (let at = 0; at < bytes.length; at++) crc = crcTable[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

function checkSum(file: ArrayBuffer): void {
  const end = file.byteLength - 8;
  const view = new DataView(file, end);
  if (view.getUint32(0, false) !== 0x4d435243) throw new NotAnAvatar("its checksum is missing: is the copy complete?");
  if (crc32(new Uint8Array(file, 0, end)) !== view.getUint32(4, true)) throw new NotAnAvatar("it is damaged");
}

type Elements = Uint8Array | Uint16Array | Int16Array | Float32Array;

class Arrays {
  private textureBytes = 0;

  constructor(private readonly file: ArrayBuffer) {}

  view<T extends Elements>(
    kind: { new (buffer: ArrayBuffer, offset: number, length: number): T; BYTES_PER_ELEMENT: number },
    offset: unknown,
    length: number,
  ): T {
    const at = number(offset, "offset", 16, this.file.byteLength);
    if (at % ALIGNMENT || at + length * kind.BYTES_PER_ELEMENT > this.file.byteLength) {
      throw new NotAnAvatar("an array outside the file: is the copy complete?");
    }
    return new kind(this.file, at, length);
  }

  target(entry: Json, vertices: number): Target | null {
    const touched = count(entry, "count", 0, vertices);
    const at = this.view(Uint16Array, entry["vertices"], touched);
    if (at.some((vertex) => vertex >= vertices)) throw new NotAnAvatar("a shape that moves a vertex that is not there");
    const positions = this.view(Int16Array, entry["positions"], touched * 3);
    const normals = this.view(Int16Array, entry["normals"], touched * 3);
    const positionScale = number(entry["position_scale"], "position_scale", 0, 1);
    const normalScale = number(entry["normal_scale"], "normal_scale", 0, 1);
    const channel = CHANNEL_NAMES.indexOf(String(entry["name"]));
    if (channel < 0 || touched === 0) return null;
    const deltas = new Float32Array(touched * 6);
    let furthest = 1e-9;
    let tipped = 1e-9;
    for (let vertex = 0; vertex < touched; vertex++) {
      for (let axis = 0; axis < 3; axis++) {
        const moved = positions[vertex * 3 + axis]! * positionScale;
        const turned = normals[vertex * 3 + axis]! * normalScale;
        deltas[vertex * 6 + axis] = moved;
        deltas[vertex * 6 + 3 + axis] = turned;
        furthest = Math.max(furthest, Math.abs(moved));
        tipped = Math.max(tipped, Math.abs(turned));
      }
    }
    return { channel, vertices: at, deltas, furthest, tipped };
  }

  async texture(entry: Json): Promise<Texture> {
    const width = count(entry, "width", 1, 2048);
    const height = count(entry, "height", 1, 2048);
    this.textureBytes += width * height * 4;
    if (this.textureBytes > 128 * 2 ** 20) throw new NotAnAvatar("textures of more than 128 MB");
    const deflated = this.view(Uint8Array, entry["offset"], count(entry, "length", 0, this.file.byteLength));
    const pixels = await inflate(deflated, width * height * 4);
    // Rows hold their differences from the row above.
    const row = width * 4;
    for (let at = row; at < pixels.length; at++) pixels[at] = pixels[at]! + pixels[at - row]!;
    return { width, height, pixels };
  }
}

/** Exactly `size` bytes; stops reading as soon as there are more. */
async function inflate(deflated: Uint8Array, size: number): Promise<Uint8Array> {
  const made = new Uint8Array(size);
  let at = 0;
  const stream = new Blob([deflated as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream("deflate"));
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (at + value.length > size) throw new NotAnAvatar("a texture larger than it says");
      made.set(value, at);
      at += value.length;
    }
  } catch (error) {
    await reader.cancel().catch(() => {});
    throw error instanceof NotAnAvatar ? error : new NotAnAvatar("a texture that is damaged");
  }
  if (at !== size) throw new NotAnAvatar("a texture smaller than it says");
  return made;
}

function partOf(entry: Json, indexCount: number, textures: number): Part {
  const firstIndex = count(entry, "first_index", 0, indexCount);
  const role = String(entry["role"]);
  if (!ROLES.includes(role)) throw new NotAnAvatar("a part of an unknown role");
  return {
    firstIndex,
    indexCount: count(entry, "index_count", 0, indexCount - firstIndex),
    role: role as ShadingRole,
    texture: number(entry["texture"], "texture", -1, textures - 1),
    specular: number(entry["specular"], "specular", 0, 10),
    gloss: number(entry["gloss"], "gloss", 0, 1e6),
    alpha: entry["alpha"] === true,
    doubleSided: entry["double_sided"] === true,
    masked: entry["masked"] === true,
  };
}

function object(value: unknown, field: string): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new NotAnAvatar(`its ${field} is missing`);
  return value as Json;
}

function list(value: unknown, field: string, most: number): Json[] {
  if (!Array.isArray(value) || value.length > most) throw new NotAnAvatar(`its ${field} are out of range`);
  return value.map((each) => object(each, field));
}

function number(value: unknown, field: string, least: number, most: number): number {
  if (typeof value !== "number" || !(value >= least && value <= most)) throw new NotAnAvatar(`its ${field} is out of range`);
  return value;
}

function count(of: Json, field: string, least: number, most: number): number {
  const value = number(of[field], field, least, most);
  if (!Number.isInteger(value)) throw new NotAnAvatar(`its ${field} is not a whole number`);
  return value;
}

function vector(value: unknown): Vector {
  if (!Array.isArray(value) || value.length !== 3) throw new NotAnAvatar("a point without three coordinates");
  return [0, 1, 2].map((axis) => number(value[axis], "point", -1000, 1000)) as unknown as Vector;
}

function pair(value: unknown): readonly [Vector, Vector] {
  if (!Array.isArray(value) || value.length !== 2) throw new NotAnAvatar("a pair of points that is none");
  return [vector(value[0]), vector(value[1])];
}

function finite(values: Float32Array): Float32Array {
  if (!values.every(Number.isFinite)) throw new NotAnAvatar("a coordinate that is no number");
  return values;
}
