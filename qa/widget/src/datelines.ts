// Where an agency reports from, at the beginning of a sentence: shown text goes without it, quotations keep it.

const PLACE = "\\p{Lu}[\\p{L}.’'-]*(?:[ ,]+[\\p{L}\\d.’'-]+){0,5}";
const AGENCY = "(?:CNN|AP|AFP|dpa|UPI|BBC|EFE|ANSA|Reuters|Xinhua|Bloomberg|AP Photo|Associated Press)";
const DASH = "(?:—|–|--?)";
const FOUND = new RegExp(
  `^\\s*(?:(?:${PLACE},? )?\\(${AGENCY}\\)(?: ?${DASH})?\\s+|(?:${AGENCY}|\\p{Lu}[\\p{Lu}.’' -]{2,30}(?:, ${PLACE})?) (?:—|–|--|-)\\s+)(?=\\S)`,
  "u",
);

/** How many UTF-16 units of a sentence are its dateline; 0 for most. */
export function dateline(sentence: string): number {
  return FOUND.exec(sentence)?.[0].length ?? 0;
}

/** A sentence as it is shown by itself. */
export function undated(sentence: string): string {
  return sentence.slice(dateline(sentence));
}
