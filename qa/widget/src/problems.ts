// Everything that can go wrong, told apart by what the reader can do about it.

export type ProblemKind =
  | "offline"
  | "unreachable"
  | "unlisted"
  | "interrupted"
  | "limited"
  | "busy"
  | "slow"
  | "unauthorised"
  | "invalid"
  | "missing"
  | "failed";

export class Problem extends Error {
  constructor(
    readonly kind: ProblemKind,
    /** The service's own words (RFC 9457 `detail`), in English. */
    readonly detail: string = "",
    /** Seconds after which it may succeed, where the service says so. */
    readonly retryAfter: number | null = null,
  ) {
    super(detail || kind);
  }
}

function kindOf(status: number): ProblemKind {
  if (status === 401 || status === 403) return "unauthorised";
  if (status === 404 || status === 410) return "missing";
  if (status === 429) return "limited";
  if (status === 408 || status === 504) return "slow";
  if (status === 502 || status === 503) return "busy";
  return status < 500 ? "invalid" : "failed";
}

/** `Retry-After` is a number of seconds or a date. */
function retrySeconds(value: string | null): number | null {
  if (!value) return null;
  const seconds = Number(value) || (Date.parse(value) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(0, Math.ceil(seconds)), 3600) : null;
}

/** What a problem document says; `status` where there is no response of its own, as in the middle of a stream. */
export function problemFrom(document: unknown, status: number, retryAfter: number | null = null): Problem {
  const { status: own, detail } = Object(document) as Record<string, unknown>;
  return new Problem(kindOf(Number(own) || status), typeof detail === "string" ? detail : "", retryAfter);
}

/** The problem of a response that is not a success. */
export async function problemOf(response: Response): Promise<Problem> {
  // Where a proxy answered in its own words, the status says enough.
  const document: unknown = await response.json().catch(() => null);
  return problemFrom(document, response.status, retrySeconds(response.headers.get("retry-after")));
}

/** Whatever was thrown, as a problem. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem(navigator.onLine ? "unreachable" : "offline");
}
