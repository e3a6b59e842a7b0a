// Narrowing what may be cited: one source, a period, one article. What is set stands as chips beside the question.

import { day, moved } from "./dates";
import { button, element, refill, type Properties } from "./dom";
import type { Language } from "./strings";
import type { Filters, Headline } from "./types";

type Named = Pick<Headline, "article_id" | "title">;

/** What filters leave, in words, each with the filters without it; `title` is that of the article, where one is asked. */
export function inWords(filters: Filters, { strings, locale }: Language, title: string): [string, Filters][] {
  const { article_ids, published_after: after, published_before: before, ...lists } = filters;
  const left = (name: keyof Filters): Filters => Object.fromEntries(Object.entries(filters).filter(([key]) => key !== name));
  const found: [string, Filters][] = [];
  if (article_ids?.length) found.push([strings.onlyArticle(title || strings.articleBy), left("article_ids")]);
  for (const [name, values] of Object.entries(lists)) if (values?.length) found.push([values.join(", "), left(name as keyof Filters)]);
  if (after) found.push([`${strings.from}: ${day(after, locale)}`, left("published_after")]);
  if (before) found.push([`${strings.to}: ${day(moved(before, -1), locale)}`, left("published_before")]);
  return found;
}

export class FiltersView {
  readonly element: HTMLElement;
  readonly toggle: HTMLButtonElement;
  /** What is narrowed, each with a way to undo it. */
  readonly chips = element("ul", { class: "chips", part: "filter-chips", role: "list", hidden: "" });
  readonly #source = element("select", {});
  readonly #from = element("input", { type: "date" });
  readonly #to = element("input", { type: "date" });
  #article: Named | null = null;
  #first: Named | null = null;
  #asked = false;
  #last: string | undefined;

  constructor(
    private readonly speech: Language,
    /** The sources to choose among; asked when the reader first opens the filters. */
    private readonly sources: () => Promise<string[]>,
    /** Called when other articles are meant than before. */
    private readonly changed: () => void,
  ) {
    const { strings } = speech;
    this.#source.append(element("option", { value: "" }, strings.allSources));
    this.element = element(
      "div",
      { class: "filters", part: "filters", id: "filters", hidden: "" },
      element("label", {}, strings.source, this.#source),
      element("label", {}, strings.from, this.#from),
      element("label", {}, strings.to, this.#to),
      button(strings.clear, () => this.clear(), { class: "quiet-button" }),
    );
    this.element.addEventListener("change", () => this.#label());
    const properties = { class: "quiet-button", part: "filters-toggle", "aria-expanded": "false", "aria-controls": "filters" };
    this.toggle = button(strings.filters, () => this.#flip(), properties);
  }

  /** Undefined where nothing is narrowed. */
  value(): Filters | undefined {
    const found: Filters = {};
    if (this.#source.value) found.source = [this.#source.value];
    if (this.#from.value) found.published_after = this.#from.value;
    if (this.#to.value) found.published_before = moved(this.#to.value, 1);
    if (this.#article) found.article_ids = [this.#article.article_id];
    return Object.keys(found).length ? found : undefined;
  }

  /** Offer further sources: those of articles that were found. */
  offer(sources: readonly string[]): void {
    const known = new Set([...this.#source.options].map((option) => option.value));
    for (const name of sources) {
      if (name && !known.has(name)) this.#source.append(element("option", { value: name }, name));
      known.add(name);
    }
  }

  /** Ask about one article only. */
  about(article: Named): void {
    this.#article = article;
    this.#label();
  }

  /** The article that the page is about: the reader can leave it out, a new conversation begins with it. */
  beginWith(article: Named): void {
    this.#first = article;
    this.about(article);
  }

  clear(): void {
    this.put({}, "");
  }

  /** Set all filters anew; an article by its title. */
  put({ source, published_after: from, published_before: before, article_ids }: Filters, title: string): void {
    this.offer(source ?? []);
    this.#source.value = source?.[0] ?? "";
    this.#from.value = from?.slice(0, 10) ?? "";
    this.#to.value = before ? moved(before, -1) : "";
    this.#article = article_ids?.[0] ? { article_id: article_ids[0], title } : null;
    this.#label();
  }

  reset(): void {
    this.fold();
    this.put(this.#first ? { article_ids: [this.#first.article_id] } : {}, this.#first?.title ?? "");
  }

  /** Give the room to the answer; what is set stands as chips. */
  fold(folded = true): void {
    this.element.hidden = folded;
    this.toggle.ariaExpanded = String(!folded);
  }

  #flip(): void {
    this.fold(!this.element.hidden);
    if (this.#asked) return;
    this.#asked = true;
    this.sources()
      .then((names) => this.offer(names))
      .catch(() => undefined); // Without a list there are still the sources of what was found.
  }

  /** What is narrowed, in words. */
  get names(): string[] {
    return this.#set().map(([name]) => name);
  }

  #set(): [string, Filters][] {
    return inWords(this.value() ?? {}, this.speech, this.#article?.title ?? "");
  }

  #label(): void {
    const { strings } = this.speech;
    const set = this.#set();
    this.toggle.textContent = set.length ? `${strings.filters} (${set.length})` : strings.filters;
    this.chips.hidden = !set.length;
    refill(this.chips, ...set.map(([name, rest]) => element("li", {}, this.#chip(name, rest))));
    const now = JSON.stringify(this.value());
    if (now !== this.#last) this.changed();
    this.#last = now;
  }

  #chip(name: string, rest: Filters): HTMLElement {
    const act = (): void => {
      this.put(rest, this.#article?.title ?? "");
      (this.chips.querySelector("button") ?? this.toggle).focus();
    };
    return chip(this.speech, name, act);
  }
}

/** Something that a question was narrowed to, or understood as; a click takes it away, or does what `does` says. */
export function chip({ strings }: Language, name: string, act: () => void, about: Properties = {}, does = ""): HTMLElement {
  const label = does ? `${name}. ${does}` : strings.without(name);
  return button(`${name} ✕`, act, { class: "narrowed", ...about, "aria-label": label, dir: "auto" });
}
