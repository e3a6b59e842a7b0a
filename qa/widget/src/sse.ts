// Server-sent events from a response body: `EventSource` cannot send a question with POST.

export interface ServerEvent {
  name: string;
  data: string;
}

/** Collects the lines of a stream into events; a line may end in CR, LF or both, and arrive in pieces. */
class EventParser {
  #rest = "";

  /** The events that a further piece of text completes. */
  push(text: string): ServerEvent[] {
    // A CR at the very end may be half of a CRLF: it waits for what follows.
    const blocks = (this.#rest + text).replace(/\r\n|\r(?!$)/g, "\n").split("\n\n");
    this.#rest = blocks.pop()!;
    return blocks.map((block) => ({ name: field(block, "event"), data: field(block, "data") }));
  }
}

/** What the lines of an event say under a name. */
function field(block: string, name: string): string {
  return [...block.matchAll(new RegExp(`(?:^|\\n)${name}: ?([^\\n]*)`, "g"))].map((line) => line[1]).join("\n");
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
