// What a turn asks of the conversation that it stands in, and how it ends.

import type { Problem } from "./problems";
import type { Answer, Filters } from "./types";

/** What a turn asks of the conversation it stands in. */
export interface TurnEvents {
  /** Ask another question; `sent`: this in its place, as it stands. */
  ask(question: string, sent?: string): void;
  /** Put a question where it can be changed, to be asked in place of its answer. */
  edit(question: string, answer: Answer): void;
  /** What the questions are narrowed to now, in words. */
  narrowed(): string;
  /** Ask again without what narrows. */
  widen(question: string, sent: string): void;
  /** Ask again under other filters; `title` is that of their article. */
  narrow(question: string, sent: string, filters: Filters, title: string): void;
  /** Give questions about what an answer cites to `show`, in the same way as `suggestions`. */
  followOns(answer: Answer, show: (questions: string[]) => boolean): void;
  /** Give questions that are answered here to `show`, as they become known, until it says that it has enough: near the one
   * that these articles did not answer, or, where there are none, others. */
  suggestions(about: string[], like: string, show: (questions: string[], others?: boolean) => boolean): void;
}

export type Outcome =
  | { kind: "answered"; answer: Answer; said: string }
  | { kind: "found"; said: string; count: number }
  | { kind: "stopped" }
  | { kind: "failed"; problem: Problem };
