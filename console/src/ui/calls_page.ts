/** Calls for a person: who waits, who comes, what became of the earlier ones. */

import { Refused, permits } from "../model/commands.ts";
import type { OpenCall, PastCall } from "../model/calls.ts";
import { refusalText, type App, type View } from "./app.ts";
import { h, setHidden, setText } from "./dom.ts";
import { fill } from "./format.ts";

const MOST_PAST = 30;

interface Card {
  readonly root: HTMLElement;
  readonly waited: HTMLElement;
  readonly key: string;
}

export class CallsPage implements View {
  readonly root: HTMLElement;
  readonly title: string;
  private readonly list = h("ul", { class: "call-list" });
  private readonly empty: HTMLElement;
  private readonly past = h("ol", { class: "events" });
  private readonly pastSection: HTMLElement;
  private readonly cards = new Map<string, Card>();
  private shownPast: PastCall | undefined;

  constructor(private readonly app: App) {
    const { callsPage: text, calls } = app.format.text;
    this.title = calls;
    this.empty = h("div", { class: "empty" }, h("p", { class: "empty-title" }, text.none), h("p", { class: "muted" }, text.noneHint));
    this.pastSection = h("section", { class: "panel" }, h("h2", {}, text.recent), this.past);
    const ring = h("input", {
      type: "checkbox",
      id: "ring",
      checked: app.settings.ring,
      onchange: () => app.settings.ring !== ring.checked && this.setRing(ring.checked),
    });
    this.root = h(
      "main",
      { class: "page", id: "content" },
      h("div", { class: "page-head" }, h("h1", {}, text.heading), h("p", { class: "check" }, ring, h("label", { for: "ring" }, text.ringHint))),
      this.empty,
      this.list,
      this.pastSection,
    );
  }

  mounted(): void {
    this.update();
  }

  update(): void {
    const open = this.app.calls.open(this.app.fleet.boards.values());
    const keys = open.map((each) => cardKey(each));
    for (const [key, card] of this.cards) {
      if (keys.includes(key)) continue;
      card.root.remove();
      this.cards.delete(key);
    }
    open.forEach((each, at) => {
      const key = cardKey(each);
      let card = this.cards.get(key);
      if (!card) this.cards.set(key, (card = this.card(each, key)));
      if (this.list.children[at] !== card.root) this.list.insertBefore(card.root, this.list.children[at] ?? null);
    });
    setHidden(this.empty, open.length > 0);
    this.showPast();
    this.tick();
  }

  tick(): void {
    const { format } = this.app;
    for (const { board, call } of this.app.calls.open(this.app.fleet.boards.values())) {
      const card = this.cards.get(cardKey({ board, call }));
      if (card) setText(card.waited, fill(format.text.callsPage.waiting, { time: format.span(Date.now() - call.since * 1000) }));
    }
  }

  connectionChanged(): void {}

  unmount(): void {}

  private setRing(ring: boolean): void {
    this.app.settings.ring = ring;
    dispatchEvent(new Event("mien-settings"));
  }

  private card(open: OpenCall, key: string): Card {
    const { text } = this.app.format;
    const { callsPage: words } = text;
    const { board, call } = open;
    const waited = h("span", { class: "call-waited" });
    const question = call["pii.question"];
    const root = h(
      "li",
      { class: `call-card ${call.accepted_by ? "taken" : "waiting"}` },
      h("div", { class: "call-text" }, h("h2", {}, board.board), h("p", { class: "muted" }, [board.site, call.language].filter(Boolean).join(" · ")), question ? h("p", { class: "call-question", dir: "auto" }, fill(words.question, { text: question })) : null),
      waited,
      call.accepted_by ? this.acceptedNote(call.accepted_by) : this.answers(open),
      h("a", { class: "button", href: `#/kiosk/${board.key}` }, words.open),
    );
    return { root, waited, key };
  }

  private acceptedNote(by: string): HTMLElement {
    const { callsPage: words } = this.app.format.text;
    const mine = by === this.app.connection.user;
    return h("p", { class: "call-accepted" }, mine ? words.acceptedByYou : fill(words.accepted, { name: by }));
  }

  private answers(open: OpenCall): HTMLElement {
    const { callsPage: words } = this.app.format.text;
    const minutes = [0, 2, 5, 10] as const;
    const labels = [words.inChoices.now, words.inChoices.two, words.inChoices.five, words.inChoices.ten];
    const when = h("select", { "aria-label": words.inTime }, ...minutes.map((each, at) => h("option", { value: each * 60 }, labels[at]!)));
    const answer = (coming: boolean) => () => void this.answer(open, coming, coming ? Number(when.value) : 0, root);
    const root = h(
      "div",
      { class: "call-answers" },
      when,
      h("button", { type: "button", class: "button primary", onclick: answer(true) }, words.accept),
      h("button", { type: "button", class: "button", onclick: answer(false) }, words.decline),
    );
    return root;
  }

  private async answer({ board, call }: OpenCall, coming: boolean, inS: number, root: HTMLElement): Promise<void> {
    const buttons = [...root.querySelectorAll("button")];
    for (const button of buttons) button.disabled = true;
    try {
      const { role } = await this.app.commands.roleAt(board);
      if (!role || !permits(role, "answer_call")) throw new Refused("not_permitted", "");
      await this.app.commands.give(board, role, "answer_call", { call: call.call, coming, in_s: inS });
      if (coming) this.app.go(`#/kiosk/${board.key}`);
    } catch (error) {
      this.app.toast(refusalText(this.app, error, board.status?.call?.accepted_by), "bad");
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  }

  private showPast(): void {
    const { past } = this.app.calls;
    setHidden(this.pastSection, past.length === 0);
    if (past[0] === this.shownPast) return;
    this.shownPast = past[0];
    const { format } = this.app;
    const { callsPage: words } = format.text;
    this.past.replaceChildren(
      ...past.slice(0, MOST_PAST).map(({ key, event, atMs }) => {
        const waited = event.waited_s === null ? "" : `, ${fill(words.waited, { time: format.span(event.waited_s * 1000) })}`;
        const what = fill(words.states[event.state], { name: event.by || "–" }) + waited;
        return h("li", { class: `event ${event.state === "timed_out" ? "bad" : ""}` }, h("time", {}, format.time(atMs)), h("span", { class: "event-mark" }), h("span", { class: "event-text" }, `${key}: ${what}`));
      }),
    );
  }
}

function cardKey({ board, call }: OpenCall): string {
  return `${board.key} ${call.call} ${call.accepted_by}`;
}
