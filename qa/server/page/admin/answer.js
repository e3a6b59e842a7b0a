// One answer with its evidence, and the sheet on which an editor reviews it.

import { read, write } from "/admin/api.js";
import { choice, count, day, field, h, moment } from "/admin/dom.js";
import { link, mode } from "/admin/views.js";

const CRITERIA = [
  ["accuracy", "Accuracy", "Is what it says right?"],
  ["sourcing", "Sourcing", "Do the sources say it, and are they the right ones?"],
  ["context", "Context", "Is what one needs to understand it there?"],
  ["fact_and_opinion", "Fact and opinion", "Is opinion told from fact, and whose it is said?"],
  ["fair_representation", "Fair representation", "Is nobody made to say what they did not?"],
];
const FINDINGS = [["no_issue", "No issue"], ["some_issues", "Some"], ["significant_issues", "Significant"], ["", "Not judged"]];
const KNOWN = [["yes", "Yes"], ["no", "No"], ["", "Not known"]];
const ANSWERABLE = { yes: true, no: false, "": null };
const WORDS = ["article_id", "article_version", "start_char_index", "end_char_index"];

const same = (one, other) => WORDS.every((name) => one[name] === other[name]);
const about = (one) => [one.source, day(one.published_at), one.page ? `p. ${one.page}` : ""].filter(Boolean).join(" · ");

export async function answer({ id }, { say }) {
  const found = await read(`/api/admin/answers/${encodeURIComponent(id)}`);
  const said = found.kept?.answer ?? found.feedback ?? found.review;
  const title = h("h2", { tabindex: "-1", dir: "auto" }, said.question);
  const back = h("p", {}, h("a", { href: "#/questions" }, "All questions"));
  if (!found.kept) return [title, back, h("p", { class: "trouble" }, "The answer is not kept, so there is nothing to review."), opinion(found.feedback)].filter(Boolean);
  return [title, back, h("div", { class: "beside" },
    h("div", {}, ...shown(found)),
    h("section", { class: "sheet", "aria-labelledby": "sheet" }, sheet(id, found, say)))];
}

/** The answer as its reader would see it now. */
function shown({ kept, feedback }) {
  const { answer: said } = kept;
  const cited = new Map(said.citations.map((one, place) => [one.id, [place + 1, one]]));
  const sentences = said.claims.length ? said.claims.map((claim) => h("p", { dir: "auto" }, claim.text, " ",
    claim.citation_ids.map((name) => cited.has(name) ? h("button", { type: "button", class: "chip", click: () => reach(name), "aria-label": `Source ${cited.get(name)[0]}` }, String(cited.get(name)[0])) : null),
    claim.verdict === "supported" ? null : h("span", { class: "trouble" }, ` ${claim.verdict.replaceAll("_", " ")}`)))
    : [h("p", { dir: "auto" }, said.answer)];
  return [
    h("p", { class: "about" }, moment(kept.asked_at), ` · ${mode(said)} · support score ${said.support_score.toFixed(2)}`),
    said.resolved_query !== said.question ? h("p", { class: "about" }, "Looked up as: ", h("q", { dir: "auto" }, said.resolved_query)) : null,
    kept.corrected_since ? h("p", { class: "trouble" }, "An article that it quotes has been corrected since.") : null,
    kept.withheld ? h("p", { class: "trouble" }, `${count(kept.withheld, "quotation or passage is", "quotations or passages are")} no longer shown.`) : null,
    h("div", { class: "answer" }, sentences),
    opinion(feedback),
    said.citations.length ? h("h3", {}, "What it cites") : null,
    h("ol", { class: "sources" }, said.citations.map((one) => evidence(one, one.cited_text, one.id))),
    h("h3", {}, "What was found"),
    said.search_results.length ? h("ul", { class: "sources" }, said.search_results.map((one) => evidence(one, one.text, null)))
      : h("p", {}, "Nothing that may be shown."),
  ].filter(Boolean);
}

function reach(name) {
  const source = document.getElementById(`cited-${name}`);
  source.scrollIntoView({ block: "nearest" });
  source.querySelector("button").focus();
}

function opinion(feedback) {
  if (!feedback) return null;
  const why = feedback.reasons.length ? `: ${feedback.reasons.join(", ").replaceAll("_", " ")}` : "";
  return h("p", { class: "opinion" }, `The reader found it ${feedback.verdict === "up" ? "good" : "not good"}${why}. `,
    feedback.comment ? h("q", { dir: "auto" }, feedback.comment) : "");
}

/** Words of an article, and the article around them when it is asked for. */
function evidence(one, words, name) {
  const place = h("div", { class: "around", hidden: true });
  const open = h("button", { type: "button", class: "quiet", "aria-expanded": "false", click: () => around(one, place, open) }, "Read it in the article");
  return h("li", { id: name && `cited-${name}` },
    h("strong", { dir: "auto" }, link("article", { id: one.article_id }, one.title || one.article_id)), h("span", { class: "about" }, ` ${about(one)}`),
    h("blockquote", { dir: "auto" }, words), open, place);
}

async function around(one, place, button) {
  const opening = place.hidden;
  if (opening && !place.childElementCount) {
    try {
      const article = await read(`/api/articles/${encodeURIComponent(one.article_id)}`, { version: one.article_version });
      const letters = [...article.text]; // offsets count code points
      const cut = (start, end) => letters.slice(start, end).join("");
      place.append(h("p", { dir: "auto", lang: article.language }, cut(0, one.start_char_index),
        h("mark", {}, cut(one.start_char_index, one.end_char_index)), cut(one.end_char_index)));
    } catch (error) {
      place.append(h("p", { class: "trouble" }, error.message));
    }
  }
  place.hidden = !opening;
  button.setAttribute("aria-expanded", String(opening));
  if (opening) place.querySelector("mark")?.scrollIntoView({ block: "nearest" });
}

/** The words that may be what answers: those cited, the short answer, then all that was found; each once. */
function candidates({ answer: said }, review) {
  const short = said.short_answer ? [{ ...said.short_answer, words: said.short_answer.text }] : [];
  const quoted = said.citations.map((one) => ({ ...one, words: one.cited_text }));
  const found = said.search_results.map((one) => ({ ...one, words: one.text }));
  const offered = [...quoted, ...short, ...found];
  const chosen = (review?.quotes ?? []).filter((one) => !offered.some((other) => same(one, other)))
    .map((one) => ({ ...one, words: `${one.article_id}, characters ${one.start_char_index} to ${one.end_char_index}` }));
  return [...offered, ...chosen].filter((one, place, all) => all.findIndex((other) => same(one, other)) === place);
}

function sheet(id, { kept, review }, say) {
  const offered = candidates(kept, review);
  const boxes = offered.map((one) => h("label", { class: "option" },
    h("input", { type: "checkbox", name: "quotes", checked: review?.quotes.some((other) => same(one, other)) ?? false }),
    h("span", { dir: "auto", class: "words" }, one.words)));
  const lines = (name) => h("textarea", { name, rows: "2", dir: "auto" }, (review?.[name] ?? []).join("\n"));
  const known = review?.answerable === true ? "yes" : review?.answerable === false ? "no" : "";
  const told = h("p", { class: "told" }, review ? ["Reviewed ", moment(review.reviewed_at), review.reviewer && ` by ${review.reviewer}`] : "");
  const submit = async (event) => {
    event.preventDefault();
    try {
      const saved = await write(`/api/admin/answers/${encodeURIComponent(id)}/review`, filled(event.target, offered));
      told.replaceChildren("Saved ", moment(saved.reviewed_at), saved.reviewer && ` by ${saved.reviewer}`);
      told.classList.remove("trouble");
    } catch (error) {
      told.replaceChildren(`Not saved: ${error.message}`);
      told.classList.add("trouble");
    }
    say(told.textContent);
  };
  return h("form", { submit },
    h("h3", { id: "sheet" }, "Review"),
    CRITERIA.map(([name, label, hint]) => choice(label, name, FINDINGS, review?.criteria[name] ?? "", hint)),
    choice("Do the articles answer the question?", "answerable", KNOWN, known),
    offered.length ? h("fieldset", {}, h("legend", {}, "Words that answer"), h("div", { class: "passages" }, boxes)) : null,
    field("Right short answers", lines("answers"), "One a line, any of them"),
    field("Must not be said", lines("must_not_say"), "One a line, such as an outdated figure"),
    field("Note", h("textarea", { name: "note", rows: "2", dir: "auto" }, review?.note ?? "")),
    h("p", {}, h("button", {}, "Save the review")), told);
}

/** What the sheet says. */
function filled(form, offered) {
  const value = (name) => form.elements.namedItem(name).value;
  const lines = (name) => value(name).split("\n").map((line) => line.trim()).filter(Boolean);
  const boxes = [...form.querySelectorAll("[name=quotes]")];
  const quotes = offered.filter((_, place) => boxes[place].checked)
    .map((one) => Object.fromEntries(WORDS.map((name) => [name, one[name]])));
  return {
    criteria: Object.fromEntries(CRITERIA.map(([name]) => [name, value(name) || null])),
    answerable: ANSWERABLE[value("answerable")],
    answers: lines("answers"),
    must_not_say: lines("must_not_say"),
    quotes,
    note: value("note"),
  };
}
