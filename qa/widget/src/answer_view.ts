// The sentences of an answer with their chips: they come one by one and are never taken back.

import { around, citing } from "./citing";
import type { Context } from "./context";
import { dateline, undated } from "./datelines";
import { arrow, button, element, onwards, refill } from "./dom";
import { mark, TextMap } from "./highlight";
import { CodePoints } from "./offsets";
import { citationsOf, Numbering, pieces } from "./pieces";
import { doubt } from "./sources_view";
import type { Strings } from "./strings";
import type { Answer, AnswerNow, Citation, Claim, ClaimEvent, Origin, SearchResult } from "./types";

const LONGEST_TAIL = 24;
/** How a sentence begins that begins with a quotation. */
const OPENING = /^\s*["'“”„«»‘’‹「『]/;
/** Characters; what is longer is no short answer. */
const LONGEST_SHORT = 120;

/** From here on an answer is more likely right than not, ... */
const EVEN = 0.5;
/** ... from here on a few words stand first: of three sets of questions on news 408 of 506 are right there, ... */
const FIRST = 0.7;
/** ... from here on 257 of 283: they stand large. */
const LARGE = 0.8;
/** From here on, where so many other articles say the same words, they are called sure. */
const SURE = 0.85;
const ELSEWHERE = 2;

/** How far an answer is to be trusted: no further than "fair" where sources disagree; null where that is not known, where one was corrected since, and of
 * a list, or of the latest, where a high figure says only that the articles are about it. */
export function confidence({ support_score: score, conflicts, short_answer: key, answer_mode, corrected_citation_ids: since }: AnswerNow): "sure" | "likely" | "fair" | "unsure" | null {
  const quoted = answer_mode === "extractive";
  const few = quoted && key;
  if (score === undefined || since?.length || (!few && score >= 0.95)) return null;
  if (score < EVEN) return "unsure";
  if (quoted && (conflicts.length || (few && score < FIRST))) return "fair";
  return few && score >= SURE && Number(few.elsewhere) >= ELSEWHERE ? "sure" : "likely";
}

export class AnswerView {
  readonly element = element("div", { class: "answer", part: "answer", dir: "auto" });
  readonly numbering = new Numbering();
  /** Where sentences go: a quotation or not. */
  #place: HTMLElement = element("div", {});
  readonly #known = new Map<string, Citation>();
  /** The words of each sentence, by the claim's start. */
  readonly #words = new Map<number, TextMap>();
  #said = "";
  #whole: Answer | null = null;
  /** What was read. */
  results: readonly SearchResult[] = [];

  constructor(private readonly context: Context) {}

  get isEmpty(): boolean {
    return this.#said === "";
  }

  get citations(): Citation[] {
    return [...this.#known.values()];
  }

  /** Whether nothing stands here yet and this sentence would begin a quotation, which comes whole in a moment. */
  wouldQuote({ claim, citations }: ClaimEvent): boolean {
    return this.isEmpty && citations.some((citation) => citation.cited_text === claim.text);
  }

  /** The few words that answer, first; null where they are not those of a quotation, or may well be wrong: then they are
   * only marked in it. */
  shortAnswer(answer: AnswerNow): HTMLElement | null {
    const key = answer.short_answer;
    const cited = key && answer.citations.find((one) => one.article_id === key.article_id && one.article_version === key.article_version);
    if (!key || !cited || answer.answer_mode !== "extractive" || key.text.length > LONGEST_SHORT) return null;
    if (!(answer.support_score! >= FIRST) || answer.conflicts.length || answer.stale_citation_ids?.includes(cited.id)) return null;
    return element("p", { class: answer.support_score! >= LARGE && !answer.corrected_citation_ids?.includes(cited.id) ? "short large" : "short", part: "short-answer", dir: "auto" }, key.text);
  }

  /** Show one more verified sentence. */
  add({ claim, citations }: ClaimEvent): void {
    for (const citation of citations) this.#known.set(citation.id, citation);
    // A sentence in the source's own words is set as a quotation from its first appearance on.
    if (this.isEmpty) this.#setQuoted(citations.some((citation) => citation.cited_text === claim.text));
    if (!this.isEmpty) this.#place.append(" ");
    this.#said += (this.#said && " ") + claim.text;
    this.#place.append(this.#sentence(claim));
  }

  /** Show the whole answer; sentences that stand there already stay untouched. */
  finish(answer: Answer): void {
    for (const citation of answer.citations) this.#known.set(citation.id, citation);
    const quoted = answer.answer_mode === "extractive";
    if (this.#said !== answer.answer || quoted !== this.#isQuoted) this.#fill(answer, quoted);
    this.#said = answer.answer;
    this.#whole = answer;
    this.#markKeyWords(answer);
  }

  get #isQuoted(): boolean {
    return this.element.classList.contains("quoted");
  }

  #setQuoted(quoted: boolean): void {
    this.element.classList.toggle("quoted", quoted);
    this.numbering.begin(quoted ? [] : this.results);
    this.#place = element(quoted ? "blockquote" : "div", {});
    refill(this.element, this.#place);
  }

  #fill(answer: Answer, quoted: boolean): void {
    const points = new CodePoints(answer.answer);
    this.#words.clear();
    this.#setQuoted(quoted);
    let from = 0;
    for (const claim of answer.claims) {
      this.#place.append(points.slice(from, claim.start), this.#sentence(claim));
      from = claim.end;
    }
    // What stands behind the sentences, such as what is not answered, is the service's own.
    const rest = points.slice(from, points.length);
    if (rest) this.#place.append(element("span", { "data-origin": "composed" }, rest));
  }

  #sentence(claim: Claim): HTMLElement {
    const origin = this.#originOf(claim);
    const said = OPENING.test(claim.text) ? " said" : "";
    const made = element("span", { class: `sentence ${claim.verdict}${said}`, part: "sentence", "data-origin": origin });
    const words = new TextMap();
    this.#words.set(claim.start, words);
    const found = pieces(claim, citationsOf(claim, this.#known));
    let last: HTMLElement | null = null;
    for (const piece of found) {
      if ("text" in piece) {
        last = textWithTail(piece.text, piece.unit, words, made);
      } else {
        if (piece === found.at(-1)) this.#close(claim, last ?? made);
        (last ?? made).append(...piece.citations.map((citation) => this.chip(citation, origin)));
      }
    }
    if (!claim.citation_ids.length) this.#close(claim, last ?? made);
    return made;
  }

  /** Answers kept before claims said it are quoted whole or not at all. */
  #originOf(claim: Claim): Origin {
    return claim.origin ?? (this.#isQuoted ? "quoted" : "model");
  }

  /** What follows the last word: the closing quotation mark, or what the check found. */
  #close(claim: Claim, place: HTMLElement): void {
    const verdict = this.context.strings.verdict[claim.verdict];
    if (this.#originOf(claim) === "quoted") place.append(element("span", "closing"));
    if (verdict) place.append(element("span", "verdict", ` (${verdict})`));
  }

  /** The small numbered button that leads to the quoted words. */
  chip(citation: Citation, origin?: Origin): HTMLElement {
    const { strings } = this.context;
    const number = this.numbering.of(citation);
    const made = button(String(number), () => undefined, {
      class: "chip",
      part: "chip",
      "aria-label": strings.sourceNumber(number, citation.source || strings.unnamed),
    });
    made.addEventListener("keydown", (event) => arrows(event, made));
    this.context.card.attach(made, {
      citation,
      number,
      origin,
      around: () => around(this.results, citation),
      doubt: () => this.#whole && doubt(this.context, this.#whole, citation),
      open: (opener) => this.#open(citation, opener),
    });
    return made;
  }

  #open(citation: Citation, opener: HTMLElement): void {
    this.context.card.close();
    this.context.show(citing(this.citations, citation), opener);
  }

  /** Where a few words answer, and the sentence quotes them, they are marked in it. */
  #markKeyWords(answer: Answer): void {
    const key = answer.short_answer;
    if (!key || !this.element.isConnected) return;
    const points = new CodePoints(answer.answer);
    for (const citation of answer.citations) {
      if (citation.article_id !== key.article_id || citation.article_version !== key.article_version) continue;
      const start = citation.start + key.start_char_index - citation.start_char_index;
      const end = start + key.end_char_index - key.start_char_index;
      if (start < citation.start || end > citation.end || points.slice(start, end) !== key.text) continue;
      mark(this.#ranges(answer, start, end), "sourceline-key");
      return;
    }
  }

  #ranges(answer: Answer, start: number, end: number): Range[] {
    const claim = answer.claims.find((one) => one.start <= start && end <= one.end);
    if (!claim) return [];
    const points = new CodePoints(claim.text);
    const unit = (offset: number): number => points.unit(offset - claim.start);
    return this.#words.get(claim.start)?.ranges(unit(start), unit(end)) ?? [];
  }
}

/** Text, its last word apart: chips that follow go in there, so that no line begins with one. */
function textWithTail(text: string, unit: number, words: TextMap, place: HTMLElement): HTMLElement {
  const cut = Math.max(text.search(/\S+\s*$/), text.length - LONGEST_TAIL, 0);
  const tail = element("span", "tail");
  const named = unit === 0 ? Math.min(dateline(text), cut) : 0;
  const crumb = element("span", "dateline");
  if (named) place.append(crumb);
  for (const [from, to, parent] of [[0, named, crumb], [named, cut, place], [cut, text.length, tail]] as const) {
    const node = document.createTextNode(text.slice(from, to));
    words.add(unit + from, node);
    parent.append(node);
  }
  place.append(tail);
  return tail;
}

/** Left and right lead to the chips beside, as they stand on the screen. */
function arrows(event: KeyboardEvent, chip: HTMLElement): void {
  const by = onwards(arrow(event), chip);
  const chips = [...(chip.closest(".turns")?.querySelectorAll<HTMLElement>(".chip") ?? [])];
  const next = by ? chips[chips.indexOf(chip) + by] : undefined;
  if (!next) return;
  event.preventDefault();
  next.focus();
}

/** What is shown of an answer, for those who hear it: what stands out first, then its sentences without datelines. */
export function spoken({ claims, answer }: Answer, shown: HTMLElement, strings: Strings): string {
  const said = claims.reduce((all, { text }) => all.replace(text, () => undated(text)), answer);
  const first = [...shown.querySelectorAll(".short, .sureness, .conflicts .label")].map((one) => one.textContent.replace(/\.?$/, ". "));
  return first.join("") + strings.finished(said);
}
