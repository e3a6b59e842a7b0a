// The one place where nodes are made. Text goes in as text nodes; no string is ever read as markup.

export type Child = Node | string | null;

/** Attributes; what hears an event, under the event's name. */
export type Properties = Record<string, string | ((event: Event) => void)>;

/** An element, with a class alone or more; strings among its children become text. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties | string = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(typeof properties === "string" ? { class: properties } : properties)) {
    if (typeof value === "string") made.setAttribute(name, value);
    else made.addEventListener(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** A button that acts on click. */
export function button(label: string, act: (event: Event) => void, properties: Properties = {}): HTMLButtonElement {
  return element("button", { type: "button", ...properties, click: act }, label);
}

/** Say something else on a button, which gets no narrower: what stands beside it stays where it is. */
export function relabel(one: HTMLElement, label: string): void {
  one.style.minInlineSize = `${one.offsetWidth}px`;
  one.textContent = label;
}

/** To which side an arrow key points: 1 is right, -1 left; 0 with another key, such as Alt, which is the browser's way back. */
export function arrow(event: KeyboardEvent): number {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return 0;
  return Number(event.key === "ArrowRight") - Number(event.key === "ArrowLeft");
}

/** A step to the right as one onwards in the lines of an element: back, where they begin at the right. */
export function onwards(right: number, at: Element): number {
  return getComputedStyle(at).direction === "rtl" ? -right : right;
}

/** Scheme, host without user or escapes, and a rest without spaces. */
const WEB = /^https?:\/\/[^\s\\/?#%@]+([/?#][^\s\\]*)?$/i;

/** The address where it is a plain web address, else null: `javascript:`, `data:` and the like never become links. */
export function webAddress(url: string | null): string | null {
  return url && WEB.test(url) && URL.canParse(url) ? new URL(url).href : null;
}

/** A link to the source's own page, followed only when the reader clicks it. */
export function sourceLink(url: string | null, label: string): HTMLAnchorElement | null {
  const address = webAddress(url);
  if (!address) return null;
  const properties = { class: "outward", part: "source-link", href: address, target: "_blank", rel: "noopener noreferrer nofollow", referrerpolicy: "no-referrer" };
  return element("a", properties, label);
}

/** Put other children in place of those an element has. */
export function refill(parent: Element, ...children: Child[]): void {
  parent.replaceChildren(...children.filter((child) => child !== null));
}
