// The one place where nodes are made. Text goes in as text nodes; no string is ever read as markup.

export type Child = Node | string | null;

export interface Properties {
  class?: string;
  /** Name for `::part()`. */
  part?: string;
  attributes?: Record<string, string>;
  on?: Record<string, (event: Event) => void>;
}

/** An element; strings among its children become text. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (properties.class) made.className = properties.class;
  if (properties.part) made.setAttribute("part", properties.part);
  for (const [name, value] of Object.entries(properties.attributes ?? {})) made.setAttribute(name, value);
  for (const [type, listener] of Object.entries(properties.on ?? {})) made.addEventListener(type, listener);
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** A button that acts on click. */
export function button(label: string, act: (event: Event) => void, properties: Properties = {}): HTMLButtonElement {
  const { attributes, on, ...others } = properties;
  return element("button", { ...others, attributes: { type: "button", ...attributes }, on: { ...on, click: act } }, label);
}

/** Say something else on a button, which gets no narrower: what stands beside it stays where it is. */
export function relabel(one: HTMLElement, label: string): void {
  one.style.minInlineSize = `${one.offsetWidth}px`;
  one.textContent = label;
}

/** Scheme, host without user or escapes, and a rest without spaces. */
const WEB = /^https?:\/\/[^\s\\/?#%@]+([/?#][^\s\\]*)?$/i;

/** The address where it is a plain web address, else null: `javascript:`, `data:` and the like never become links. */
export function webAddress(url: string | null): string | null {
  if (!url || !WEB.test(url)) return null;
  try {
    return new URL(url).href;
  } catch {
    return null;
  }
}

/** A link to the source's own page, followed only when the reader clicks it. */
export function sourceLink(url: string | null, label: string): HTMLAnchorElement | null {
  const address = webAddress(url);
  if (!address) return null;
  const attributes = { href: address, target: "_blank", rel: "noopener noreferrer nofollow", referrerpolicy: "no-referrer" };
  return element("a", { class: "outward", part: "source-link", attributes }, label);
}

/** Put other children in place of those an element has. */
export function refill(parent: Element, ...children: Child[]): void {
  parent.replaceChildren(...children.filter((child) => child !== null));
}
