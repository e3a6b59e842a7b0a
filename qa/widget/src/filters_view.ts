// Narrowing what may be cited: one source, a period, one article. What is set stands as chips beside the question.

import { day, dayAfter } from "./dates";
import { button, element, refill } from "./dom";
import type { Language } from "./strings";
import type { Filters, Headline } from "./types";

type Named = Pick<Headline, "article_id" | "title">;

export class FiltersView {
  readonly element: HTMLElement;
  readonly toggle: HTMLButtonElement;
  /** What is narrowed, each with a way to undo it. */
  readonly chips = element("ul", { class: "chips", part: "filter-chips", attributes: { role: "list", hidden: "" } });
  private readonly source = element("select", {});
  private readonly from = element("input", { attributes: { type: "date" } });
  private readonly to = element("input", { attributes: { type: "date" } });
  private article: Named | null = null;
  private first: Named | null = null;
  private asked = false;

  constructor(
    private readonly language: Language,
    /** The sources to choose among; asked when the reader first opens the filters. */
    private readonly sources: () => Promise<string[]>,
  ) {
    const { strings } = language;
    this.source.append(element("option", { attributes: { value: "" } }, strings.allSources));
    this.element = element(
      "div",
      { class: "filters", part: "filters", attributes: { id: "filters", hidden: "" } },
      element("label", {}, strings.source, this.source),
      element("label", {}, strings.from, this.from),
      element("label", {}, strings.to, this.to),
      button(strings.clear, () => this.clear(), { class: "quiet-button" }),
    );
    this.element.addEventListener("change", () => this.label());
    const attributes = { "aria-expanded": "false", "aria-controls": "filters" };
    this.toggle = button(strings.filters, () => this.flip(), { class: "quiet-button", part: "filters-toggle", attributes });
  }

  /** Undefined where nothing is narrowed. */
  value(): Filters | undefined {
    const found: Filters = {};
    if (this.source.value) found.source = [this.source.value];
    if (this.from.value) found.published_after = this.from.value;
    if (this.to.value) found.published_before = dayAfter(this.to.value);
    if (this.article) found.article_ids = [this.article.article_id];
    return Object.keys(found).length ? found : undefined;
  }

  /** Offer further sources: those of articles that were found. */
  offer(sources: readonly string[]): void {
    const known = new Set([...this.source.options].map((option) => option.value));
    for (const name of sources) {
      if (name && !known.has(name)) this.source.append(element("option", { attributes: { value: name } }, name));
      known.add(name);
    }
  }

  /** Ask about one article only. */
  about(article: Named): void {
    this.article = article;
    this.label();
  }

  /** The article that the page is about: the reader can leave it out, a new conversation begins with it. */
  beginWith(article: Named): void {
    this.first = article;
    this.about(article);
  }

  clear(): void {
    this.source.value = this.from.value = this.to.value = "";
    this.article = null;
    this.label();
  }

  reset(): void {
    this.clear();
    this.article = this.first;
    this.label();
  }

  private flip(): void {
    this.element.hidden = !this.element.hidden;
    this.toggle.setAttribute("aria-expanded", String(!this.element.hidden));
    if (this.asked) return;
    this.asked = true;
    this.sources()
      .then((names) => this.offer(names))
      .catch(() => undefined); // Without a list there are still the sources of what was found.
  }

  /** What is narrowed, in words. */
  get names(): string[] {
    return this.set().map(([name]) => name);
  }

  private set(): [string, () => unknown][] {
    const { strings, locale } = this.language;
    const { source, from, to, article } = this;
    const set: [string, () => unknown][] = [];
    if (article) set.push([strings.onlyArticle(article.title), () => (this.article = null)]);
    if (source.value) set.push([source.value, () => (source.value = "")]);
    if (from.value) set.push([`${strings.from}: ${day(from.value, locale)}`, () => (from.value = "")]);
    if (to.value) set.push([`${strings.to}: ${day(to.value, locale)}`, () => (to.value = "")]);
    return set;
  }

  private label(): void {
    const { strings } = this.language;
    const set = this.set();
    this.toggle.textContent = set.length ? `${strings.filters} (${set.length})` : strings.filters;
    this.chips.hidden = !set.length;
    refill(this.chips, ...set.map(([name, undo]) => element("li", {}, this.chip(name, undo))));
  }

  private chip(name: string, undo: () => unknown): HTMLElement {
    const act = (): void => {
      undo();
      this.label();
      (this.chips.querySelector("button") ?? this.toggle).focus();
    };
    const attributes = { "aria-label": this.language.strings.without(name), dir: "auto" };
    return button(`${name} ✕`, act, { class: "narrowed", attributes });
  }
}
