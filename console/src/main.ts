/** The page's composition root: sign-in, the connection, the pages, and the loop that tells them of changes. */

import { Connection, type Account, type Failure, type State } from "./broker/connection.ts";
import { Inbox, type Letter } from "./broker/inbox.ts";
import { Malformed } from "./fleet/check.ts";
import { parseReport, placeOf, keyOf, type Place } from "./fleet/topics.ts";
import { Calls } from "./model/calls.ts";
import { Commands } from "./model/commands.ts";
import { Fleet } from "./model/fleet.ts";
import { sameDay } from "./model/report.ts";
import { audioContext } from "./sound/context.ts";
import { Ring } from "./sound/ring.ts";
import type { App, LiveListener, View } from "./ui/app.ts";
import { CallsPage } from "./ui/calls_page.ts";
import { ask } from "./ui/dialog.ts";
import { h } from "./ui/dom.ts";
import { Format, type Language } from "./ui/format.ts";
import { Kiosk } from "./ui/kiosk/kiosk.ts";
import { ReportPage } from "./ui/report_page.ts";
import { applyTheme, loadSettings, saveSettings, type Theme } from "./ui/settings.ts";
import { Shell } from "./ui/shell.ts";
import { SignIn, isBrokerUrl } from "./ui/sign_in.ts";
import { Wall } from "./ui/wall.ts";

const UPDATE_EVERY_MS = 100;
const TOAST_MS = 5000;
const MOST_TOASTS = 3;

const settings = loadSettings();
const toasts = h("div", { class: "toasts", role: "status", "aria-live": "polite" });
const holder = h("div", { id: "app" });
let format = new Format(settings.language);
let session: Session | null = null;
let signIn: SignIn | null = null;

/** From sign-in to sign-out. */
class Session implements App {
  readonly settings = settings;
  readonly connection: Connection;
  readonly fleet = new Fleet(Date.now());
  readonly calls = new Calls();
  readonly commands: Commands;
  private readonly inbox: Inbox;
  private readonly ring = new Ring();
  private shell: Shell | null = null;
  private view: View | null = null;
  private hash = "";
  private watched: { key: string; listener: LiveListener } | null = null;
  private signedIn = false;
  private outdated = false;
  private changedAtMs = -Infinity;
  private scheduled = false;
  private lastTickMs = Date.now();
  private readonly timer: ReturnType<typeof setInterval>;
  private linkState: { state: State; failure: Failure | null; retryAt: number } = { state: "connecting", failure: null, retryAt: 0 };

  constructor(private readonly account: Account) {
    this.connection = new Connection(account, {
      state: (state, failure, retryAt) => this.connectionState(state, failure, retryAt),
      message: (topic, payload) => this.arrived(topic, payload),
      skipped: (bytes) => this.fleet.complain("", `a packet of ${bytes} bytes`, Date.now()),
    });
    this.commands = new Commands(this.connection);
    this.inbox = new Inbox(
      (letter) => this.take(letter),
      () => this.schedule(),
    );
    this.fleet.onEvent = (board, heard) => this.calls.noteEvent(board, heard);
    this.connection.subscribe(["mien/1/+/+/status", "mien/1/+/+/health"], 0);
    this.connection.subscribe(["mien/1/+/+/event", `mien/1/+/+/answer/${account.user}`], 1);
    this.timer = setInterval(() => this.tick(), 1000);
    this.connection.open();
  }

  get format(): Format {
    return format;
  }

  isConnected(): boolean {
    return this.connection.state === "connected";
  }

  listen(place: Place | null, listener: LiveListener | null): void {
    if (this.watched) this.connection.unsubscribe([`mien/1/${this.watched.key}/live/+`]);
    this.watched = place && listener ? { key: keyOf(place), listener } : null;
    if (this.watched) this.connection.subscribe([`mien/1/${this.watched.key}/live/+`], 0);
  }

  toast(text: string, kind: "info" | "bad" = "info"): void {
    const toast = h("div", { class: `toast ${kind}` }, text);
    toasts.append(toast);
    while (toasts.children.length > MOST_TOASTS) toasts.firstElementChild!.remove();
    setTimeout(() => toast.remove(), TOAST_MS);
  }

  go(hash: string): void {
    if (location.hash === hash) this.open(hash);
    else location.hash = hash;
  }

  /** Show the page of the address, unless this person would lose something and stays. */
  async navigate(): Promise<void> {
    const hash = location.hash || "#/";
    if (hash === this.hash) return;
    const question = this.view?.mayLeave;
    if (question) {
      history.replaceState(null, "", this.hash);
      const { takeover, cancel } = format.text;
      const leaves = await ask({ title: takeover.held, body: question, confirm: takeover.release, cancel: takeover.stay || cancel });
      if (!leaves) return;
      history.replaceState(null, "", hash);
    }
    this.open(hash);
  }

  /** Build everything anew, in another language; at the next page while this person holds a kiosk. */
  rebuild(): void {
    this.outdated = true;
    if (!this.view?.mayLeave) this.open(this.hash || "#/");
  }

  wake(): void {
    this.connection.wake();
  }

  close(): void {
    clearInterval(this.timer);
    this.ring.set(false);
    this.view?.unmount();
    this.view = null;
    this.commands.close();
    this.connection.close();
  }

  private open(hash: string): void {
    this.view?.unmount();
    this.hash = hash;
    if (this.outdated) this.shell = null;
    this.outdated = false;
    this.shell ??= this.newShell();
    this.view = this.viewOf(hash);
    document.title = `${this.view.title} · ${format.text.title}`;
    this.shell.show(this.view.root, hash);
    if (!this.shell.root.isConnected) holder.replaceChildren(this.shell.root);
    this.view.mounted?.();
    scrollTo(0, 0);
  }

  private newShell(): Shell {
    const shell = new Shell(format, settings, this.account.user, { language, theme, signOut: () => signOut(false), retry: () => this.wake() });
    const { state, failure, retryAt } = this.linkState;
    shell.setLink(state, failure, retryAt);
    return shell;
  }

  private viewOf(hash: string): View {
    const place = hash.startsWith("#/kiosk/") ? placeOf(hash.slice("#/kiosk/".length)) : null;
    if (place) return new Kiosk(this, place);
    if (hash === "#/calls") return new CallsPage(this);
    if (hash === "#/report") return new ReportPage(this);
    return new Wall(this);
  }

  private connectionState(state: State, failure: Failure | null, retryAt: number): void {
    this.linkState = { state, failure, retryAt };
    if (state === "connected" && !this.signedIn) {
      this.signedIn = true;
      signedIn(this.account);
      this.open(location.hash || "#/");
    }
    if (state === "closed" && failure) {
      if (this.signedIn) signOut(true);
      else signInFailed(failure);
      return;
    }
    this.shell?.setLink(state, failure, retryAt);
    this.view?.connectionChanged();
  }

  private arrived(topic: string, payload: Uint8Array): void {
    const report = parseReport(topic);
    if (!report) return;
    if (report.kind.startsWith("live/")) {
      // Live packets are not kept waiting: they are small, and only of the one board that is watched.
      if (this.watched?.key === keyOf(report)) this.watched.listener(report.kind, payload);
    } else this.inbox.put(topic, payload, report.kind === "status" || report.kind === "health");
  }

  private take({ topic, payload }: Letter): void {
    if (!topic.includes("/answer/")) return this.fleet.take(topic, payload, Date.now());
    try {
      this.commands.takeAnswer(payload);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.fleet.complain(topic, error.message, Date.now());
    }
  }

  /** Tell the page of changes, at most ten times a second. */
  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    const wait = Math.max(0, UPDATE_EVERY_MS - (performance.now() - this.changedAtMs));
    setTimeout(() => {
      this.scheduled = false;
      this.changedAtMs = performance.now();
      this.tellChanges();
    }, wait);
  }

  private tellChanges(): void {
    const changed = this.fleet.takeChanged();
    if (changed.size === 0) return;
    const waiting = this.calls.waiting(this.fleet.boards.values());
    this.shell?.setCalls(waiting.length);
    this.ring.set(settings.ring && waiting.length > 0);
    this.view?.update(changed);
  }

  private tick(): void {
    const nowMs = Date.now();
    if (nowMs - this.lastTickMs > 30_000) this.wake(); // the machine slept
    if (!sameDay(this.lastTickMs, nowMs)) this.fleet.report.restart(nowMs);
    this.lastTickMs = nowMs;
    this.fleet.tick(nowMs);
    if (this.linkState.state !== "connected") {
      this.shell?.setLink(this.linkState.state, this.linkState.failure, this.linkState.retryAt);
    }
    this.view?.tick();
    this.tellChanges();
  }
}

function showSignIn(ended: boolean): void {
  signIn?.unmount();
  signIn = new SignIn(format, settings, start, language, ended);
  document.title = format.text.title;
  holder.replaceChildren(signIn.root);
  signIn.mounted();
}

function start(account: Account): void {
  audioContext(); // the click that signs in is the gesture that browsers want before sound
  session?.close();
  session = new Session(account);
}

function signedIn(account: Account): void {
  settings.broker = account.url;
  settings.user = account.user;
  saveSettings(settings);
  signIn?.unmount();
  signIn = null;
}

function signInFailed(failure: Failure): void {
  session?.close();
  session = null;
  signIn?.failed(failure);
}

function signOut(ended: boolean): void {
  session?.close();
  session = null;
  showSignIn(ended);
}

function language(chosen: Language): void {
  settings.language = chosen;
  saveSettings(settings);
  format = new Format(chosen);
  document.documentElement.lang = chosen;
  if (session && !signIn) session.rebuild();
  else showSignIn(false);
}

function theme(chosen: Theme): void {
  settings.theme = chosen;
  saveSettings(settings);
  applyTheme(chosen);
}

/** The broker that the page's host proposes; else the page's own host. */
async function proposedBroker(): Promise<string> {
  try {
    const response = await fetch("config.json", { credentials: "omit" });
    const config = response.ok ? ((await response.json()) as { broker?: unknown }) : {};
    if (typeof config.broker === "string" && isBrokerUrl(config.broker)) return config.broker;
  } catch {
    // No such file: any static host serves this page.
  }
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/mqtt`;
}

async function main(): Promise<void> {
  applyTheme(settings.theme);
  document.documentElement.lang = settings.language;
  document.body.append(holder, toasts);
  settings.broker ||= await proposedBroker();
  showSignIn(false);
  addEventListener("hashchange", () => void session?.navigate());
  addEventListener("online", () => session?.wake());
  addEventListener("pagehide", () => session?.close());
  addEventListener("mien-settings", () => saveSettings(settings));
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && session?.wake());
}

void main();

