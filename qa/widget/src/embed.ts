// The script that a page includes. One tag is enough: <script src="https://…/widget.js" data-mode="launcher"></script>

import { origin, SourcelineChat } from "./chat";
import { ATTRIBUTES } from "./settings";

const NAME = "sourceline-chat";
/** Where a service has this script. Bundled, it has another address, which says nothing of the service. */
const OURS = /\/widget(\/sourceline-chat[^/]*)?\.js$/;

/** Make the element that a script tag asks for; `data-mode="none"` asks for none (the page has its own). */
function create(script: HTMLScriptElement): void {
  const mode = script.dataset["mode"] ?? "launcher";
  if (mode === "none") return;
  const made = document.createElement(NAME);
  made.setAttribute("mode", mode);
  for (const name of ATTRIBUTES) {
    const value = script.getAttribute(`data-${name}`);
    if (value !== null) made.setAttribute(name, value);
  }
  const target = script.dataset["target"];
  const put = (): void => {
    const place = target ? document.querySelector(target) : null;
    if (place) place.append(made);
    else if (mode === "inline" && script.isConnected && script.parentElement !== document.head) script.after(made);
    else document.body.append(made);
  };
  // A tag in the head, or above its target, runs before the place it names is there.
  const early = !document.body || (target && document.readyState === "loading" && !document.querySelector(target));
  if (early) document.addEventListener("DOMContentLoaded", put, { once: true });
  else put();
}

function isOurs(script: HTMLScriptElement): boolean {
  return Boolean(script.src) && OURS.test(new URL(script.src).pathname);
}

/** The tags that this script may come from: the one that runs, or those of its like where that is not said (a module). */
function tags(): HTMLScriptElement[] {
  const running = document.currentScript;
  if (running instanceof HTMLScriptElement) return [running];
  return [...document.scripts].filter((one) => (one.type === "module" && isOurs(one)) || one.dataset["endpoint"]);
}

function start(): void {
  const found = tags();
  const served = found.find(isOurs);
  if (served) origin.endpoint ||= new URL(served.src).origin;
  if (!customElements.get(NAME)) customElements.define(NAME, SourcelineChat);
  for (const one of found) create(one);
  // Whoever bundled this sees what is missing, unless the page has its own element.
  if (!found.length && !document.querySelector(NAME)) document.body.append(document.createElement(NAME));
}

start();
