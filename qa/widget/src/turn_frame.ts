// What every turn has: its question as a headline, what comes below it, and how it ends without an answer.

import type { Context } from "./context";
import { button, element, refill, type Child } from "./dom";
import { problemBox } from "./problem_view";
import { Problem } from "./problems";
import type { Outcome } from "./turn_events";

export function framed({ page }: Context, question: string, ...below: HTMLElement[]): [heading: HTMLElement, turn: HTMLElement] {
  const heading = element(page ? "h2" : "h3", { class: "question", part: "question", dir: "auto" }, question);
  return [heading, element("article", { class: "turn", part: "turn" }, heading, ...below)];
}

/** Show why nothing more comes, with a way to try again; `stopped`: what is said where the reader wanted it so. */
export function ended(context: Context, place: Element, error: unknown, signal: AbortSignal, retry: () => void, stopped: Child = null): Outcome {
  if (signal.aborted) {
    refill(place, stopped, button(context.strings.retry, retry, { class: "quiet-button" }));
    return { kind: "stopped" };
  }
  const problem = error instanceof Problem ? error : new Problem("failed");
  if (!(error instanceof Problem)) console.error("sourceline-chat:", error);
  refill(place, problemBox(context, problem, retry));
  return { kind: "failed", problem };
}
