// The one place where nodes are made. Text goes in as text nodes; no string is ever read as markup.

const SVG = "http://www.w3.org/2000/svg";

/** Set attributes and children; null and false are left out, functions listen. */
function fill(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

/** An element; strings among its children become text. */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for a drawing. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** A table that scrolls by itself where it is too wide; cells are strings or nodes, the first of a row names it. */
export function table(caption, head, rows) {
  const body = rows.map((cells) => h("tr", {}, h("th", { scope: "row" }, cells[0]), cells.slice(1).map((cell) => h("td", {}, cell))));
  return h("div", { class: "wide", role: "region", "aria-label": caption, tabindex: "0" },
    h("table", {},
      h("caption", { class: "unseen" }, caption),
      h("thead", {}, h("tr", {}, head.map((cell) => h("th", { scope: "col" }, cell)))),
      h("tbody", {}, body)));
}

/** A field with its label above it. */
export function field(label, input, hint = null) {
  return h("label", {}, h("span", {}, label), hint && h("small", {}, hint), input);
}

/** Radio buttons under one question. */
export function choice(legend, name, options, chosen, hint = null) {
  const buttons = options.map(([value, label]) => h("label", { class: "option" },
    h("input", { type: "radio", name, value, checked: value === chosen }), label));
  return h("fieldset", {}, h("legend", {}, legend), hint && h("p", { class: "hint" }, hint), h("div", { class: "options" }, buttons));
}

/** A list to choose from. */
export function select(options, chosen, attributes = {}) {
  return h("select", attributes, options.map(([value, label]) => h("option", { value, selected: value === chosen }, label)));
}

const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });
const SHORT_DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" });
const NUMBER = new Intl.NumberFormat();

/** A moment in UTC, for people and for programs. */
export function moment(stamp, absent = "never") {
  return stamp ? h("time", { datetime: stamp }, MOMENT.format(new Date(stamp))) : absent;
}

export const day = (stamp, absent = "") => (stamp ? DAY.format(new Date(`${stamp.slice(0, 10)}T00:00:00Z`)) : absent);
export const shortDay = (stamp) => SHORT_DAY.format(new Date(`${stamp}T00:00:00Z`));
export const number = (value) => NUMBER.format(value);
export const count = (value, one, many) => `${number(value)} ${value === 1 ? one : many}`;
