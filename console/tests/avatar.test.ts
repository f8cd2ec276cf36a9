/** Avatars: the shipped files are read, and what is none is refused. */

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { NotAnAvatar, crc32, readBaked } from "../src/face/baked.ts";
import { CHANNEL_NAMES } from "../src/face/channels.ts";
import { Morpher } from "../src/face/morph.ts";
import { plan } from "../src/face/scene.ts";
import { bytesOf, textOf } from "./repository.ts";

declare const REPOSITORY: string;
const folder = ["models", "avatars"] as const;
const shipped = readdirSync(join(REPOSITORY, ...folder)).filter((name) => name.endsWith(".mien-avatar"));

function file(name = "default.mien-avatar"): ArrayBuffer {
  return bytesOf(...folder, name).slice().buffer as ArrayBuffer;
}

/** The file with changed bytes, and a checksum that is right again. */
function changed(change: (bytes: Uint8Array, header: string) => void): ArrayBuffer {
  const made = file();
  const bytes = new Uint8Array(made);
  const length = new DataView(made).getUint32(12, true);
  change(bytes, new TextDecoder().decode(bytes.subarray(16, 16 + length)));
  new DataView(made).setUint32(made.byteLength - 4, crc32(bytes.subarray(0, made.byteLength - 8)), true);
  return made;
}

/** Replace a piece of the header by one of the same length. */
function swapped(from: RegExp, to: (found: string) => string): ArrayBuffer {
  return changed((bytes, header) => {
    const found = from.exec(header);
    assert.ok(found, String(from));
    const put = to(found[0]);
    assert.equal(put.length, found[0].length);
    bytes.set(new TextEncoder().encode(put), 16 + found.index);
  });
}

test("the channels are those of the runtime", () => {
  const source = textOf("runtime", "mien", "core", "pose.py");
  const shapes = /ARKIT_SHAPES: Final = \(([^)]*)\)/.exec(source)![1]!;
  const names = [...shapes.matchAll(/"(\w+)"/g)].map((match) => match[1]!);
  assert.deepEqual(CHANNEL_NAMES, [...names, "headPitch", "headYaw", "headRoll", "breath"]);
});

for (const name of shipped) {
  test(`${name} is read`, async () => {
    const mesh = await readBaked(file(name));
    assert.equal(mesh.targets.length, 53);
    assert.equal(mesh.textures.length, 4);
    const { parts, indices } = plan(mesh);
    assert.equal(indices.length, mesh.indices.length);
    assert.ok(parts.length <= 8);
  });
}

test("a pose moves the mouth, and neutral brings it back", async () => {
  const mesh = await readBaked(file());
  const morpher = new Morpher(mesh);
  const neutral = morpher.vertices.slice();
  const pose = new Float32Array(56);
  assert.equal(morpher.update(pose), false);
  pose[CHANNEL_NAMES.indexOf("jawOpen")] = 1;
  assert.equal(morpher.update(pose), true);
  assert.notDeepEqual(morpher.vertices, neutral);
  pose.fill(0);
  morpher.update(pose);
  assert.deepEqual(morpher.vertices, neutral);
});

const WRONG: Readonly<Record<string, () => ArrayBuffer>> = {
  "an empty file": () => new ArrayBuffer(0),
  "a picture": () => Uint8Array.from([0x89, 0x50, 0x4e, 0x47, ...new Array<number>(100).fill(0)]).buffer,
  "half a file": () => file().slice(0, 1_000_000),
  "one flipped bit": () => {
    const made = file();
    new Uint8Array(made)[made.byteLength >> 1]! ^= 1;
    return made;
  },
  "another version": () => changed((bytes) => (bytes[8] = 2)),
  "a header of two gigabytes": () => changed((bytes) => (bytes[15] = 0x7f)),
  "a header that is no JSON": () => changed((bytes) => (bytes[16] = 0x21)),
  "a vertex that is not there": () => swapped(/"vertex_count":\d+/, (found) => found.replace(/\d+/, (count) => "1".padEnd(count.length, "0"))),
  "an offset outside the file": () => swapped(/"uvs":\d+/, (found) => found.replace(/\d+/, (offset) => "9".repeat(offset.length))),
  "an unknown role": () => swapped(/"role":"skin"/, () => '"role":"skim"'),
  "a texture that is no deflate": () =>
    changed((bytes, header) => {
      const offset = Number(/"textures":\[\{[^}]*"offset":(\d+)/.exec(header)![1]);
      bytes.fill(0xff, offset, offset + 64);
    }),
  "a texture larger than it says": () => swapped(/"width":1024/, () => '"width":0512'.replace("0512", " 512")),
};

for (const [name, make] of Object.entries(WRONG)) {
  test(`refused: ${name}`, async () => {
    await assert.rejects(readBaked(make()), NotAnAvatar);
  });
}
