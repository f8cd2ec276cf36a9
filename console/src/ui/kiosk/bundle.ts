/** A support bundle that comes in parts. */

const MOST_PARTS = 400;
const MOST_BYTES = 16_000_000;

export class BundleParts {
  total = 0;
  private readonly parts = new Map<number, Uint8Array<ArrayBuffer>>();
  private sha256 = "";
  private bytes = 0;

  get count(): number {
    return this.parts.size;
  }

  /** Take the result of an answer; anything that is no part is left out. */
  take(result: Readonly<Record<string, unknown>>): void {
    const { part, parts, data, sha256 } = result;
    if (typeof part !== "number" || typeof parts !== "number" || typeof data !== "string" || typeof sha256 !== "string") return;
    if (!Number.isInteger(part) || part < 0 || part >= parts || parts > MOST_PARTS || this.parts.has(part)) return;
    try {
      const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
      this.bytes += bytes.length;
      if (this.bytes > MOST_BYTES) return;
      this.parts.set(part, bytes);
      this.total = parts;
      this.sha256 = sha256;
    } catch {
      // Not base64: the part is missing, and the checksum will say so.
    }
  }

  /** The file; null if it is not whole or damaged. */
  async whole(): Promise<Blob | null> {
    if (!this.total || this.parts.size !== this.total) return null;
    const blob = new Blob(Array.from({ length: this.total }, (_, part) => this.parts.get(part)!));
    if (!crypto.subtle) return blob; // not a secure context: gzip's own checksum must do
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
    const hex = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex === this.sha256 ? blob : null;
  }
}

export function saveFile(name: string, type: string, content: BlobPart): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
