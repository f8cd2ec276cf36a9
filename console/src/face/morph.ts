/** Blend shapes on the CPU, with the thresholds of mien.render.morph. */

import type { Mesh } from "./baked.ts";
import { channel } from "./channels.ts";

const MIN_SHIFT_M = 3e-5;
const MIN_TIP = 0.01;
const MOUTH_CLOSE = channel("mouthClose");
const JAW_OPEN = channel("jawOpen");

export class Morpher {
  /** Six for each vertex: position, normal. */
  readonly vertices: Float32Array;
  private readonly neutral: Float32Array;
  private readonly weights: Float32Array;

  constructor(private readonly mesh: Mesh) {
    const count = mesh.positions.length / 3;
    this.neutral = new Float32Array(count * 6);
    for (let vertex = 0; vertex < count; vertex++) {
      this.neutral.set(mesh.positions.subarray(vertex * 3, vertex * 3 + 3), vertex * 6);
      this.neutral.set(mesh.normals.subarray(vertex * 3, vertex * 3 + 3), vertex * 6 + 3);
    }
    this.vertices = this.neutral.slice();
    this.weights = new Float32Array(mesh.targets.length);
  }

  /** Returns whether `vertices` changed. */
  update(pose: Float32Array): boolean {
    let changed = false;
    this.mesh.targets.forEach((target, number) => {
      // More of mouthClose than of jawOpen would make the lips intersect.
      const wanted = target.channel === MOUTH_CLOSE ? Math.min(pose[MOUTH_CLOSE]!, pose[JAW_OPEN]!) : pose[target.channel]!;
      const weight = Math.abs(wanted) >= Math.min(MIN_SHIFT_M / target.furthest, MIN_TIP / target.tipped) ? wanted : 0;
      if (weight !== this.weights[number]) changed = true;
      this.weights[number] = weight;
    });
    if (changed) this.addAll();
    return changed;
  }

  private addAll(): void {
    const { vertices } = this;
    vertices.set(this.neutral);
    this.mesh.targets.forEach(({ vertices: touched, deltas }, number) => {
      const weight = this.weights[number]!;
      if (weight === 0) return;
      for (let row = 0; row < touched.length; row++) {
        const to = touched[row]! * 6;
        const from = row * 6;
        for (let axis = 0; axis < 6; axis++) vertices[to + axis]! += weight * deltas[from + axis]!;
      }
    });
  }
}
