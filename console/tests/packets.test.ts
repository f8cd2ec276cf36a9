/** The binary packets, by the vectors that every reader of the fleet shares. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Malformed } from "../src/fleet/check.ts";
import { PoseReader, decodePoseBatch, decodeSound, encodeSound } from "../src/fleet/packets.ts";
import { jsonOf } from "./repository.ts";

interface PoseVector {
  readonly name: string;
  readonly hex: string;
  readonly error?: boolean;
  readonly batch?: { seq: number; shown_ms: number; key: boolean; frames: { dt_ms: number; changed: Record<string, number> }[] };
}
interface SoundVector {
  readonly name: string;
  readonly hex: string;
  readonly error?: boolean;
  readonly sound?: { seq: number; at_ms: number; first: boolean; last: boolean; packets: string[] };
}
interface Step {
  readonly hex: string;
  readonly poses: { at_ms: number; pose: number[] }[];
}

const unhex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

for (const vector of jsonOf<PoseVector[]>("tests", "fleet", "vectors", "pose.json")) {
  test(`pose batch: ${vector.name}`, () => {
    if (vector.error) return assert.throws(() => decodePoseBatch(unhex(vector.hex)), Malformed);
    const { seq, shownMs, key, frames } = decodePoseBatch(unhex(vector.hex));
    const read = frames.map(({ dtMs, changed }) => ({ dt_ms: dtMs, changed: Object.fromEntries(changed) }));
    assert.deepEqual({ seq, shown_ms: shownMs, key, frames: read }, vector.batch);
  });
}

test("poses follow from batches, and a gap waits for a key batch", () => {
  const reader = new PoseReader();
  for (const step of jsonOf<Step[]>("tests", "fleet", "vectors", "pose_stream.json")) {
    const poses = reader.take(decodePoseBatch(unhex(step.hex)));
    assert.deepEqual(poses.map((each) => each.atMs), step.poses.map((each) => each.at_ms));
    poses.forEach(({ pose }, at) => pose.forEach((value, channel) => assert.ok(Math.abs(value - step.poses[at]!.pose[channel]!) < 1e-5)));
  }
});

for (const vector of jsonOf<SoundVector[]>("tests", "fleet", "vectors", "sound.json")) {
  test(`sound: ${vector.name}`, () => {
    if (vector.error) return assert.throws(() => decodeSound(unhex(vector.hex)), Malformed);
    const sound = decodeSound(unhex(vector.hex));
    const { seq, atMs, first, last, packets } = sound;
    assert.deepEqual({ seq, at_ms: atMs, first, last, packets: packets.map(hex) }, vector.sound);
    assert.equal(hex(encodeSound(sound)), vector.hex);
  });
}

test("random bytes are read or refused, and nothing else", () => {
  let state = 12345;
  const random = (): number => (state = (state * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff;
  for (let round = 0; round < 20_000; round++) {
    const bytes = Uint8Array.from({ length: Math.floor(random() * 220) }, () => Math.floor(random() * 256));
    if (bytes.length) bytes[0] = random() < 0.9 ? 1 : bytes[0]!;
    for (const decode of [decodePoseBatch, decodeSound]) {
      try {
        decode(bytes);
      } catch (error) {
        assert.ok(error instanceof Malformed);
      }
    }
  }
});
