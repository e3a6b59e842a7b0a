// The card of a citation: the quoted words, their source and date, on hover, focus or tap.

import { byline } from "./byline";
import { whole } from "./datelines";
import { button, element, refill, sourceLink } from "./dom";
import type { Language } from "./strings";
import type { Citation, Origin } from "./types";

const OPEN_MS = 120;
const CLOSE_MS = 250;
const GAP = 6;
/** Pixels: no card is higher ... */
const MOST = 416;
/** ... and none has to scroll in less, even if it covers its chip. */
const LEAST = 180;

export interface CardSubject {
  citation: Citation;
  number: number;
  /** Whose words the sentence is in. */
  origin?: Origin | undefined;
  /** The words before and behind it. */
  around(): [string, string];
  /** What speaks against its source. */
  doubt(): HTMLElement | null;
  open(opener: HTMLElement): void;
}

/** One card for all chips; it stands right behind its chip in the document, so that Tab leads into it. */
export class Card {
  readonly #body = element("div", {
    class: "card",
    part: "card",
    popover: "manual", role: "group", id: "card",
  });
  #chip: HTMLButtonElement | null = null;
  #timer = 0;
  #wasOpen = false;
  #byTouch = false;
  #returning = false;
  /** Called when it has come or gone. */
  changed: () => void = () => undefined;

  constructor(private readonly speech: Language) {
    this.#body.addEventListener("pointerenter", () => clearTimeout(this.#timer));
    this.#body.addEventListener("pointerleave", () => this.#closeSoon());
    this.#body.addEventListener("focusout", (event) => this.#left(event));
  }

  get isOpen(): boolean {
    return this.#chip !== null;
  }

  /** Give a chip its card. */
  attach(chip: HTMLButtonElement, subject: CardSubject): void {
    const on = <K extends keyof HTMLElementEventMap>(type: K, act: (event: HTMLElementEventMap[K]) => void): void =>
      chip.addEventListener(type, act);
    on("pointerenter", (event) => {
      if (event.pointerType === "mouse") this.#after(OPEN_MS, () => this.#open(chip, subject));
    });
    on("pointerleave", (event) => {
      if (event.pointerType === "mouse") this.#closeSoon();
    });
    on("pointerdown", (event) => {
      this.#byTouch = event.pointerType !== "mouse";
      this.#wasOpen = this.#chip === chip;
    });
    on("focus", () => {
      if (!this.#returning) this.#open(chip, subject);
    });
    on("focusout", (event) => this.#left(event));
    on("click", (event) => {
      // The first tap shows the card; a click or Enter goes straight to the article.
      if (this.#byTouch && !this.#wasOpen && event.detail > 0) this.#open(chip, subject);
      else subject.open(chip);
    });
  }

  /** Take the card away; gives whether there was one. */
  close(): boolean {
    clearTimeout(this.#timer);
    const chip = this.#chip;
    if (!chip) return false;
    const focused = this.#body.contains((chip.getRootNode() as ShadowRoot).activeElement);
    this.#chip = null;
    chip.removeAttribute("aria-describedby");
    if (focused) this.giveBack(chip);
    this.#body.remove();
    this.changed();
    return true;
  }

  /** Give the focus back to where it came from; a chip that gets it so does not show its card again. */
  giveBack(element: HTMLElement): void {
    this.#returning = true;
    element.focus({ preventScroll: true });
    this.#returning = false;
  }

  /** Keep the card at its chip when something scrolls, as long as that is in sight. */
  readonly follow = (): void => {
    const at = this.#chip?.getBoundingClientRect();
    if (at && (at.bottom < 0 || at.top > window.innerHeight)) this.close();
    else if (this.#chip) this.#place(this.#chip);
  };

  #open(chip: HTMLButtonElement, subject: CardSubject): void {
    clearTimeout(this.#timer);
    if (this.#chip === chip) return;
    this.close();
    this.#chip = chip;
    this.#fill(chip, subject);
    chip.after(this.#body);
    chip.setAttribute("aria-describedby", "card-words");
    this.#body.showPopover();
    this.#place(chip);
    this.changed();
  }

  #fill(chip: HTMLElement, { citation, number, origin, around, doubt, open }: CardSubject): void {
    const { strings } = this.speech;
    const source = citation.source || strings.unnamed;
    const actions = element(
      "p",
      "card-actions",
      button(strings.openArticle, () => open(chip), { class: "plain", part: "card-open" }),
      sourceLink(citation.url, strings.original(source)),
    );
    this.#body.setAttribute("aria-label", strings.sourceNumber(number, source));
    const [before, behind] = around().map((text) => text && element("span", "around", text.replace(/\s+/g, " ")));
    const words = element("mark", { class: "sourceline-quote", id: "card-words" }, ...whole(citation.cited_text));
    refill(
      this.#body,
      byline(this.speech, citation, "card-source"),
      element("p", { class: "card-title", dir: "auto" }, citation.title),
      doubt(),
      element("blockquote", { class: "card-words", dir: "auto" }, before || null, words, behind || null),
      origin ? element("p", { class: "card-origin", part: "origin" }, strings.origin[origin]) : null,
      actions,
    );
  }

  #place(chip: HTMLElement): void {
    const at = chip.getBoundingClientRect();
    const wide = document.documentElement.clientWidth;
    const high = window.innerHeight;
    const free = Math.max(at.top, high - at.bottom) - 2 * GAP;
    const most = Math.min(MOST, Math.max(LEAST, free));
    const { style, offsetWidth: width, scrollHeight } = this.#body;
    const height = Math.min(most, scrollHeight + 2);
    const below = at.bottom + GAP + height <= high || at.top < high - at.bottom;
    const top = below ? at.bottom + GAP : at.top - GAP - height;
    const left = Math.min(Math.max(GAP, at.left + at.width / 2 - width / 2), Math.max(GAP, wide - width - GAP));
    style.maxHeight = `${most}px`;
    style.left = `${left}px`;
    style.top = `${Math.max(GAP, Math.min(top, high - GAP - height))}px`;
  }

  #left(event: FocusEvent): void {
    const to = event.relatedTarget;
    if (to instanceof Node && (this.#body.contains(to) || to === this.#chip)) return;
    if (to || !this.#body.matches(":hover")) this.close();
  }

  #closeSoon(): void {
    this.#after(CLOSE_MS, () => {
      const focused = (this.#chip?.getRootNode() as ShadowRoot | undefined)?.activeElement ?? null;
      if (this.#chip && focused !== this.#chip && !this.#body.contains(focused)) this.close();
    });
  }

  #after(milliseconds: number, act: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(act, milliseconds);
  }
}
