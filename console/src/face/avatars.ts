/** The avatars that the page's host offers, found by the SHA-256 that a board tells. */

import { MOST_FILE_BYTES, NotAnAvatar, readBaked, type Mesh } from "./baked.ts";

/** mesh: null if not even the default could be loaded. known: it is the board's own avatar. */
export interface Found {
  readonly mesh: Mesh | null;
  readonly known: boolean;
  readonly why: string;
}

const SHA256 = /^[0-9a-f]{64}$/;
const cache = new Map<string, Promise<Mesh>>();

export async function avatarOf(sha256: string): Promise<Found> {
  if (SHA256.test(sha256)) {
    try {
      return { mesh: await cached(sha256), known: true, why: "" };
    } catch (error) {
      console.warn("avatar", sha256, error);
    }
  }
  try {
    return { mesh: await cached("default"), known: false, why: "" };
  } catch (error) {
    return { mesh: null, known: false, why: error instanceof Error ? error.message : "" };
  }
}

function cached(name: string): Promise<Mesh> {
  let found = cache.get(name);
  if (!found) {
    found = load(name);
    cache.set(name, found);
    found.catch(() => cache.delete(name));
    if (cache.size > 8) cache.delete(cache.keys().next().value!);
  }
  return found;
}

async function load(name: string): Promise<Mesh> {
  const response = await fetch(`avatars/${name}.mien-avatar`, { credentials: "omit" });
  if (!response.ok) throw new NotAnAvatar(`the host of this page has no avatar ${name}`);
  if (Number(response.headers.get("content-length") ?? 0) > MOST_FILE_BYTES) throw new NotAnAvatar("a file that is too long");
  const file = await response.arrayBuffer();
  // crypto.subtle exists on https and loopback only; elsewhere the file's own checksum must do.
  if (name !== "default" && crypto.subtle && (await sha256Of(file)) !== name) throw new NotAnAvatar("a file with another checksum");
  return readBaked(file);
}

async function sha256Of(file: ArrayBuffer): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", file);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
