// Finding an article, and one article: its text, its copies, and what readers are to see of them.

import { read, write } from "/admin/api.js";
import { choice, count, day, field, h, table } from "/admin/dom.js";
import { finder, link, shownTo, title } from "/admin/views.js";

const STATES = [["usable", "See it"], ["withheld", "Do not see it for now (withheld)"], ["canceled", "Do not see it any more (canceled)"]];
const HEAD = ["Title", "Source", "Published", "Collection", "Readers"];
const LIFTED_MILLISECONDS = 86_400_000; // a time that has passed, also where this clock is wrong by hours

const row = (one) => [link("article", { id: one.id }, h("bdi", {}, one.title || one.id)), one.source, day(one.published_at, "undated"), one.collection, shownTo(one)];
const isShown = (one) => one.status === "usable" && !embargo(one);
const embargo = (one) => (one.embargoed_until && new Date(one.embargoed_until) > new Date() ? one.embargoed_until : "");

export async function find({ text = "" }) {
  const { articles } = text.trim() ? await read("/api/admin/articles", { find: text }) : { articles: [] };
  return [
    title("Articles found"),
    h("p", {}, h("a", { href: "#/articles" }, "All sources")),
    finder(text),
    articles.length ? table("Articles found, the likeliest first", HEAD, articles.map(row)) : h("p", {}, "No such article."),
  ];
}

export async function article({ id = "" }, { say }) {
  const path = `/api/admin/articles/${encodeURIComponent(id)}`;
  const state = h("div");
  const look = async () => {
    const found = await read(path);
    state.replaceChildren(...states(found));
    return found;
  };
  const found = await look();
  const { article: one } = found;
  const about = [one.source, day(one.published_at, "undated"), one.section, one.collection].filter(Boolean).join(" · ");
  return [
    title(one.title || one.id),
    h("p", {}, h("a", { href: `#/source?${new URLSearchParams({ name: one.source })}` }, one.source ? `All of ${one.source}` : "All that name no source")),
    h("div", { class: "beside" },
      h("div", {},
        h("p", { class: "about" }, about, " · ", h("code", {}, one.id)),
        one.url ? h("p", {}, h("a", { href: one.url, rel: "noopener noreferrer" }, one.url)) : null,
        state,
        h("h3", {}, "Its text"),
        h("div", { class: "around", tabindex: "0", role: "region", "aria-label": "Its text" }, h("p", { dir: "auto", lang: one.language }, one.text))),
      h("section", { class: "sheet", "aria-labelledby": "sheet" }, rights(found, look, say))),
  ];
}

/** Who sees the article now, and where else its story is held. */
function states({ article: one, copies }) {
  return [
    h("p", { class: "state" }, "Readers: ", shownTo(one)),
    h("h3", {}, "Copies"),
    copies.length ? table("Copies", HEAD, copies.map(row)) : h("p", {}, "No other article has its text or its page."),
  ];
}

/** What is to be said of an article, as the service takes it; null where nothing would change. */
function statement({ article: one, copies }, { status, until, speaks }) {
  const others = speaks ? copies : [];
  const now = embargo(one).slice(0, 16);
  const said = {};
  if (status !== one.status || others.some((copy) => status !== "usable" && copy.status !== status)) said.status = status;
  if (until !== now || others.some((copy) => until && embargo(copy).slice(0, 16) !== until)) said.embargoed_until = until === now ? embargo(one) : until ? `${until}:00Z` : passed();
  return Object.keys(said).length ? { id: one.id, collection: one.collection, copies: others.length > 0, ...said } : null;
}

const passed = () => new Date(Date.now() - LIFTED_MILLISECONDS).toISOString();

/** What became of it, in a sentence. */
function outcome({ article: one, copies }) {
  const shown = copies.filter(isShown).length;
  const hidden = copies.length - shown;
  const others = [shown && `${count(shown, "copy is", "copies are")} shown`, hidden && `${count(hidden, "copy is", "copies are")} not shown`].filter(Boolean).join(", ");
  return [`Saved. Readers ${isShown(one) ? "see the article" : "do not see the article"}`, others].filter(Boolean).join("; ") + ".";
}

/** The form that says what readers are to see. */
function rights(found, look, say) {
  const { article: one, copies } = found;
  const until = h("input", { type: "datetime-local", name: "until", value: embargo(one).slice(0, 16) });
  const speaks = h("input", { type: "checkbox", name: "copies", checked: isShown(one) });
  const told = h("p", { class: "told" });
  let held = found;
  let before = Promise.resolve();
  const submit = (event) => {
    event.preventDefault();
    told.classList.remove("trouble");
    told.textContent = "Saving";
    const wanted = { status: event.target.elements.namedItem("status").value, until: until.value, speaks: copies.length > 0 && speaks.checked };
    before = before.then(() => save(wanted)); // one after the other: what changes is known only when the one before has ended
  };
  const save = async (wanted) => {
    try {
      const said = statement(held, wanted);
      const { rejected } = said ? await write("/api/articles", said) : { rejected: [] };
      held = await look();
      told.textContent = [said ? outcome(held) : "Nothing has been changed.", ...rejected.map((one) => one.detail)].join(" ");
    } catch (error) {
      told.textContent = `Not changed: ${error.message}`;
      told.classList.add("trouble");
    }
    say(told.textContent);
  };
  return h("form", { submit },
    h("h3", { id: "sheet" }, "What readers see"),
    choice("Readers", "status", STATES, one.status),
    field("Embargo until (UTC)", until, "Empty: there is none. Before this time nobody sees it"),
    copies.length ? h("label", { class: "option" }, speaks, h("span", {}, `Also of its ${count(copies.length, "copy", "copies")}: ${copies.map((copy) => copy.id).join(", ")}`)) : null,
    h("p", {}, h("button", {}, "Save")), told);
}
