/** Poses that wait for their moment, interpolated. */

import { CHANNELS } from "../fleet/packets.ts";

const MOST_POSES = 120;
/** Beyond this gap the face holds still instead of gliding. */
const MOST_GAP_MS = 150;

export interface Timed {
  readonly atMs: number;
  readonly pose: Float32Array;
}

export class PoseBuffer {
  private poses: Timed[] = [];
  private readonly shown = new Float32Array(CHANNELS);

  add(poses: readonly Timed[]): void {
    for (const each of poses) {
      if (each.atMs < (this.poses.at(-1)?.atMs ?? 0) - 1000) this.poses = []; // the board's clock was set
      const last = this.poses.at(-1);
      if (!last || each.atMs > last.atMs) this.poses.push(each);
    }
    if (this.poses.length > MOST_POSES) this.poses.splice(0, this.poses.length - MOST_POSES);
  }

  /** The pose of a moment, valid until the next call; null before the first. */
  at(boardMs: number): Float32Array | null {
    while (this.poses.length > 1 && this.poses[1]!.atMs <= boardMs) this.poses.shift();
    const [before, after] = this.poses;
    if (!before) return null;
    if (!after || boardMs <= before.atMs || after.atMs - before.atMs > MOST_GAP_MS) return before.pose;
    const share = (boardMs - before.atMs) / (after.atMs - before.atMs);
    for (let at = 0; at < CHANNELS; at++) {
      this.shown[at] = before.pose[at]! + share * (after.pose[at]! - before.pose[at]!);
    }
    return this.shown;
  }
}
