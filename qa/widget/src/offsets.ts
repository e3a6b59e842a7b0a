// Offsets of the service count code points, those of the browser UTF-16 units; they differ after each emoji.

/** Converts the code-point offsets of one text. */
export class CodePoints {
  readonly #points: string[];

  constructor(text: string) {
    this.#points = [...text];
  }

  get length(): number {
    return this.#points.length;
  }

  /** The UTF-16 offset of a code-point offset; what lies outside the text becomes its nearest end. */
  unit(offset: number): number {
    return this.slice(0, offset).length;
  }

  slice(start: number, end: number): string {
    return this.#points.slice(Math.max(0, start), Math.max(0, end)).join("");
  }
}
