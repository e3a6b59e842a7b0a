// The views, each a function of the address's parameters that gives the nodes to show; the first is its `h2`.

import { read, send } from "/admin/api.js";
import { count, day, field, h, moment, number, select, shortDay, svg, table } from "/admin/dom.js";

const MODES = { generated: "Answered by the model", extractive: "Answered in the articles' words", abstained: "Declined" };
const OUTCOMES = [["", "All"], ["answered", "Answered"], ["declined", "Declined"], ["up", "Thumbed up"], ["down", "Thumbed down"]];
const STATES = [["", "All"], ["running", "Running"], ["done", "Done"], ["failed", "Failed"], ["interrupted", "Interrupted"]];
const OPENS = { ask: "ask", ingest: "add and delete articles", admin: "this page" };
const REFRESH_MILLISECONDS = 3000;

export const title = (text) => h("h2", { tabindex: "-1" }, text);
export const link = (view, parameters, ...children) => h("a", { href: `#/${view}?${new URLSearchParams(parameters)}` }, ...children);
const go = (view, parameters) => {
  const chosen = Object.entries(parameters).filter(([, value]) => value);
  location.hash = chosen.length ? `/${view}?${new URLSearchParams(chosen)}` : `/${view}`;
};

/** How an answer came out, in words. */
export const mode = (answer) =>
  answer.abstain_reason ? `Declined: ${answer.abstain_reason.replaceAll("_", " ")}` : MODES[answer.answer_mode];

/** A list that grows: rows of one page, and a button for the next. */
function growing(caption, head, first, row, next) {
  const shown = table(caption, head, first.rows.map(row));
  const more = h("button", { type: "button", class: "quiet", hidden: first.next === null }, "More");
  let before = first.next;
  more.addEventListener("click", async () => {
    const page = await next(before);
    const added = table(caption, head, page.rows.map(row)).querySelectorAll("tbody tr");
    shown.querySelector("tbody").append(...added);
    added[0]?.querySelector("a, summary")?.focus();
    before = page.next;
    more.hidden = before === null;
  });
  return [shown, more];
}

const WIDTH = 900, HEIGHT = 140, FLOOR = 118, CEILING = 18;

/** Columns of answered and declined questions by day; for the eyes only: the table below says the same. */
function chart(days) {
  const most = Math.max(1, ...days.map((one) => one.answered + one.declined));
  const step = WIDTH / days.length;
  const tall = (value) => (value / most) * (FLOOR - CEILING);
  const columns = days.map((one, place) => {
    const x = place * step + step * 0.15, width = step * 0.7;
    const answered = tall(one.answered), declined = tall(one.declined);
    const label = `${day(one.day)}: ${one.answered} answered, ${one.declined} declined, ${one.down} thumbed down`;
    return svg("a", { href: `#/questions?day=${one.day}`, tabindex: "-1" },
      svg("title", {}, label),
      svg("rect", { class: "hit", x: place * step, y: 0, width: step, height: FLOOR }),
      svg("rect", { class: "answered", x, y: FLOOR - answered, width, height: answered }),
      svg("rect", { class: "declined", x, y: FLOOR - answered - declined, width, height: declined }),
      one.down ? svg("circle", { class: "down", cx: x + width / 2, cy: FLOOR + 5, r: 3 }) : null);
  });
  const marks = days.flatMap((one, place) => ((days.length - 1 - place) % 7 ? [] : [
    svg("text", { x: place * step + step / 2, y: HEIGHT - 3, "text-anchor": place === days.length - 1 ? "end" : "middle" }, shortDay(one.day)),
  ]));
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "chart", "aria-hidden": "true" },
    svg("line", { x1: 0, x2: WIDTH, y1: FLOOR, y2: FLOOR }), columns, marks,
    svg("line", { class: "most", x1: 0, x2: WIDTH, y1: CEILING, y2: CEILING }),
    svg("text", { x: WIDTH, y: CEILING - 4, "text-anchor": "end" }, `${number(most)} a day`));
}

function byDay(days) {
  const cell = (one, outcome) => (one[outcome] ? link("questions", { day: one.day, outcome }, number(one[outcome])) : "0");
  const rows = [...days].reverse().map((one) => [day(one.day), ...["answered", "declined", "up", "down"].map((name) => cell(one, name))]);
  return h("details", {}, h("summary", {}, "Day by day"),
    table("Questions by day", ["Day", "Answered", "Declined", "Thumbed up", "Thumbed down"], rows));
}

const legend = (days) => h("p", { class: "legend" }, [["answered", "answered"], ["declined", "declined"], ["down", "thumbed down"]]
  .map(([name, label]) => h("span", { class: name }, `${number(days.reduce((sum, one) => sum + one[name], 0))} ${label}`)));

export async function questions({ outcome = "", day: chosen = "" }) {
  const query = { outcome, day: chosen, limit: 50 };
  const page = async (before) => {
    const found = await read("/api/admin/questions", { ...query, before });
    return { rows: found.questions, next: found.next };
  };
  const [{ days }, first] = await Promise.all([read("/api/admin/days"), page(null)]);
  const which = select(OUTCOMES, outcome, { change: () => go("questions", { outcome: which.value, day: when.value }) });
  const when = h("input", { type: "date", value: chosen, change: () => go("questions", { outcome: which.value, day: when.value }) });
  const row = (one) => [
    one.kept ? link("answer", { id: one.answer_id }, h("bdi", {}, one.question)) : h("bdi", {}, one.question),
    moment(one.asked_at),
    mode(one),
    one.verdict ? [one.verdict === "up" ? "Good" : "Not good", one.reasons.length ? `: ${one.reasons.join(", ").replaceAll("_", " ")}` : "",
      one.comment && h("q", { class: "comment" }, one.comment)] : "",
    one.reviewed ? "Reviewed" : one.kept ? "" : "Answer not kept",
  ];
  const nothing = h("p", {}, outcome || chosen ? "No such question." : "Nobody has had a question kept yet.");
  return [
    title("Questions"),
    h("p", { class: "about" }, "The last 30 days of what readers had kept, as it was answered then. Times are in UTC."),
    h("figure", {}, legend(days), chart(days), byDay(days)),
    h("div", { class: "filters" }, h("label", {}, h("span", {}, "Outcome"), which), h("label", {}, h("span", {}, "Day"), when)),
    ...(first.rows.length ? growing("Questions", ["Question", "Asked", "Outcome", "Reader", "Review"], first, row, page) : [nothing]),
  ];
}

/** The form that finds articles, by whatever is known of one. */
export function finder(text = "") {
  const input = h("input", { type: "search", name: "text", value: text, required: true, maxlength: "2000" });
  const submit = (event) => {
    event.preventDefault();
    const wanted = input.value.trim();
    if (wanted) location.hash = `/find?${new URLSearchParams({ text: wanted })}`;
  };
  return h("form", { class: "finder", role: "search", submit }, field("Find an article", input, "Some of its words, its link or its id; also of what readers are not shown"), h("button", {}, "Find"));
}

export async function articles() {
  const [corpus, known] = await Promise.all([read("/api/admin/corpus"), read("/api/admin/sources")]);
  const most = Math.max(1, ...corpus.sources.flatMap((one) => one.days.map((found) => found.articles)));
  const cell = (one, wanted) => {
    const found = one.days.find((each) => each.day === wanted)?.articles ?? 0;
    return h("span", { class: `heat heat-${Math.ceil((found / most) * 4)}` }, found ? number(found) : "·");
  };
  const rows = corpus.sources.map((one) => [
    link("source", { name: one.source }, one.source || "(names no source)"),
    number(one.articles), one.kept_back ? number(one.kept_back) : "0", day(one.latest, "undated"),
    ...corpus.days.map((wanted) => cell(one, wanted)),
  ]);
  const head = ["Source", "Articles", "Kept back", "Newest", ...corpus.days.map((one) => h("abbr", { title: day(one) }, Number(one.slice(8))))];
  return [
    title("Articles"),
    h("p", { class: "about" }, `${count(corpus.articles, "article", "articles")}, ${number(corpus.kept_back)} of them kept back from readers. ` +
      `The columns of numbers are days of publication, from ${day(corpus.days[0])} to ${day(corpus.days.at(-1))}.`),
    corpus.articles ? finder() : null,
    corpus.articles ? table("Articles by source and day", head, rows) : h("p", {}, "There are none yet."),
    corpus.sources_omitted ? h("p", {}, `${count(corpus.sources_omitted, "more source is", "more sources are")} not listed.`) : null,
    h("h3", {}, "Feeds and folders"),
    known.writes === "open" ? null : h("p", { class: "trouble" }, `Articles cannot be added: ${known.writes.replaceAll("_", " ")}.`),
    known.sources.length ? table("Feeds and folders", ["Name", "Last brought", "Last asked", "Next", "Trouble"], known.sources.map(freshness))
      : h("p", {}, "None is known here: ", h("code", {}, "qa feeds"), " and ", h("code", {}, "qa watch"), " keep articles up to date."),
  ].filter(Boolean);
}

const freshness = (one) => [
  one.name, moment(one.brought_at), moment(one.asked_at),
  one.state === "gone" ? "gone for good" : moment(one.due_at, one.kind === "folder" ? "when it changes" : "soon"),
  one.trouble ? h("span", { class: "trouble" }, `${one.trouble} (${count(one.failures, "failure", "failures")})`) : "none",
];

export async function source({ name = "" }) {
  const page = async (after) => {
    const found = await read("/api/articles", { source: name, kept_back: true, limit: 50, after });
    return { rows: found.articles, next: found.next };
  };
  const row = (one) => [link("article", { id: one.id }, h("bdi", {}, one.title || one.id)), day(one.published_at, "undated"), h("code", {}, one.id), shownTo(one)];
  return [
    title(name || "Articles that name no source"),
    h("p", {}, h("a", { href: "#/articles" }, "All sources")),
    ...growing("Articles", ["Title", "Published", "Id", "Readers"], await page(null), row, page),
  ];
}

/** What readers see of an article. */
export function shownTo(article) {
  if (article.status !== "usable") return h("strong", {}, article.status);
  const until = article.embargoed_until;
  return until && new Date(until) > new Date() ? h("strong", {}, "embargo until ", moment(until)) : "see it";
}

const outcomes = (found) => Object.entries(found).map(([name, value]) => `${number(value)} ${name}`).join(", ");
const sender = (one) => (one.by === "open" ? "anybody (no key)" : one.by);
const total = (one) => one.items ?? (one.state === "running" ? null : one.done); // what ended counts no further
const progress = (one) => [`${number(one.done)} of ${total(one) === null ? "?" : number(total(one))} `,
  one.state === "running" ? h("progress", { max: one.items ?? 1, value: one.done, "aria-label": "Progress" }) : null];

export async function jobs({ state = "" }, { again }) {
  const page = async (before) => {
    const found = await read("/api/jobs", { state, limit: 50, before });
    return { rows: found.jobs, next: found.next };
  };
  const first = await page(null);
  const which = select(STATES, state, { change: () => go("jobs", { state: which.value }) });
  const row = (one) => [link("job", { id: one.id }, moment(one.begun_at)), sender(one), h("span", { class: one.state }, one.state), progress(one), outcomes(one.outcomes), one.detail];
  if (first.rows.some((one) => one.state === "running")) setTimeout(again, REFRESH_MILLISECONDS);
  return [
    title("Jobs"),
    h("p", { class: "about" }, "Each request that sent articles to the service, the latest first."),
    h("div", { class: "filters" }, h("label", {}, h("span", {}, "State"), which)),
    ...(first.rows.length ? growing("Jobs", ["Begun", "Sent by", "State", "Done", "Outcome", "Note"], first, row, page) : [h("p", {}, "No such job.")]),
  ];
}

const named = (item) => item.name ? h("bdi", {}, item.name) : item.article_id ? h("code", {}, item.article_id) : "";

export async function job({ id }, { again }) {
  const one = await read(`/api/jobs/${encodeURIComponent(id)}`);
  if (one.state === "running") setTimeout(again, REFRESH_MILLISECONDS);
  const rows = one.results.map((item) => [item.item === null ? "" : number(item.item), item.outcome, item.article_id ? link("article", { id: item.article_id }, named(item)) : named(item), item.detail]);
  return [
    title(`Job of ${moment(one.begun_at).textContent}`),
    h("p", {}, h("a", { href: "#/jobs" }, "All jobs")),
    h("p", {}, h("span", { class: one.state }, one.state), `, sent by ${sender(one)}: `, progress(one), Object.keys(one.outcomes).length ? `done: ${outcomes(one.outcomes)}` : "done"),
    one.detail ? h("p", { class: "trouble" }, one.detail) : null,
    rows.length ? table("Results", ["Item", "Outcome", "Article", "Note"], rows) : null,
    one.results_omitted ? h("p", {}, `${number(one.results_omitted)} further results are not kept.`) : null,
  ].filter(Boolean);
}

const findings = (criteria) => Object.entries(criteria).filter(([, found]) => found)
  .map(([name, found]) => h("span", { class: `finding ${found}` }, `${name.replaceAll("_", " ")}: ${found.replaceAll("_", " ")}`));

export async function reviews(_, { say }) {
  const page = async (before) => {
    const found = await read("/api/admin/reviews", { limit: 50, before });
    return { rows: found.reviews, next: found.next };
  };
  const first = await page(null);
  const told = h("p", { class: "told" });
  const row = (one) => [link("answer", { id: one.answer_id }, h("bdi", {}, one.question)), findings(one.criteria), one.reviewer, moment(one.reviewed_at)];
  const button = h("button", { type: "button", click: async () => { told.textContent = await download(); say(told.textContent); } }, "Export as a dataset");
  return [
    title("Reviews"),
    h("p", { class: "about" }, "What editors thought of answers. The export is read by ", h("code", {}, "qa evaluate run"), "."),
    ...(first.rows.length ? [h("p", {}, button), told, ...growing("Reviews", ["Question", "Findings", "By", "When"], first, row, page)]
      : [h("p", {}, "No answer has been reviewed yet: open one from the questions.")]),
  ];
}

/** Save the dataset as a file; say what it holds. */
async function download() {
  const response = await send("/api/admin/dataset");
  const file = URL.createObjectURL(await response.blob());
  const anchor = h("a", { href: file, download: "reviews.jsonl" });
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(file), 0);
  const left = Number(response.headers.get("sourceline-left-out"));
  return left ? `Saved. ${count(left, "review is", "reviews are")} left out: the words that answer may not be shown now, or have changed.` : "Saved.";
}

export async function keys() {
  const found = await read("/api/admin/keys");
  const rows = found.keys.map((one) => [one.name, one.may.map((name) => OPENS[name] ?? name).join(", "), one.collections?.join(", ") ?? "all"]);
  return [
    title("Keys"),
    found.open ? h("p", { class: "trouble" }, "No keys are set: whoever reaches this service may do everything. ", h("code", {}, "qa keys new NAME"), " makes one.")
      : table("Keys", ["Name", "Opens", "Collections"], rows),
    h("p", { class: "about" }, "Keys are set in ", h("code", {}, "QA_API_KEYS"), " and change when the service is started anew."),
  ];
}
