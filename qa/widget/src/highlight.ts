// Marks exact words of a text without touching it: the CSS Custom Highlight API.

export type HighlightName = "sourceline-quote" | "sourceline-other" | "sourceline-key";

/** Text nodes that together hold one text, each with the UTF-16 offset where it begins. */
export class TextMap {
  readonly #pieces: { start: number; node: Text }[] = [];

  /** Pieces are added in order; what lies between them (breaks of paragraphs) is in no node. */
  add(start: number, node: Text): void {
    this.#pieces.push({ start, node });
  }

  /** A range for each node that holds some of the span. */
  ranges(start: number, end: number): Range[] {
    const found: Range[] = [];
    for (const piece of this.#pieces) {
      const from = Math.max(start - piece.start, 0);
      const to = Math.min(end - piece.start, piece.node.length);
      if (from >= to) continue;
      const range = document.createRange();
      range.setStart(piece.node, from);
      range.setEnd(piece.node, to);
      found.push(range);
    }
    return found;
  }
}

/** Mark ranges, each within one text node; gives what takes the marks away again. */
export function mark(ranges: Range[], name: HighlightName): () => void {
  const marks = CSS.highlights as HighlightRegistry | undefined;
  if (!marks) return () => {}; // a browser from before 2025: the sentence is shown unmarked
  // One per page and name: several widgets share it.
  const shared = marks.get(name) ?? new Highlight();
  marks.set(name, shared);
  shared.priority = name === "sourceline-quote" ? 2 : 1;
  for (const range of ranges) shared.add(range);
  return () => {
    for (const range of ranges) shared.delete(range);
  };
}
