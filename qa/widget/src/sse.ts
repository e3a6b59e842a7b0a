// Server-sent events from a response body: `EventSource` cannot send a question with POST.

export interface ServerEvent {
  name: string;
  data: string;
}

/** Collects the lines of a stream into events; a line may end in CR, LF or both, and arrive in pieces. */
export class EventParser {
  #rest = "";
  #name = "";
  #data: string[] = [];
  #first = true;

  /** The events that a further piece of text completes. */
  push(text: string): ServerEvent[] {
    this.#rest += text;
    if (this.#first && this.#rest) {
      this.#rest = this.#rest.replace(/^\uFEFF/, "");
      this.#first = false;
    }
    const events: ServerEvent[] = [];
    // A CR at the very end may be half of a CRLF: it waits for what follows.
    const end = /\r\n|\n|\r(?!$)/g;
    let from = 0;
    for (let found = end.exec(this.#rest); found; found = end.exec(this.#rest)) {
      const event = this.#line(this.#rest.slice(from, found.index));
      if (event) events.push(event);
      from = end.lastIndex;
    }
    this.#rest = this.#rest.slice(from);
    return events;
  }

  #line(line: string): ServerEvent | null {
    if (line === "") {
      const event = this.#data.length ? { name: this.#name || "message", data: this.#data.join("\n") } : null;
      this.#name = "";
      this.#data = [];
      return event;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#name = value;
    if (field === "data") this.#data.push(value);
    return null;
  }
}

/** The events of a body, as they come; `alive` is called for every piece that arrives, comments included. */
export async function* readEvents(body: ReadableStream<Uint8Array>, alive: () => void): AsyncGenerator<ServerEvent> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parser = new EventParser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      alive();
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}
