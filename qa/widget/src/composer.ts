// Where a question is written; while one is being answered, the button stops it.

import { button, element, refill, relabel } from "./dom";
import { FiltersView } from "./filters_view";
import type { Language, Strings } from "./strings";

/** What the service takes (`Question.question`). */
const QUESTION_CHARACTERS = 2000;

export interface ComposerEvents {
  /** `replaced`: the answer in whose place it is asked. */
  submit(question: string, replaced: string): void;
  search(question: string): void;
  stop(): void;
  /** From an empty box up to the answer. */
  up(): void;
}

export class Composer {
  readonly element: HTMLElement;
  readonly filters: FiltersView;
  readonly #area: HTMLTextAreaElement;
  readonly #action: HTMLButtonElement;
  /** Pressed: passages are wanted, no answer. */
  readonly #only: HTMLButtonElement;
  readonly #offline: HTMLElement;
  /** Says what the question will stand in place of; a click lets that be. */
  readonly #instead = element("div", {});
  #replaced = "";
  readonly #strings: Strings;
  #busy = false;
  /** Called when the filters are others than before. */
  narrowed: () => void = () => undefined;

  constructor(
    language: Language,
    private readonly events: ComposerEvents,
    private readonly options: { placeholder: string; note: string; sources: () => Promise<string[]> },
  ) {
    const { strings } = language;
    this.#strings = strings;
    this.filters = new FiltersView(language, options.sources, () => this.narrowed());
    this.#area = element("textarea", {
      part: "input",
      rows: "1",
      dir: "auto",
      "aria-label": strings.question,
      placeholder: options.placeholder,
      maxlength: String(QUESTION_CHARACTERS),
      enterkeyhint: "send",
    });
    this.#action = element("button", { class: "strong ask", part: "ask", type: "submit" }, strings.ask);
    const properties = { class: "quiet-button", part: "search-only", "aria-pressed": "false" };
    this.#only = button(strings.searchOnly, () => this.#flip(), properties);
    this.#offline = element("p", { class: "offline", hidden: "" }, strings.offline);
    const form = element(
      "form",
      { class: "composer", part: "composer", submit: (event) => this.#submitted(event) },
      element(
        "div",
        "composer-inner",
        this.#offline,
        this.#instead,
        this.filters.chips,
        element("div", "field", this.#area, this.#action),
        element("div", "row", this.filters.toggle, this.#only, element("p", "quiet note", options.note)),
        this.filters.element,
      ),
    );
    this.#area.addEventListener("keydown", (event) => this.#key(event, form));
    this.element = form;
  }

  focus(): void {
    this.#area.focus({ preventScroll: true });
  }

  /** Put a question there to be changed; `replaced`: the answer that goes, with what follows, when it is asked. */
  edit(question: string, replaced = ""): void {
    this.#answers(); // only a question takes the place of another
    this.#put(question, replaced);
    this.focus();
  }

  clear(): void {
    this.#put("");
  }

  /** As it was at first. */
  reset(): void {
    this.clear();
    this.#answers();
    this.filters.reset();
  }

  #answers(): void {
    if (this.#searches) this.#flip();
  }

  #put(question: string, replaced = ""): void {
    this.#area.value = question;
    this.#replaced = replaced;
    const properties = { class: "narrowed", part: "replaces" };
    const keep = (): void => this.edit(this.#area.value);
    refill(this.#instead, replaced ? button(`${this.#strings.replaces(question)} ✕`, keep, properties) : null);
  }

  /** What an edited question takes the place of, in words. */
  get replaces(): string {
    return this.#instead.textContent;
  }

  setBusy(busy: boolean): void {
    this.#busy = busy;
    relabel(this.#action, busy ? this.#strings.stop : this.#searches ? this.#strings.search : this.#strings.ask);
    this.#action.part.toggle("stop", busy);
    this.#action.classList.toggle("stopping", busy);
  }

  setOnline(online: boolean): void {
    this.#offline.hidden = online;
  }

  get #searches(): boolean {
    return this.#only.ariaPressed === "true";
  }

  #flip(): void {
    this.#only.ariaPressed = String(!this.#searches);
    this.#area.placeholder = this.#searches ? this.#strings.search : this.options.placeholder;
    this.setBusy(this.#busy);
  }

  #key(event: KeyboardEvent, form: HTMLFormElement): void {
    if (event.key === "ArrowUp" && !this.#area.value) this.events.up();
    // Enter that ends the writing of a word in an input method is not for us.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    if (!this.#busy) form.requestSubmit();
  }

  #submitted(event: Event): void {
    event.preventDefault();
    if (this.#busy) {
      this.events.stop();
      return;
    }
    const question = this.#area.value.trim();
    if (!question) return;
    if (matchMedia("(max-width: 36em)").matches) this.filters.fold();
    const replaced = this.#replaced;
    this.clear();
    if (this.#searches) this.events.search(question);
    else this.events.submit(question, replaced);
  }
}
