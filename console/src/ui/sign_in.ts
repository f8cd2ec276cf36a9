/** The sign-in page. The broker decides who may in; the page keeps the password in memory alone. */

import type { Account, Failure } from "../broker/connection.ts";
import { isName } from "../fleet/topics.ts";
import { h, setHidden, setText } from "./dom.ts";
import { LANGUAGES, type Format, type Language } from "./format.ts";
import type { Settings } from "./settings.ts";
import { StillFace } from "./still_face.ts";

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Whether the page may give a password to this address: by TLS, or on this machine. */
export function isBrokerUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  if (url.username || url.password || url.hash) return false;
  return url.protocol === "wss:" || (url.protocol === "ws:" && LOOPBACK.has(url.hostname));
}

export class SignIn {
  readonly root: HTMLElement;
  private readonly error: HTMLElement;
  private readonly button: HTMLButtonElement;
  private readonly broker: HTMLInputElement;
  private readonly user: HTMLInputElement;
  private readonly password: HTMLInputElement;
  private readonly face: StillFace;

  constructor(
    private readonly format: Format,
    settings: Settings,
    private readonly submit: (account: Account) => void,
    language: (language: Language) => void,
    ended: boolean,
  ) {
    const { signIn: text, language: languageText, console: lead } = format.text;
    this.error = h("p", { class: "form-error", role: "alert", hidden: true });
    this.button = h("button", { class: "button primary block", type: "submit" }, text.submit);
    this.broker = field("broker", settings.broker, { inputmode: "url", placeholder: text.brokerHint, autocomplete: "url" });
    this.user = field("user", settings.user, { autocomplete: "username", autocapitalize: "none" });
    this.password = field("password", "", { type: "password", autocomplete: "current-password" });
    this.face = new StillFace();
    const languages = h(
      "select",
      { id: "sign-in-language", onchange: (event: Event) => language((event.target as HTMLSelectElement).value as Language) },
      ...Object.entries(LANGUAGES).map(([code, each]) => h("option", { value: code, lang: code, selected: code === format.language }, each.name)),
    );
    this.root = h(
      "main",
      { class: "sign-in", id: "content" },
      h("div", { class: "sign-in-face", "aria-hidden": "true" }, this.face.root),
      h(
        "div",
        { class: "sign-in-panel" },
        h(
          "form",
          { class: "sign-in-form", onsubmit: (event: Event) => this.submitted(event) },
          h("p", { class: "wordmark" }, "mien", h("span", {}, lead)),
          h("h1", {}, text.heading),
          h("p", { class: "muted" }, text.lead),
          labelled(text.broker, this.broker),
          labelled(text.user, this.user),
          labelled(text.password, this.password),
          this.error,
          this.button,
          h("p", { class: "hint" }, text.kept),
        ),
        h("div", { class: "sign-in-foot" }, h("label", { for: "sign-in-language" }, languageText), languages),
      ),
    );
    if (ended) this.fail(text.ended);
  }

  mounted(): void {
    (this.broker.value ? (this.user.value ? this.password : this.user) : this.broker).focus();
    void this.face.start();
  }

  busy(busy: boolean): void {
    this.button.disabled = busy;
    setText(this.button, busy ? this.format.text.signIn.connecting : this.format.text.signIn.submit);
  }

  failed(failure: Failure): void {
    this.busy(false);
    this.fail(this.format.text.signIn[failure]);
    this.password.select();
  }

  unmount(): void {
    this.password.value = "";
    this.face.close();
  }

  private submitted(event: Event): void {
    event.preventDefault();
    const [url, user] = [this.broker.value.trim(), this.user.value.trim()];
    if (!isBrokerUrl(url)) return this.fail(this.format.text.signIn.badUrl, this.broker);
    if (!isName(user)) return this.fail(this.format.text.signIn.badUser, this.user);
    setHidden(this.error, true);
    this.busy(true);
    this.submit({ url, user, password: this.password.value });
  }

  private fail(text: string, at?: HTMLInputElement): void {
    setText(this.error, text);
    setHidden(this.error, false);
    at?.focus();
  }
}

function field(id: string, value: string, attributes: Readonly<Record<string, string>>): HTMLInputElement {
  return h("input", { id, name: id, value, type: "text", required: true, spellcheck: "false", maxlength: 500, ...attributes });
}

function labelled(label: string, input: HTMLElement): HTMLElement {
  return h("div", { class: "field" }, h("label", { for: input.id }, label), input);
}
