// An answer as plain text with its sources, for the clipboard.

import type { Numbering } from "./pieces";
import { day } from "./dates";
import { webAddress } from "./dom";
import { CodePoints } from "./offsets";
import type { Language } from "./strings";
import type { Answer, Citation } from "./types";

/** The answer with numbers in brackets. */
function numbered(answer: Answer, numbering: Numbering): string {
  const points = new CodePoints(answer.answer);
  let body = "";
  let from = 0;
  for (const claim of answer.claims) {
    const cited = answer.citations.filter((citation) => claim.citation_ids.includes(citation.id));
    const numbers = [...new Set(cited.map((citation) => `[${numbering.of(citation)}]`))].join("");
    body += points.slice(from, claim.end) + (numbers && ` ${numbers}`);
    from = claim.end;
  }
  return body + points.slice(from, points.length);
}

/** Question, the few words that answer where they stand large, answer with numbers in brackets, then each source with the words it is quoted for. */
export function plainText(answer: Answer, numbering: Numbering, language: Language, short: string): string {
  const { strings, locale } = language;
  const sources = bySource(answer, numbering).map(([number, citation, quotes]) => {
    const date = day(citation.published_at, locale) || strings.undated;
    const about = [citation.title, citation.source || strings.unnamed, date, webAddress(citation.url)];
    return [`[${number}] ${about.filter(Boolean).join(", ")}`, ...quotes.map((one) => `    “${one}”`)].join("\n");
  });
  return joined(answer, language, [answer.question, short], numbered(answer, numbering), sources.length ? [strings.sources, ...sources] : []);
}

/** Each source once, by its number, with all that is quoted from it. */
function bySource({ citations }: Answer, numbering: Numbering): [number, Citation, string[]][] {
  const found = new Map<number, [number, Citation, string[]]>();
  for (const one of citations) {
    const number = numbering.of(one);
    const kept = found.get(number) ?? [number, one, []];
    kept[2].push(one.cited_text);
    found.set(number, kept);
  }
  return [...found.values()].sort(([one], [other]) => one - other);
}

/** What a model wrote says so wherever it goes. */
function joined({ answer_mode }: Answer, { strings }: Language, head: string[], body: string, sources: string[]): string {
  const notice = answer_mode === "generated" ? strings.aiNotice : "";
  return [...head, notice, body, sources.join("\n")].filter(Boolean).join("\n\n");
}

/** The same as Markdown; titles are links where the source has an address. */
export function markdown(answer: Answer, numbering: Numbering, language: Language, short: string): string {
  const { strings, locale } = language;
  const sources = bySource(answer, numbering).map(([number, citation, quotes]) => {
    const title = escaped(citation.title || strings.articleBy);
    const address = webAddress(citation.url)?.replace(/[()]/g, encodeURIComponent);
    const about = [address ? `[${title}](${address})` : title, escaped(citation.source), day(citation.published_at, locale)];
    return [`- \\[${number}\\] ${about.filter(Boolean).join(", ")}`, quotes.map((one) => `  > ${escaped(one)}`).join("\n  >\n")].join("\n");
  });
  const head = [answer.question, short].map((one) => one && `**${escaped(one)}**`);
  return joined(answer, language, head, escaped(numbered(answer, numbering)), sources);
}

/** What says something in Markdown stands there as itself; everything is on one line. */
function escaped(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[\\`*_[\]<>#|]/g, "\\$&");
}

/** Put text on the clipboard, also where it is still to come; gives whether that was allowed. */
export async function copy(text: string | Promise<string>, near: HTMLElement): Promise<boolean> {
  try {
    // The click's leave to write does not wait for a promise, but an item may be promised.
    await navigator.clipboard.write([new ClipboardItem({ "text/plain": text })]);
    return true;
  } catch {
    return copyBySelection(await text, near);
  }
}

/** Without a secure connection there is no clipboard object; the old command still works. */
function copyBySelection(text: string, near: HTMLElement): boolean {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "unseen";
  near.after(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  near.focus();
  return done;
}
