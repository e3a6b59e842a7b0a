// What went wrong, in the reader's words, with a way on: try again, at once or when the service says so.

import type { Context } from "./context";
import { button, element } from "./dom";
import type { Problem } from "./problems";

export function problemBox(context: Context, problem: Problem, retry: (() => void) | null): HTMLElement {
  const { strings } = context;
  // The same question cannot get over it, but the details help.
  const isFinal = problem.kind === "invalid";
  const detail = isFinal || problem.kind === "unlisted" ? problem.detail : "";
  const again = !retry || isFinal ? null : retryButton(context, problem, retry);
  return element(
    "div",
    { class: "problem", part: "problem", "data-kind": problem.kind },
    element("p", {}, strings.problem[problem.kind]),
    detail ? element("p", { class: "quiet", dir: "auto" }, detail) : null,
    again,
  );
}

/** Counts down where the service named a time; waits for the network where there is none. */
function retryButton(context: Context, problem: Problem, retry: () => void): HTMLElement {
  const { strings } = context;
  // What is gone is not tried again: its question is.
  const label = problem.kind === "missing" ? strings.answerThis : strings.retry;
  const made = button(label, retry, { class: "strong", part: "retry" });
  const ready = Date.now() + (problem.retryAfter ?? 0) * 1000;
  const tick = (): void => {
    const left = Math.ceil((ready - Date.now()) / 1000);
    made.disabled = left > 0;
    made.textContent = left > 0 ? strings.retryIn(left) : label;
    if (left > 0) setTimeout(tick, 250);
  };
  tick();
  return made;
}
