// What holds the chat: a part of the page, a whole page, or a panel that a button opens.

import type { ArticleView } from "./article_view";
import { divider } from "./divider";
import { button, element } from "./dom";
import type { Settings } from "./settings";

export interface FrameContent {
  chat: HTMLElement;
  article: ArticleView;
  /** Buttons of the header. */
  actions: HTMLElement[];
  focus(): void;
}

/** A panel that covers so narrow a window leaves nothing of the page to use: it is modal then. */
export const NARROW = "(max-width: 36em), (max-height: 30em)";

export class Frame {
  /** What belongs into the shadow root. */
  readonly nodes: HTMLElement[];
  private readonly dialog: HTMLDialogElement | null;
  private readonly launcher: HTMLButtonElement | null;
  private readonly resized: ResizeObserver;
  private opener: HTMLElement | null = null;
  private readonly labels: { open: string; close: string };

  constructor(
    settings: Settings,
    private readonly content: FrameContent,
    private readonly told: (name: "open" | "close") => void,
  ) {
    const { strings, direction, locale, mode, title } = settings;
    const panel = mode === "launcher";
    const closing = panel ? [button(strings.close, () => this.close(), { class: "quiet-button close", part: "close" })] : [];
    const heading = element(mode === "page" ? "h1" : "h2", { class: "title", part: "title", id: "title" }, title);
    const slot = element("slot", { name: "links" });
    const around = { dir: direction, lang: locale, "aria-labelledby": "title" };
    const line = divider(strings.resize);
    const columns = element("div", "columns", content.chat, line, content.article.element);
    const frame = element(
      panel ? "dialog" : mode === "page" ? "main" : "section",
      { class: `root ${mode}`, part: "panel", ...around },
      element("div", { class: "bar", part: "header" }, heading, element("div", "row", slot, ...content.actions, ...closing)),
      columns,
    );
    this.dialog = frame instanceof HTMLDialogElement ? frame : null;
    this.labels = { open: settings.launcher, close: strings.close };
    this.launcher = this.dialog && !settings.opener ? this.launch(settings.launcher, around) : null;
    this.nodes = this.launcher ? [this.launcher, frame] : [frame];
    this.resized = new ResizeObserver(() => this.fit());
    this.resized.observe(frame);
    this.dialog?.addEventListener("close", () => this.closed());
  }

  /** Put the launcher above whatever the page does to its own elements; called when it stands in the page. */
  show(): void {
    this.launcher?.showPopover();
  }

  open(): void {
    if (!this.dialog || this.isOpen) return;
    // Whoever opened it gets the focus back: a button of the page's own, too.
    this.opener = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    if (matchMedia(NARROW).matches) {
      this.dialog.popover = null;
      this.dialog.showModal();
    } else {
      this.dialog.popover = "manual";
      this.dialog.showPopover();
    }
    this.mark(true);
    this.content.focus();
    this.told("open");
  }

  /** Close the panel; gives whether one was open. */
  close(): boolean {
    if (!this.dialog || !this.isOpen) return false;
    if (this.dialog.open) {
      this.dialog.close(); // its event does the rest
    } else {
      this.dialog.hidePopover();
      this.closed();
    }
    return true;
  }

  /** Whether it hides the page. */
  get isOver(): boolean {
    return Boolean(this.dialog?.open);
  }

  private get isOpen(): boolean {
    return Boolean(this.dialog && (this.dialog.open || this.dialog.matches(":popover-open")));
  }

  /** An article over the chat takes its place; beside it, both can be used. */
  fit(): void {
    const { chat, article } = this.content;
    const over = article.isOpen && getComputedStyle(article.element).position === "absolute";
    const opens = over && !chat.inert;
    chat.inert = over;
    Object.assign(article.element, over ? { role: "dialog", ariaModal: "true" } : { role: null, ariaModal: null });
    if (over) {
      // Where the window gets narrow, what had the focus is out of reach, and Escape with it. The line between the two
      // is gone from the page by now: nothing has the focus then, which may not stay so either.
      const focused = (article.element.getRootNode() as ShadowRoot).activeElement;
      if (focused ? !article.element.contains(focused) : opens && document.activeElement === document.body) article.focus();
    }
  }

  remove(): void {
    this.resized.disconnect();
  }

  private launch(label: string, around: Record<string, string>): HTMLButtonElement {
    const { dir = "ltr", lang = "en" } = around;
    const properties = { class: "launcher", part: "launcher", dir, lang, popover: "manual", "aria-expanded": "false", "aria-haspopup": "dialog" };
    return button(label, () => (this.isOpen ? this.close() : this.open()), properties);
  }

  /** The launcher says what it does next. */
  private mark(open: boolean): void {
    if (this.launcher) Object.assign(this.launcher, { ariaExpanded: open, textContent: open ? this.labels.close : this.labels.open });
  }

  private closed(): void {
    this.mark(false);
    (this.launcher ?? this.opener)?.focus();
    this.told("close");
  }
}
