// An answer as plain text with its sources, for the clipboard.

import type { Numbering } from "./pieces";
import { signed } from "./byline";
import { webAddress } from "./dom";
import { CodePoints } from "./offsets";
import { doubted } from "./sources_view";
import type { Language } from "./strings";
import type { Answer, AnswerNow, Citation } from "./types";

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

/** What is copied. */
export interface Copied extends Language {
  answer: AnswerNow;
  numbering: Numbering;
  /** The few words that answer, where they stand large. */
  short: string | undefined;
  /** Where a source without an address can be read: here. */
  here(citation: Citation): string;
}

/** Question, the few words that answer, answer with numbers in brackets, then each source with the words it is quoted for. */
export function plainText(copied: Copied): string {
  const { answer, numbering, strings, short } = copied;
  const sources = bySource(answer, numbering).map(([number, citation, quotes]) => {
    const about = [citation.title, ...aboutOf(copied, citation), webAddress(citation.url) ?? copied.here(citation)];
    return [`[${number}] ${about.filter(Boolean).join(", ")}`, ...quotes.map((one) => `    “${one}”`)].join("\n");
  });
  return joined(copied, [answer.question, short], numbered(answer, numbering), sources.length ? [strings.sources, ...sources] : []);
}

/** Who published a source, and when, and whether it is to be doubted, in the words that stand below the answer. */
function aboutOf(copied: Copied, citation: Citation): string[] {
  return [signed(copied, citation), doubted(copied, copied.answer, citation)];
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

/** What a model wrote, and what was corrected since, says so wherever it goes. */
function joined({ answer, strings }: Copied, head: (string | undefined)[], body: string, sources: string[]): string {
  const since = answer.corrected_citation_ids?.length ? strings.correctedSince : "";
  const notice = answer.answer_mode === "generated" ? strings.aiNotice : "";
  return [...head, since, notice, body, sources.join("\n")].filter(Boolean).join("\n\n");
}

/** The same as Markdown; titles are links. */
export function markdown(copied: Copied): string {
  const { answer, numbering, strings, short } = copied;
  const sources = bySource(answer, numbering).map(([number, citation, quotes]) => {
    const title = escaped(citation.title || strings.articleBy);
    const address = (webAddress(citation.url) ?? copied.here(citation)).replace(/[()]/g, (one) => (one === "(" ? "%28" : "%29"));
    const about = [`[${title}](${address})`, ...aboutOf(copied, citation).map(escaped)];
    return [`- \\[${number}\\] ${about.filter(Boolean).join(", ")}`, quotes.map((one) => `  > ${escaped(one)}`).join("\n  >\n")].join("\n");
  });
  const head = [answer.question, short].map((one) => one && `**${escaped(one)}**`);
  return joined(copied, head, escaped(numbered(answer, numbering)), sources);
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
