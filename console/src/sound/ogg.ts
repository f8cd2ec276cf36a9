/** Wraps Opus packets into an Ogg file, for browsers that decode files but not packets (RFC 3533, RFC 7845). */

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit++) value = value & 0x80000000 ? (value << 1) ^ 0x04c11db7 : value << 1;
  return value >>> 0;
});
const SAMPLES = 960;
const [FIRST, LAST] = [2, 4];

function text(value: string): number[] {
  return [...value].map((letter) => letter.charCodeAt(0));
}

function page(number: number, flags: number, granule: number, packets: readonly Uint8Array[]): Uint8Array {
  const lacing = packets.flatMap((packet) => [...Array<number>(Math.floor(packet.length / 255)).fill(255), packet.length % 255]);
  if (lacing.length > 255) throw new RangeError("too many packets for one page");
  const size = 27 + lacing.length + packets.reduce((sum, packet) => sum + packet.length, 0);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  bytes.set(text("OggS"));
  view.setUint8(5, flags);
  view.setBigUint64(6, BigInt(granule), true);
  view.setUint32(14, 1, true);
  view.setUint32(18, number, true);
  view.setUint8(26, lacing.length);
  bytes.set(lacing, 27);
  let at = 27 + lacing.length;
  for (const packet of packets) {
    bytes.set(packet, at);
    at += packet.length;
  }
  let crc = 0;
  for (const byte of bytes) crc = ((crc << 8) ^ TABLE[((crc >>> 24) ^ byte) & 0xff]!) >>> 0;
  view.setUint32(22, crc, true);
  return bytes;
}

/** A whole file of mono packets of 20 ms, at most 30 of them. */
export function oggOpus(packets: readonly Uint8Array[]): ArrayBuffer {
  const head = Uint8Array.from([...text("OpusHead"), 1, 1, 0, 0, 0x80, 0xbb, 0, 0, 0, 0, 0]);
  const tags = Uint8Array.from([...text("OpusTags"), 4, 0, 0, 0, ...text("mien"), 0, 0, 0, 0]);
  const pages = [page(0, FIRST, 0, [head]), page(1, 0, 0, [tags]), page(2, LAST, packets.length * SAMPLES, packets)];
  const whole = new Uint8Array(pages.reduce((sum, each) => sum + each.length, 0));
  let at = 0;
  for (const each of pages) {
    whole.set(each, at);
    at += each.length;
  }
  return whole.buffer;
}
