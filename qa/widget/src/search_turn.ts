// Passages that were looked for, without an answer; nothing of it is kept.

import type { Context } from "./context";
import { button, element, refill } from "./dom";
import { problemBox } from "./problem_view";
import { Problem } from "./problems";
import { foundList } from "./sources_view";
import type { Outcome } from "./turn_events";
import type { AskRequest } from "./types";

export class SearchTurn {
  readonly element: HTMLElement;
  readonly heading: HTMLElement;
  readonly #mode = element("p", { class: "mode", part: "mode" });
  readonly #below = element("div", "below");

  constructor(
    private readonly context: Context,
    private readonly question: string,
    /** Ask the same as a question. */
    private readonly answer: () => void,
  ) {
    const properties = { class: "question", part: "question", dir: "auto" };
    this.heading = element(context.level === 2 ? "h2" : "h3", properties, question);
    this.element = element("article", { class: "turn", part: "turn" }, this.heading, this.#mode, this.#below);
  }

  async run(request: AskRequest, signal: AbortSignal, retry: () => void): Promise<Outcome> {
    const { strings } = this.context.language;
    this.#mode.classList.add("progress");
    this.#mode.textContent = strings.searching;
    refill(this.#below);
    try {
      const results = await this.context.client.search(request, signal);
      const count = results.filter((one) => one.near !== false).length;
      this.#mode.textContent = count ? strings.found(count) : (strings.abstain["no_match"] ?? "");
      const ask = button(strings.answerThis, this.answer, { class: "quiet-button", part: "answer-this" });
      refill(this.#below, foundList(this.context, results, this.question), element("div", "actions", ask));
      return { kind: "found", said: this.#mode.textContent, count };
    } catch (error) {
      this.#mode.textContent = "";
      if (signal.aborted) {
        refill(this.#below, button(strings.retry, retry, { class: "quiet-button" }));
        return { kind: "stopped" };
      }
      if (!(error instanceof Problem)) throw error;
      refill(this.#below, problemBox(this.context, error, retry));
      return { kind: "failed", problem: error };
    } finally {
      this.#mode.classList.remove("progress");
    }
  }
}
