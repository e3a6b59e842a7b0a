// The page for whoever runs the service: asks for a key where one is needed, then shows the view that the address names.

import { forget, keep, key, Problem, read } from "/admin/api.js";
import { answer } from "/admin/answer.js";
import { article, find } from "/admin/article.js";
import { field, h } from "/admin/dom.js";
import { articles, job, jobs, keys, questions, reviews, source } from "/admin/views.js";

const VIEWS = { questions, articles, source, find, article, jobs, job, reviews, keys, answer };
const PARENTS = { source: "articles", find: "articles", article: "articles", job: "jobs", answer: "questions" };

const main = document.getElementById("main");
const nav = document.getElementById("views");
const leave = document.getElementById("leave");
const state = document.getElementById("state");
let shown = 0;

/** The view and its parameters: `#/answer?id=…`. */
function address() {
  const [name, query] = location.hash.replace(/^#\/?/, "").split("?");
  return [Object.hasOwn(VIEWS, name) ? name : "questions", Object.fromEntries(new URLSearchParams(query))];
}

/** Show what is there now; a view that was left meanwhile is not shown. */
async function show({ quietly = false } = {}) {
  const [name, parameters] = address();
  const mine = ++shown;
  for (const link of nav.children) {
    const current = link.hash === `#/${PARENTS[name] ?? name}`;
    if (current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (!quietly) state.textContent = "Loading";
  try {
    const made = await VIEWS[name](parameters, { again: () => mine === shown && show({ quietly: true }), say });
    if (mine !== shown) return;
    main.replaceChildren(...made);
  } catch (error) {
    if (mine !== shown) return;
    if (error instanceof Problem && [401, 403].includes(error.status)) return enter(refusal(error));
    if (!(error instanceof Problem)) throw error;
    main.replaceChildren(h("h2", { tabindex: "-1" }, "This cannot be shown"), h("p", { class: "trouble" }, error.message));
  }
  const title = main.querySelector("h2");
  document.title = `${title.textContent} – Sourceline administration`;
  if (quietly) return;
  state.textContent = title.textContent;
  title.focus();
}

function say(text) {
  state.textContent = "";
  state.textContent = text;
}

const refusal = (error) => {
  if (!key()) return "";
  return error.status === 403 ? `This key does not open this page: ${error.message}` : "This is not a key of this service.";
};

/** Ask for a key. */
function enter(trouble = "") {
  nav.hidden = leave.hidden = true;
  const input = h("input", { type: "password", name: "key", autocomplete: "off", spellcheck: "false", required: true });
  const submit = async (event) => {
    event.preventDefault();
    keep(input.value.trim());
    await start();
  };
  main.replaceChildren(
    h("h2", { tabindex: "-1" }, "Your key"),
    h("form", { class: "entry", submit },
      field("API key", input, "It stays in this tab, and is gone when you close it."),
      trouble && h("p", { class: "trouble", role: "alert" }, trouble),
      h("button", {}, "Open")));
  document.title = "Your key – Sourceline administration";
  input.focus();
}

/** Find out whether one gets in, then show the view. */
async function start() {
  try {
    const { open } = await read("/api/admin/keys");
    nav.hidden = false;
    leave.hidden = open;
    await show();
  } catch (error) {
    enter(error.status ? refusal(error) : error.message);
  }
}

leave.addEventListener("click", () => {
  forget();
  shown++;
  enter();
});
addEventListener("hashchange", () => !nav.hidden && show());
start();
