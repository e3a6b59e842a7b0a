// What every view may use: the language, the service, and the way to the article, the status line and the host page.

import type { Card } from "./card";
import type { Client } from "./client";
import type { Language } from "./strings";

/** An article to show, with the words to highlight in it. */
export interface ArticleRequest {
  article_id: string;
  article_version: string;
  title: string;
  source: string;
  url: string | null;
  published_at: string | null;
  quote: Quote | null;
  /** Other words of the same article that the answer stands on. */
  others: Quote[];
}

/** Exact words of an article, by code points. */
export interface Quote {
  start: number;
  end: number;
  text: string;
}

/** What a host page can listen to, as `sourceline-<name>`. */
export type EventName =
  | "open"
  | "close"
  | "submit"
  | "completed"
  | "stop"
  | "error"
  | "source"
  | "copy"
  | "feedback"
  | "reset";

export interface Context {
  language: Language;
  client: Client;
  card: Card;
  /** Heading level of a question. */
  level: 2 | 3;
  show(request: ArticleRequest, opener: HTMLElement): void;
  /** Let the next questions be about one article. */
  askAbout(article: { article_id: string; title: string }): void;
  /** Say something once to screen readers. */
  announce(message: string): void;
  emit(name: EventName, detail: Record<string, unknown>): void;
}
