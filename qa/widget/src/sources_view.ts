// Beneath an answer: its numbered sources, who else reported them, and the passages that were found.

import type { AnswerView } from "./answer_view";
import { byline } from "./byline";
import { changesOf } from "./changes_view";
import { undated } from "./datelines";
import { citing, tour } from "./citing";
import type { ArticleRequest, Context } from "./context";
import { button, element, webAddress } from "./dom";
import type { Language } from "./strings";
import type { AlsoReported, Answer, AnswerNow, Citation, Conflict, Headline, SearchResult } from "./types";

const EXCERPT = 280;
/** Words that say what a sentence is about: of four letters and more, names, figures; of scripts without capitals three letters, or two characters. */
const CONTENT = /.{4}|^\p{Lu}.{2}|\p{N}|[\p{Lo}\p{M}]{3}|\p{sc=Han}{2}/u;
/** Headings, and crumbs such as "Read more", have no end or few words. */
const ENDS = /[.!?…。！？।؟۔][\p{Pe}\p{Pf}"']*$/u;
const FEWEST = 6;
const EMPTY =
  /^(who|what|when|where|which|how|why|did|does|the|there|their|about|would|could|after|before|these|those|will|with|from|have|been|were|that|this|they|them|then|than|some|many|much|more|most|over|into|since|until|again|next|last|only|should)$/i;
/** By what a word and another form of it differ: "trams", "suspended". */
const ENDING = /^(e?s|e?d|e?n|ing)$/;
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
  const items = [...firsts].sort(([one], [other]) => one - other).map(([number, citation]) => {
    const more = [onPaper(citation), doubt(context, answer, citation), changesOf(context, answer, citation), ownWords(answer, citation), alsoReported(context, answer, citation)];
    return source(context, number, citation, citing(answer.citations, citation), more);
  });
  return sources(context, items);
}

function sources(context: Context, items: HTMLElement[], name = ""): HTMLElement {
  const label = element("p", "label", context.strings.sources);
  return element("div", { class: `sources${name}`, part: "sources" }, label, element("ol", { role: "list" }, ...items));
}

/** A numbered article: its title leads to it, and who published it when stands below. */
function source(context: Context, number: number, about: Headline, request: ArticleRequest, more: (HTMLElement | null)[]): HTMLElement {
  const open = (event: Event): void => context.show(request, event.currentTarget as HTMLElement);
  const title = button(about.title || context.strings.articleBy, open, { class: "plain source-title", dir: "auto" });
  return element(
    "li",
    { value: String(number) },
    element("span", { class: "number", "aria-hidden": "true" }, String(number)),
    element("div", {}, title, byline(context, about), ...more),
  );
}

/** Its address, for whoever has it on paper. */
function onPaper({ url }: Citation): HTMLElement | null {
  const address = webAddress(url);
  return address ? element("p", { class: "paper", dir: "ltr" }, address) : null;
}

/** The words a source is quoted for, where the answer does not say them itself. */
function ownWords(answer: Answer, citation: Citation): HTMLElement | null {
  if (answer.answer.includes(citation.cited_text)) return null;
  return element("blockquote", { class: "source-words", dir: "auto" }, excerpt(undated(citation.cited_text)));
}

/** Said of a source that a later one puts right, that was corrected since, or that is old for what was asked. */
export function doubt(context: Context, answer: AnswerNow, citation: Citation): HTMLElement | null {
  const said = doubted(context, answer, citation);
  return said ? element("p", "corrected", said) : null;
}

export function doubted({ strings }: Language, answer: AnswerNow, citation: Citation): string {
  const found = answer.conflicts.find(
    ({ kind, later, citation_ids }) => kind === "correction" && later && later !== citation.id && citation_ids.includes(citation.id),
  );
  const since = answer.corrected_citation_ids?.includes(citation.id);
  return found || since ? strings.corrected : answer.stale_citation_ids?.includes(citation.id) ? strings.stale : "";
}

/** The articles that results come from, each by the first of them. */
export function articlesOf(results: readonly SearchResult[]): SearchResult[] {
  return [...new Map([...results].reverse().map((one) => [one.article_id, one])).values()].reverse();
}

/** Ids of the articles that results come from, and of those that tell the same. */
export function withCopies(results: readonly SearchResult[]): string[] {
  return results.flatMap((one) => [one, ...(one.also_reported_by ?? [])].map((other) => other.article_id));
}

/** What is being read while a model writes, under the numbers that it will be cited by. */
export function reading(context: Context, results: readonly SearchResult[]): HTMLElement | null {
  const articles = articlesOf(results);
  const items = articles.map((one, at) => source(context, at + 1, one, requestOf(context, one, ""), []));
  return items.length ? sources(context, items, " being-read") : null;
}

/** The articles of the same story, folded into the one that is cited. */
function alsoReported(context: Context, answer: Answer, citation: Citation): HTMLElement | null {
  const found = new Map<string, AlsoReported>();
  for (const result of answer.search_results) {
    if (result.article_id !== citation.article_id) continue;
    for (const other of result.also_reported_by ?? []) found.set(other.article_id, other);
  }
  return alsoBy(context, [...found.values()]);
}

function alsoBy(context: Context, articles: readonly AlsoReported[]): HTMLElement | null {
  if (!articles.length) return null;
  const { strings } = context;
  const links = articles.flatMap((article, index) => {
    const open = (event: Event): void =>
      context.show({ ...article, quote: null, others: [] }, event.currentTarget as HTMLElement);
    const name = button(article.source || article.title || strings.unnamed, open, { class: "plain", title: article.title });
    return index ? [", ", name] : [name];
  });
  return element("p", "also", `${strings.alsoReported} `, ...links);
}

/** The passages that were found; those that come near the question (`shown`) at once, at their nearest sentences. */
export function passageList(context: Context, results: readonly SearchResult[], shown: readonly SearchResult[], question: string): HTMLElement | null {
  if (!results.length) return null;
  const { strings } = context;
  const rest = results.filter((result) => !shown.includes(result));
  const summary = shown.length ? strings.more(rest.length) : strings.found(rest.length);
  return element(
    "div",
    { class: "passages", part: "passages" },
    ...(shown.length ? [element("p", "label", strings.nearest), passages(context, shown, question, rarest(results, question, context.locale))] : []),
    folded(summary, rest.length ? passages(context, rest, "") : null),
  );
}

function folded(summary: string, list: HTMLElement | null): HTMLElement | null {
  return list && element("details", {}, element("summary", {}, summary), list);
}

/** The first passage of each article that has a sentence with some of the question's words, the rarest among them; none
 * that says the same again. */
export function near(results: readonly SearchResult[], question: string, locale: string): SearchResult[] {
  const known = new Set<string>();
  const must = rarest(results, question, locale);
  const told = results.filter(({ article_id, text }) => {
    const said = nearest(text, question, locale, must)?.text;
    if (!said || known.has(article_id) || known.has(said)) return false;
    known.add(article_id).add(said);
    return true;
  });
  return told.slice(0, NEAREST);
}

/** What a search found: what is about the question, and, folded away, what is not. */
export function foundList(context: Context, results: readonly SearchResult[], question: string): HTMLElement | null {
  if (!results.length) return null;
  const [about, rest] = [true, false].map((wanted) => results.filter((one) => (one.near !== false) === wanted)) as [SearchResult[], SearchResult[]];
  const list = (some: SearchResult[]): HTMLElement | null => (some.length ? passages(context, some, question) : null);
  return element("div", { class: "passages", part: "passages" }, list(about), folded(context.strings.farther(rest.length), list(rest)));
}

function passages(context: Context, results: readonly SearchResult[], question: string, must: readonly string[] = []): HTMLElement {
  const requests = results.map((result) => requestOf(context, result, question, must));
  return element("ol", { role: "list" }, ...results.map((result, at) => passage(context, result, tour(requests, at))));
}

/** The article of a passage at its words; with a question, at the sentence nearest to it. */
function requestOf(context: Context, result: SearchResult, question: string, must: readonly string[] = []): ArticleRequest {
  // Where no sentence has any of its words, none says more than the passage.
  const near = question ? nearest(result.text, question, context.locale, must) : null;
  const text = near?.text ?? result.text;
  const start = result.start_char_index + (near ? [...result.text.slice(0, near.at)].length : 0);
  const end = near ? start + [...text].length : result.end_char_index;
  return { ...result, quote: { start, end, text }, others: [] };
}

function passage(context: Context, result: SearchResult, request: ArticleRequest): HTMLElement {
  const { strings } = context;
  const open = (event: Event): void => context.show(request, event.currentTarget as HTMLElement);
  return element(
    "li",
    "passage",
    button(result.title || strings.articleBy, open, { class: "plain source-title", dir: "auto" }),
    byline(context, result),
    element("blockquote", { dir: "auto" }, excerpt(undated(request.quote?.text ?? ""))),
    alsoBy(context, result.also_reported_by ?? []),
  );
}

/** Those of a question's words that the fewest of all passages have that were found. */
function rarest(results: readonly SearchResult[], question: string, locale: string): string[] {
  const texts = results.map(({ text }) => contentOf(words(text, locale)));
  const asked = [...new Set(contentOf(words(question, locale)))].map((word) => ({ word, told: texts.filter((said) => holds(said, word)).length }));
  const fewest = Math.min(...asked.flatMap(({ told }) => told || []));
  return asked.filter(({ told }) => told === fewest).map(({ word }) => word);
}

function holds(said: readonly string[], word: string): boolean {
  return said.some((one) => one === word || isForm(one, word) || isForm(word, one));
}

function isForm(longer: string, word: string): boolean {
  return longer.startsWith(word) && ENDING.test(longer.slice(word.length));
}

/** The sentence of a passage that has most of a question's words, one of those that it `must` have, and more than half of its
 * names, and where it begins in it; null where none has any. */
function nearest(text: string, question: string, locale: string, must: readonly string[]): { text: string; at: number } | null {
  const written = words(question, locale);
  const asked = new Set(contentOf(written));
  // German writes all nouns large.
  const names = locale.startsWith("de") ? [] : written.slice(1).filter((word) => /^\p{Lu}.{2}/u.test(word) && !EMPTY.test(word));
  let best: { text: string; at: number } | null = null;
  // One word of three is seldom what a question is about; in scripts without capitals words of asking count, too.
  let most = asked.size > 2 && /\p{Ll}/u.test(question) ? 1 : 0;
  for (const { segment, index } of new Intl.Segmenter(locale, { granularity: "sentence" }).segment(text)) {
    const body = segment.trim();
    const said = words(body, locale);
    const content = contentOf(said);
    const shared = [...asked].filter((word) => holds(content, word)).length;
    const isMeant = !must.length || must.some((word) => holds(content, word));
    const isNamed = !names.length || names.filter((word) => said.includes(word)).length > names.length / 2;
    if (shared > most && isMeant && isNamed && said.length >= FEWEST && ENDS.test(body)) [most, best] = [shared, { text: body, at: index + segment.indexOf(body) }];
  }
  return best;
}

function words(text: string, locale: string): string[] {
  const parts = new Intl.Segmenter(locale, { granularity: "word" }).segment(text);
  return [...parts].filter((part) => part.isWordLike).map((part) => part.segment.replace(/['’]s$/, ""));
}

function contentOf(all: string[]): string[] {
  return all.filter((word) => CONTENT.test(word) && !EMPTY.test(word)).map((word) => word.toLowerCase());
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
  const { strings } = context;
  const notes = answer.conflicts.map((conflict) => {
    const cited = conflict.citation_ids.flatMap((id) => answer.citations.filter((one) => one.id === id));
    const label = conflict.kind === "correction" ? strings.correction : strings.conflict;
    const note = element("p", { dir: "auto" }, conflict.note);
    const sides = conflict.values?.length === cited.length && cited.length > 1 ? columns(context, conflict, cited, view) : null;
    if (!sides) note.append(...cited.map((one) => view.chip(one)));
    return element("div", {}, element("p", "label", label), sides ?? note);
  });
  return element("div", { class: "conflicts", part: "conflicts" }, ...notes);
}

/** What each source says, side by side, with its day. */
function columns(context: Context, conflict: Conflict, cited: readonly Citation[], view: AnswerView): HTMLElement {
  const { strings } = context;
  const sides = cited.map((citation, place) => {
    const value = element("p", { class: "value", dir: "auto" }, conflict.values?.[place] ?? "", view.chip(citation));
    const later = conflict.later === citation.id ? element("p", "corrected", strings.later) : null;
    return element("li", {}, value, byline(context, citation), later);
  });
  return element("ul", { class: "sides", part: "sides", role: "list" }, ...sides);
}
