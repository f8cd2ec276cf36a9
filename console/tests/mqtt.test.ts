/** The page's own MQTT, against mqtt-packet. */

import assert from "node:assert/strict";
import { test } from "node:test";
import * as reference from "mqtt-packet";
import * as mqtt from "../src/broker/packets.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const LOGIN = { clientId: "console-1", user: "ana", password: "s3cret", keepAliveS: 20, mostBytes: 1000 };

function parsed(packet: Uint8Array, protocolVersion: number): reference.Packet {
  const parser = reference.parser({ protocolVersion });
  let found: reference.Packet | undefined;
  parser.on("packet", (each: reference.Packet) => (found = each));
  parser.on("error", (error: Error) => assert.fail(error));
  parser.parse(Buffer.from(packet));
  assert.ok(found);
  return found;
}

for (const version of [5, 4] as const) {
  test(`what is sent is what mqtt-packet reads, version ${version}`, () => {
    const connect = parsed(mqtt.connect(version, LOGIN), version) as reference.IConnectPacket;
    assert.equal(connect.username, "ana");
    assert.equal(String(connect.password), "s3cret");
    assert.equal(connect.clean, true);
    if (version === 5) assert.equal(connect.properties?.maximumPacketSize, 1000);
    const publish = parsed(mqtt.publish(version, "a/b", bytes("x".repeat(300)), 7), version) as reference.IPublishPacket;
    assert.deepEqual([publish.topic, String(publish.payload), publish.qos, publish.messageId], ["a/b", "x".repeat(300), 1, 7]);
    const subscribe = parsed(mqtt.subscribe(version, 9, ["a/+", "b"], 1), version) as reference.ISubscribePacket;
    assert.deepEqual(subscribe.subscriptions.map((each) => [each.topic, each.qos]), [["a/+", 1], ["b", 1]]);
    assert.deepEqual((parsed(mqtt.unsubscribe(version, 9, ["b"]), version) as reference.IUnsubscribePacket).unsubscriptions, ["b"]);
    assert.equal(parsed(mqtt.puback(3), version).messageId, 3);
  });

  test(`what mqtt-packet writes is read, cut anywhere, version ${version}`, () => {
    const options = { protocolVersion: version };
    const properties = version === 5 ? { properties: { messageExpiryInterval: 60, userProperties: { a: "b" } } } : {};
    const stream = Buffer.concat([
      reference.generate({ cmd: "connack", returnCode: 0, reasonCode: 0, sessionPresent: false }, options),
      reference.generate({ cmd: "suback", messageId: 4, granted: [0, 1] }, options),
      reference.generate({ cmd: "publish", topic: "a/b", payload: "one", qos: 1, messageId: 5, dup: false, retain: true, ...properties }, options),
      reference.generate({ cmd: "puback", messageId: 6, ...(version === 5 ? { reasonCode: 0x87 } : {}) }, options),
      reference.generate({ cmd: "pingresp" }, options),
    ]);
    for (let size = 1; size <= stream.length; size++) {
      const splitter = new mqtt.Splitter(1000);
      splitter.version = version;
      const packets: mqtt.Packet[] = [];
      for (let at = 0; at < stream.length; at += size) packets.push(...splitter.take(new Uint8Array(stream.subarray(at, at + size))));
      assert.deepEqual(packets.map((each) => each.type), ["connack", "suback", "publish", "puback", "pingresp"]);
      const publish = packets[2] as mqtt.Publish;
      assert.deepEqual([publish.topic, Buffer.from(publish.payload).toString(), publish.qos, publish.retain, publish.id], ["a/b", "one", 1, true, 5]);
      assert.deepEqual((packets[3] as mqtt.Ack).reasons, [version === 5 ? 0x87 : 0]);
    }
  });
}

test("a packet of ten megabytes is skipped as it comes, and the next is read", () => {
  const splitter = new mqtt.Splitter(1000);
  const long = mqtt.publish(5, "a", new Uint8Array(100_000));
  const next = mqtt.publish(5, "b", bytes("after"));
  const packets: mqtt.Packet[] = [];
  for (const whole of [long, next]) {
    for (let at = 0; at < whole.length; at += 700) packets.push(...splitter.take(whole.subarray(at, at + 700)));
  }
  assert.deepEqual(packets.map((each) => each.type), ["skipped", "publish"]);
  assert.equal((packets[0] as mqtt.Skipped).bytes, long.length);
});

test("what is no MQTT ends the connection instead of the page", () => {
  for (const wrong of ["HTTP/1.1 400 Bad Request\r\n", "\x00\x00\x00\x00", "\x30\xff\xff\xff\xff\xff"]) {
    const splitter = new mqtt.Splitter(1e9);
    assert.throws(() => splitter.take(new Uint8Array(Buffer.from(wrong, "latin1"))), mqtt.Protocol);
  }
  assert.throws(() => new mqtt.Splitter(1000).take(Uint8Array.of(0x30, 2, 0, 9)), mqtt.Protocol);
});
