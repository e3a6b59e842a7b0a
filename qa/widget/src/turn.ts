// One question with its answer, from the moment it is asked.

import { actions } from "./actions_view";
import { AnswerView, confidence, spoken } from "./answer_view";
import type { Context } from "./context";
import { day } from "./dates";
import { button, element, refill } from "./dom";
import { fill, offer } from "./offers";
import { problemBox } from "./problem_view";
import { Problem } from "./problems";
import { articlesOf, conflictNotes, near, passageList, reading, sourceList, withCopies } from "./sources_view";
import { ended, framed } from "./turn_frame";
import type { Outcome, TurnEvents } from "./turn_events";
import { plain, understood, type Found } from "./understood_view";
import type { Answer, AnswerNow, AskRequest, ClaimEvent, Filters, SearchResult, StreamEvent } from "./types";

/** A quotation comes whole: its first sentence waits so long for the rest, so that nothing moves when it is there. */
const HOLD_MS = 120;
/** A model that writes is silent for long; after this the reader is told what it does. */
const WRITING_MS = 2500;
/** Questions that are offered below an answer. */
const SUGGESTED = 3;
/** How the press says it (IPTC's vocabulary of digital source types). */
const WRITTEN_BY_MODEL = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";

export class Turn {
  readonly element: HTMLElement;
  readonly heading: HTMLElement;
  readonly #understood = element("div", { class: "understood", part: "understood", hidden: "" });
  readonly #short = element("div", "lead");
  #held: ClaimEvent[] = [];
  #timer = 0;
  readonly #mode = element("p", { class: "mode", part: "mode" });
  readonly #notice = element("p", { class: "notice", part: "ai-notice", hidden: "" });
  #shared = false;
  #asked: Filters = {};
  #checked = 0;
  /** Pixels: how high it is with what is read below; once it gets higher, that goes. */
  #height = 0;
  readonly #below = element("div", "below");
  #view: AnswerView;
  readonly #middle = element("div", "middle");

  constructor(
    private readonly context: Context,
    private readonly question: string,
    private readonly events: TurnEvents,
  ) {
    this.#view = new AnswerView(context);
    const below = [this.#understood, this.#mode, this.#notice, this.#short, this.#middle, this.#below];
    [this.heading, this.element] = framed(context, question, ...below);
  }

  /** Ask, and show what comes; `retry` is called when the reader wants it again. */
  async run(request: AskRequest, signal: AbortSignal, retry: () => void): Promise<Outcome> {
    this.#begin();
    try {
      for await (const event of this.context.client.ask(request, signal)) {
        if (event.type === "answer") {
          const said = this.#finish(event.answer);
          this.goOn(event.answer);
          return { kind: "answered", answer: event.answer, said };
        }
        this.#show(event, request.filters ?? {});
      }
      throw new Problem("interrupted");
    } catch (error) {
      this.#settle();
      return ended(this.context, this.#below, error, signal, retry, element("p", "quiet", this.context.strings.stopped));
    }
  }

  /** Show an answer of before; one that somebody passed on says when it was given. */
  restore(answer: Answer, given = ""): void {
    this.#begin();
    this.#results(answer, answer.filters ?? {});
    this.#shared = Boolean(given);
    const { strings, locale } = this.context;
    if (given) this.heading.before(element("p", "quiet", strings.shared(day(given, locale))));
    this.#finish(answer);
  }

  /** Show that there is no answer to show. */
  fail(problem: Problem, retry: (() => void) | null): void {
    refill(this.#below, problemBox(this.context, problem, retry));
  }

  #begin(): void {
    this.#view = new AnswerView(this.context);
    refill(this.#middle, this.#view.element);
    for (const one of [this.#below, this.#short]) refill(one);
    this.#understood.hidden = this.#notice.hidden = true;
    this.element.classList.remove("abstained");
    this.#checked = this.#height = 0;
    this.element.ariaBusy = "true";
    this.#say(this.context.strings.searching);
  }

  #show(event: Exclude<StreamEvent, { type: "answer" }>, filters: Filters): void {
    const { strings } = this.context;
    if (event.type === "search_results") {
      this.#results(event, filters);
      this.#say(strings.reading(articlesOf(event.search_results).length));
      this.#wait(() => {
        this.#say(strings.writing);
        this.#list();
      }, WRITING_MS);
      return;
    }
    this.#checked += 1;
    if (event.claim.origin === "model") {
      // The line above gets room for what it says at the end.
      this.#mode.textContent = strings.mode.generated;
      this.#mode.style.minBlockSize = `${this.#mode.offsetHeight}px`;
      this.#tellModel();
      this.#list();
    }
    if (this.#held.length || this.#view.wouldQuote(event)) {
      if (!this.#held.length) this.#wait(() => this.#release(), HOLD_MS);
      this.#held.push(event);
    } else {
      clearTimeout(this.#timer);
      this.#view.add(event);
      this.#say(strings.answering(this.#checked));
    }
  }

  /** What a model reads while it writes: not sooner, as an answer that is quoted at once would push the list down. */
  #list(): void {
    if (this.#height) return;
    refill(this.#below, reading(this.context, this.#view.results));
    this.#height = this.element.offsetHeight;
  }

  /** What a model writes says so from its first sentence on, to people and to programs. */
  #tellModel(model = ""): void {
    this.#notice.textContent = this.context.strings.aiNotice;
    this.#notice.hidden = false;
    Object.assign(this.element.dataset, { digitalSourceType: WRITTEN_BY_MODEL, ...(model ? { model } : {}) });
  }

  #wait(act: () => void, milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(act, milliseconds);
  }

  /** Show the sentences that waited for others. */
  #release(): void {
    for (const event of this.#held.splice(0)) this.#view.add(event);
    this.#say(this.context.strings.answering(this.#checked));
  }

  #results(event: Found, filters: Filters): void {
    this.#asked = filters;
    this.#view.results = event.search_results;
    const chips = understood(this.context, this.question, event, filters, this.events);
    this.#understood.hidden = !chips.length;
    refill(this.#understood, ...chips);
  }

  /** Show the whole answer; gives what is said of it to those who hear it. */
  #finish(answer: AnswerNow): string {
    const { strings, locale } = this.context;
    this.#held = [];
    this.#settle();
    const abstained = answer.answer_mode === "abstained";
    const resolved = answer.resolved_query || answer.question;
    const close = abstained ? near(answer.search_results, resolved, locale) : [];
    const gone = answer.abstain_reason === "source_withdrawn";
    // Sentences that come near may answer, after all: only what is certain is said above them.
    const reason = gone ? `source_${answer.source_state ?? "removed"}` : answer.abstain_reason === "no_match" && close.length ? "weak_match" : (answer.abstain_reason ?? "no_match");
    const why = (strings.abstain as Record<string, string>)[reason] ?? strings.abstain.no_match;
    this.element.dataset["answer"] = answer.id;
    this.element.classList.toggle("abstained", abstained);
    const unclear = reason === "weak_match" || (reason === "unread_language" && close.length > 0);
    this.#mode.textContent = abstained && unclear ? strings.unclear : strings.mode[gone ? "gone" : answer.answer_mode];
    this.#notice.hidden = true;
    if (answer.period_kept === false) this.#results(answer, this.#asked);
    if (answer.answer_mode === "generated") this.#tellModel(answer.generation?.model);
    if (abstained) refill(this.#middle, element("p", "why", why), this.#wider(answer.resolved_query));
    else this.#view.finish(answer);
    const conflicts = conflictNotes(this.context, answer, this.#view);
    // Where a short answer would stand; but what is read while a model writes is not pushed down.
    const isQuoted = answer.answer_mode === "extractive";
    const since = answer.corrected_citation_ids?.length ? element("p", { class: "sureness unsure", part: "corrected" }, strings.correctedSince) : null;
    refill(this.#short, since, abstained ? null : this.#view.shortAnswer(answer), isQuoted ? conflicts : null);
    const fallback = this.#fallback(answer);
    const lost = answer.not_kept ? strings.notKept : "";
    const passages = passageList(this.context, answer.search_results, close, resolved);
    const acts = actions(this.context, answer, this.#view, () => this.events.edit(this.question, answer), this.#shared);
    refill(
      this.#below,
      lost ? element("p", { class: "sureness unsure", part: "not-kept" }, lost) : null,
      fallback ? element("p", "quiet fallback", fallback) : null,
      abstained ? null : this.#sureness(answer),
      isQuoted ? null : conflicts,
      sourceList(this.context, answer, this.#view),
      // Who got no answer looks for a way on first.
      ...(abstained ? [passages, this.#suggestions(answer, close), acts] : [acts, passages]),
    );
    return abstained ? `${this.#mode.textContent}. ${why} ${lost}`.trim() : spoken(answer, this.element, strings);
  }

  /** Offer questions that follow on, below all that stands there. */
  goOn(answer: Answer): void {
    if (answer.answer_mode === "abstained" || !answer.citations.length) return;
    const place = this.#offers("next");
    this.#below.append(place);
    this.events.followOns(answer, (questions) => !place.isConnected || this.#suggest(place, this.context.strings.goOn, questions));
  }

  /** Where only some articles were asked, all can be. */
  #wider(query: string): HTMLElement | null {
    const narrowed = this.events.narrowed();
    const ask = (): void => this.events.widen(this.question, query || this.question);
    const { strings } = this.context;
    return narrowed ? button(strings.without(narrowed.replace(strings.onlyArticle("").trim(), "").trim()), ask, { class: "narrowed", part: "widen" }) : null;
  }

  /** How sure it is, in words. */
  #sureness(answer: Answer): HTMLElement | null {
    const kind = confidence(answer);
    const said = (this.context.strings.sureness as Record<string, string>)[`${answer.answer_mode}_${kind}`];
    return said ? element("p", { class: `sureness ${kind}`, part: "sureness" }, said) : null;
  }

  /** Questions that are answered here. */
  #suggestions(answer: Answer, close: SearchResult[]): HTMLElement {
    const place = this.#offers("");
    const about = withCopies([...close, ...answer.search_results]);
    const { strings } = this.context;
    this.events.suggestions(about, answer.resolved_query, (questions, others) => this.#suggest(place, others ? strings.others : strings.instead, questions));
    return place;
  }

  #offers(name: string): HTMLElement {
    return element("div", { class: `starters offered ${name}`, part: "offered", hidden: "" });
  }

  /** Whether there are as many now as are offered. */
  #suggest(place: HTMLElement, label: string, known: string[]): boolean {
    const questions = known.filter((one) => plain(one) !== plain(this.question)).slice(0, SUGGESTED);
    if (!questions.length) return false;
    fill(place, label, questions.map((one) => offer(one, () => this.events.ask(one))));
    return questions.length === SUGGESTED;
  }

  /** Why no model wrote this, or not all that it might have. */
  #fallback(answer: Answer): string {
    const { strings } = this.context;
    const cause = (strings.fallback as Record<string, string>)[answer.fallback_reason!] ?? "";
    return !cause || answer.answer_mode === "abstained" ? cause : `${cause} ${answer.answer_mode === "generated" ? strings.endsEarly : strings.ownSentences}`;
  }

  #settle(): void {
    clearTimeout(this.#timer);
    if (this.#held.length) this.#release();
    this.element.ariaBusy = null;
    this.#mode.classList.remove("progress");
    this.#mode.textContent = "";
  }

  #say(what: string): void {
    this.#mode.classList.add("progress");
    this.#mode.textContent = what;
    // Sentences take the room above what is read; then its own: nothing that stands there moves.
    if (this.#below.hasChildNodes() && this.element.offsetHeight > this.#height) refill(this.#below);
  }
}
