// The turns of a conversation: asks one question at a time, restores what was said before, begins anew.

import type { Composer } from "./composer";
import type { Context } from "./context";
import { element, refill } from "./dom";
import type { History } from "./history";
import { problemBox } from "./problem_view";
import { asProblem } from "./problems";
import { leave } from "./links";
import { SearchTurn } from "./search_turn";
import { Turn, type Outcome, type TurnEvents } from "./turn";
import type { Answer, AskRequest } from "./types";
import { Welcome } from "./welcome";

export class Conversation {
  readonly element: HTMLElement;
  private readonly turns = element("div", { class: "turns" });
  private readonly welcome: Welcome;
  private readonly events: TurnEvents;
  private running: AbortController | null = null;

  constructor(
    private readonly context: Context,
    private readonly history: History,
    private readonly composer: Composer,
    private readonly options: { collection: string | null; intro: string; starters: string[] },
    /** Called with whether there is anything to leave. */
    private readonly changed: (begun: boolean) => void,
  ) {
    const ask = (question: string): void => {
      composer.focus();
      void this.ask(question);
    };
    const widen = (question: string): void => {
      composer.filters.clear();
      ask(question);
    };
    this.events = {
      ask,
      widen,
      edit: (question) => composer.edit(question),
      narrowed: () => composer.filters.names.join(", "),
      suggestions: (show) => this.welcome.questions(show),
    };
    const restore = (id: string): void => {
      this.history.set(id);
      void this.restore(id);
    };
    this.welcome = new Welcome(context, history, { ask, restore }, options);
    const label = context.language.strings.conversation;
    const attributes = { role: "region", "aria-label": label, tabindex: "0" };
    this.element = element("div", { class: "scroller", part: "conversation", attributes }, this.welcome.element, this.turns);
    this.greet(true);
  }

  /** Show what this browser asked before (not to one whom a link led elsewhere), and questions to begin with. */
  async begin(elsewhere: boolean): Promise<void> {
    const id = elsewhere ? null : this.history.id;
    await Promise.all([this.welcome.begin(), id ? this.restore(id) : null]);
  }

  /** Show an answer that somebody passed on; the next question begins a conversation of one's own. */
  async passedOn(id: string, sig: string, question: string): Promise<void> {
    this.greet(false);
    const waiting = element("p", { class: "quiet" }, this.context.language.strings.loading);
    this.turns.append(waiting);
    try {
      const { answer, asked_at } = await this.context.client.answer(id, sig);
      const turn = new Turn(this.context, answer.question, this.events);
      this.turns.append(turn.element);
      turn.restore(answer, asked_at);
    } catch (error) {
      const turn = new Turn(this.context, question, this.events);
      this.turns.append(turn.element);
      turn.fail(asProblem(error), () => void this.ask(question));
    }
    waiting.remove();
  }

  private greet(shown: boolean): void {
    this.welcome.element.hidden = !shown;
    this.changed(!shown);
  }

  /** Ask a question, and show its answer as it comes. */
  async ask(question: string): Promise<Outcome | null> {
    if (this.running) return null;
    this.context.emit("submit", { question });
    return this.append(new Turn(this.context, question, this.events), question);
  }

  /** Look for passages alone. */
  async search(question: string): Promise<Outcome | null> {
    if (this.running) return null;
    return this.append(new SearchTurn(this.context, question, () => this.events.ask(question)), question);
  }

  private append(turn: Turn | SearchTurn, question: string): Promise<Outcome | null> {
    leave(this.context.page);
    this.greet(false);
    this.turns.querySelector(":scope > .problem")?.remove();
    this.turns.append(turn.element);
    return this.run(turn, question);
  }

  stop(): void {
    this.running?.abort();
  }

  /** Forget the conversation; the next question begins another. */
  reset(): void {
    this.stop();
    leave(this.context.page);
    this.history.leave();
    this.composer.filters.reset();
    refill(this.turns);
    this.greet(true);
    void this.welcome.remember();
    this.context.card.close();
    this.context.emit("reset", {});
  }

  private async run(turn: Turn | SearchTurn, question: string): Promise<Outcome | null> {
    if (this.running) return null;
    const running = new AbortController();
    this.running = running;
    this.composer.setBusy(true);
    this.context.announce(this.context.language.strings.searching);
    this.toTop(turn);
    const retry = (): void => {
      this.composer.focus();
      void this.run(turn, question);
    };
    let outcome = await turn.run(this.request(question), running.signal, retry);
    if (outcome.kind === "failed" && outcome.problem.kind === "missing" && this.history.id) {
      // The conversation has been erased meanwhile: begin another.
      this.history.set(null);
      outcome = await turn.run(this.request(question), running.signal, retry);
    }
    if (this.running === running) this.running = null;
    this.composer.setBusy(this.running !== null);
    if (turn.element.isConnected) this.conclude(outcome, question);
    return outcome;
  }

  private request(question: string): AskRequest {
    const filters = this.composer.filters.value();
    return {
      question,
      ...(this.history.id ? { conversation_id: this.history.id } : {}),
      ...(this.options.collection ? { collection: this.options.collection } : {}),
      ...(filters ? { filters } : {}),
    };
  }

  private conclude(outcome: Outcome, question: string): void {
    const { strings } = this.context.language;
    if (outcome.kind === "answered") {
      const { answer } = outcome;
      if (answer.conversation_id) this.history.set(answer.conversation_id);
      this.composer.filters.offer(answer.search_results.map((result) => result.source));
      this.context.announce(spoken(answer, strings));
      const { id, conversation_id, answer_mode } = answer;
      this.context.emit("completed", { question, answer_id: id, conversation_id, answer_mode });
    } else if (outcome.kind === "found") {
      this.context.announce(outcome.said);
      this.context.emit("search", { question, results: outcome.count });
    } else if (outcome.kind === "stopped") {
      this.context.announce(strings.stopped);
      this.context.emit("stop", { question });
    } else {
      this.context.announce(strings.problem[outcome.problem.kind] ?? "");
      this.context.emit("error", { question, kind: outcome.problem.kind });
    }
  }

  private async restore(id: string): Promise<void> {
    const waiting = element("p", { class: "quiet" }, this.context.language.strings.loading);
    this.greet(false);
    this.turns.append(waiting);
    let last: Turn | null = null;
    try {
      const answers = await this.context.client.conversation(id);
      for (const answer of answers) {
        const turn = new Turn(this.context, answer.question, this.events);
        last = turn;
        waiting.before(turn.element);
        turn.restore(answer);
      }
    } catch (error) {
      const problem = asProblem(error);
      if (problem.kind === "missing") {
        // Erased, expired, or not ours any more: begin anew.
        if (this.history.id === id) this.history.set(null);
      } else if (this.history.id === id) {
        // It is still there, and cannot be read just now.
        const retry = (): void => {
          refill(this.turns);
          void this.restore(id);
        };
        waiting.before(problemBox(this.context, problem, retry));
      }
    } finally {
      waiting.remove();
      this.greet(this.turns.childElementCount === 0);
      if (last) this.toTop(last);
    }
  }

  /** The question goes to the top, and its answer grows below it: nothing moves while one reads. */
  private toTop(turn: Turn | SearchTurn): void {
    const { paddingTop, paddingBottom } = getComputedStyle(this.element);
    const room = this.element.clientHeight - parseFloat(paddingTop) - parseFloat(paddingBottom);
    this.turns.style.setProperty("--room", `${room}px`);
    const place = turn.heading.getBoundingClientRect().top - this.element.getBoundingClientRect().top;
    this.element.scrollTop += place - parseFloat(paddingTop);
  }
}

function spoken(answer: Answer, strings: Context["language"]["strings"]): string {
  if (answer.answer_mode !== "abstained") return strings.finished(answer.answer);
  return `${strings.abstained}. ${strings.abstain[answer.abstain_reason ?? ""] ?? ""}`;
}
