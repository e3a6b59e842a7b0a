// Who published an article, and when, as far as that is known.

import { age, day } from "./dates";
import { element } from "./dom";
import type { Language } from "./strings";

/** The same as text, without how long ago that was. */
export function signed({ strings, locale }: Language, about: { source: string; published_at: string | null }): string {
  return [about.source, day(about.published_at, locale)].filter(Boolean).join(", ") || strings.unsigned;
}

export function byline(
  { strings, locale }: Language,
  about: { source: string; published_at: string | null },
  name = "byline",
): HTMLElement {
  const whole = (text: string): HTMLElement | "" => text && element("span", "unbroken", text);
  const date = whole(day(about.published_at, locale));
  const source = about.source ? [element("bdi", {}, about.source)] : [];
  const since = whole(age(about.published_at, locale));
  // No line begins with the dot.
  const dot = (): HTMLElement => element("span", "dot", "\u00a0· ");
  const known = [...source, ...(source.length && date ? [dot()] : []), date, ...(since ? [dot(), since] : [])];
  return element("p", { class: name }, ...(source.length || date ? known : [strings.unsigned]));
}
