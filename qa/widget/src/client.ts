// The service, as the widget asks it: every request in one place, with its token and its problems.

import { Problem, asProblem, problemFrom, problemOf } from "./problems";
import { readEvents } from "./sse";
import type { Tokens } from "./tokens";
import type { Answer, AnswerChanges, AnswerLink, AnswerNow, Article, AskRequest, Beginning, KeptAnswer, Narrowed, SearchResult, StreamEvent } from "./types";

/** The service sends a sign of life at least every 15 seconds. */
const SILENCE_MS = 45_000;
/** Passages that a search shows. */
const FOUND = 20;

export type Opinion = "up" | "down";

export class Client {
  constructor(
    /** Address of the service, without a slash at the end. */
    readonly endpoint: string,
    private readonly tokens: Tokens,
  ) {}

  /** The events of one answer, the whole answer last. Throws Problem, also where the stream ends before. */
  async *ask(request: AskRequest, signal: AbortSignal): AsyncGenerator<StreamEvent> {
    const own = new AbortController();
    const stop = (): void => own.abort(signal.reason);
    signal.addEventListener("abort", stop);
    let timer = 0;
    const alive = (): void => {
      clearTimeout(timer);
      timer = window.setTimeout(() => own.abort(new Problem("interrupted")), SILENCE_MS);
    };
    try {
      // Without a conversation to go on with, one is begun, so that it can be read again after a reload.
      const body = JSON.stringify({ ...request, stream: true, store: request.conversation_id ? undefined : true });
      const response = await this.#send("/api/ask", { method: "POST", body, signal: own.signal });
      alive();
      yield* this.#follow(response.body!, alive);
    } catch (error) {
      if (signal.aborted || error instanceof Problem) throw error;
      throw own.signal.reason instanceof Problem ? own.signal.reason : asProblem(error);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      own.abort();
    }
  }

  /** Passages alone. */
  async search(request: AskRequest, signal: AbortSignal): Promise<SearchResult[]> {
    const body = JSON.stringify({ ...request, limit: FOUND });
    const response = await this.#send("/api/search", { method: "POST", body, signal }).catch((error: unknown) => {
      throw signal.aborted ? error : asProblem(error);
    });
    return ((await response.json()) as { search_results: SearchResult[] }).search_results;
  }

  /** Without a version, the current one. */
  article(id: string, version: string): Promise<Article> {
    const query = version && at`?version=${version}`;
    return this.#json(at`/api/articles/${id}` + query);
  }

  /** An answer that somebody passed on. */
  async answer(id: string, sig: string): Promise<KeptAnswer> {
    const kept = await this.#json<KeptAnswer>(at`/api/answers/${id}?sig=${sig}`);
    return { ...kept, answer: { ...asItIsNow(kept), sig } as AnswerNow };
  }

  /** What was corrected since in the articles that an answer cites. */
  changes({ id, sig = "" }: AnswerNow): Promise<AnswerChanges> {
    return this.#json(at`/api/answers/${id}/changes?sig=${sig}`);
  }

  /** What opens an answer to others. */
  async link(id: string): Promise<AnswerLink> {
    const response = await this.#send(at`/api/answers/${id}/link`, { method: "POST" });
    return (await response.json()) as AnswerLink;
  }

  /** Sources that the reader can choose among; a service with keys tells visitors only those of what was found. */
  async sources(): Promise<string[]> {
    const page = await this.#json<{ articles: { source: string }[] }>("/api/articles?limit=200");
    return [...new Set(page.articles.map((article) => article.source).filter(Boolean))].sort();
  }

  /** Questions to begin with, or to go on with where something was said about some articles, or near one (`like`) that they do
   * not answer; and what articles there are. */
  beginning({ collection, filters }: Narrowed, about?: string[], like?: string): Promise<Beginning> {
    const named = Object.entries({ collection, ...filters, about, like }).flatMap(([name, value]) => [value ?? []].flat().map((one) => [name, one]));
    return this.#json(`/api/starters${named.length ? `?${String(new URLSearchParams(named))}` : ""}`);
  }

  /** The first question of a conversation. Throws Problem ("missing") where there is nothing of it any more. */
  async conversationTitle(id: string): Promise<string> {
    const page = await this.#json<{ conversation: { title: string } }>(at`/api/conversations/${id}?limit=1`);
    return page.conversation.title;
  }

  /** The answers of a conversation, in order, but those in whose place another was asked for. */
  async conversation(id: string): Promise<Answer[]> {
    const answers: Answer[] = [];
    let after: number | null = 0;
    while (after !== null) {
      const path: string = at`/api/conversations/${id}?limit=50&after=${after}`;
      const page: { turns: KeptAnswer[]; next: number | null } = await this.#json(path);
      for (const answer of page.turns.map(asItIsNow)) {
        // One that is not there lies before all that are kept.
        if (answer.replaces) answers.splice(Math.max(0, answers.findIndex((one) => one.id === answer.replaces)));
        answers.push(answer);
      }
      after = page.next;
    }
    return answers;
  }

  async feedback(answerId: string, verdict: Opinion, reasons: string[], comment: string): Promise<void> {
    const body = JSON.stringify({ verdict, reasons, comment });
    await this.#send(at`/api/answers/${answerId}/feedback`, { method: "POST", body });
  }

  async *#follow(body: ReadableStream<Uint8Array>, alive: () => void): AsyncGenerator<StreamEvent> {
    try {
      for await (const event of readEvents(body, alive)) {
        if (!event.data) continue;
        const data: unknown = JSON.parse(event.data);
        if (event.name === "error") throw problemFrom(data, 500);
        if (event.name === "answer") {
          yield { type: "answer", answer: data as Answer };
          return;
        }
        if (event.name === "search_results" || event.name === "claim") yield data as StreamEvent;
      }
    } catch (error) {
      if (error instanceof Problem) throw error;
      throw new Problem(navigator.onLine ? "interrupted" : "offline");
    }
    throw new Problem("interrupted");
  }

  /** Whether the service answers, though it refuses this page: a script that any page may load can be had. */
  async #isThere(): Promise<boolean> {
    if (!navigator.onLine || this.#isOwn) return false;
    const script = `${this.endpoint}/widget.js`;
    return fetch(script, { mode: "no-cors", credentials: "omit", cache: "no-store" }).then(() => true, () => false);
  }

  async #json<T>(path: string): Promise<T> {
    const response = await this.#send(path, {});
    return (await response.json()) as T;
  }

  /** Send a request; a refused token is renewed once. Throws Problem where the answer is not a success. */
  async #send(path: string, init: RequestInit): Promise<Response> {
    // Where one is needed, it is got first: to be refused would cost a turn, and an error in the console.
    const tried = this.tokens.current === null && this.tokens.needed;
    const shown = tried && !(await this.tokens.renew(null)) ? undefined : this.tokens.current;
    let response = await this.#once(path, init);
    if (response.status === 401 && shown !== undefined && (await this.tokens.renew(shown))) response = await this.#once(path, init);
    if (response.ok) return response;
    const problem = await problemOf(response);
    // Its own page is refused a token where it is not listed; where it is, one is given.
    if (problem.kind === "unauthorised" && this.#isOwn && !this.tokens.given) throw new Problem("unlisted", window.origin);
    throw problem;
  }

  /** Whether the page is the service's own. */
  get #isOwn(): boolean {
    return new URL(this.endpoint, location.href).origin === window.origin;
  }

  async #once(path: string, init: RequestInit): Promise<Response> {
    const headers: Record<string, string> = { accept: "application/json, text/event-stream", ...this.tokens.headers() };
    if (init.body) headers["content-type"] = "application/json";
    try {
      return await fetch(this.endpoint + path, { ...init, headers, credentials: "omit", cache: "no-store" });
    } catch (error) {
      if (init.signal?.aborted) throw error;
      throw (await this.#isThere()) ? new Problem("unlisted", window.origin) : asProblem(error);
    }
  }
}

/** A kept answer that knows what became of its sources. */
function asItIsNow({ answer, ...now }: KeptAnswer): AnswerNow {
  return { ...answer, ...now };
}

/** A path with values in it. */
function at(parts: TemplateStringsArray, ...values: (string | number)[]): string {
  return String.raw({ raw: parts }, ...values.map(encodeURIComponent));
}
