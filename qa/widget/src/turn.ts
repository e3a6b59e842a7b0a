// One question with its answer, from the moment it is asked.

import { actions } from "./actions_view";
import { AnswerView } from "./answer_view";
import type { Context } from "./context";
import { element, refill } from "./dom";
import { problemBox } from "./problem_view";
import { Problem } from "./problems";
import { conflictNotes, passageList, sourceList } from "./sources_view";
import type { Answer, AskRequest, SearchResultsEvent, StreamEvent } from "./types";

export type Outcome = { kind: "answered"; answer: Answer } | { kind: "stopped" } | { kind: "failed"; problem: Problem };

export class Turn {
  readonly element: HTMLElement;
  readonly heading: HTMLElement;
  private readonly understood = element("p", { class: "quiet understood", attributes: { hidden: "", dir: "auto" } });
  private readonly mode = element("p", { class: "mode", part: "mode" });
  private readonly below = element("div", { class: "below" });
  private view: AnswerView;
  private readonly middle = element("div", { class: "middle" });

  constructor(
    private readonly context: Context,
    private readonly question: string,
  ) {
    this.view = new AnswerView(context);
    const properties = { class: "question", part: "question", attributes: { dir: "auto" } };
    this.heading = element(context.level === 2 ? "h2" : "h3", properties, question);
    this.element = element(
      "article",
      { class: "turn", part: "turn" },
      this.heading,
      this.understood,
      this.mode,
      this.middle,
      this.below,
    );
  }

  /** Ask, and show what comes; `retry` is called when the reader wants it again. */
  async run(request: AskRequest, signal: AbortSignal, retry: () => void): Promise<Outcome> {
    const { strings } = this.context.language;
    this.begin();
    try {
      for await (const event of this.context.client.ask(request, signal)) {
        if (event.type === "answer") return { kind: "answered", answer: this.finish(event.answer) };
        this.show(event);
      }
      throw new Problem("interrupted");
    } catch (error) {
      this.settle();
      if (signal.aborted) {
        refill(this.below, element("p", { class: "quiet" }, strings.stopped), this.again(retry));
        return { kind: "stopped" };
      }
      const problem = error instanceof Problem ? error : new Problem("failed");
      if (!(error instanceof Problem)) console.error("sourceline-chat:", error);
      refill(this.below, problemBox(this.context, problem, retry));
      return { kind: "failed", problem };
    }
  }

  /** Show an answer of before. */
  restore(answer: Answer): void {
    this.begin();
    this.results(answer);
    this.finish(answer);
  }

  private begin(): void {
    this.view = new AnswerView(this.context);
    refill(this.middle, this.view.element);
    refill(this.below);
    this.understood.hidden = true;
    this.element.classList.remove("abstained");
    this.element.setAttribute("aria-busy", "true");
    this.say(this.context.language.strings.searching);
  }

  private show(event: Exclude<StreamEvent, { type: "answer" }>): void {
    const { strings } = this.context.language;
    if (event.type === "search_results") {
      this.results(event);
      this.say(strings.reading(event.search_results.length));
    } else {
      this.view.add(event);
      this.say(strings.answering);
    }
  }

  private results(event: Pick<SearchResultsEvent, "resolved_query" | "question">): void {
    const query = event.resolved_query;
    const differs = Boolean(query) && plain(query) !== plain(this.question);
    this.understood.hidden = !differs;
    this.understood.textContent = differs ? this.context.language.strings.understoodAs(query) : "";
  }

  private finish(answer: Answer): Answer {
    const { strings } = this.context.language;
    this.settle();
    const abstained = answer.answer_mode === "abstained";
    this.element.classList.toggle("abstained", abstained);
    this.mode.textContent = strings[answer.answer_mode];
    if (abstained) refill(this.middle, element("p", { class: "why" }, this.why(answer)));
    else this.view.finish(answer);
    const fallback = this.fallback(answer);
    refill(
      this.below,
      fallback ? element("p", { class: "quiet fallback" }, fallback) : null,
      conflictNotes(this.context, answer, this.view),
      sourceList(this.context, answer, this.view),
      actions(this.context, answer, this.view),
      passageList(this.context, answer.search_results, abstained),
    );
    return answer;
  }

  /** Why no model wrote this, or not all that it might have. */
  private fallback(answer: Answer): string {
    const { strings } = this.context.language;
    const cause = strings.fallback[answer.fallback_reason ?? ""];
    if (!cause || answer.answer_mode === "abstained") return cause ?? "";
    return `${cause} ${answer.answer_mode === "generated" ? strings.endsEarly : strings.ownSentences}`;
  }

  private why(answer: Answer): string {
    const { strings } = this.context.language;
    return strings.abstain[answer.abstain_reason ?? ""] ?? strings.abstain["no_match"] ?? "";
  }

  private again(retry: () => void): HTMLElement {
    const { strings } = this.context.language;
    const properties = { class: "quiet-button", attributes: { type: "button" }, on: { click: retry } };
    return element("button", properties, strings.retry);
  }

  private settle(): void {
    this.element.removeAttribute("aria-busy");
    this.mode.classList.remove("progress");
    this.mode.textContent = "";
  }

  private say(what: string): void {
    this.mode.classList.add("progress");
    this.mode.textContent = what;
  }
}

function plain(text: string): string {
  return text.trim().replace(/\s+/g, " ").toLowerCase();
}
