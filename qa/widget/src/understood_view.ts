// What was understood of a question: that it leans on an earlier one, a time, filters. Each stands there as a chip, and can be
// undone.

import type { Context } from "./context";
import { day } from "./dates";
import { element } from "./dom";
import { chip, inWords } from "./filters_view";
import type { TurnEvents } from "./turn_events";
import type { Answer, Filters, Period, SearchResultsEvent } from "./types";

export type Found = Pick<SearchResultsEvent, "resolved_query" | "understood_period" | "search_results"> & Pick<Answer, "period_kept">;

export function understood(context: Context, question: string, found: Found, filters: Filters, events: TurnEvents): HTMLElement[] {
  const { strings } = context;
  const chips: HTMLElement[] = [];
  const query = found.resolved_query || question;
  if (plain(query) !== plain(question)) {
    chips.push(chip(context, strings.understoodAs(query), () => events.ask(question, question), { part: "resolved" }, strings.asTyped(question)));
  }
  if (found.understood_period) chips.push(period(context, [question, query], found.understood_period, events, found.period_kept === false));
  const title = found.search_results.find((one) => filters.article_ids?.includes(one.article_id))?.title ?? "";
  for (const [name, rest] of inWords(filters, context, title)) {
    chips.push(chip(context, name, () => events.narrow(question, query, rest, title), { part: "filter" }));
  }
  return chips;
}

/** The period a question was narrowed to, or was not; a click asks what was understood without it, under the same words. */
function period(context: Context, [question, query]: [string, string], { start, end, words }: Period, events: TurnEvents, missed: boolean): HTMLElement {
  const { locale, strings } = context;
  const last = new Date(Date.parse(end) - 1000).toISOString();
  const days = [...new Set([day(start, locale), day(last, locale)])].filter(Boolean).join(" – ");
  const asked = start ? days : `… ${days}`;
  const name = missed ? strings.notLimited(asked) : asked;
  const rest = query.replace(words, "").replace(/\s+([?.!,])/g, "$1").replace(/\s+/g, " ").trim();
  if (!words || rest === query || !rest) return element("span", "narrowed", name);
  return chip(context, name, () => events.ask(question, rest), { part: "period" }, missed ? strings.without(asked) : "");
}

/** A question as it is compared with others. */
export function plain(text: string): string {
  return text.trim().replace(/\s+/g, " ").toLowerCase();
}
