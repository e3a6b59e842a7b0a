// What a source said when it was quoted, and what it says now: fetched when a reader asks for it.

import type { Context } from "./context";
import { element, refill } from "./dom";
import { asProblem } from "./problems";
import type { AnswerNow, Citation } from "./types";

/** Folded away until somebody wants to know; null where the source was not corrected since. */
export function changesOf(context: Context, answer: AnswerNow, citation: Citation): HTMLElement | null {
  if (!answer.corrected_citation_ids?.includes(citation.id)) return null;
  const { strings } = context;
  const line = (label: string, tag: "del" | "ins", text: string): HTMLElement =>
    element("p", { dir: "auto" }, element("bdi", "label", label), element(tag, {}, text || "—"));
  let known = false;
  const show = async (): Promise<void> => {
    if (known || !made.open) return;
    known = true;
    try {
      const { articles } = await context.client.changes(answer);
      const about = articles.find((one) => one.citation_ids.includes(citation.id));
      const all = (about?.changes ?? []).sort((one, other) => Number(other.quoted) - Number(one.quoted));
      const title = about?.title_before ? [{ before: about.title_before, after: about.title! }] : [];
      const lines = [...title, ...all].flatMap(({ before, after }) => [line(strings.before, "del", before), line(strings.now, "ins", after)]);
      refill(place, ...(lines.length ? lines : [strings.problem.missing]));
    } catch (error) {
      known = false; // opened again, it is asked for again
      place.textContent = strings.problem[asProblem(error).kind];
    }
  };
  const place = element("div", { role: "status" });
  const made = element("details", { class: "changes", part: "changes", toggle: () => void show() }, element("summary", {}, strings.changes), place);
  return made;
}
