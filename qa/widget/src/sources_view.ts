// Beneath an answer: its numbered sources, who else reported them, and the passages that were read.

import type { AnswerView } from "./answer_view";
import { byline } from "./byline";
import type { ArticleRequest, Context } from "./context";
import { button, element } from "./dom";
import type { AlsoReported, Answer, Citation, SearchResult } from "./types";

const EXCERPT = 280;
/** Shown at once where nothing answers. */
const NEAREST = 3;

/** The numbered list of cited articles. */
export function sourceList(context: Context, answer: Answer, view: AnswerView): HTMLElement | null {
  const firsts = new Map<number, Citation>();
  for (const { citation_ids } of [...answer.claims, ...answer.conflicts]) {
    for (const id of citation_ids) {
      const citation = answer.citations.find((one) => one.id === id);
      if (citation && !firsts.has(view.numbering.of(citation))) firsts.set(view.numbering.of(citation), citation);
    }
  }
  if (!firsts.size) return null;
  const { strings } = context.language;
  const items = [...firsts].map(([number, citation]) => {
    const also = alsoReported(context, answer, citation);
    const open = (event: Event): void => openCitation(context, answer, citation, event.currentTarget as HTMLElement);
    return element(
      "li",
      { attributes: { value: String(number) } },
      element("span", { class: "number", attributes: { "aria-hidden": "true" } }, String(number)),
      element(
        "div",
        {},
        button(citation.title || strings.articleBy, open, { class: "plain source-title", attributes: { dir: "auto" } }),
        byline(context.language, citation),
        also,
      ),
    );
  });
  return element(
    "div",
    { class: "sources", part: "sources" },
    element("p", { class: "label" }, strings.sources),
    element("ol", { attributes: { role: "list" } }, ...items),
  );
}

function openCitation(context: Context, answer: Answer, citation: Citation, opener: HTMLElement): void {
  const same = answer.citations.filter((one) => one.article_id === citation.article_id && one.id !== citation.id);
  const quote = (one: Citation): { start: number; end: number; text: string } => ({
    start: one.start_char_index,
    end: one.end_char_index,
    text: one.cited_text,
  });
  context.show({ ...citation, quote: quote(citation), others: same.map(quote) }, opener);
}

/** The articles of the same story, folded into the one that is cited. */
function alsoReported(context: Context, answer: Answer, citation: Citation): HTMLElement | null {
  const found = new Map<string, AlsoReported>();
  for (const result of answer.search_results) {
    if (result.article_id !== citation.article_id) continue;
    for (const other of result.also_reported_by ?? []) found.set(other.article_id, other);
  }
  return folded(context, [...found.values()]);
}

function folded(context: Context, articles: readonly AlsoReported[]): HTMLElement | null {
  if (!articles.length) return null;
  const { strings } = context.language;
  const links = articles.flatMap((article, index) => {
    const open = (event: Event): void =>
      context.show({ ...article, quote: null, others: [] }, event.currentTarget as HTMLElement);
    const name = button(article.source || article.title || strings.unnamed, open, { class: "plain", attributes: { title: article.title } });
    return index ? [", ", name] : [name];
  });
  return element("p", { class: "also" }, `${strings.alsoReported} `, ...links);
}

/** The passages that were read, nearest first; `open`: the first of them at once. */
export function passageList(context: Context, results: readonly SearchResult[], open: boolean): HTMLElement | null {
  if (!results.length) return null;
  const { strings } = context.language;
  const shown = open ? results.slice(0, NEAREST) : [];
  const rest = results.slice(shown.length);
  const list = (some: readonly SearchResult[]): HTMLElement =>
    element("ol", { attributes: { role: "list" } }, ...some.map((result) => passage(context, result)));
  const summary = shown.length ? strings.more(rest.length) : strings.passages(rest.length);
  return element(
    "div",
    { class: "passages", part: "passages" },
    ...(shown.length ? [element("p", { class: "label" }, strings.nearest), list(shown)] : []),
    rest.length ? element("details", {}, element("summary", {}, summary), list(rest)) : null,
  );
}

function passage(context: Context, result: SearchResult): HTMLElement {
  const { strings } = context.language;
  const quote = { start: result.start_char_index, end: result.end_char_index, text: result.text };
  const request: ArticleRequest = { ...result, quote, others: [] };
  const open = (event: Event): void => context.show(request, event.currentTarget as HTMLElement);
  return element(
    "li",
    { class: "passage" },
    button(result.title || strings.articleBy, open, { class: "plain source-title", attributes: { dir: "auto" } }),
    byline(context.language, result),
    element("blockquote", { attributes: { dir: "auto" } }, excerpt(result.text)),
    folded(context, result.also_reported_by ?? []),
  );
}

/** The beginning of a passage, cut between words. */
function excerpt(text: string): string {
  const plain = text.replace(/\s+/g, " ").trim();
  if (plain.length <= EXCERPT) return plain;
  const cut = plain.slice(0, EXCERPT);
  return `${cut.slice(0, Math.max(cut.lastIndexOf(" "), EXCERPT - 40))}…`;
}

/** Where sources say different things: what, and chips to both. */
export function conflictNotes(context: Context, answer: Answer, view: AnswerView): HTMLElement | null {
  if (!answer.conflicts.length) return null;
  const { strings } = context.language;
  const notes = answer.conflicts.map((conflict) => {
    const cited = conflict.citation_ids.flatMap((id) => answer.citations.filter((one) => one.id === id));
    const label = conflict.kind === "correction" ? strings.correction : strings.conflict;
    return element(
      "div",
      {},
      element("p", { class: "label" }, label),
      element("p", { attributes: { dir: "auto" } }, conflict.note, ...cited.map((one) => view.chip(one))),
    );
  });
  return element("div", { class: "conflicts", part: "conflicts" }, ...notes);
}
