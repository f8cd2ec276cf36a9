/** The border: payloads by their schemas, and hostile ones. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Malformed, MOST_ITEMS, read, type Schema } from "../src/fleet/check.ts";
import { MOST_BYTES, readAnswer, readCaption, readEvent, readHealth, readStatus } from "../src/fleet/payloads.ts";
import { parseReport, placeOf } from "../src/fleet/topics.ts";
import { encoded, jsonOf, textOf } from "./repository.ts";

interface Object_ {
  readonly properties?: Record<string, unknown>;
}

/** The fields of an interface in types.ts, by its text: types do not exist at run time. */
function fieldsOf(source: string, name: string): string[] {
  const body = new RegExp(`interface ${name}(?: extends (\\w+))? \\{([^}]*(?:\\{[^}]*\\}[^}]*)*)\\n\\}`).exec(source);
  assert.ok(body, `types.ts has no ${name}`);
  const own = [...body[2]!.matchAll(/^ {2}readonly "?([\w.]+)"?:/gm)].map((match) => match[1]!);
  return [...own, ...(body[1] ? fieldsOf(source, body[1]) : [])].sort();
}

const NAMES: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  status: [["Status", "Status"], ["Floor", "Floor"], ["Visit", "VisitNow"], ["Call", "CallNow"], ["Avatar", "Avatar"]],
  health: [["Health", "Health"]],
  event: [
    ["Turn", "TurnEvent"], ["Visit", "VisitEvent"], ["Fault", "FaultEvent"], ["Level", "LevelEvent"], ["Call", "CallEvent"],
    ["FloorChanged", "FloorEvent"], ["Commanded", "CommandEvent"], ["Update", "UpdateEvent"], ["Lifecycle", "LinkEvent"],
    ["Dropped", "DroppedEvent"],
  ],
  answer: [["Answer", "Answer"], ["Refusal", "Refusal"]],
  caption: [["CaptionLine", "CaptionLine"]],
};

for (const [file, pairs] of Object.entries(NAMES)) {
  test(`the types of ${file} have the keys of its schema`, () => {
    const schema = jsonOf<{ $defs: Record<string, Object_> }>("docs", "mqtt", `${file}.schema.json`);
    const source = textOf("console", "src", "fleet", "types.ts");
    for (const [definition, type] of pairs) {
      assert.deepEqual(fieldsOf(source, type), Object.keys(schema.$defs[definition]!.properties!).sort(), type);
    }
  });
}

test("the Will is a status with everything at its default", () => {
  const status = readStatus(encoded({ online: false }));
  assert.equal(status.online, false);
  assert.equal(status.level, "no_voice");
  assert.deepEqual({ ...status.watchers }, { watching: [], hearing: [] });
  assert.equal(status.floor, null);
});

test("unknown keys are left out, and known ones kept", () => {
  const status = readStatus(encoded({ online: true, volume: 0.5, unheard: "of", visit: { visit: "v", phase: "ask" } })) as object;
  assert.ok(!("unheard" in status));
  assert.equal((status as { volume: number }).volume, 0.5);
});

test("a number for a text, a range that is left and a missing key are refused", () => {
  for (const wrong of [{}, { online: "yes" }, { online: true, site: 1 }, { online: true, volume: 2 }, { online: true, level: "well" }, { online: true, watchers: { watching: Array(MOST_ITEMS + 1).fill("a") } }]) {
    assert.throws(() => readStatus(encoded(wrong)), Malformed);
  }
});

test("what is no JSON, no UTF-8 or too long is refused", () => {
  for (const wrong of [new Uint8Array(0), Uint8Array.of(0xff, 0xfe), encoded("{"), encoded("null"), encoded("[]"), new Uint8Array(MOST_BYTES.status + 1).fill(0x20)]) {
    assert.throws(() => readStatus(wrong), Malformed);
    assert.throws(() => readHealth(wrong), Malformed);
    assert.throws(() => readEvent(wrong), Malformed);
  }
});

test("keys that reach into prototypes change nothing", () => {
  const status = readStatus(encoded('{"online": true, "__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}'));
  assert.equal((status as unknown as Record<string, unknown>)["polluted"], undefined);
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
  assert.throws(() => readHealth(encoded('{"counters": {"__proto__": 1}}')), Malformed);
  assert.throws(() => readAnswer(encoded('{"id": "a", "command": "ping", "state": "done", "result": {"__proto__": {}}}')), Malformed);
});

test("the tag of an event chooses its schema", () => {
  const base = { queue: "q", seq: 3 };
  assert.equal(readEvent(encoded({ ...base, type: "fault", part: "face", failed: true })).type, "fault");
  for (const type of ["constructor", "__proto__", "unknown", 7, null]) assert.throws(() => readEvent(encoded({ ...base, type })), Malformed);
  assert.throws(() => readEvent(encoded({ ...base, type: "fault", part: "x".repeat(201), failed: true })), Malformed);
});

test("deep nesting and wide objects are refused", () => {
  const answer = (result: unknown): Uint8Array => encoded({ id: "a", command: "ping", state: "done", result });
  let deep: unknown = 1;
  for (let level = 0; level < 30; level++) deep = { deep };
  assert.throws(() => readAnswer(answer(deep)), Malformed);
  assert.throws(() => readAnswer(answer(Object.fromEntries(Array.from({ length: 300 }, (_, key) => [`k${key}`, 1])))), Malformed);
  assert.throws(() => readAnswer(encoded("[".repeat(100_000))), Malformed);
  assert.equal(readAnswer(answer({ rows: [{ name: "sound" }] })).state, "done");
});

test("captions have words of three", () => {
  const caption = { at: 1, who: "kiosk", turn: "t", text: "Hi", words: [["Hi", 0, 200]] };
  assert.deepEqual(readCaption(encoded(caption)).words, [["Hi", 0, 200]]);
  assert.throws(() => readCaption(encoded({ ...caption, words: [["Hi", 0]] })), Malformed);
  assert.throws(() => readCaption(encoded({ ...caption, who: "nobody" })), Malformed);
});

test("a schema's own bounds hold for characters beyond the basic plane", () => {
  const schema: Schema = { type: "string", maxLength: 3 };
  assert.equal(read(schema, "😀😀😀"), "😀😀😀");
  assert.throws(() => read(schema, "😀😀😀😀"), Malformed);
});

test("topics of no board are no reports", () => {
  assert.deepEqual(parseReport("mien/1/site/board/live/pose"), { site: "site", board: "board", kind: "live/pose" });
  for (const topic of ["", "mien/1/site/board", "mien/2/a/b/status", "mien/1/A/b/status", "mien/1/a/../status", `mien/1/${"a".repeat(33)}/b/status`, "mien/1/a/b<x>/status", "x".repeat(500)]) {
    assert.equal(parseReport(topic), null, topic);
  }
  assert.equal(placeOf("a/b/c"), null);
  assert.deepEqual(placeOf("a/b"), { site: "a", board: "b" });
});
