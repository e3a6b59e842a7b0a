// <sourceline-chat>: the element that puts the parts together.

import { ArticleView } from "./article_view";
import { Card } from "./card";
import { Client } from "./client";
import { Composer } from "./composer";
import type { Context } from "./context";
import { Conversation } from "./conversation";
import { button, element } from "./dom";
import { Frame, NARROW } from "./frame";
import { History } from "./history";
import { goalOf, wordsOf } from "./links";
import type { Details, EventName, SourcelineChatElement } from "./public";
import { readSettings, type Origin, type Settings } from "./settings";
import { sheet } from "./styles";
import { Tokens, type TokenProvider } from "./tokens";
import { wayBack } from "./way_back";

/** The service that served this script; set by ./embed.ts and ./module.ts. */
export const origin: Origin = { endpoint: "", words: {} };

export class SourcelineChat extends HTMLElement implements SourcelineChatElement {
  /** Gives a fresh token when the service refuses the old one; set it before the element is put into the page. */
  tokenProvider: TokenProvider | null = null;

  readonly #status = element("div", { class: "unseen", role: "status" });
  #conversation: Conversation | null = null;
  #frame: Frame | null = null;
  #composer: Composer | null = null;
  #leave = new AbortController();
  #ready: () => void = () => undefined;
  /** Whoever asks or opens before the words of a language are there waits for them. */
  readonly #built = new Promise<void>((done) => (this.#ready = done));

  connectedCallback(): void {
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet(), ...this.#accent()];
    this.#leave = new AbortController();
    const { signal } = this.#leave;
    void readSettings(this, origin).then((settings) => {
      if (signal.aborted) return;
      if (typeof settings === "string") this.#lost(root, settings);
      else this.#build(root, settings);
      this.#ready();
    });
  }

  /** The colour of the attribute, as a sheet that the page's own styles go before. */
  #accent(): CSSStyleSheet[] {
    const colour = this.getAttribute("accent") ?? "";
    if (!CSS.supports("color", colour)) return [];
    const own = new CSSStyleSheet();
    own.replaceSync(`:host { --sourceline-accent: ${colour} }`);
    return [own];
  }

  #lost(root: ShadowRoot, why: string): void {
    console.error(why);
    const said = element("p", { class: "problem", part: "problem", role: "alert", "data-kind": "nowhere" }, why);
    root.replaceChildren(element("div", "root inline", said));
  }

  disconnectedCallback(): void {
    this.#leave.abort();
    this.#conversation?.stop();
    this.#frame?.remove();
    this.shadowRoot?.replaceChildren();
  }

  /** Ask a question as if the reader had written it. */
  async ask(question: string): Promise<void> {
    await this.open();
    await this.#conversation?.ask(question);
  }

  async open(): Promise<void> {
    await this.#built;
    this.#frame?.open();
  }

  close(): void {
    this.#frame?.close();
  }

  /** Begin a new conversation. */
  reset(): void {
    this.#conversation?.reset();
  }

  #build(root: ShadowRoot, settings: Settings): void {
    const { strings, locale, direction } = settings;
    if (settings.mode === "page") Object.assign(document.documentElement, { lang: locale, dir: direction });
    const context = this.#context(settings);
    const client = context.client;
    const { card } = context;
    const article = new ArticleView(context, () => {
      frame.fit();
      card.changed();
    });
    const layers = (): number => Number(card.isOpen && matchMedia(NARROW).matches) + Number(article.isOver) + Number(frame.isOver);
    card.changed = wayBack(layers, () => card.close() || article.close() || frame.close(), this.#leave.signal);
    context.show = (request, opener) => {
      context.card.close();
      this.#emit("source", { article_id: request.article_id, title: request.title, url: request.url });
      void article.open(request, opener);
    };
    const events = {
      submit: (question: string, replaced: string) => void conversation.ask(question, "", replaced),
      search: (question: string) => void conversation.search(question),
      stop: () => conversation.stop(),
      up: () => conversation.up(),
    };
    const sources = (): Promise<string[]> => (settings.sources.length ? Promise.resolve(settings.sources) : client.sources());
    const options = { placeholder: settings.placeholder, note: settings.note, sources };
    const composer = new Composer(settings, events, options);
    const kept = new History(settings.endpoint);
    const anew = button(strings.newConversation, () => this.#anew(article), { class: "quiet-button new", part: "new" });
    const conversation = new Conversation(context, kept, composer, settings, (begun) => (anew.hidden = !begun));
    context.askAbout = (request) => {
      article.close();
      composer.filters.about(request);
      composer.focus();
    };
    const chat = element("div", "chat", conversation.element, composer.element);
    // A panel that nobody opens asks nothing of the service.
    let begun = false;
    const begin = (): void => {
      if (begun) return;
      begun = true;
      const goal = goalOf(context.page);
      // What a page is about narrows what it begins with.
      void this.#startWith(settings.article, client, composer).then(() => conversation.begin(goal !== null));
      void this.#goTo(context, article);
      if (context.page && !goal && !kept.id) conversation.ready(true);
    };
    const frame = new Frame(settings, { chat, article, actions: [anew], focus: () => conversation.ready() }, (name) => {
      if (name === "open") begin();
      card.changed();
      this.#emit(name, {});
    });
    this.#conversation = conversation;
    this.#composer = composer;
    this.#frame = frame;
    root.replaceChildren(...frame.nodes, this.#status);
    frame.show();
    this.#listen(root, context.card, article);
    if (settings.mode !== "launcher") begin();
    else if (goalOf(false)) frame.open();
    const arrive = (): void => {
      if (begun) void this.#goTo(context, article);
      else if (goalOf(false)) frame.open();
    };
    window.addEventListener("hashchange", arrive, { signal: this.#leave.signal });
    if (settings.opener) this.#openers(settings.opener);
  }

  /** The page's own buttons open the panel. */
  #openers(selector: string): void {
    const open = (event: Event): void => {
      if (event.target instanceof Element && event.target.closest(selector)) void this.open();
    };
    document.addEventListener("click", open, { signal: this.#leave.signal });
  }

  /** The article that the page is about; where it cannot be had, all are asked. */
  async #startWith(id: string, client: Client, composer: Composer): Promise<void> {
    const found = id ? await client.article(id, "").catch(() => null) : null;
    if (found) composer.filters.beginWith({ article_id: found.id, title: found.title });
  }

  #context(settings: Settings): Context {
    const { endpoint, token, tokenUrl } = settings;
    const tokens = new Tokens({ endpoint, token, tokenUrl, provider: () => this.tokenProvider, keyed: this.hasAttribute("keyed") });
    return {
      ...settings,
      client: new Client(endpoint, tokens),
      card: new Card(settings),
      page: settings.mode === "page",
      show: () => undefined,
      askAbout: () => undefined,
      announce: (message) => (this.#status.textContent = message),
      emit: (name, detail) => this.#emit(name, detail),
    };
  }

  #listen(root: ShadowRoot, card: Card, article: ArticleView): void {
    const { signal } = this.#leave;
    const online = (): void => this.#composer?.setOnline(navigator.onLine);
    for (const type of ["online", "offline"]) window.addEventListener(type, online, { signal });
    window.addEventListener("resize", card.follow, { signal });
    for (const one of [document, root]) one.addEventListener("scroll", card.follow, { signal, capture: true });
    online();
    // Escape takes away one thing at a time, the topmost first.
    const escape = (event: Event): void => {
      if ((event as KeyboardEvent).key !== "Escape" || event.defaultPrevented) return;
      if (card.close() || article.close() || this.#frame?.close()) {
        event.preventDefault();
        event.stopPropagation();
      }
    };
    root.addEventListener("keydown", escape, { signal });
    document.addEventListener("keydown", (event) => this.#shortcut(event), { signal });
    // A card shown on hover alone goes away too, wherever the focus is.
    document.addEventListener("keydown", (event) => event.key === "Escape" && card.close(), { signal });
  }

  /** "/" leads to where a question is written, and Ctrl-K (Cmd-K) opens the panel, too. */
  #shortcut(event: KeyboardEvent): void {
    const writes = event.composedPath().some((one) => one instanceof HTMLElement && (one.isContentEditable || /^(input|textarea|select)$/i.test(one.localName)));
    const slash = event.key === "/" && !writes && this.getAttribute("mode") === "page" && !event.ctrlKey && !event.metaKey && !event.altKey;
    const both = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && this.getAttribute("shortcut") === "ctrl-k";
    if (event.defaultPrevented || !(slash || both)) return;
    event.preventDefault();
    void this.open().then(() => this.#composer?.focus());
  }

  /** Go where the address leads: to a kept answer, to words of an article, or to a question, which is asked once. */
  async #goTo(context: Context, article: ArticleView): Promise<void> {
    const goal = goalOf(context.page);
    if (!goal) return;
    const { href } = location;
    this.reset();
    article.close();
    await this.open();
    if (goal.article || goal.answer) history.replaceState(history.state, "", href); // a reload leads there again
    if (goal.article) await article.open(wordsOf(goal), null);
    else if (goal.answer) await this.#conversation?.passedOn(goal.answer, goal.sig, goal.question);
    else await this.ask(goal.question);
  }

  #anew(article: ArticleView): void {
    article.close();
    this.reset();
    this.#conversation?.ready();
  }

  /** Each event by its name, and all of them as `sourceline-event`, for whoever counts. */
  #emit<Name extends EventName>(name: Name, detail: Details[Name]): void {
    const tell = (type: string, said: object): boolean =>
      this.dispatchEvent(new CustomEvent(`sourceline-${type}`, { bubbles: true, composed: true, detail: said }));
    tell(name, detail);
    tell("event", { name, ...detail });
  }
}
