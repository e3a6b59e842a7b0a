// Requests to the service. The key is kept in this tab alone, goes out in a header, and never stands in an address.

const KEY = "sourceline-admin-key";

export const key = () => sessionStorage.getItem(KEY) ?? "";
export const keep = (text) => sessionStorage.setItem(KEY, text);
export const forget = () => sessionStorage.removeItem(KEY);

/** What the service says is wrong, in words; `status` is 0 where it could not be reached. */
export class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** Send a request; give the response, or throw a Problem. */
export async function send(path, { query = {}, body = null } = {}) {
  const asked = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== ""));
  const headers = key() ? { authorization: `Bearer ${key()}` } : {};
  if (body) headers["content-type"] = "application/json";
  let response;
  try {
    const address = asked.size ? `${path}?${asked}` : path;
    response = await fetch(address, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body) });
  } catch {
    throw new Problem(0, "The service does not answer. Is it running?");
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  const faults = (problem.errors ?? []).map((fault) => `${fault.field ?? ""} ${fault.detail}`.trim()).join("; ");
  throw new Problem(response.status, [problem.detail ?? response.statusText, faults].filter(Boolean).join(" – "));
}

export const read = async (path, query = {}) => (await send(path, { query })).json();
export const write = async (path, body) => (await send(path, { body })).json();
