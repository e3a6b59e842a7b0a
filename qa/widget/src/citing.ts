// What is shown in its article: one of several quotations or passages, with a way to those beside it.

import type { ArticleRequest, Quote } from "./context";
import type { Citation } from "./types";

export function quoteOf(citation: Citation): Quote {
  return { start: citation.start_char_index, end: citation.end_char_index, text: citation.cited_text };
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
