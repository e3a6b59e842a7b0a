// The chat as an ES module, for sites that bundle their scripts; `make widget` puts it into qa/widget/npm.

export type * from "./public";

/** Make `<sourceline-chat>` known, once; on a server, where there is no page, nothing happens. */
export async function define(endpoint: string): Promise<void> {
  if (typeof customElements === "undefined") return;
  const { origin, SourcelineChat } = await import("./chat");
  origin.endpoint ||= endpoint.replace(/\/+$/, "");
  if (!customElements.get("sourceline-chat")) customElements.define("sourceline-chat", SourcelineChat);
}
