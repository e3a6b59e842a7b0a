// Lists of what a click leads on to: questions, articles, conversations.

import { button, element, refill } from "./dom";

export function offer(text: string, act: (opener: HTMLElement) => void): HTMLElement {
  const properties = { class: "starter", part: "starter", dir: "auto" };
  return element("li", {}, button(text, (event) => act(event.currentTarget as HTMLElement), properties));
}

/** Fill a place, which is not seen while there is nothing in it. */
export function fill(place: HTMLElement, label: string, items: HTMLElement[]): void {
  place.hidden = !items.length;
  refill(place, element("p", "label", label), element("ul", { role: "list" }, ...items));
}
