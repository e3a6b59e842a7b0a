// Where the token comes from that lets a public page ask; the API key never reaches the browser.

import { read, write } from "./history";

export type TokenProvider = () => string | null | Promise<string | null>;

export interface TokenOptions {
  /** Address of the service, without a slash at the end. */
  endpoint: string;
  token: string | null;
  /** A page of the host that gives a fresh token to its visitor. */
  tokenUrl: string | null;
  /** What the host page's own script has set; goes before the other ways. */
  provider: () => TokenProvider | null;
  /** Whether the service's own page says that it has keys. */
  keyed: boolean;
}

export class Tokens {
  readonly #key: string;
  #token: string | null;
  #renewing: Promise<boolean> | null = null;

  constructor(private readonly options: TokenOptions) {
    this.#key = `sourceline:token:${options.endpoint}`;
    this.#token = options.token ?? read(this.#key, "sessionStorage");
  }

  headers(): Record<string, string> {
    return this.#token ? { authorization: `Bearer ${this.#token}` } : {};
  }

  /** The token that requests show now. */
  get current(): string | null {
    return this.#token;
  }

  /** Whether the page itself gives tokens. */
  get given(): boolean {
    return this.options.tokenUrl !== null || this.options.provider() !== null;
  }

  /** Whether nothing is answered without one, as far as that is known. */
  get needed(): boolean {
    return this.given || this.options.keyed;
  }

  /** Get a fresh token in place of the one that was refused; requests that are refused together share one try. */
  renew(refused: string | null): Promise<boolean> {
    if (this.#token !== refused && this.#renewing === null) return Promise.resolve(true);
    this.#renewing ??= this.#obtain()
      .catch(() => null)
      .then((token) => {
        this.#renewing = null;
        if (token) this.#token = token;
        return Boolean(token);
      });
    return this.#renewing;
  }

  async #obtain(): Promise<string | null> {
    const provider = this.options.provider();
    if (provider) return provider();
    if (this.options.tokenUrl) return fetchToken(this.options.tokenUrl, { credentials: "include" });
    // The old token, also an expired one, shows that it is the same visitor, who then keeps the conversation.
    const body = JSON.stringify(this.#token ? { renews: this.#token } : {});
    const token = await fetchToken(`${this.options.endpoint}/api/tokens`, { method: "POST", credentials: "omit", body });
    // Until the tab is closed: a reload is the same visitor.
    if (token) write(this.#key, token, "sessionStorage");
    return token;
  }
}

/** A token as `{"token": …}`. */
async function fetchToken(url: string, init: RequestInit): Promise<string | null> {
  const headers = { accept: "application/json", ...(init.body ? { "content-type": "application/json" } : {}) };
  const response = await fetch(url, { ...init, cache: "no-store", headers });
  if (!response.ok) return null;
  const { token } = Object(await response.json()) as Record<string, unknown>;
  return typeof token === "string" ? token : null;
}
