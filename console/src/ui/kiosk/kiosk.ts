/** One kiosk: its face, its words, its health, its commands. */

import { Malformed } from "../../fleet/check.ts";
import { decodeSound } from "../../fleet/packets.ts";
import { readCaption } from "../../fleet/payloads.ts";
import { boardTopic, type Place, type Stream } from "../../fleet/topics.ts";
import { Board } from "../../model/board.ts";
import { Refused, permits } from "../../model/commands.ts";
import { Player } from "../../sound/player.ts";
import type { App, View } from "../app.ts";
import { stateText, visitText } from "../board_text.ts";
import { h, icon, setAttribute, setHidden, setText } from "../dom.ts";
import { fill } from "../format.ts";
import { CommandsPanel } from "./commands_panel.ts";
import { Conversation } from "./conversation.ts";
import { HealthPanel } from "./health_panel.ts";
import { Events, Facts, ofThisVisit } from "./lists.ts";
import { Stage } from "./stage.ts";
import { Takeover } from "./takeover.ts";

const WATCH_EVERY_MS = 8000;
const WATCH_FOR_S = 20;

export class Kiosk implements View {
  readonly root: HTMLElement;
  readonly title: string;
  private readonly board: Board;
  private readonly stage: Stage;
  private readonly takeover: Takeover;
  private readonly conversation: Conversation;
  private readonly health: HealthPanel;
  private readonly facts: Facts;
  private readonly timeline: Events;
  private readonly events: Events;
  private readonly commands: CommandsPanel;
  private readonly state = h("p", { class: "kiosk-state" });
  private readonly watchers = h("p", { class: "muted small watchers" });
  private readonly missing: HTMLElement;
  private readonly content: HTMLElement;
  private readonly hear: HTMLButtonElement;
  private readonly listen: HTMLButtonElement;
  private heard: Player | null = null;
  private ear: Player | null = null;
  private watch: ReturnType<typeof setInterval> | undefined;
  private role: "unknown" | "asking" | "known" = "unknown";
  private closed = false;

  constructor(
    private readonly app: App,
    private readonly place: Place,
  ) {
    const { format } = app;
    const { kiosk: text } = format.text;
    this.title = place.board;
    this.board = app.fleet.board(place) ?? new Board(place.site, place.board);
    this.hear = this.toggle("soundOff", text.soundOn, () => this.toggleHeard());
    this.listen = this.toggle("ear", text.earOn, () => this.toggleEar());
    this.listen.title = text.earHint;
    this.listen.hidden = true;
    this.stage = new Stage(format, this.hear, this.listen);
    this.takeover = new Takeover(app, this.board);
    this.takeover.onSpeaking = (speaking) => this.heard?.mute(speaking);
    this.conversation = new Conversation(format, this.stage, this.stage.clock);
    this.health = new HealthPanel(format);
    this.facts = new Facts(format);
    this.timeline = new Events(format, text.timeline, text.noVisit, ofThisVisit, 100);
    const since = fill(text.noEvents, { time: format.time(app.fleet.startedMs) });
    this.events = new Events(format, text.events, since, () => true, 100);
    this.commands = new CommandsPanel(app, this.board);
    this.missing = h("div", { class: "empty" }, h("p", { class: "empty-title" }, text.missing), h("p", { class: "muted" }, text.missingHint));
    this.content = h(
      "div",
      { class: "kiosk-grid" },
      h("div", { class: "kiosk-face" }, this.stage.root, this.takeover.root),
      h("div", { class: "kiosk-talk" }, this.conversation.root, this.timeline.root),
      h("div", { class: "kiosk-side" }, this.commands.root, this.health.root, this.facts.root, this.events.root, this.commands.checks),
    );
    this.root = h(
      "main",
      { class: "kiosk-page", id: "content" },
      h(
        "div",
        { class: "kiosk-head" },
        h("a", { href: "#/", class: "back", "aria-label": text.toWall }, icon("back")),
        h("div", { class: "kiosk-title" }, h("p", { class: "eyebrow" }, place.site), h("h1", {}, place.board)),
        h("div", { class: "kiosk-now" }, this.state, this.watchers),
      ),
      this.missing,
      this.content,
    );
  }

  get mayLeave(): string | null {
    return this.takeover.holds ? this.app.format.text.takeover.leave : null;
  }

  mounted(): void {
    this.app.listen(this.place, (kind, payload) => this.take(kind, payload));
    this.stage.start();
    this.sendWatch();
    this.watch = setInterval(() => this.sendWatch(), WATCH_EVERY_MS);
    document.addEventListener("visibilitychange", this.visibility);
    this.show();
  }

  update(changed: ReadonlySet<string>): void {
    if (changed.has(this.board.key)) this.show();
  }

  tick(): void {
    this.show();
  }

  connectionChanged(): void {
    if (this.app.isConnected()) this.sendWatch();
    this.show();
  }

  unmount(): void {
    this.closed = true;
    document.removeEventListener("visibilitychange", this.visibility);
    clearInterval(this.watch);
    this.takeover.close();
    this.publishWatch([]);
    this.app.listen(null, null);
    this.heard?.close();
    this.ear?.close();
    this.conversation.close();
    this.stage.close();
  }

  private readonly visibility = (): void => this.sendWatch();

  private show(): void {
    const known = this.app.fleet.board(this.place);
    if (known && known !== this.board) {
      // It was heard of only after the page was opened: begin again with the board that the fleet knows.
      return this.app.go(`#/kiosk/${this.board.key}`);
    }
    const { format } = this.app;
    const { status } = this.board;
    setHidden(this.missing, status !== null);
    setHidden(this.content, status === null);
    if (!status) return;
    const online = status.online && this.app.isConnected();
    const visit = visitText(format, this.board, Date.now());
    const parts = [stateText(format, this.board), visit && status.online ? fill(format.text.kiosk.visitSince, { time: visit }) : ""];
    setText(this.state, parts.filter(Boolean).join(" · "));
    setAttribute(this.state, "data-urgency", this.board.urgency);
    this.showWatchers();
    this.stage.tick(online);
    void this.stage.show(status.avatar);
    this.takeover.update();
    this.commands.update();
    this.facts.update(this.board);
    this.health.update(this.board);
    this.timeline.note = status.online && status.visit ? format.text.kiosk.visitBefore : format.text.kiosk.noVisit;
    this.timeline.update(this.board);
    this.events.update(this.board);
    if (online && this.role === "unknown") void this.askRole();
  }

  private showWatchers(): void {
    const { kiosk: text } = this.app.format.text;
    const { watching, hearing } = this.board.status!.watchers;
    const names = (all: readonly string[]): string => all.slice(0, 8).join(", ") + (all.length > 8 ? " …" : "");
    const parts = [
      watching.length ? fill(text.watching, { names: names(watching) }) : "",
      hearing.length ? fill(text.hearing, { names: names(hearing) }) : "",
    ];
    setText(this.watchers, parts.filter(Boolean).join(" · "));
  }

  private async askRole(): Promise<void> {
    this.role = "asking";
    this.commands.setRole(undefined);
    try {
      const { role } = await this.app.commands.roleAt(this.board);
      if (this.closed) return;
      this.role = "known";
      this.takeover.setRole(role);
      this.commands.setRole(role);
      setHidden(this.listen, !permits(role, "take_floor"));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.role = "unknown"; // the connection went meanwhile: ask again with the next status
    }
  }

  private take(kind: string, payload: Uint8Array): void {
    try {
      if (kind === "live/pose") this.stage.takePose(payload);
      else if (kind === "live/caption") this.conversation.take(readCaption(payload));
      else if (kind === "live/heard") this.heard?.take(decodeSound(payload));
      else if (kind === "live/ear") this.ear?.take(decodeSound(payload));
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.app.fleet.complain(`${this.board.key}/${kind}`, error.message, Date.now());
    }
  }

  /** The kiosk streams for as long as somebody says that they look. */
  private sendWatch(): void {
    if (document.visibilityState === "hidden" && !this.takeover.holds && !this.heard && !this.ear) return;
    const streams: Stream[] = ["pose", "caption"];
    if (this.heard) streams.push("heard");
    if (this.ear) streams.push("ear");
    this.publishWatch(streams);
  }

  private publishWatch(streams: readonly Stream[]): void {
    if (!this.app.isConnected()) return;
    const topic = boardTopic(this.place, `watch/${this.app.connection.user}`);
    void this.app.connection.publish(topic, { streams, for_s: WATCH_FOR_S }).catch(() => {}); // repeated soon anyway
  }

  private toggle(glyph: string, label: string, onclick: () => void): HTMLButtonElement {
    return h("button", { type: "button", class: "round", "aria-label": label, "aria-pressed": "false", title: label, onclick }, icon(glyph));
  }

  private toggleHeard(): void {
    const { kiosk: text } = this.app.format.text;
    this.heard = this.switched(this.heard, this.hear, [text.soundOn, text.soundOff]);
    this.hear.replaceChildren(icon(this.heard ? "sound" : "soundOff"));
  }

  private toggleEar(): void {
    const { kiosk: text } = this.app.format.text;
    this.ear = this.switched(this.ear, this.listen, [text.earOn, text.earOff]);
  }

  private switched(player: Player | null, button: HTMLButtonElement, labels: readonly [string, string]): Player | null {
    player?.close();
    const made = player ? null : new Player(this.stage.clock, () => performance.now());
    setAttribute(button, "aria-pressed", String(made !== null));
    setAttribute(button, "aria-label", labels[made ? 1 : 0]);
    button.title = labels[made ? 1 : 0];
    queueMicrotask(() => this.sendWatch());
    return made;
  }
}
