// Offsets of the service count code points, those of the browser UTF-16 units; they differ after each emoji.

/** Converts the code-point offsets of one text. */
export class CodePoints {
  /** Code-point offsets of the characters that take two UTF-16 units, ascending. */
  readonly #wide: number[] = [];
  readonly length: number;

  constructor(readonly text: string) {
    let count = 0;
    for (let unit = 0; unit < text.length; unit += 1, count += 1) {
      const point = text.codePointAt(unit);
      if (point !== undefined && point > 0xffff) {
        this.#wide.push(count);
        unit += 1;
      }
    }
    this.length = count;
  }

  /** The UTF-16 offset of a code-point offset; what lies outside the text becomes its nearest end. */
  unit(offset: number): number {
    const inside = Math.min(Math.max(0, offset), this.length);
    let low = 0;
    let high = this.#wide.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#wide[middle] ?? 0) < inside) low = middle + 1;
      else high = middle;
    }
    return inside + low;
  }

  /** The code-point offset of a UTF-16 offset. */
  point(unit: number): number {
    return [...this.text.slice(0, unit)].length;
  }

  slice(start: number, end: number): string {
    return this.text.slice(this.unit(start), this.unit(end));
  }
}
