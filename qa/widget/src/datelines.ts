// Where an agency reports from, at the beginning of a sentence: shown text goes without it, quotations keep it.
// It is known by its shape: a place, perhaps a day, an agency (in brackets, if it is not well known), a dash. Where the same shape may be a name with
// its party or its ticker, an agency has to be one that everybody knows: rather a crumb is shown than a word hidden.

import { element } from "./dom";

const CAPS = "\\p{Lu}[\\p{Lu}.’'-]{2,}(?: [\\p{Lu}.’'-]{2,}){0,3}";
const TITLE = "\\p{Lu}[\\p{L}.’'-]+(?: \\p{Lu}[\\p{L}.’'-]+){0,3}";
const REGION = `(?:, ${TITLE})?`;
const DAY = "\\p{Lu}\\p{L}{2,8}\\.? \\d{1,2}";
const ANY = "\\(\\p{L}[\\p{L}.’'-]*(?:[ /]\\p{L}[\\p{L}.’'-]*){0,3}\\)";
const NAMES = "(?:CNN(?: Business)?|AP|AFP|BBC|UPI|dpa|Reuters)";
const KNOWN = `\\(${NAMES}\\)`;
const DASH = " ?(?:[—–]|--?)\\s+";
/** How the sentence itself begins. */
const SENTENCE = "(?=[\"“‘«„']?[\\p{Lu}\\p{Lo}])";
const WITH_AGENCY = `${CAPS}${REGION}(?:,? ${DAY})?,? ${ANY}${DASH}|${TITLE},? ${DAY},? ${ANY}${DASH}|${ANY}${DASH}|\\(\\p{Lu}{2,5}\\)\\s+`;
const CERTAIN = new RegExp(`^\\s*(?:(?:${TITLE}${REGION}(?:,? ${DAY})?,? )?${KNOWN}(?:${DASH}|\\s+)|(?:${TITLE}${REGION},? )?${NAMES}${DASH}${SENTENCE})(?=\\S)`, "u");
const LIKELY = new RegExp(`^\\s*(?:${WITH_AGENCY}|${CAPS}${REGION}(?:,? ${DAY})? (?:[—–]|--?)\\s+)${SENTENCE}`, "u");
/** A second dash closes an aside: what stands before the first one belongs to the sentence. */
const ASIDE = /\s(?:[—–]|--?)\s/;

/** How many UTF-16 units of a sentence are its dateline; 0 for most. */
export function dateline(sentence: string): number {
  const certain = CERTAIN.exec(sentence)?.[0].length;
  const likely = LIKELY.exec(sentence)?.[0].length ?? 0;
  return certain ?? (ASIDE.test(sentence.slice(likely)) ? 0 : likely);
}

/** A sentence as it is shown by itself. */
export function undated(sentence: string): string {
  return sentence.slice(dateline(sentence));
}

/** The same with all of its words, the dateline out of sight. */
export function whole(sentence: string): [HTMLElement, string] {
  const named = dateline(sentence);
  return [element("span", "dateline", sentence.slice(0, named)), sentence.slice(named)];
}
