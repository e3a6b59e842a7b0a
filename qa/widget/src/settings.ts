// The attributes of the element, read once when it is put into a page.

import { language, type Language } from "./strings";

export type Mode = "launcher" | "inline" | "page";

export interface Settings {
  endpoint: string;
  mode: Mode;
  language: Language;
  title: string;
  intro: string;
  placeholder: string;
  note: string;
  collection: string | null;
  /** Names of sources to choose among, written with | between them. */
  sources: string[];
  token: string | null;
  tokenUrl: string | null;
}

/** What a script tag passes on as `data-…`; each is an attribute of the element too. */
export const ATTRIBUTES = [
  "endpoint",
  "mode",
  "lang",
  "theme",
  "heading",
  "intro",
  "placeholder",
  "note",
  "collection",
  "sources",
  "token",
  "token-url",
] as const;

export function readSettings(host: HTMLElement, defaultEndpoint: string): Settings {
  const attribute = (name: (typeof ATTRIBUTES)[number]): string | null => host.getAttribute(name);
  const found = language([attribute("lang"), document.documentElement.lang, ...navigator.languages]);
  const mode = attribute("mode");
  return {
    endpoint: (attribute("endpoint") ?? defaultEndpoint).replace(/\/+$/, ""),
    mode: mode === "launcher" || mode === "page" ? mode : "inline",
    language: found,
    title: attribute("heading") ?? found.strings.title,
    intro: attribute("intro") ?? found.strings.intro,
    placeholder: attribute("placeholder") ?? found.strings.placeholder,
    note: attribute("note") ?? found.strings.note,
    collection: attribute("collection"),
    sources: (attribute("sources") ?? "").split("|").map((name) => name.trim()).filter(Boolean),
    token: attribute("token"),
    tokenUrl: attribute("token-url"),
  };
}
