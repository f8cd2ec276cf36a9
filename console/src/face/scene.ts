/** The scene around every avatar: lights, shading, draw calls; as mien.render.scene and mien.render.draw_calls. Pure. */

import type { Mesh, Part, ShadingRole, Vector } from "./baked.ts";

function toward(x: number, y: number, z: number): Vector {
  const length = Math.hypot(x, y, z);
  return [x / length, y / length, z / length];
}

export const LIGHTS: Readonly<Record<string, Vector>> = {
  u_key_direction: toward(-0.6, 0.62, 0.7),
  u_key_color: [0.99, 0.93, 0.865],
  u_fill_direction: toward(0.9, 0.05, 0.5),
  u_fill_color: [0.12, 0.125, 0.135],
  u_sky_color: [0.28, 0.28, 0.295],
  u_ground_color: [0.16, 0.115, 0.095],
  u_rim_direction: toward(0.75, 0.35, -0.5),
  u_rim_color: [0.86, 0.86, 0.87],
  u_lamp_direction: toward(-0.36, 0.52, 0.77),
  u_second_lamp_direction: toward(0.42, -0.4, 0.8),
};

export const GLOW_SHAPE = [0, 0.15, 0.9, 0.75] as const;
export const USUAL_BACKGROUND = { top: [0.33, 0.41, 0.46], bottom: [0.17, 0.21, 0.26], glow: [0.26, 0.27, 0.25] } as const;

const WRAP: Readonly<Record<ShadingRole, Vector>> = {
  skin: [0.47, 0.33, 0.27],
  eye_left: [0.35, 0.33, 0.33],
  eye_right: [0.35, 0.33, 0.33],
  mouth: [0.6, 0.52, 0.5],
  hair: [0.2, 0.2, 0.2],
  cloth: [0.15, 0.15, 0.15],
  other: [0.2, 0.2, 0.2],
};
const RIM: Readonly<Record<ShadingRole, number>> = {
  skin: 0.4, eye_left: 0, eye_right: 0, mouth: 0, hair: 0.45, cloth: 0.35, other: 0.5,
};

export const VARIANTS: Readonly<Record<string, readonly ShadingRole[]>> = {
  HAIR: ["hair"],
  "": ["cloth", "skin", "other", "mouth"],
  EYE: ["eye_left", "eye_right"],
  MASK: ["hair", "cloth", "skin", "other", "mouth"],
};

export function drawnBy(variant: string, parts: readonly Part[]): Part[] {
  const masked = variant === "MASK";
  return VARIANTS[variant]!.flatMap((role) => parts.filter((part) => part.role === role && part.masked === masked));
}

export function materialOf(part: Part): readonly [number, number, number, number] {
  return [part.specular, part.gloss, RIM[part.role], part.texture < 0 ? 0 : part.alpha ? 1 : 2];
}

export function wrapOf(part: Part): Vector {
  const [red, green, blue] = WRAP[part.role];
  return [1 / (1 + red), 1 / (1 + green), 1 / (1 + blue)];
}

/** Below this specular, cloth and lashes look the same and share a call. */
const DULL = 0.06;

function callOf(part: Part): string {
  if ((part.role === "cloth" || part.role === "other") && part.texture < 0 && !part.alpha && part.specular <= DULL) return "dull";
  const role = part.role.startsWith("eye_") ? "eyes" : part.role;
  return [part.alpha, part.masked, role, part.texture, part.specular, part.gloss, part.doubleSided].join();
}

/** Parts of one material joined, opaque ones first, and their indices. */
export function plan(mesh: Mesh): { parts: Part[]; indices: Uint16Array } {
  const groups = new Map<string, Part[]>();
  for (const part of [...mesh.parts].sort((a, b) => Number(a.alpha) - Number(b.alpha))) {
    const key = callOf(part);
    groups.set(key, [...(groups.get(key) ?? []), part]);
  }
  const parts: Part[] = [];
  const indices: number[] = [];
  for (const members of groups.values()) {
    const firstIndex = indices.length;
    for (const part of members) {
      for (let at = 0; at < part.indexCount; at++) indices.push(mesh.indices[part.firstIndex + at]!);
    }
    const doubleSided = members.some((part) => part.doubleSided);
    parts.push({ ...members[0]!, firstIndex, indexCount: indices.length - firstIndex, doubleSided });
  }
  return { parts, indices: Uint16Array.from(indices) };
}

const TURNS_WITH_HEAD = 0.98;
const LEAST_RADIUS_M = 0.01;

/** The ellipsoid of the head, which casts a shadow on neck and shoulders; far above if there is none. */
export function headOf(mesh: Mesh): { center: Vector; inverseRadii: Vector } {
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  for (const part of mesh.parts) {
    if (part.role !== "skin") continue;
    for (let at = part.firstIndex; at < part.firstIndex + part.indexCount; at++) {
      const vertex = mesh.indices[at]!;
      if (mesh.headWeights[vertex]! <= TURNS_WITH_HEAD) continue;
      for (let axis = 0; axis < 3; axis++) {
        const value = mesh.positions[vertex * 3 + axis]!;
        low[axis] = Math.min(low[axis]!, value);
        high[axis] = Math.max(high[axis]!, value);
      }
    }
  }
  if (low[0] === Infinity) return { center: [0, 1000, 0], inverseRadii: [100, 100, 100] };
  const of = (make: (axis: number) => number): Vector => [make(0), make(1), make(2)];
  return {
    center: of((axis) => (low[axis]! + high[axis]!) / 2),
    inverseRadii: of((axis) => 1 / Math.max(LEAST_RADIUS_M, (high[axis]! - low[axis]!) / 2)),
  };
}
