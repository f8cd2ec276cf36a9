/** Camera and rigid turns, as mien.render.camera and mien.render.transform place them. Pure; column-major matrices. */

import type { Mesh, Vector } from "./baked.ts";
import { channel } from "./channels.ts";

const FIELD_OF_VIEW = (24 * Math.PI) / 180;
const MIN_WIDTH_OF_FRAME = 0.68;
const NEAR_REACH = 1.2;
const FAR_REACH = 1.6;
const EYE_YAW = (30 * Math.PI) / 180;
const EYE_PITCH = (24 * Math.PI) / 180;

export interface View {
  readonly matrix: Float32Array;
  readonly position: Vector;
}

/** The view that frames an avatar at an aspect, width / height. */
export function viewOf(mesh: Mesh, aspect: number): View {
  const { frameCenter: center, frameHeight: height } = mesh;
  let floor = Infinity;
  for (let at = 1; at < mesh.positions.length; at += 3) floor = Math.min(floor, mesh.positions[at]!);
  const shown = Math.max(height, Math.max(MIN_WIDTH_OF_FRAME * height, mesh.frameWidth) / aspect);
  const fills = floor <= center[1] - height / 2;
  const lift = fills ? Math.max(0, floor - (center[1] - shown / 2)) : 0;
  const distance = shown / 2 / Math.tan(FIELD_OF_VIEW / 2);
  const position: Vector = [center[0], center[1] + lift, center[2] + distance];
  const near = Math.max(distance * 0.1, distance - NEAR_REACH * shown);
  const far = distance + FAR_REACH * shown;
  const scale = 1 / Math.tan(FIELD_OF_VIEW / 2);
  const depth = near - far;
  const [x, y, z] = position;
  const a = (far + near) / depth;
  // prettier-ignore
  const matrix = new Float32Array([
    scale / aspect, 0, 0, 0,
    0, scale, 0, 0,
    0, 0, a, -1,
    (-x * scale) / aspect, -y * scale, -z * a + (2 * far * near) / depth, z,
  ]);
  return { matrix, position };
}

/** A rotation by roll, then pitch, then yaw about a pivot, with the signs of mien.core.pose. */
export function turn(pivot: Vector, pitch: number, yaw: number, roll: number, into: Float32Array): void {
  const [sinP, cosP] = [Math.sin(pitch), Math.cos(pitch)];
  const [sinY, cosY] = [Math.sin(yaw), Math.cos(yaw)];
  const [sinR, cosR] = [Math.sin(-roll), Math.cos(-roll)];
  const m00 = cosY * cosR + sinY * sinP * sinR;
  const m01 = -cosY * sinR + sinY * sinP * cosR;
  const m02 = sinY * cosP;
  const [m10, m11, m12] = [cosP * sinR, cosP * cosR, -sinP];
  const m20 = -sinY * cosR + cosY * sinP * sinR;
  const m21 = sinY * sinR + cosY * sinP * cosR;
  const m22 = cosY * cosP;
  const [x, y, z] = pivot;
  // prettier-ignore
  into.set([
    m00, m10, m20, 0,
    m01, m11, m21, 0,
    m02, m12, m22, 0,
    x - m00 * x - m01 * y - m02 * z, y - m10 * x - m11 * y - m12 * z, z - m20 * x - m21 * y - m22 * z, 1,
  ]);
}

const HEAD = ["headPitch", "headYaw", "headRoll"].map(channel) as unknown as Vector;
const LEFT = ["Out", "In", "Down", "Up"].map((way) => channel(`eyeLook${way}Left`));
const RIGHT = ["In", "Out", "Down", "Up"].map((way) => channel(`eyeLook${way}Right`));

export function turnHead(mesh: Mesh, pose: Float32Array, into: Float32Array): void {
  turn(mesh.neckPivot, pose[HEAD[0]]!, pose[HEAD[1]]!, pose[HEAD[2]]!, into);
}

/** "In" is towards the nose, so its sign differs per eye. */
export function turnEyes(mesh: Mesh, pose: Float32Array, left: Float32Array, right: Float32Array): void {
  for (const [into, pivot, ways] of [[left, mesh.eyePivots[0], LEFT], [right, mesh.eyePivots[1], RIGHT]] as const) {
    const [plus, minus, down, up] = ways.map((way) => pose[way]!) as [number, number, number, number];
    turn(pivot, (down - up) * EYE_PITCH * mesh.eyeRange, (plus - minus) * EYE_YAW * mesh.eyeRange, 0, into);
  }
}
