// Passages that were looked for, without an answer; nothing of it is kept.

import type { Context } from "./context";
import { button, element, refill } from "./dom";
import { foundList } from "./sources_view";
import { ended, framed } from "./turn_frame";
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
    [this.heading, this.element] = framed(context, question, this.#mode, this.#below);
  }

  async run(request: AskRequest, signal: AbortSignal, retry: () => void): Promise<Outcome> {
    const { strings } = this.context;
    this.#mode.classList.add("progress");
    this.#mode.textContent = strings.searching;
    refill(this.#below);
    try {
      const results = await this.context.client.search(request, signal);
      const count = results.filter((one) => one.near !== false).length;
      this.#mode.textContent = count ? strings.found(count) : strings.abstain.no_match;
      const ask = button(strings.answerThis, this.answer, { class: "quiet-button", part: "answer-this" });
      refill(this.#below, foundList(this.context, results, this.question), element("div", "actions", ask));
      return { kind: "found", said: this.#mode.textContent, count };
    } catch (error) {
      this.#mode.textContent = "";
      return ended(this.context, this.#below, error, signal, retry);
    } finally {
      this.#mode.classList.remove("progress");
    }
  }
}
