// The turns of a conversation: asks one question at a time, restores what was said before, begins anew.

import type { Composer } from "./composer";
import type { Context } from "./context";
import { element, refill } from "./dom";
import type { History } from "./history";
import { problemBox } from "./problem_view";
import { asProblem } from "./problems";
import { leave } from "./links";
import { SearchTurn } from "./search_turn";
import { withCopies } from "./sources_view";
import { Turn } from "./turn";
import type { Outcome, TurnEvents } from "./turn_events";
import type { Answer, AskRequest, Narrowed } from "./types";
import { plain } from "./understood_view";
import { AGAIN_MS, Welcome } from "./welcome";

/** So often is asked for questions that follow on, while they are being tried. */
const FOLLOWED = 8;
/** Articles that the service takes at once. */
const NAMED = 20;

export class Conversation {
  readonly element: HTMLElement;
  readonly #turns = element("div", "turns");
  readonly #welcome: Welcome;
  readonly #events: TurnEvents;
  #running: AbortController | null = null;
  #begun = false;

  constructor(
    private readonly context: Context,
    private readonly history: History,
    private readonly composer: Composer,
    private readonly options: { collection: string | null; intro: string; starters: string[] },
    /** Called with whether there is anything to leave. */
    private readonly changed: (begun: boolean) => void,
  ) {
    const ask = (question: string, sent = ""): void => void this.ask(question, sent);
    const widen = (question: string, sent: string): void => {
      composer.filters.clear();
      ask(question, sent);
    };
    this.#events = {
      ask,
      widen,
      edit: (question, { id, conversation_id: kept, not_kept: lost }) => {
        composer.edit(question, kept && kept === history.id && !lost ? id : "");
        context.announce(composer.replaces);
      },
      narrowed: () => composer.filters.names.join(", "),
      narrow: (question, sent, filters, title) => {
        composer.filters.put(filters, title);
        ask(question, sent);
      },
      suggestions: (about, like, show) => void this.#near(about, like, show),
      followOns: (answer, show) => void this.#followOns(answer, show),
    };
    composer.narrowed = () => {
      this.#takeBack(".offered"); // tried under other filters
      if (this.#begun) this.#welcome.renew();
    };
    const restore = (id: string): void => {
      this.history.set(id);
      void this.#restore(id);
    };
    this.#welcome = new Welcome(context, history, { ask, restore, narrowed: () => this.#narrowed() }, options);
    const label = context.strings.conversation;
    const properties = { class: "scroller", part: "conversation", role: "region", "aria-label": label, tabindex: "0" };
    this.element = element("div", properties, this.#welcome.element, this.#turns);
    this.#greet(true);
  }

  /** Show what this browser asked before (not to one whom a link led elsewhere), and questions to begin with. */
  async begin(elsewhere: boolean): Promise<void> {
    const id = elsewhere ? null : this.history.id;
    this.#begun = true;
    await Promise.all([this.#welcome.begin(), id ? this.#restore(id) : null]);
  }

  /** Show an answer that somebody passed on; the next question begins a conversation of one's own. */
  async passedOn(id: string, sig: string, question: string): Promise<void> {
    this.#greet(false);
    const waiting = element("p", "quiet", this.context.strings.loading);
    this.#turns.append(waiting);
    try {
      const { answer, asked_at } = await this.context.client.answer(id, sig);
      const turn = new Turn(this.context, answer.question, this.#events);
      this.#turns.append(turn.element);
      turn.restore(answer, asked_at);
      turn.goOn(answer);
    } catch (error) {
      const turn = new Turn(this.context, question, this.#events);
      this.#turns.append(turn.element);
      turn.fail(asProblem(error), question ? () => void this.ask(question) : null);
    }
    waiting.remove();
  }

  #greet(shown: boolean): void {
    this.#welcome.element.hidden = !shown;
    this.changed(!shown);
  }

  /** Ask a question; `sent`: what is asked in its place, as it stands; `replaces`: the answer that goes, with all that follows. */
  async ask(question: string, sent = "", replaces = ""): Promise<Outcome | null> {
    if (this.#running) return null;
    this.context.emit("submit", { question });
    const replaced = this.#turns.querySelector(`[data-answer="${replaces}"]`);
    while (replaced?.nextSibling) replaced.nextSibling.remove();
    replaced?.remove();
    const asked = { question: sent || question, as_written: sent ? true : undefined, replaces: replaces || undefined };
    return this.#append(new Turn(this.context, question, this.#events), asked);
  }

  /** Look for passages alone. */
  async search(question: string): Promise<Outcome | null> {
    if (this.#running) return null;
    return this.#append(new SearchTurn(this.context, question, () => this.#events.ask(question)), { question });
  }

  #append(turn: Turn | SearchTurn, asked: AskRequest): Promise<Outcome | null> {
    leave(this.context.page);
    this.context.card.close();
    this.#greet(false);
    this.#takeBack(":scope > .problem, .next");
    this.#turns.append(turn.element);
    return this.#run(turn, asked);
  }

  #takeBack(what: string): void {
    for (const one of this.#turns.querySelectorAll(what)) one.remove();
  }

  /** Let one go on to write, or, where a keyboard would come up over what there is to read, to read. */
  ready(starts = false): void {
    if (!matchMedia("(hover: none)").matches) this.composer.focus();
    else if (!starts) this.element.focus({ preventScroll: true });
  }

  /** To the first number of the last answer, or what stands there in its place. */
  up(): void {
    this.#turns.lastElementChild?.querySelector("button")?.focus();
  }

  /** The next question need not wait until what was asked has noticed. */
  stop(): void {
    this.#running?.abort();
    this.#running = null;
    this.composer.setBusy(false);
  }

  /** Forget the conversation; the next question begins another. */
  reset(): void {
    this.stop();
    leave(this.context.page);
    this.history.leave();
    this.composer.reset();
    refill(this.#turns);
    this.#greet(true);
    this.element.scrollTop = 0;
    void this.#welcome.remember();
    this.context.card.close();
    this.context.emit("reset", {});
  }

  async #run(turn: Turn | SearchTurn, asked: AskRequest): Promise<Outcome | null> {
    if (this.#running) return null;
    const running = new AbortController();
    this.#running = running;
    this.composer.setBusy(true);
    this.context.announce(this.context.strings.searching);
    this.#toTop(turn);
    this.ready();
    const retry = (): void => void this.#run(turn, asked);
    let outcome = await turn.run(this.#request(asked), running.signal, retry);
    if (outcome.kind === "failed" && outcome.problem.kind === "missing" && this.history.id) {
      // The conversation has been erased meanwhile: begin another.
      this.history.set(null);
      delete asked.replaces;
      outcome = await turn.run(this.#request(asked), running.signal, retry);
    }
    if (this.#running === running) this.stop();
    if (turn.element.isConnected) this.#conclude(outcome, asked.question);
    return outcome;
  }

  #request(asked: AskRequest): AskRequest {
    return { ...asked, conversation_id: this.history.id ?? undefined, ...this.#narrowed() };
  }

  #narrowed(): Narrowed {
    return { collection: this.options.collection || undefined, filters: this.composer.filters.value() };
  }

  /** Give questions about what an answer cites to `show` until it says "enough": none that was asked or that its words answer. */
  async #followOns(answer: Answer, show: (questions: string[]) => boolean): Promise<void> {
    const cited = answer.citations.map((one) => one.article_id);
    const told = answer.search_results.filter((one) => cited.includes(one.article_id));
    await this.#tried([...cited, ...withCopies(told)], answer.citations.map((one) => one.cited_text), show);
  }

  /** Give questions near one that these articles do not answer to `show`; where there are none, those to begin with. */
  async #near(about: string[], like: string, show: (questions: string[], others?: boolean) => boolean): Promise<void> {
    if (!about.length || !(await this.#tried(about, [], show, like))) this.#welcome.questions((questions) => show(questions, true));
  }

  /** Give what the service finds that articles answer to `show`, while it tries; gives whether there was anything. */
  async #tried(about: string[], said: string[], show: (questions: string[]) => boolean, like?: string): Promise<boolean> {
    const asked = new Set([...this.#turns.querySelectorAll(".question")].map((one) => plain(one.textContent)));
    for (let left = FOLLOWED; ; left -= 1) {
      const found = await this.context.client.beginning(this.#narrowed(), [...new Set(about)].slice(0, NAMED), like).catch(() => null);
      const fresh = (found?.starters ?? []).filter(({ question, quote }) => !asked.has(plain(question)) && !said.some((one) => quote && one.includes(quote)));
      // Whoever cannot be helped on complains of nothing: the answer is there.
      if (!found || show(fresh.map(({ question }) => question)) || found.complete !== false || left === 1) return fresh.length > 0;
      await new Promise((done) => setTimeout(done, AGAIN_MS));
    }
  }

  #conclude(outcome: Outcome, question: string): void {
    const { strings } = this.context;
    if (outcome.kind === "answered") {
      const { answer } = outcome;
      if (answer.conversation_id) this.history.set(answer.conversation_id);
      this.composer.filters.offer(answer.search_results.map((result) => result.source));
      this.context.announce(outcome.said);
      const { id, conversation_id, answer_mode } = answer;
      this.context.emit("completed", { question, answer_id: id, conversation_id, answer_mode });
    } else if (outcome.kind === "found") {
      this.context.announce(outcome.said);
      this.context.emit("search", { question, results: outcome.count });
    } else if (outcome.kind === "stopped") {
      this.context.announce(strings.stopped);
      this.context.emit("stop", { question });
    } else {
      this.context.announce(strings.problem[outcome.problem.kind]);
      this.context.emit("error", { question, kind: outcome.problem.kind });
    }
  }

  async #restore(id: string): Promise<void> {
    const waiting = element("p", "quiet", this.context.strings.loading);
    this.#greet(false);
    this.#turns.append(waiting);
    let last: { turn: Turn; answer: Answer } | null = null;
    const made: Turn[] = [];
    try {
      const answers = await this.context.client.conversation(id);
      for (const answer of answers) {
        const turn = new Turn(this.context, answer.question, this.#events);
        last = { turn, answer };
        made.push(turn);
        turn.element.hidden = true;
        waiting.before(turn.element);
        turn.restore(answer);
        await new Promise((done) => setTimeout(done));
      }
    } catch (error) {
      const problem = asProblem(error);
      if (problem.kind === "missing") {
        // Erased, expired, or not ours any more: begin anew.
        if (this.history.id === id) this.history.set(null);
      } else if (this.history.id === id) {
        // It is still there, and cannot be read just now.
        const retry = (): void => {
          refill(this.#turns);
          void this.#restore(id);
        };
        waiting.before(problemBox(this.context, problem, retry));
      }
    } finally {
      waiting.remove();
      this.#greet(this.#turns.childElementCount === 0);
      last?.turn.goOn(last.answer);
      await this.#reveal(made.reverse());
    }
  }

  /** Show turns, the last one first; those before it come above, one at a time, and what is being read stays where it is. */
  async #reveal(turns: Turn[]): Promise<void> {
    const top = (): number => turns[0]!.heading.getBoundingClientRect().top;
    for (const turn of turns) {
      const before = top();
      turn.element.hidden = false;
      if (turn === turns[0]) this.#toTop(turn);
      else this.element.scrollTop += top() - before;
      await new Promise((done) => setTimeout(done));
    }
  }

  /** The question goes to the top, and its answer grows below it: nothing moves while one reads. */
  #toTop(turn: Turn | SearchTurn): void {
    const { paddingTop, paddingBottom } = getComputedStyle(this.element);
    const room = this.element.clientHeight - parseFloat(paddingTop) - parseFloat(paddingBottom);
    this.#turns.style.setProperty("--room", `${room}px`);
    const place = turn.heading.getBoundingClientRect().top - this.element.getBoundingClientRect().top;
    this.element.scrollTop += place - parseFloat(paddingTop);
  }
}
