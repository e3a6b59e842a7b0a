// An article beside or over the chat, scrolled to the quoted words, which are highlighted exactly.

import { byline } from "./byline";
import type { ArticleRequest, Context, Quote } from "./context";
import { arrow, button, element, onwards, refill, sourceLink } from "./dom";
import { mark, TextMap } from "./highlight";
import { CodePoints } from "./offsets";
import { copying } from "./actions_view";
import { wordsLink } from "./links";
import { asProblem } from "./problems";
import type { Article } from "./types";

/** Pixels. */
const SWIPE = 60;

export class ArticleView {
  readonly #title = element("h2", { class: "article-title", tabindex: "-1", dir: "auto", id: "article-title" });
  readonly #body = element("div", { class: "article-body", part: "article-body" });
  readonly #tools = element("div", "row");
  readonly #by = element("div", {});
  /** Whose words these are stays in sight wherever the quotation stands. */
  readonly #head = element("div", "article-head", this.#title, this.#by);
  readonly #about = element("div", "article-about");
  /** Said of an older version than the current one. */
  readonly #older = element("div", {});
  readonly #back: HTMLElement;
  readonly #scroller: HTMLElement;
  readonly element: HTMLElement;
  #opener: HTMLElement | null = null;
  #unmark: (() => void)[] = [];
  #beside: ArticleRequest["beside"];
  #shown = 0;

  constructor(
    private readonly context: Context,
    private readonly changed: () => void,
  ) {
    const { strings } = context;
    this.#back = button(strings.backToAnswer, () => this.close(), { class: "plain back", part: "article-close" });
    this.#scroller = element("div", "article-scroller", element("div", "measure", this.#head, this.#older, this.#about, this.#body));
    this.element = element(
      "section",
      { class: "article", part: "article", "aria-labelledby": "article-title", hidden: "" },
      element("div", "article-bar", this.#back, this.#tools),
      this.#scroller,
    );
    this.#swipes();
  }

  get isOpen(): boolean {
    return !this.element.hidden;
  }

  /** Whether it hides the chat. */
  get isOver(): boolean {
    return this.element.role === "dialog" && this.element.checkVisibility();
  }

  /** Show an article; the focus moves into it and goes back to `opener` when it is closed. */
  async open(request: ArticleRequest, opener: HTMLElement | null): Promise<void> {
    const { strings } = this.context;
    const turn = (this.#shown += 1);
    this.#opener = opener;
    this.#beside = request.beside;
    this.#back.textContent = opener?.closest(".turn") ? strings.backToAnswer : strings.close;
    this.#clear();
    this.#describe(request);
    refill(this.#body, element("p", "quiet", strings.articleLoading));
    this.#show(true);
    this.focus();
    try {
      const article = await this.context.client.article(request.article_id, request.article_version);
      if (turn === this.#shown && this.isOpen) this.#fill(article, request);
    } catch (error) {
      if (turn !== this.#shown) return;
      const problem = asProblem(error);
      const gone = problem.kind === "missing" && request.quote?.text;
      const why = gone ? strings.articleGone : strings.problem[problem.kind];
      const words = request.quote?.text ? element("blockquote", { dir: "auto" }, request.quote.text) : null;
      refill(this.#body, element("p", { role: "alert" }, why), words);
    }
  }

  /** Put the article away; gives whether one was open. */
  close(): boolean {
    if (!this.isOpen) return false;
    this.#shown += 1;
    this.#clear();
    this.#show(false);
    if (this.#opener?.isConnected) this.context.card.giveBack(this.#opener);
    return true;
  }

  focus(): void {
    this.#title.focus({ preventScroll: true });
  }

  /** The chat beside it gets another width: the question, or what was clicked below it, stays where it is on the screen. */
  #show(shown: boolean): void {
    const frame = this.#opener?.closest(".scroller");
    const top = (one: Element | null | undefined): number => one?.getBoundingClientRect().top ?? 0;
    const question = this.#opener?.closest(".turn")?.querySelector(".question");
    const held = question && top(question) >= top(frame) ? question : this.#opener;
    const before = top(held);
    this.element.hidden = !shown;
    this.changed();
    if (frame && held?.isConnected) frame.scrollTop += top(held) - before;
  }

  #describe(request: ArticleRequest): void {
    const { strings } = this.context;
    this.#title.textContent = request.title || strings.articleBy;
    const copy = copying(this.context, strings.copyLink, () => wordsLink(this.context, request), () => undefined);
    refill(this.#tools, ...this.#steps(request), copy);
    const link = sourceLink(request.url, strings.original(request.source || strings.unnamed));
    refill(this.#by, byline(this.context, request));
    refill(this.#about, link);
  }

  /** Ways to the sources beside this one, and which of them it is. */
  #steps({ place, beside }: ArticleRequest): HTMLElement[] {
    if (!place || !beside || place[1] < 2) return [];
    const { strings } = this.context;
    const step = (by: number, sign: string, label: string): HTMLButtonElement => {
      const made = button(sign, () => this.#step(by, beside), { class: "quiet-button", part: "step", "aria-label": label });
      made.disabled = !beside(by);
      return made;
    };
    const [before, behind] = [step(-1, "‹", strings.previous), step(1, "›", strings.next)];
    return [before, element("span", "quiet", place.join(" / ")), behind];
  }

  #step(by: number, beside: ArticleRequest["beside"]): void {
    const request = beside?.(by);
    if (request) this.context.show(request, this.#opener ?? this.element);
  }

  /** A stroke to the side, or an arrow key, leads to the next source; up and down is scrolling. */
  #swipes(): void {
    const aside = (right: number): void => this.#step(onwards(right, this.element), this.#beside);
    this.element.addEventListener("keydown", (event) => {
      if (arrow(event)) aside(arrow(event));
    });
    let from: Touch | undefined;
    this.element.addEventListener("touchstart", (event) => (from = event.touches.length === 1 ? event.touches[0] : undefined), { passive: true });
    this.element.addEventListener("touchend", (event) => {
      const to = event.changedTouches[0];
      if (!from || !to) return;
      const moved = to.clientX - from.clientX;
      if (Math.abs(moved) > SWIPE && Math.abs(moved) > 2 * Math.abs(to.clientY - from.clientY)) aside(-Math.sign(moved));
    });
  }

  #fill(article: Article, request: ArticleRequest): void {
    if (!request.title) this.#describe({ ...request, ...article, article_version: article.version });
    const about = (): void => this.context.askAbout({ article_id: article.id, title: article.title });
    this.#about.append(button(this.context.strings.askAbout, about, { class: "plain", part: "ask-about" }));
    const { current_version: current = article.version } = article;
    if (current !== article.version) this.#outdated(request, current);
    const points = new CodePoints(article.text);
    const span = (quote: Quote): [number, number] => [points.unit(quote.start), points.unit(quote.end)];
    const quote = request.quote ? span(request.quote) : null;
    const map = new TextMap();
    refill(this.#body, ...this.#paragraphs(article, quote, map));
    for (const other of request.others) this.#unmark.push(mark(map.ranges(...span(other)), "sourceline-other"));
    if (!quote) return;
    const ranges = map.ranges(...quote);
    const first = ranges[0];
    const place = first?.getBoundingClientRect();
    this.#unmark.push(mark(ranges, "sourceline-quote"));
    if (!place) return;
    const frame = this.#scroller.getBoundingClientRect();
    const above = this.#head.offsetHeight;
    this.#scroller.scrollTop += place.top - frame.top - above - (frame.height - above) / 4;
  }

  /** Paragraphs whose text nodes are registered in `map`; hidden words tell screen readers where the quote is. */
  #paragraphs(article: Article, quote: [number, number] | null, map: TextMap): HTMLElement[] {
    const { strings } = this.context;
    const language: Record<string, string> = article.language ? { lang: article.language } : {};
    const found: HTMLElement[] = [];
    for (const { 0: text, index: start } of article.text.matchAll(/[^\n](?:[^\n]|\n(?!\n))*/g)) {
      const end = start + text.length;
      const made = element("p", { dir: "auto", ...language });
      const cuts = quote ? quote.filter((place) => place > start && place < end) : [];
      let from = start;
      // In the reader's language: as `bdi` it has no say in the direction of the paragraph.
      const note = (text: string): void => made.append(element("bdi", "unseen", text));
      for (const place of [...cuts, end]) {
        if (quote && from === Math.max(quote[0], start) && from < quote[1] && quote[0] >= start) note(strings.quoteStarts);
        const node = document.createTextNode(article.text.slice(from, place));
        map.add(from, node);
        made.append(node);
        if (quote && place === quote[1]) note(strings.quoteEnds);
        from = place;
      }
      found.push(made);
    }
    return found;
  }

  #outdated(request: ArticleRequest, article_version: string): void {
    const { strings } = this.context;
    const show = (): void => void this.open({ ...request, article_version, title: "", quote: null, others: [] }, this.#opener);
    const lead = button(strings.current, show, { class: "plain", part: "current" });
    refill(this.#older, element("p", { class: "older", part: "older" }, strings.correctedSince, " ", lead));
    this.context.announce(strings.correctedSince);
  }

  #clear(): void {
    refill(this.#older);
    for (const undo of this.#unmark) undo();
    this.#unmark = [];
  }
}
