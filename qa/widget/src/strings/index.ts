// The languages of the widget. The service has the words of each in a file of its own, fetched where a reader wants it.
// To add one: a file in qa/widget/languages with the keys of en.json, named here.

import type en from "../../languages/en.json";

/** What a language file holds for a key: a text with {0}, {1} for what is put in, by plural form where that matters; or
 * texts by what they are said of. */
export type Words = Record<string, string | Record<string, string>>;

/** Keys whose text has something put in. */
type Put =
  | "answering" | "articles" | "asTyped" | "farther" | "finished" | "found" | "late" | "more" | "newestAge" | "notLimited" | "onlyArticle" | "original"
  | "reading" | "replaces" | "retryIn" | "shared" | "sourceNumber" | "sourcesCount" | "understoodAs" | "without";
type Said<Key extends keyof typeof en> = (typeof en)[Key] extends string ? string : Record<keyof (typeof en)[Key], string>;
export type Strings = { [Key in keyof typeof en]: Key extends Put ? (...values: (string | number)[]) => string : Said<Key> };

/** How the files of words are called behind the language, and a hash of all of them: what was kept of another version is not
 * used. */
declare const __WORDS__: string;

const LANGUAGES = new Set(["ar", "de", "en", "es", "fr", "hi", "id", "ja", "pt", "zh"]);
const RIGHT_TO_LEFT = ["ar"];

/** A language without its words. */
interface Found {
  /** As asked for, for dates and numbers. */
  locale: string;
  /** The language alone, such as `pt`. */
  base: string;
}

export interface Language extends Found {
  strings: Strings;
  direction: "ltr" | "rtl";
}

/** The first language asked for that has words; English where none has. */
function chosen(wanted: readonly (string | null | undefined)[]): Found {
  const base = wanted.map(baseOf).find((one) => LANGUAGES.has(one)) ?? "en";
  // A page that says "en" and a reader who says "en-GB": dates as the reader writes them.
  const regional = wanted.find((other) => baseOf(other) === base && other?.includes("-"));
  return { locale: valid(regional ?? base), base };
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

/** The first language asked for with its words, of the service or else `own`; English where they cannot be had, null where
 * that cannot, either. */
export async function language(wanted: readonly (string | null | undefined)[], endpoint: string, own: Words): Promise<Language | null> {
  for (const found of [chosen(wanted), { locale: "en", base: "en" }]) {
    const words = await fetched(endpoint, found.base);
    if (!words && (found.base !== "en" || !own["title"])) continue;
    return { ...found, strings: revived({ ...own, ...words }, found), direction: RIGHT_TO_LEFT.includes(found.base) ? "rtl" : "ltr" };
  }
  return null;
}

function fetched(endpoint: string, base: string): Promise<Words | null> {
  return fetch(`${endpoint}/widget/${base}.${__WORDS__}`, { credentials: "omit" })
    .then((response) => (response.ok ? (response.json() as Promise<Words>) : null))
    .catch(() => null);
}

/** Texts with something to put in become functions; numbers are put in as the reader writes them. */
function revived(words: Words, { base, locale }: Found): Strings {
  const rules = new Intl.PluralRules(base);
  const put = (written: string | Record<string, string>) => (...values: (string | number)[]): string => {
    const text = typeof written === "string" ? written : (written[rules.select(Number(values[0]))] ?? written["other"] ?? "");
    return text.replace(/\{(\d)\}/g, (_, place: string) => (values[Number(place)] ?? "").toLocaleString(locale));
  };
  const isPut = (written: string | Record<string, string>): boolean => (typeof written === "string" ? written.includes("{") : "other" in written);
  return Object.fromEntries(Object.entries(words).map(([key, one]) => [key, isPut(one) ? put(one) : one])) as unknown as Strings;
}
