// The first screen: what the archive holds, questions that it answers, its newest articles, earlier conversations.

import { age, day } from "./dates";
import { byline } from "./byline";
import type { Context } from "./context";
import { element } from "./dom";
import type { History } from "./history";
import { fill, offer } from "./offers";
import { problemBox } from "./problem_view";
import { asProblem } from "./problems";
import type { Archive, Headline, Narrowed } from "./types";

const OFFERED = 6;
const NEWEST = 3;
const EARLIER = 3;
/** Questions are still being tried: what has been found since is asked for, a few times. */
export const AGAIN_MS = 4000;
const ASKED_AGAIN = 20;

export interface WelcomeEvents {
  /** What a question would be narrowed to now. */
  narrowed(): Narrowed;
  ask(question: string): void;
  restore(id: string): void;
}

export class Welcome {
  readonly element: HTMLElement;
  readonly #archive = element("p", { class: "quiet archive", part: "archive", hidden: "" });
  readonly #late = element("p", { class: "quiet late", part: "late", hidden: "" });
  readonly #starters = element("div", { class: "starters", part: "starters", hidden: "" });
  readonly #newest = element("div", { class: "starters newest", part: "newest", hidden: "" });
  readonly #earlier = element("div", { class: "starters earlier", part: "earlier", hidden: "" });
  #offered: string[] = [];
  #waiting: ((questions: string[]) => boolean)[] = [];
  /** Whether the service was asked for questions in vain, or had not found all when it was asked for the last time. */
  #lost = false;
  /** Questions that the host page gives, in place of the service's. */
  readonly #given: boolean;
  /** How often what narrows has changed. */
  #turn = 0;

  constructor(
    private readonly context: Context,
    private readonly history: History,
    private readonly events: WelcomeEvents,
    options: { intro: string; starters: string[] },
  ) {
    const parts = [element("p", "intro", options.intro), this.#archive, this.#late, this.#starters, this.#newest, this.#earlier];
    this.element = element("div", { class: "welcome", part: "welcome" }, ...parts);
    this.#given = options.starters.length > 0;
    if (this.#given) this.#offer(options.starters);
  }

  /** Give the questions that are answered here to `show`, now and as further ones are found, until it says "enough". */
  questions(show: (questions: string[]) => boolean): void {
    if (show(this.#offered)) return;
    this.#waiting.push(show);
    if (this.#lost) void this.#fetch();
  }

  /** Other articles are meant than before: what was offered may not be answered by them. */
  renew(): void {
    this.#turn += 1;
    if (!this.#given) this.#offer([]);
    void this.#fetch();
  }

  /** Ask the service what there is; nothing to begin with is no reason to complain. */
  async begin(): Promise<void> {
    await Promise.all([this.#fetch(), this.remember()]);
  }

  /** Show the conversations that were left. */
  async remember(): Promise<void> {
    const found = await Promise.all(this.history.earlier.slice(0, EARLIER).map((id) => this.#titled(id)));
    const items = found.flatMap((one) => (one ? [offer(one.title, () => this.events.restore(one.id))] : []));
    fill(this.#earlier, this.context.strings.earlier, items);
  }

  async #titled(id: string): Promise<{ id: string; title: string } | null> {
    try {
      return { id, title: await this.context.client.conversationTitle(id) };
    } catch (error) {
      if (asProblem(error).kind === "missing") this.history.forget(id);
      return null;
    }
  }

  async #fetch(left = ASKED_AGAIN): Promise<void> {
    const turn = this.#turn;
    this.#lost = false;
    try {
      const found = await this.context.client.beginning(this.events.narrowed());
      if (turn !== this.#turn) return;
      const questions = (found.starters ?? []).map((starter) => starter.question);
      if (!this.#given && (questions.length || found.complete !== false)) this.#offer(questions);
      if (found.archive) this.#describe(found.archive);
      if (found.complete === false) this.#again(left);
    } catch (error) {
      if (turn !== this.#turn) return;
      // The page does without, but its owner has to know what to set.
      const problem = asProblem(error);
      if (problem.kind === "unlisted") this.element.append(problemBox(this.context, problem, null));
      else if (problem.kind === "busy") this.#again(left); // it may only be starting
      else this.#lost = !this.#given;
    }
  }

  #again(left: number): void {
    const turn = this.#turn;
    this.#lost = !this.#given && left === 0;
    if (left > 0) setTimeout(() => this.element.isConnected && turn === this.#turn && void this.#fetch(left - 1), AGAIN_MS);
  }

  #offer(questions: string[]): void {
    this.#offered = questions;
    this.#waiting = this.#waiting.filter((show) => !show(questions));
    const items = questions.slice(0, OFFERED).map((question) => offer(question, () => this.events.ask(question)));
    fill(this.#starters, this.context.strings.starters, items);
  }

  #describe(archive: Archive): void {
    const { strings, locale } = this.context;
    this.#archive.hidden = false;
    const late = (archive.late ?? []).map((one) => strings.late(one.source || strings.unnamed, age(one.latest, locale)));
    this.#late.hidden = !late.length;
    this.#late.textContent = late.join(" ");
    if (!archive.articles) {
      this.#archive.textContent = strings.noArticles;
      return;
    }
    const days = [...new Set([day(archive.earliest, locale), day(archive.latest, locale)])].filter(Boolean).join(" – ");
    const since = age(archive.latest, locale);
    const said = [
      strings.articles(archive.articles),
      archive.sources ? strings.sourcesCount(archive.sources) : "",
      days && since ? `${days} (${strings.newestAge(since)})` : days,
    ];
    this.#archive.textContent = said.filter(Boolean).join(" · ");
    const items = archive.newest.slice(0, NEWEST).map((article) => this.#headline(article));
    fill(this.#newest, strings.newest, items);
  }

  #headline(article: Headline): HTMLElement {
    const item = offer(article.title, (opener) => this.context.show({ ...article, quote: null, others: [] }, opener));
    item.append(byline(this.context, article));
    return item;
  }
}
