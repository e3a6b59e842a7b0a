// The chat as an ES module, for sites that bundle their scripts; `make widget` puts it into qa/widget/npm.

import words from "../languages/en.json";

export type * from "./public";

/** Make `<sourceline-chat>` known, once; on a server, where there is no page, nothing happens. */
export async function define(endpoint: string): Promise<void> {
  if (typeof customElements === "undefined") return;
  const { origin, SourcelineChat } = await import("./chat");
  origin.endpoint ||= endpoint.replace(/\/+$/, "");
  origin.words = words; // a service of another version may lack some
  if (!customElements.get("sourceline-chat")) customElements.define("sourceline-chat", SourcelineChat);
}
