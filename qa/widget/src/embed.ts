// The script that a page includes. One tag is enough: <script src="https://…/widget.js" data-mode="launcher"></script>

import { origin, SourcelineChat } from "./chat";
import { ATTRIBUTES } from "./settings";

const NAME = "sourceline-chat";

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

function start(): void {
  const script = document.currentScript instanceof HTMLScriptElement ? document.currentScript : null;
  if (script?.src) origin.endpoint ||= new URL(script.src).origin;
  if (!customElements.get(NAME)) customElements.define(NAME, SourcelineChat);
  if (script) create(script);
}

start();
