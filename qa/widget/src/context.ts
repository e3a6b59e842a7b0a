// What every view may use: words and language, the service, and the way to the article, the status line and the host page.

import type { Card } from "./card";
import type { Client } from "./client";
import type { Details, EventName } from "./public";
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
  /** Which of how many this is. */
  place?: [number, number];
  /** The one so many places further on. */
  beside?(step: number): ArticleRequest | null;
}

/** Exact words of an article, by code points. */
export interface Quote {
  start: number;
  end: number;
  text: string;
}

export interface Context extends Language {
  client: Client;
  card: Card;
  /** Whether this is the service's own page. */
  page: boolean;
  show(request: ArticleRequest, opener: HTMLElement): void;
  /** Let the next questions be about one article. */
  askAbout(article: { article_id: string; title: string }): void;
  /** Say something once to screen readers. */
  announce(message: string): void;
  emit<Name extends EventName>(name: Name, detail: Details[Name]): void;
}
