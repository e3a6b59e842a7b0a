// Narrowing what may be cited: one source, a period.

import { dayAfter } from "./dates";
import { button, element } from "./dom";
import type { Strings } from "./strings";
import type { Filters } from "./types";

export class FiltersView {
  readonly element: HTMLElement;
  readonly toggle: HTMLButtonElement;
  private readonly source = element("select", {});
  private readonly from = element("input", { attributes: { type: "date" } });
  private readonly to = element("input", { attributes: { type: "date" } });
  private asked = false;

  constructor(
    private readonly strings: Strings,
    /** The sources to choose among; asked when the reader first opens the filters. */
    private readonly sources: () => Promise<string[]>,
  ) {
    this.source.append(element("option", { attributes: { value: "" } }, strings.allSources));
    this.element = element(
      "div",
      { class: "filters", part: "filters", attributes: { id: "filters", hidden: "" } },
      element("label", {}, strings.source, this.source),
      element("label", {}, strings.from, this.from),
      element("label", {}, strings.to, this.to),
      button(strings.clear, () => this.clear(), { class: "quiet-button" }),
    );
    this.element.addEventListener("change", () => this.label());
    const attributes = { "aria-expanded": "false", "aria-controls": "filters" };
    this.toggle = button(strings.filters, () => this.flip(), { class: "quiet-button", part: "filters-toggle", attributes });
  }

  /** Undefined where nothing is narrowed. */
  value(): Filters | undefined {
    const found: Filters = {};
    if (this.source.value) found.source = [this.source.value];
    if (this.from.value) found.published_after = this.from.value;
    if (this.to.value) found.published_before = dayAfter(this.to.value);
    return Object.keys(found).length ? found : undefined;
  }

  /** Offer further sources: those of articles that were found. */
  offer(sources: readonly string[]): void {
    const known = new Set([...this.source.options].map((option) => option.value));
    for (const name of sources) {
      if (name && !known.has(name)) this.source.append(element("option", { attributes: { value: name } }, name));
      known.add(name);
    }
  }

  private flip(): void {
    this.element.hidden = !this.element.hidden;
    this.toggle.setAttribute("aria-expanded", String(!this.element.hidden));
    if (this.asked) return;
    this.asked = true;
    this.sources()
      .then((names) => this.offer(names))
      .catch(() => undefined); // Without a list there are still the sources of what was found.
  }

  private clear(): void {
    this.source.value = this.from.value = this.to.value = "";
    this.label();
  }

  private label(): void {
    const count = [this.source.value, this.from.value, this.to.value].filter(Boolean).length;
    this.toggle.textContent = count ? `${this.strings.filters} (${count})` : this.strings.filters;
  }
}
