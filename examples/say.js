// Speak one sentence from Node.js, straight from PROTOCOL.md: node examples/say.js "Good morning" [ENDPOINT]
const { execFileSync } = require("node:child_process");
const { decode, encode } = require("@msgpack/msgpack");
const { Dealer } = require("zeromq");

const text = process.argv[2] ?? "Good morning from Node!";
const endpoint = process.argv[3] ?? "ipc:///run/mien/voice.sock";
const CHUNK_BYTES = 4096;

async function main() {
  const wav = execFileSync("espeak-ng", ["--stdout", text], { maxBuffer: 1 << 26 });
  const rate_hz = wav.readUInt32LE(24);
  const pcm = wav.subarray(44); // s16le, mono
  const socket = new Dealer({ linger: 200, sendHighWaterMark: 0, receiveHighWaterMark: 0 });
  socket.connect(endpoint);
  const send = (header, ...payload) => socket.send([encode(header), ...payload]);

  await send({ type: "hello", protocol: 1, client: "node", rate_hz });
  for await (const [frame] of socket) {
    const message = decode(frame);
    if (message.type === "welcome") {
      // A sentence is far shorter than limits.max_buffer_ms: more than that would have to wait for credit.
      for (let at = 0, seq = 0; at < pcm.length; at += CHUNK_BYTES, seq += 1)
        await send({ type: "audio", turn: "t1", seq }, pcm.subarray(at, at + CHUNK_BYTES));
      await send({ type: "end", turn: "t1" });
    } else if (message.type === "started") {
      console.log("speaking");
    } else if (message.type === "error") {
      throw new Error(`${message.code}: ${message.message}`);
    } else if (message.type === "finished") {
      console.log(`${message.reason}: ${message.played_ms.toFixed(0)} ms heard`);
      await send({ type: "bye" });
      break;
    }
  }
  socket.close();
}

main();
