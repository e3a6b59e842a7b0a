// The languages of the widget. To add one: write a file beside en.ts that satisfies `Strings`, and name it here.

import { ar } from "./ar";
import { en, type Strings } from "./en";

export type { Strings };

const TABLES: Record<string, Strings> = { en, ar };
const RIGHT_TO_LEFT = new Set(["ar", "arc", "ckb", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"]);

export interface Language {
  /** As asked for, for dates and numbers. */
  locale: string;
  strings: Strings;
  direction: "ltr" | "rtl";
}

/** The first language asked for that has a table; English where none has. */
export function language(wanted: readonly (string | null | undefined)[]): Language {
  for (const tag of wanted) {
    const base = baseOf(tag);
    const strings = TABLES[base];
    if (!strings) continue;
    // A page that says "en" and a reader who says "en-GB": dates as the reader writes them.
    const regional = wanted.find((other) => baseOf(other) === base && other?.includes("-"));
    return { locale: valid(regional ?? base), strings, direction: RIGHT_TO_LEFT.has(base) ? "rtl" : "ltr" };
  }
  return { locale: "en", strings: en, direction: "ltr" };
}

function baseOf(tag: string | null | undefined): string {
  return tag?.split("-")[0]?.toLowerCase() ?? "";
}

function valid(tag: string): string {
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? baseOf(tag);
  } catch {
    return baseOf(tag);
  }
}
