/** The frame around all pages: navigation, state of the connection, language, appearance. */

import type { Failure, State } from "../broker/connection.ts";
import { h, icon, setAttribute, setClass, setHidden, setText } from "./dom.ts";
import { LANGUAGES, fill, type Format, type Language } from "./format.ts";
import type { Settings, Theme } from "./settings.ts";

export interface ShellActions {
  language(language: Language): void;
  theme(theme: Theme): void;
  signOut(): void;
  retry(): void;
}

export class Shell {
  readonly root: HTMLElement;
  private readonly banner = h("div", { class: "banner", role: "status", hidden: true });
  private readonly bannerText = h("span", {});
  private readonly link = h("span", { class: "link-state" });
  private readonly calls = h("span", { class: "count", hidden: true });
  private readonly page = h("div", { class: "page-holder" });
  private readonly links: HTMLAnchorElement[];
  private readonly menu: HTMLElement;
  private lostAtMs = 0;

  constructor(
    private readonly format: Format,
    settings: Settings,
    user: string,
    actions: ShellActions,
  ) {
    const { text } = format;
    this.links = [
      this.navigation("#/", "grid", text.wall),
      this.navigation("#/calls", "bell", text.calls, this.calls),
      this.navigation("#/report", "report", text.report),
    ];
    this.menu = this.newMenu(settings, user, actions);
    this.banner.append(icon("warn"), this.bannerText, h("button", { type: "button", class: "button", onclick: () => actions.retry() }, text.tryAgain));
    this.root = h(
      "div",
      { class: "shell" },
      h("a", { class: "skip", href: "#content", onclick: (event: Event) => this.skip(event) }, text.skip),
      h(
        "header",
        { class: "top" },
        h("a", { class: "wordmark", href: "#/", "aria-label": text.title }, "mien"),
        h("nav", { "aria-label": text.menu }, ...this.links),
        h("div", { class: "top-right" }, this.link, this.menu),
      ),
      this.banner,
      this.page,
    );
  }

  show(view: HTMLElement, hash: string): void {
    this.page.replaceChildren(view);
    for (const link of this.links) {
      const here = link.getAttribute("href") === hash || (link.getAttribute("href") === "#/" && hash.startsWith("#/kiosk/"));
      setAttribute(link, "aria-current", here ? "page" : null);
    }
    this.closeMenu();
  }

  setCalls(count: number): void {
    setHidden(this.calls, count === 0);
    setText(this.calls, this.format.number(count));
  }

  setLink(state: State, _failure: Failure | null, retryAt: number): void {
    const { link: text } = this.format.text;
    const connected = state === "connected";
    if (connected) this.lostAtMs = 0;
    else this.lostAtMs ||= Date.now();
    setText(this.link, connected ? text.connected : text.connecting);
    setClass(this.link, "lost", !connected);
    setHidden(this.banner, connected);
    if (connected) return;
    const lost = fill(text.lost, { time: this.format.seconds(this.lostAtMs) });
    const seconds = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
    setText(this.bannerText, state === "waiting" && seconds > 0 ? `${lost} ${fill(text.retry, { seconds })}` : lost);
  }

  private skip(event: Event): void {
    event.preventDefault();
    const content = document.getElementById("content");
    content?.setAttribute("tabindex", "-1");
    content?.focus();
  }

  private navigation(href: string, glyph: string, label: string, ...more: HTMLElement[]): HTMLAnchorElement {
    return h("a", { href, class: "nav" }, icon(glyph), h("span", { class: "nav-label" }, label), ...more);
  }

  private newMenu(settings: Settings, user: string, actions: ShellActions): HTMLElement {
    const { text } = this.format;
    const languages = h(
      "select",
      { id: "language", onchange: (event: Event) => actions.language((event.target as HTMLSelectElement).value as Language) },
      ...Object.entries(LANGUAGES).map(([code, each]) => h("option", { value: code, lang: code, selected: code === settings.language }, each.name)),
    );
    const themes = h(
      "select",
      { id: "theme", onchange: (event: Event) => actions.theme((event.target as HTMLSelectElement).value as Theme) },
      ...Object.entries(text.themes).map(([value, label]) => h("option", { value, selected: value === settings.theme }, label)),
    );
    return h(
      "details",
      { class: "menu", onkeydown: (event: KeyboardEvent) => event.key === "Escape" && this.closeMenu() },
      h("summary", {}, h("span", { class: "monogram", "data-letter": user.slice(0, 1).toUpperCase() }), h("span", { class: "menu-user" }, user)),
      h(
        "div",
        { class: "menu-body" },
        h("div", { class: "field" }, h("label", { for: "language" }, text.language), languages),
        h("div", { class: "field" }, h("label", { for: "theme" }, text.theme), themes),
        h("button", { type: "button", class: "button block", onclick: () => actions.signOut() }, icon("out"), text.signOut),
      ),
    );
  }

  private closeMenu(): void {
    this.menu.removeAttribute("open");
  }
}
