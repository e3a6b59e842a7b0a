// What is shown in its article: one of several quotations or passages, with a way to those beside it.

import type { ArticleRequest, Quote } from "./context";
import { CodePoints } from "./offsets";
import type { Citation, SearchResult } from "./types";

/** Code points shown before and behind a quotation. */
const AROUND = 110;

export function quoteOf(citation: Citation): Quote {
  return { start: citation.start_char_index, end: citation.end_char_index, text: citation.cited_text };
}

/** The words of the article before and behind a quotation, as far as what was read has them. */
export function around(results: readonly SearchResult[], citation: Citation): [string, string] {
  const { start_char_index: start, end_char_index: end } = citation;
  const found: [string, string] = ["", ""];
  for (const { article_id, article_version, start_char_index: from, text } of results) {
    const points = new CodePoints(text);
    const to = from + points.length;
    if (article_id !== citation.article_id || article_version !== citation.article_version) continue;
    const before = from <= start && start <= to ? points.slice(Math.max(0, start - from - AROUND), start - from) : "";
    const behind = from <= end && end <= to ? points.slice(end - from, end - from + AROUND) : "";
    if (before.length > found[0].length) found[0] = before;
    if (behind.length > found[1].length) found[1] = behind;
  }
  const [before, behind] = found;
  // Cut between words where something was cut, which there mostly was.
  return [
    before.length < AROUND ? before : `… ${before.slice(before.indexOf(" ") + 1)}`,
    behind.length < AROUND ? behind : `${behind.slice(0, behind.lastIndexOf(" ") + 1 || undefined)}…`,
  ];
}

/** One citation of an answer; the others of its article are marked, too. */
export function citing(citations: readonly Citation[], citation: Citation): ArticleRequest {
  // The whole answer brings again what came with its sentences: the same citation, not the same object.
  const at = citations.findIndex((one) => one.id === citation.id);
  const all = at < 0 ? [citation] : citations;
  return tour(
    all.map((one) => ({ ...one, quote: quoteOf(one), others: sameArticle(citations, one).map(quoteOf) })),
    Math.max(at, 0),
  );
}

/** One of several requests, which knows those before and behind it. */
export function tour(requests: readonly ArticleRequest[], at: number): ArticleRequest {
  const beside = (step: number): ArticleRequest | null => (requests[at + step] ? tour(requests, at + step) : null);
  return { ...(requests[at] as ArticleRequest), place: [at + 1, requests.length], beside };
}

function sameArticle(citations: readonly Citation[], citation: Citation): Citation[] {
  const { id, article_id, article_version } = citation;
  return citations.filter((one) => one.id !== id && one.article_id === article_id && one.article_version === article_version);
}
