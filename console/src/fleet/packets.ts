/** The binary packets of live streams, as mien.fleet.packets has them: pose batches and sound. */

import { Malformed } from "./check.ts";

export const CHANNELS = 56;
const FIRST_HEAD = 52;
const LAST_HEAD = 54;
const MASK_BYTES = 7;
const MOST_FRAMES = 3;
const MOST_BATCH_BYTES = MOST_FRAMES * (1 + MASK_BYTES + CHANNELS);
const MOST_SOUND_PACKETS = 25;
const MOST_OPUS_BYTES = 1276;
export const PACKET_MS = 20;
const HEAD_BYTES = 12;
const VERSION = 1;
// Durations by the configuration number of an Opus packet, in units of 2.5 ms: SILK, hybrid, CELT (RFC 6716, 3.1).
const UNITS = [4, 8, 16, 24, 4, 8, 16, 24, 4, 8, 16, 24, 4, 8, 4, 8, ...Array.from({ length: 4 }, () => [1, 2, 4, 8]).flat()];

/** changed: channel to quantised value, a byte, or a signed one for the head. dtMs: since the frame before. */
export interface PoseFrame {
  readonly dtMs: number;
  readonly changed: ReadonlyMap<number, number>;
}

/** shownMs: UTC at which the first frame was visible. key: the first frame has every channel. */
export interface PoseBatch {
  readonly seq: number;
  readonly shownMs: number;
  readonly key: boolean;
  readonly frames: readonly PoseFrame[];
}

/** atMs: UTC of the first sample. first, last: of a stretch. packets: Opus of 20 ms each. */
export interface Sound {
  readonly seq: number;
  readonly atMs: number;
  readonly first: boolean;
  readonly last: boolean;
  readonly packets: readonly Uint8Array[];
}

function readHead(payload: Uint8Array): { flags: number; seq: number; atMs: number; view: DataView } {
  if (payload.length < HEAD_BYTES) throw new Malformed(`a packet has at least ${HEAD_BYTES} bytes`);
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  if (view.getUint8(0) !== VERSION) throw new Malformed(`version ${view.getUint8(0)} of the packet is not ${VERSION}`);
  return { flags: view.getUint8(1), seq: view.getUint16(2, true), atMs: Number(view.getBigUint64(4, true)), view };
}

/** Throws Malformed for anything that is not one whole batch. */
export function decodePoseBatch(payload: Uint8Array): PoseBatch {
  if (payload.length > HEAD_BYTES + MOST_BATCH_BYTES) throw new Malformed("a pose batch that is too long");
  const { flags, seq, atMs, view } = readHead(payload);
  const key = (flags & 1) !== 0;
  const frames: PoseFrame[] = [];
  let at = HEAD_BYTES;
  while (at < payload.length) {
    if (frames.length === MOST_FRAMES) throw new Malformed(`a pose batch of more than ${MOST_FRAMES} frames`);
    if (payload.length < at + 1 + MASK_BYTES) throw new Malformed("a frame that ends before its mask");
    const dtMs = view.getUint8(at);
    if (frames.length === 0 && dtMs !== 0) throw new Malformed("the first frame comes after no other");
    const maskAt = at + 1;
    const changed = new Map<number, number>();
    at += 1 + MASK_BYTES;
    for (let channel = 0; channel < CHANNELS; channel++) {
      if (!((payload[maskAt + (channel >> 3)]! >> (channel & 7)) & 1)) continue;
      if (at >= payload.length) throw new Malformed("a frame that ends before its values");
      const signed = channel >= FIRST_HEAD && channel <= LAST_HEAD;
      const value = signed ? view.getInt8(at) : view.getUint8(at);
      if (value === -128) throw new Malformed("a head angle of -128");
      changed.set(channel, value);
      at += 1;
    }
    frames.push({ dtMs, changed });
  }
  if (frames.length === 0) throw new Malformed("a pose batch without a frame");
  if (key && frames[0]!.changed.size !== CHANNELS) throw new Malformed("a key batch whose first frame is not whole");
  return { seq, shownMs: atMs, key, frames };
}

/** The value of a channel: 0..1, or radians of the head. */
export function valueOf(channel: number, quantised: number): number {
  return channel >= FIRST_HEAD && channel <= LAST_HEAD ? quantised / 100 : quantised / 255;
}

/** Poses from batches as they arrive. After a gap it waits for a key batch. */
export class PoseReader {
  waiting = true;
  lost = 0;
  private next = 0;
  private readonly pose = new Float32Array(CHANNELS);

  /** The poses of a batch with their times (UTC ms); none while it waits for a key batch. */
  take(batch: PoseBatch): { atMs: number; pose: Float32Array }[] {
    if (!this.waiting && batch.seq !== this.next) {
      this.lost += 1;
      this.waiting = true;
    }
    this.next = (batch.seq + 1) & 0xffff;
    if (this.waiting && !batch.key) return [];
    this.waiting = false;
    let atMs = batch.shownMs;
    return batch.frames.map((frame) => {
      atMs += frame.dtMs;
      for (const [channel, quantised] of frame.changed) this.pose[channel] = valueOf(channel, quantised);
      return { atMs, pose: this.pose.slice() };
    });
  }
}

/** The duration that an Opus packet tells, in ms; 0 for bytes that are none. */
export function opusMs(packet: Uint8Array): number {
  if (packet.length === 0) return 0;
  const unit = UNITS[packet[0]! >> 3]!;
  const code = packet[0]! & 3;
  if (code === 3) return packet.length > 1 ? unit * 2.5 * (packet[1]! & 0x3f) : 0;
  return unit * 2.5 * (code ? 2 : 1);
}

/** Throws Malformed for anything that is not one whole packet within its bounds. */
export function decodeSound(payload: Uint8Array): Sound {
  const { flags, seq, atMs, view } = readHead(payload);
  if (payload.length < HEAD_BYTES + 1) throw new Malformed("a sound packet that ends before its count");
  const count = view.getUint8(HEAD_BYTES);
  const last = (flags & 2) !== 0;
  if (count > MOST_SOUND_PACKETS || (count === 0 && !last)) throw new Malformed(`${count} Opus packets in one message`);
  const packets: Uint8Array[] = [];
  let at = HEAD_BYTES + 1;
  for (let number = 0; number < count; number++) {
    if (payload.length < at + 2) throw new Malformed("a sound packet that ends before a length");
    const size = view.getUint16(at, true);
    at += 2;
    if (size > MOST_OPUS_BYTES || payload.length < at + size) throw new Malformed("an Opus packet that is cut off");
    const packet = payload.slice(at, at + size);
    if (opusMs(packet) !== PACKET_MS) throw new Malformed(`an Opus packet of ${opusMs(packet)} ms`);
    packets.push(packet);
    at += size;
  }
  if (at !== payload.length) throw new Malformed("bytes after the last Opus packet");
  return { seq, atMs, first: (flags & 1) !== 0, last, packets };
}

export function encodeSound(sound: Sound): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES + 1 + sound.packets.reduce((sum, packet) => sum + 2 + packet.length, 0));
  const view = new DataView(bytes.buffer);
  view.setUint8(0, VERSION);
  view.setUint8(1, (sound.first ? 1 : 0) | (sound.last ? 2 : 0));
  view.setUint16(2, sound.seq & 0xffff, true);
  view.setBigUint64(4, BigInt(Math.round(sound.atMs)), true);
  view.setUint8(HEAD_BYTES, sound.packets.length);
  let at = HEAD_BYTES + 1;
  for (const packet of sound.packets) {
    view.setUint16(at, packet.length, true);
    bytes.set(packet, at + 2);
    at += 2 + packet.length;
  }
  return bytes;
}
