// Links into the chat: the address of the page with a fragment, which goes to no server before it is opened here.

import type { ArticleRequest, Context } from "./context";
import type { Answer } from "./types";

/** What a link leads to: a kept answer, words of an article, or a question to ask. */
export interface Goal {
  question: string;
  answer: string;
  sig: string;
  article: string;
  version: string;
  /** Offsets of the quoted words, such as 12-80. */
  words: string;
}

const NAMES = ["question", "answer", "sig", "article", "version", "words"] as const;
const LONGEST = 2000;

/** At the service's own page the names are short; in other pages they say whose they are. */
function key(page: boolean, name: (typeof NAMES)[number]): string {
  const short = name === "question" ? "q" : name;
  return page ? short : `sourceline-${short}`;
}

function link(page: boolean, goal: Partial<Goal>): string {
  const address = new URL(location.href);
  address.hash = new URLSearchParams(Object.entries(goal).map(([name, value]) => [key(page, name as keyof Goal), value])).toString();
  return address.href;
}

/** A link to the answer, which whoever has it can read; to its question where the answer is not kept. */
export async function answerLink(context: Context, { id, question }: Answer): Promise<string> {
  const signed = await context.client.link(id).catch(() => null);
  return link(context.page, { ...(signed ? { answer: signed.answer_id, sig: signed.sig } : {}), question });
}

/** A link to quoted words in their article. */
export function wordsLink(context: Context, { article_id, article_version, quote }: ArticleRequest): string {
  const words = quote ? { words: `${quote.start}-${quote.end}` } : {};
  return link(context.page, { article: article_id, version: article_version, ...words });
}

/** What the address of the page leads to here; null where that is nothing. */
export function goalOf(page: boolean): Goal | null {
  const given = new URLSearchParams(location.hash.slice(1));
  const goal = Object.fromEntries(NAMES.map((name) => [name, (given.get(key(page, name)) ?? "").trim().slice(0, LONGEST)])) as unknown as Goal;
  return goal.question || goal.answer || goal.article ? goal : null;
}

/** The words of an article that a link leads to. */
export function wordsOf({ article, version, words }: Goal): ArticleRequest {
  const [start = 0, end = 0] = words.split("-").map((place) => Number.parseInt(place, 10) || 0);
  const about = { article_id: article, article_version: version, title: "", source: "", url: null, published_at: null };
  return { ...about, quote: end > start ? { start, end, text: "" } : null, others: [] };
}

/** Take what led here out of the address: the page has moved on. */
export function leave(page: boolean): void {
  if (goalOf(page)) history.replaceState(history.state, "", location.pathname + location.search);
}
