// What was understood of a question: that it leans on an earlier one, a time, filters. Each stands there as a chip, and can be
// undone.

import type { Context } from "./context";
import { day } from "./dates";
import { button, element } from "./dom";
import { inWords } from "./filters_view";
import type { TurnEvents } from "./turn";
import type { Filters, Period, SearchResultsEvent } from "./types";

export type Found = Pick<SearchResultsEvent, "resolved_query" | "understood_period" | "search_results">;

export function understood(context: Context, question: string, found: Found, filters: Filters, events: TurnEvents): HTMLElement[] {
  const { strings } = context.language;
  const chips: HTMLElement[] = [];
  const query = found.resolved_query;
  if (query && plain(query) !== plain(question)) {
    const edit = button(strings.edit, () => events.edit(query), { class: "plain", attributes: { "aria-label": `${strings.edit}: ${query}` } });
    chips.push(element("span", { class: "quiet", attributes: { dir: "auto" } }, element("span", { class: "resolved" }, strings.understoodAs(query)), " ", edit));
  }
  if (found.understood_period) chips.push(period(context, question, found.understood_period, events));
  const title = found.search_results.find((one) => filters.article_ids?.includes(one.article_id))?.title ?? "";
  for (const [name, rest] of inWords(filters, context.language, title)) {
    chips.push(chip(context, name, { part: "filter" }, () => events.narrow(question, rest, title)));
  }
  return chips;
}

/** The period a question was narrowed to; a click asks without it. */
function period(context: Context, question: string, { start, end, words }: Period, events: TurnEvents): HTMLElement {
  const { locale } = context.language;
  const last = new Date(Date.parse(end) - 1000).toISOString();
  const days = [...new Set([day(start, locale), day(last, locale)])].filter(Boolean).join(" – ");
  const name = start ? days : `… ${days}`;
  const rest = question.replace(words, "").replace(/\s+([?.!,])/g, "$1").replace(/\s+/g, " ").trim();
  if (!words || rest === question || !rest) return element("span", { class: "narrowed" }, name);
  return chip(context, name, { part: "period" }, () => events.ask(rest));
}

function chip(context: Context, name: string, about: { part: string }, act: () => void): HTMLElement {
  return button(`${name} ✕`, act, { class: "narrowed", ...about, attributes: { "aria-label": context.language.strings.without(name), dir: "auto" } });
}

/** A question as it is compared with others. */
export function plain(text: string): string {
  return text.trim().replace(/\s+/g, " ").toLowerCase();
}
