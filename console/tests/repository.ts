/** Files of the repository, for tests. */

import { readFileSync } from "node:fs";
import { join } from "node:path";

declare const REPOSITORY: string;

export function bytesOf(...path: string[]): Uint8Array {
  return new Uint8Array(readFileSync(join(REPOSITORY, ...path)));
}

export function textOf(...path: string[]): string {
  return readFileSync(join(REPOSITORY, ...path), "utf8");
}

export function jsonOf<T>(...path: string[]): T {
  return JSON.parse(textOf(...path)) as T;
}

export function encoded(value: unknown): Uint8Array {
  return new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
}
