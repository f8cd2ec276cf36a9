/** Numbers, times and sentences in the page's language. */

import { de } from "../text/de.ts";
import { en, type Text } from "../text/en.ts";
import { es } from "../text/es.ts";

export const LANGUAGES = { en, de, es } as const;
export type Language = keyof typeof LANGUAGES;

/** "{name} speaks" with the values put in. */
export function fill(template: string, values: Readonly<Record<string, string | number>>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
}

export function preferredLanguage(): Language {
  for (const wanted of navigator.languages) {
    const short = wanted.slice(0, 2);
    if (short in LANGUAGES) return short as Language;
  }
  return "en";
}

export class Format {
  readonly text: Text;
  private readonly clock: Intl.DateTimeFormat;
  private readonly exact: Intl.DateTimeFormat;
  private readonly day: Intl.DateTimeFormat;
  private readonly percents: Intl.NumberFormat;
  private readonly numbers = new Map<number, Intl.NumberFormat>();
  private readonly units = new Map<string, Intl.NumberFormat>();

  constructor(readonly language: Language) {
    this.text = LANGUAGES[language];
    // The person's own variant of the language: British hours differ from American ones.
    const locale = navigator.languages.find((each) => each.startsWith(language)) ?? language;
    this.clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
    this.exact = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
    this.day = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
    this.percents = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });
  }

  time(ms: number): string {
    return valid(ms) ? this.clock.format(ms) : this.text.unknown;
  }

  seconds(ms: number): string {
    return valid(ms) ? this.exact.format(ms) : this.text.unknown;
  }

  date(ms: number): string {
    return valid(ms) ? this.day.format(ms) : this.text.unknown;
  }

  percent(share: number | null): string {
    return share === null ? "–" : this.percents.format(share);
  }

  number(value: number | null, digits = 0): string {
    if (value === null) return "–";
    let format = this.numbers.get(digits);
    if (!format) this.numbers.set(digits, (format = new Intl.NumberFormat(this.language, { maximumFractionDigits: digits })));
    return format.format(value);
  }

  ms(value: number | null): string {
    return value === null ? "–" : `${this.number(value)} ms`;
  }

  /** "3 min": coarse, so that it seldom changes. */
  span(ms: number): string {
    const s = Math.max(0, ms) / 1000;
    if (s < 60) return this.unit(Math.floor(s), "second");
    if (s < 3600) return this.unit(Math.floor(s / 60), "minute");
    if (s < 86_400) return this.unit(Math.floor(s / 3600), "hour");
    return this.unit(Math.floor(s / 86_400), "day");
  }

  private unit(value: number, unit: string): string {
    let format = this.units.get(unit);
    if (!format) {
      format = new Intl.NumberFormat(this.language, { style: "unit", unit, unitDisplay: "short" });
      this.units.set(unit, format);
    }
    return format.format(value);
  }
}

/** Whether Date can hold it: a hostile board may tell any number. */
function valid(ms: number): boolean {
  return Math.abs(ms) < 8.64e15;
}
