// Server-sent events from a response body: `EventSource` cannot send a question with POST.

export interface ServerEvent {
  name: string;
  data: string;
}

/** What the lines of an event say under a name. */
function field(block: string, name: string): string {
  return [...block.matchAll(new RegExp(`(?:^|\\n)${name}: ?([^\\n]*)`, "g"))].map((line) => line[1]).join("\n");
}

/** The events of a body, as they come; a line may end in CR, LF or both, and arrive in pieces. `alive` is called for every
 * piece that arrives, comments included. */
export async function* readEvents(body: ReadableStream<Uint8Array>, alive: () => void): AsyncGenerator<ServerEvent> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      alive();
      // A CR at the very end may be half of a CRLF: it waits for what follows.
      const blocks = (rest + decoder.decode(value, { stream: true })).replace(/\r\n|\r(?!$)/g, "\n").split("\n\n");
      rest = blocks.pop()!;
      for (const block of blocks) yield { name: field(block, "event"), data: field(block, "data") };
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}
