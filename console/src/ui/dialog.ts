/** Modal dialogs, by the browser's own <dialog>: focus, Escape and screen readers are its business. */

import { h, type Child } from "./dom.ts";

export interface Choice {
  readonly title: string;
  readonly body?: string;
  readonly confirm: string;
  readonly cancel: string;
  readonly danger?: boolean;
  readonly content?: Child[];
}

/** Resolves with whether the person confirmed. */
export function ask(choice: Choice): Promise<boolean> {
  return new Promise((resolve) => {
    const close = (confirmed: boolean): void => {
      dialog.close();
      dialog.remove();
      resolve(confirmed);
    };
    const dialog = h(
      "dialog",
      { class: "dialog", "aria-labelledby": "dialog-title", oncancel: () => close(false) },
      h(
        "form",
        {
          method: "dialog",
          onsubmit: (event: Event) => {
            event.preventDefault();
            close(true);
          },
        },
        h("h2", { id: "dialog-title" }, choice.title),
        choice.body ? h("p", { class: "muted" }, choice.body) : null,
        ...(choice.content ?? []),
        h(
          "div",
          { class: "dialog-buttons" },
          h("button", { type: "button", class: "button", onclick: () => close(false) }, choice.cancel),
          h("button", { type: "submit", class: `button ${choice.danger ? "danger" : "primary"}` }, choice.confirm),
        ),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** A dialog that only shows something. */
export function show(title: string, close: string, content: Child[], onClose: () => void = () => {}): void {
  const end = (): void => {
    dialog.close();
    dialog.remove();
    onClose();
  };
  const dialog = h(
    "dialog",
    { class: "dialog wide", "aria-labelledby": "dialog-title", oncancel: end },
    h("h2", { id: "dialog-title" }, title),
    ...content,
    h("div", { class: "dialog-buttons" }, h("button", { type: "button", class: "button", onclick: end }, close)),
  );
  document.body.append(dialog);
  dialog.showModal();
}
