// The languages of the widget: English is part of the script, the service has the others in files of their own, fetched
// where a reader wants one. To add one: a file in qa/widget/languages with the keys of en.ts, named here.

import { en, type Strings } from "./en";

export type { Strings };

const TABLES: Record<string, Strings> = { en };
const FETCHED = new Set(["ar", "de", "es", "fr", "hi", "id", "ja", "pt", "zh"]);
const RIGHT_TO_LEFT = new Set(["ar", "arc", "ckb", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"]);

export interface Language {
  /** As asked for, for dates and numbers. */
  locale: string;
  strings: Strings;
  /** The language alone, such as `pt`. */
  base: string;
  direction: "ltr" | "rtl";
}

/** The first language asked for that has a table; English where none has. */
export function language(wanted: readonly (string | null | undefined)[]): Language {
  for (const tag of wanted) {
    const base = baseOf(tag);
    const strings = TABLES[base] ?? (FETCHED.has(base) ? en : null);
    if (!strings) continue;
    // A page that says "en" and a reader who says "en-GB": dates as the reader writes them.
    const regional = wanted.find((other) => baseOf(other) === base && other?.includes("-"));
    return { locale: valid(regional ?? base), strings, base, direction: RIGHT_TO_LEFT.has(base) ? "rtl" : "ltr" };
  }
  return { locale: "en", strings: en, base: "en", direction: "ltr" };
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

/** What a language file holds for a key: a text with {0}, {1} for what is put in, by plural form where that matters. */
type Written = string | Record<string, string>;

/** The language with its words, fetched where they are no part of the script; in English where they cannot be had. */
export async function withWords(found: Language, endpoint: string): Promise<Language> {
  if (TABLES[found.base]) return found;
  try {
    const response = await fetch(`${endpoint}/widget/${found.base}.json`, { credentials: "omit" });
    if (!response.ok) throw new Error(String(response.status));
    const strings = (TABLES[found.base] = revived((await response.json()) as Record<string, Written>, found.base));
    return { ...found, strings };
  } catch {
    return { ...found, locale: "en", base: "en" };
  }
}

function revived(table: Record<string, Written>, base: string): Strings {
  const rules = new Intl.PluralRules(base);
  const put = (written: Written) => (...values: (string | number)[]): string => {
    const text = typeof written === "string" ? written : (written[rules.select(Number(values[0]))] ?? written["other"] ?? "");
    return text.replace(/\{(\d)\}/g, (_, place: string) => String(values[Number(place)] ?? ""));
  };
  const entries = Object.entries(en).map(([key, own]) => {
    const written = table[key];
    return [key, written === undefined ? own : typeof own === "function" ? put(written) : written] as const;
  });
  return Object.fromEntries(entries) as Strings;
}
