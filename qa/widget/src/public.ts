// What other programs can rely on: the element, its events. No imports: these are the types of the ES module, too.

/** What a host page can listen to, as `sourceline-<name>`. */
export type EventName =
  | "open"
  | "close"
  | "submit"
  | "search"
  | "completed"
  | "stop"
  | "error"
  | "source"
  | "copy"
  | "feedback"
  | "reset";

/** What each event says (`event.detail`). */
export interface Details extends Record<EventName, object> {
  open: Record<string, never>;
  close: Record<string, never>;
  submit: { question: string };
  search: { question: string; results: number };
  completed: { question: string; answer_id: string; conversation_id: string | null; answer_mode: "generated" | "extractive" | "abstained" };
  stop: { question: string };
  error: { question: string; kind: string };
  source: { article_id: string; title: string; url: string | null };
  copy: { answer_id: string };
  feedback: { answer_id: string; verdict: "up" | "down"; reasons: string[] };
  reset: Record<string, never>;
}

/** `sourceline-event`: any of them, with its name. */
export type AnyEvent = { [Name in EventName]: { name: Name } & Details[Name] }[EventName];

export type SourcelineEvents = { [Name in EventName as `sourceline-${Name}`]: CustomEvent<Details[Name]> } & {
  "sourceline-event": CustomEvent<AnyEvent>;
};

/** `<sourceline-chat>`. */
export interface SourcelineChatElement extends HTMLElement {
  /** Gives a fresh token when the service refuses the old one; set it before the element is put into the page. */
  tokenProvider: (() => string | null | Promise<string | null>) | null;
  /** Ask a question as if the reader had written it. */
  ask(question: string): Promise<void>;
  open(): Promise<void>;
  close(): void;
  /** Begin a new conversation. */
  reset(): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "sourceline-chat": SourcelineChatElement;
  }
  interface GlobalEventHandlersEventMap extends SourcelineEvents {}
}
