// The line between chat and article, which is moved with the pointer or the arrow keys; the width is remembered.

import { arrow, element, onwards } from "./dom";
import { read, write } from "./history";

const KEY = "sourceline:pane";
/** Per cent of the width that the article can take. */
const LEAST = 25;
const MOST = 75;
const STEP = 5;

export function divider(label: string): HTMLElement {
  const properties = { class: "divider", part: "divider", role: "separator", tabindex: "0", "aria-label": label, "aria-orientation": "vertical" };
  const range = { "aria-valuemin": String(LEAST), "aria-valuemax": String(MOST) };
  const made = element("div", { ...properties, ...range });
  let width = Number(read(KEY)) || 50;
  const set = (wanted: number): void => {
    width = Math.min(MOST, Math.max(LEAST, Math.round(wanted)));
    made.setAttribute("aria-valuenow", String(width));
    made.parentElement?.style.setProperty("--pane", String(width));
  };
  made.addEventListener("pointerdown", (event) => {
    made.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  made.addEventListener("pointermove", (event) => {
    if (!made.hasPointerCapture(event.pointerId)) return;
    const { left, right, width: all } = (made.parentElement ?? made).getBoundingClientRect();
    set(((onwards(1, made) < 0 ? event.clientX - left : right - event.clientX) / all) * 100);
  });
  made.addEventListener("pointerup", () => write(KEY, String(width)));
  made.addEventListener("keydown", (event) => {
    const by = onwards(arrow(event), made);
    if (!by) return;
    event.preventDefault();
    set(width - by * STEP);
    write(KEY, String(width));
  });
  queueMicrotask(() => set(width));
  return made;
}
