// A sentence of an answer cut where its citations go: text, chips, text.

import { CodePoints } from "./offsets";
import type { Citation, Claim } from "./types";

/** `unit`: where the text begins in the claim, in UTF-16 units. */
export type Piece = { text: string; unit: number } | { citations: Citation[] };

/** Cut a claim behind the words that each of its citations supports; chips never go before closing punctuation. */
export function pieces(claim: Claim, citations: readonly Citation[]): Piece[] {
  const points = new CodePoints(claim.text);
  const places = new Map<number, Citation[]>();
  for (const citation of citations) {
    let place = Math.min(Math.max(citation.end - claim.start, 0), points.length);
    // A chip stands behind the word it belongs to, not within it, and nothing but punctuation goes to the end with it.
    place += [...points.slice(place, points.length).replace(/\s[^]*/, "")].length;
    if (place === 0 || !/[\p{L}\p{N}]/u.test(points.slice(place, points.length))) place = points.length;
    places.set(place, [...(places.get(place) ?? []), citation]);
  }
  const found: Piece[] = [];
  let from = 0;
  for (const place of [...places.keys()].sort((one, other) => one - other)) {
    if (place > from) found.push({ text: points.slice(from, place), unit: points.unit(from) });
    found.push({ citations: places.get(place)! });
    from = place;
  }
  if (from < points.length) found.push({ text: points.slice(from, points.length), unit: points.unit(from) });
  return found;
}

/** The citations of a claim, in its order. */
export function citationsOf(claim: Claim, known: ReadonlyMap<string, Citation>): Citation[] {
  return claim.citation_ids.flatMap((id) => known.get(id) ?? []);
}

/** The number each cited article goes by: in order of first use, the same for all its quotes; where a model writes, the one
 * it had while it was read. */
export class Numbering {
  readonly #numbers = new Map<string, number>();

  /** Number these first, in their order, and forget all others. */
  begin(articles: readonly { article_id: string; article_version: string }[]): void {
    this.#numbers.clear();
    for (const one of articles) this.of(one);
  }

  of(citation: { article_id: string; article_version: string }): number {
    const key = `${citation.article_id} ${citation.article_version}`;
    const number = this.#numbers.get(key) ?? this.#numbers.size + 1;
    this.#numbers.set(key, number);
    return number;
  }
}
