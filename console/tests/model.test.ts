/** The model: need, events, history, report, calls; with times given. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Inbox, type Letter } from "../src/broker/inbox.ts";
import { NotSent } from "../src/broker/connection.ts";
import { Calls } from "../src/model/calls.ts";
import { Commands, Refused, permits } from "../src/model/commands.ts";
import { Fleet, MOST_BOARDS } from "../src/model/fleet.ts";
import { History, MOST_POINTS } from "../src/model/history.ts";
import { Report, csv } from "../src/model/report.ts";
import { readEvent, readHealth } from "../src/fleet/payloads.ts";
import { LiveClock, LEAST_BUFFER_MS, MOST_BUFFER_MS } from "../src/face/live_clock.ts";
import { PoseBuffer } from "../src/face/pose_buffer.ts";
import { fill } from "../src/ui/format.ts";
import { encoded } from "./repository.ts";

const T = Date.parse("2026-11-30T10:00:00Z");
const status = (more: object = {}): Uint8Array => encoded({ online: true, level: "full", clock: "synchronized", ...more });
const topic = (rest: string, board = "b1"): string => `mien/1/site/${board}/${rest}`;

function fleetOf(...boards: [string, object][]): Fleet {
  const fleet = new Fleet(T);
  for (const [name, more] of boards) fleet.take(topic("status", name), status(more), T);
  return fleet;
}

test("need ranks a call above a lost voice, above offline, above a hot board, above a well one", () => {
  const fleet = fleetOf(
    ["well", {}],
    ["hot", {}],
    ["off", { online: false }],
    ["mute", { level: "no_voice" }],
    ["call", { call: { call: "c", since: T / 1000 - 60 } }],
    ["taken", { call: { call: "c", since: T / 1000 - 60, accepted_by: "ana" } }],
  );
  fleet.take(topic("health", "hot"), encoded({ at: T / 1000, temperature_c: 85 }), T);
  const order = [...fleet.boards.values()].sort((a, b) => a.rank - b.rank).map((board) => board.board);
  assert.deepEqual(order.slice(0, 4), ["call", "mute", "off", "hot"]);
  assert.equal(fleet.boards.get("site/call")!.sinceMs, T - 60_000);
  assert.equal(fleet.boards.get("site/well")!.urgency, "ok");
  assert.equal(fleet.boards.get("site/taken")!.urgency, "ok");
});

test("a board that no longer tells its health is quiet, by time alone", () => {
  const fleet = fleetOf(["b1", {}]);
  fleet.take(topic("health"), encoded({ at: T / 1000 }), T);
  fleet.takeChanged();
  fleet.tick(T + 59_000);
  assert.equal(fleet.takeChanged().size, 0);
  fleet.tick(T + 61_000);
  assert.deepEqual([...fleet.takeChanged()], ["site/b1"]);
  assert.deepEqual(fleet.boards.get("site/b1")!.reasons, ["quiet"]);
});

test("events are counted once, and a gap is told", () => {
  const fleet = fleetOf(["b1", {}]);
  const event = (seq: number, queue = "q"): void => fleet.take(topic("event"), encoded({ type: "level", level: "full", queue, seq }), T);
  [1, 2, 2, 5, 1].forEach((seq) => event(seq));
  const board = fleet.boards.get("site/b1")!;
  assert.deepEqual(board.events.map((heard) => [heard.event.seq, heard.missed]), [[1, 0], [2, 0], [5, 2]]);
  event(1, "another");
  assert.equal(board.events.length, 4);
  assert.equal(board.missed, 2);
});

test("a fault stays until it is told repaired", () => {
  const fleet = fleetOf(["b1", {}]);
  fleet.take(topic("event"), encoded({ type: "fault", part: "sound", failed: true, queue: "q", seq: 1 }), T);
  assert.deepEqual(fleet.boards.get("site/b1")!.reasons, ["fault"]);
  fleet.take(topic("event"), encoded({ type: "fault", part: "sound", failed: false, queue: "q", seq: 2 }), T);
  assert.deepEqual(fleet.boards.get("site/b1")!.reasons, []);
});

test("boards beyond the bound are counted, not kept; a malformed payload is told", () => {
  const fleet = new Fleet(T);
  for (let number = 0; number < MOST_BOARDS + 5; number++) fleet.take(topic("status", `b${number}`), status(), T);
  assert.equal(fleet.boards.size, MOST_BOARDS);
  assert.equal(fleet.beyond, 5);
  for (let number = 0; number < 100; number++) fleet.take(topic("status"), encoded("nonsense"), T);
  assert.equal(fleet.malformed, 100);
  assert.equal(fleet.complaints.length, 50);
  fleet.take(topic("status", "b3"), new Uint8Array(0), T);
  assert.equal(fleet.boards.size, MOST_BOARDS - 1);
});

test("history keeps hours, thinned and bounded", () => {
  const history = new History();
  const health = (fps: number) => readHealth(encoded({ fps }));
  for (let second = 0; second < 10_000 * 10; second += 10) history.add(health(second / 10), T + second * 1000);
  const points = history.points("fps");
  assert.equal(points.length, MOST_POINTS);
  assert.equal(points.at(-1)!.value, 9998);
  assert.equal(points.at(-1)!.atMs - points.at(-2)!.atMs, 20_000);
  assert.deepEqual(history.points("temperature_c"), []);
});

test("the report counts visits once, shares what was answered and how long it was online", () => {
  const report = new Report(T);
  const add = (event: object, at = T): void => report.add("site/b1", readEvent(encoded({ queue: "q", seq: 1, at: at / 1000, ...event })), at);
  report.online("site/b1", true, T);
  const visit = { type: "visit", visit: "v1", ended: true, answered: 3, unanswered: 1, "pii.questions": ["Where?"] };
  add(visit);
  add(visit);
  for (const latency of [100, 200, 300, 400]) add({ type: "turn", client: "c", turn: "t", reason: "played", heard_ms: 1, latency_ms: latency });
  report.online("site/b1", false, T + 90_000);
  const total = report.total(T + 100_000);
  assert.deepEqual([total.visits, total.share, total.latencyP50Ms, total.latencyP95Ms, total.up], [1, 0.75, 200, 400, 0.9]);
  assert.deepEqual(report.unanswered(), [{ key: "site/b1", text: "Where?", count: 1 }]);
  add({ ...visit, visit: "old" }, T - 3 * 86_400_000);
  report.restart(T + 100_000);
  assert.deepEqual([report.total(T + 110_000).visits, report.total(T + 110_000).up], [0, 0]);
});

test("yesterday's events that a board kept are not today's", () => {
  const report = new Report(T);
  report.add("b", readEvent(encoded({ type: "visit", visit: "v", ended: true, queue: "q", seq: 1, at: T / 1000 - 90_000 })), T);
  assert.equal(report.total(T).visits, 0);
});

test("a spreadsheet runs no formula of a board's", () => {
  assert.equal(csv([["=HYPERLINK(1)", "a,b", 'say "x"', null, 0.5, "-1"]]), `'=HYPERLINK(1),"a,b","say ""x""",,0.5,'-1\r\n`);
});

test("open calls: those who wait first, the longest first", () => {
  const fleet = fleetOf(
    ["b1", { call: { call: "c1", since: 200 } }],
    ["b2", { call: { call: "c2", since: 100 } }],
    ["b3", { call: { call: "c3", since: 50, accepted_by: "ana" } }],
    ["b4", { online: false, call: { call: "c4", since: 1 } }],
  );
  const calls = new Calls();
  assert.deepEqual(calls.open(fleet.boards.values()).map((each) => each.call.call), ["c2", "c1", "c3"]);
  assert.deepEqual(calls.waiting(fleet.boards.values()).map((each) => each.call.call), ["c2", "c1"]);
});

test("a flood on one topic costs one payload; a flood of events is bounded and counted", () => {
  const taken: Letter[] = [];
  const work: (() => void)[] = [];
  const inbox = new Inbox((letter) => taken.push(letter), () => {}, () => 0, (later) => work.push(later));
  for (let number = 0; number < 50_000; number++) inbox.put("a/status", Uint8Array.of(number & 255), true);
  for (let number = 0; number < 30_000; number++) inbox.put("a/event", Uint8Array.of(1), false);
  assert.equal(inbox.dropped, 10_000);
  while (work.length) work.shift()!();
  assert.equal(taken.length, 20_001);
});

test("the inbox stops at the end of its slice of time, and goes on later", () => {
  let now = 0;
  const work: (() => void)[] = [];
  let taken = 0;
  const inbox = new Inbox(() => ((taken += 1), (now += 1)), () => {}, () => now, (later) => work.push(later));
  for (let number = 0; number < 20; number++) inbox.put(`t${number}`, new Uint8Array(1), true);
  work.shift()!();
  assert.equal(taken, 6);
  assert.equal(work.length, 1);
});

class Broker {
  readonly user = "ana";
  readonly refuses = true;
  readonly sent: { topic: string; payload: { id: string; command: string } }[] = [];
  denied = new Set<string>();
  answer: ((id: string, command: string) => object) | null = (id, command) => ({ id, command, state: "done" });
  commands: Commands | null = null;

  async publish(topic: string, payload: object): Promise<void> {
    const role = topic.split("/")[5]!;
    if (this.denied.has(role)) throw new NotSent(0x87);
    const { id, command } = payload as { id: string; command: string };
    this.sent.push({ topic, payload: { id, command } });
    const answer = this.answer?.(id, command);
    if (answer) queueMicrotask(() => this.commands!.takeAnswer(encoded(answer)));
  }
}

function commandsOf(broker: Broker): Commands {
  return (broker.commands = new Commands(broker));
}

test("the role is the highest whose topic the broker takes", async () => {
  const broker = new Broker();
  broker.denied = new Set(["operator"]);
  const { role } = await commandsOf(broker).roleAt({ site: "s", board: "b" });
  assert.equal(role, "agent");
  assert.equal(broker.sent[0]!.topic, "mien/1/s/b/command/agent/ana");
  broker.denied = new Set(["operator", "agent", "observer"]);
  assert.equal((await commandsOf(broker).roleAt({ site: "s", board: "b" })).role, null);
  assert.ok(permits("agent", "say") && !permits("agent", "reboot") && !permits(null, "ping"));
});

test("a board that takes no commands of operators is asked as agent; a wrong clock hides no role", async () => {
  const broker = new Broker();
  const refused = (code: string) => (id: string, command: string) => ({ id, command, state: "refused", error: { code, message: "" } });
  const commands = commandsOf(broker);
  broker.answer = (id, command) => (broker.sent.at(-1)!.topic.includes("/operator/") ? refused("not_allowed_here")(id, command) : { id, command, state: "done" });
  assert.equal((await commands.roleAt({ site: "s", board: "b1" })).role, "agent");
  broker.answer = refused("stale");
  assert.deepEqual(await commands.roleAt({ site: "s", board: "b2" }), { role: "operator", tookMs: null });
});

test("a refusal names its code; answers to others change nothing", async () => {
  const broker = new Broker();
  const commands = commandsOf(broker);
  broker.answer = (id, command) => ({ id, command, state: "refused", error: { code: "floor_taken", message: "ben" } });
  await assert.rejects(commands.give({ site: "s", board: "b" }, "agent", "take_floor"), (error) => error instanceof Refused && error.code === "floor_taken");
  commands.takeAnswer(encoded({ id: "of-another-tab", command: "ping", state: "done" }));
});

test("a signed-out page leaves no command waiting", async () => {
  const broker = new Broker();
  broker.answer = null;
  const commands = commandsOf(broker);
  const given = commands.give({ site: "s", board: "b" }, "agent", "ping");
  await new Promise((resolve) => setImmediate(resolve));
  commands.close();
  await assert.rejects(given, Refused);
});

test("the live clock follows the shortest transit and buffers what comes late", () => {
  const clock = new LiveClock();
  assert.equal(clock.playhead(0), null);
  for (let now = 0; now < 20_000; now += 100) clock.arrived(1_000_000 + now - 40, now);
  const steady = clock.bufferMs;
  assert.ok(steady >= LEAST_BUFFER_MS && steady < 100, String(steady));
  assert.ok(Math.abs(clock.playhead(20_000)! - (1_000_000 + 20_000 - 40 - steady)) < 1);
  for (let now = 20_000; now < 24_000; now += 100) clock.arrived(1_000_000 + now - 40 - (now % 300 ? 0 : 250), now);
  assert.ok(clock.bufferMs > 250 && clock.bufferMs <= MOST_BUFFER_MS, String(clock.bufferMs));
  clock.arrived(9_000_000, 24_100); // the board's clock was set
  assert.ok(Math.abs(clock.playhead(24_100)! - (9_000_000 - clock.bufferMs)) < 1);
});

test("poses are interpolated, and hold still over a gap", () => {
  const buffer = new PoseBuffer();
  const pose = (value: number): Float32Array => new Float32Array(56).fill(value);
  assert.equal(buffer.at(0), null);
  buffer.add([{ atMs: 1000, pose: pose(0) }, { atMs: 1040, pose: pose(1) }, { atMs: 2000, pose: pose(0) }]);
  assert.ok(Math.abs(buffer.at(1010)![0]! - 0.25) < 1e-6);
  assert.equal(buffer.at(1500)![0], 1);
  assert.equal(buffer.at(2500)![0], 0);
  buffer.add([{ atMs: 2, pose: pose(0.5) }]);
  assert.equal(buffer.at(5)![0], 0.5);
});

test("texts keep what a board tells as text", () => {
  assert.equal(fill("{name} speaks", { name: "$& {name} <b>" }), "$& {name} <b> speaks");
});
