// The attributes of the element, read once when it is put into a page.

import { language, type Language, type Words } from "./strings";

export type Mode = "launcher" | "inline" | "page";

/** What whoever builds the page is told, in the page and in the console. */
const NOWHERE = "sourceline-chat: no service. Set endpoint, data-endpoint on the script tag, or call define().";
const SPEECHLESS = "sourceline-chat: cannot load its words (connect-src?): ";

export interface Settings extends Language {
  endpoint: string;
  mode: Mode;
  title: string;
  intro: string;
  placeholder: string;
  note: string;
  collection: string | null;
  /** Names of sources to choose among, written with | between them. */
  sources: string[];
  token: string | null;
  tokenUrl: string | null;
  /** Words on the button that opens the panel. */
  launcher: string;
  /** Selector of the page's own buttons that open the panel, in place of ours. */
  opener: string;
  /** The article that the page is about: asked about first. */
  article: string;
  /** Questions to begin with, in place of the service's. */
  starters: string[];
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
  "launcher-text",
  "position",
  "look",
  "starters",
  "shortcut",
  "opener",
  "article",
  "accent",
] as const;

/** What the script knows of its service, and words that it brings itself. */
export interface Origin {
  endpoint: string;
  words: Words;
}

/** The settings of an element; what is missing, where there can be none. */
export async function readSettings(host: HTMLElement, origin: Origin): Promise<Settings | string> {
  const attribute = (name: (typeof ATTRIBUTES)[number]): string | null => host.getAttribute(name);
  const mode = attribute("mode");
  // The service's own page is written in no language: it follows the reader.
  const page = mode === "page" ? [] : [document.documentElement.lang];
  const endpoint = (attribute("endpoint") ?? origin.endpoint).replace(/\/+$/, "");
  if (!endpoint) return NOWHERE;
  const found = await language([attribute("lang"), ...page, ...navigator.languages], endpoint, origin.words);
  if (!found) return SPEECHLESS + endpoint;
  return {
    ...found,
    endpoint,
    mode: mode === "launcher" || mode === "page" ? mode : "inline",
    title: attribute("heading") ?? found.strings.title,
    intro: attribute("intro") ?? found.strings.intro,
    placeholder: attribute("placeholder") ?? found.strings.placeholder,
    note: attribute("note") ?? found.strings.note,
    collection: attribute("collection"),
    sources: listed(attribute("sources")),
    launcher: attribute("launcher-text") ?? found.strings.open,
    opener: attribute("opener") ?? "",
    article: attribute("article") ?? "",
    starters: listed(attribute("starters")),
    token: attribute("token"),
    tokenUrl: attribute("token-url"),
  };
}

/** Names written with | between them. */
function listed(text: string | null): string[] {
  return (text ?? "").split("|").map((name) => name.trim()).filter(Boolean);
}
