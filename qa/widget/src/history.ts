// Which conversations this browser had: only their ids are kept here, their content stays with the service.

/** So many earlier ones are remembered. */
const REMEMBERED = 8;

export class History {
  readonly #key: string;
  readonly #earlierKey: string;
  #current: string | null;

  constructor(endpoint: string) {
    this.#key = `sourceline:conversation:${endpoint}`;
    this.#earlierKey = `sourceline:conversations:${endpoint}`;
    this.#current = read(this.#key);
  }

  get id(): string | null {
    return this.#current;
  }

  /** Conversations that were left, the last one first. */
  get earlier(): string[] {
    return (read(this.#earlierKey) ?? "").split(" ").filter(Boolean);
  }

  set(id: string | null): void {
    this.#current = id;
    write(this.#key, id);
    if (id) this.forget(id);
  }

  /** Leave the conversation; it can be gone back to. */
  leave(): void {
    const left = this.#current;
    this.set(null);
    if (left) this.#keep([left, ...this.earlier]);
  }

  /** Leave an earlier conversation out: it is the current one, or there is nothing of it any more. */
  forget(id: string): void {
    const { earlier } = this;
    if (earlier.includes(id)) this.#keep(earlier.filter((one) => one !== id));
  }

  #keep(ids: string[]): void {
    write(this.#earlierKey, [...new Set(ids)].slice(0, REMEMBERED).join(" "));
  }
}

type Where = "localStorage" | "sessionStorage";

export function read(key: string, where: Where = "localStorage"): string | null {
  try {
    return window[where].getItem(key);
  } catch {
    return null;
  }
}

export function write(key: string, value: string | null, where: Where = "localStorage"): void {
  try {
    if (value) window[where].setItem(key, value);
    else window[where].removeItem(key);
  } catch {
    // Storage may be blocked: conversation and visitor then last as long as the page.
  }
}
