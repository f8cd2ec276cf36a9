/** What the browser remembers: language, appearance, the broker's address, the user's name. Never a password. */

import { LANGUAGES, preferredLanguage, type Language } from "./format.ts";

export type Theme = "auto" | "light" | "dark";

export interface Settings {
  language: Language;
  theme: Theme;
  broker: string;
  user: string;
  ring: boolean;
}

const KEY = "mien-console";
const MOST = 500;

export function loadSettings(): Settings {
  const settings: Settings = { language: preferredLanguage(), theme: "auto", broker: "", user: "", ring: true };
  let stored: Record<string, unknown> = {};
  try {
    stored = (JSON.parse(localStorage.getItem(KEY) ?? "{}") ?? {}) as Record<string, unknown>;
  } catch {
    return settings; // storage is off or holds no JSON: the defaults serve
  }
  if (typeof stored["language"] === "string" && stored["language"] in LANGUAGES) settings.language = stored["language"] as Language;
  if (stored["theme"] === "light" || stored["theme"] === "dark") settings.theme = stored["theme"];
  if (typeof stored["broker"] === "string") settings.broker = stored["broker"].slice(0, MOST);
  if (typeof stored["user"] === "string") settings.user = stored["user"].slice(0, 64);
  if (typeof stored["ring"] === "boolean") settings.ring = stored["ring"];
  return settings;
}

export function saveSettings(settings: Settings): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
  } catch {
    // Storage is off: the page asks again next time.
  }
}

export function applyTheme(theme: Theme): void {
  if (theme === "auto") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}
