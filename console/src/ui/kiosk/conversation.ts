/** What was said, as it was heard: words light up with the sound. */

import type { CaptionLine } from "../../fleet/types.ts";
import type { LiveClock } from "../../face/live_clock.ts";
import { h, setClass, setHidden, setText } from "../dom.ts";
import type { Format } from "../format.ts";
import type { Stage } from "./stage.ts";

const MOST_LINES = 200;
const SHOWN_MS = 6000;

interface Line {
  caption: CaptionLine;
  readonly root: HTMLElement;
  readonly text: HTMLElement;
  words: HTMLElement[];
  heardAtMs: number;
}

export class Conversation {
  readonly root: HTMLElement;
  private readonly list = h("ol", { class: "lines", "aria-live": "off", tabindex: "0" });
  private readonly empty: HTMLElement;
  private readonly lines = new Map<string, Line>();
  private current: Line | null = null;
  private timer: ReturnType<typeof setInterval>;

  constructor(
    private readonly format: Format,
    private readonly stage: Stage,
    private readonly clock: LiveClock,
  ) {
    const { kiosk: text } = format.text;
    this.list.setAttribute("aria-label", text.conversation);
    this.empty = h("div", { class: "panel-empty" }, h("p", {}, text.noConversation), h("p", { class: "muted" }, text.captionsOff));
    this.root = h("section", { class: "panel conversation" }, h("h2", {}, text.conversation), this.empty, this.list);
    this.timer = setInterval(() => this.advance(), 100);
  }

  take(caption: CaptionLine): void {
    if (!caption.text && !caption.words.length) return;
    const key = `${caption.who} ${caption.turn.slice(0, 200)}`;
    const known = this.lines.get(key);
    const line = known ?? this.add(key, caption);
    line.caption = caption;
    line.heardAtMs = Date.now();
    if (!known || line.text.dataset["source"] !== caption.text) this.write(line);
    this.current = line;
    this.advance();
  }

  close(): void {
    clearInterval(this.timer);
  }

  private add(key: string, caption: CaptionLine): Line {
    const { kiosk: text } = this.format.text;
    const written = h("p", { class: "line-text", dir: "auto" });
    const root = h(
      "li",
      { class: `line ${caption.who}` },
      h("p", { class: "line-who" }, h("span", {}, text.who[caption.who]), h("time", {}, this.format.time(Date.now()))),
      written,
    );
    const line: Line = { caption, root, text: written, words: [], heardAtMs: Date.now() };
    this.lines.set(key, line);
    const follows = this.list.scrollTop + this.list.clientHeight > this.list.scrollHeight - 60;
    this.list.append(root);
    if (this.lines.size > MOST_LINES) {
      const [oldest, first] = this.lines.entries().next().value!;
      first.root.remove();
      this.lines.delete(oldest);
    }
    setHidden(this.empty, true);
    if (follows) this.list.scrollTop = this.list.scrollHeight;
    return line;
  }

  private write(line: Line): void {
    const { words, text } = line.caption;
    line.text.dataset["source"] = text;
    if (!words.length || line.caption.who === "customer") {
      line.words = [];
      setText(line.text, text);
      return;
    }
    line.words = words.map(([word]) => h("span", { class: "word" }, word));
    line.text.replaceChildren(...line.words.flatMap((word, at) => (at ? [" ", word] : [word])));
  }

  /** Light up what was heard by now, on the clock of face and sound. */
  private advance(): void {
    const line = this.current;
    if (!line) return;
    const { at, heard_ms: heardMs, words, who, text, final } = line.caption;
    const playhead = this.clock.playhead(performance.now());
    const since = at === null || playhead === null ? 0 : Math.max(-5000, Math.min(5000, playhead - at * 1000));
    const heard = final ? Infinity : heardMs + since;
    line.words.forEach((word, number) => setClass(word, "ahead", words[number]![1] > heard));
    if (Date.now() - line.heardAtMs > SHOWN_MS) {
      this.stage.setCaption([]);
      this.current = null;
    } else if (who !== "customer") {
      this.stage.setCaption(line.words.length ? around(line.words) : [document.createTextNode(text.slice(-160))]);
    }
  }
}

/** The words around the one that is heard, as copies: a caption has room for two lines. */
function around(words: readonly HTMLElement[]): Node[] {
  const ahead = words.findIndex((word) => word.classList.contains("ahead"));
  const middle = ahead < 0 ? words.length : ahead;
  const first = Math.max(0, Math.floor((middle - 1) / 10) * 10);
  return words.slice(first, first + 10).flatMap((word, at) => (at ? [document.createTextNode(" "), word.cloneNode(true)] : [word.cloneNode(true)]));
}
