// What the service sends, as qa/types.py defines it. Offsets are half-open and count Unicode code points.

export type AnswerMode = "generated" | "extractive" | "abstained";
export type Verdict = "supported" | "partly_supported" | "unsupported" | "contradicted";

/** Whose words a sentence is in. */
export type Origin = "quoted" | "model";

export interface Claim {
  text: string;
  start: number;
  end: number;
  verdict: Verdict;
  support_score: number;
  citation_ids: string[];
  origin?: Origin | null;
}

export interface Citation {
  id: string;
  start: number;
  end: number;
  article_id: string;
  article_version: string;
  title: string;
  source: string;
  url: string | null;
  published_at: string | null;
  cited_text: string;
  start_char_index: number;
  end_char_index: number;
}

export interface ShortAnswer {
  text: string;
  article_id: string;
  article_version: string;
  start_char_index: number;
  end_char_index: number;
  /** How many other articles that were found say the same words. */
  elsewhere?: number;
}

export interface Conflict {
  citation_ids: string[];
  note: string;
  kind?: "disagreement" | "correction";
  /** What each citation says, in their order. */
  values?: string[];
  /** The citation that was published later. */
  later?: string | null;
}

export interface AlsoReported {
  article_id: string;
  article_version: string;
  title: string;
  source: string;
  url: string | null;
  published_at: string | null;
}

export interface SearchResult {
  passage_id: string;
  article_id: string;
  article_version: string;
  title: string;
  source: string;
  url: string | null;
  published_at: string | null;
  text: string;
  start_char_index: number;
  end_char_index: number;
  score: number;
  /** Whether a search takes it to be about what was looked for. */
  near?: boolean | null;
  also_reported_by?: AlsoReported[];
}

/** The time that a question names: half-open, ISO 8601. */
export interface Period {
  start: string | null;
  end: string;
  words: string;
}

export interface Answer {
  id: string;
  conversation_id: string | null;
  question: string;
  resolved_query: string;
  as_of: string;
  answer: string;
  answer_mode: AnswerMode;
  fallback_reason: string | null;
  abstain_reason: string | null;
  short_answer: ShortAnswer | null;
  claims: Claim[];
  citations: Citation[];
  conflicts: Conflict[];
  search_results: SearchResult[];
  support_score?: number;
  understood_period?: Period | null;
  filters?: Filters | null;
  generation?: Generation | null;
  /** Whether what is cited is of the time asked for. */
  period_kept?: boolean | null;
  stale_citation_ids?: string[];
  /** The answer in whose place this one stands, with all that came between. */
  replaces?: string | null;
  /** There was no room to store it: nothing can refer to it. */
  not_kept?: boolean;
}

/** What wrote a generated answer. */
export interface Generation {
  model: string;
}

/** What opens a kept answer to whoever has it. */
export interface AnswerLink {
  answer_id: string;
  sig: string;
}

/** One kept answer without its conversation. */
export interface KeptAnswer {
  asked_at: string;
  answer: Answer;
  /** Citations of articles that were corrected since. */
  corrected_citation_ids?: string[];
  /** What became of the article quoted by an answer that is withdrawn. */
  source_state?: "removed" | "withdrawn" | "embargo" | null;
}

/** A kept answer with what became of its sources; `sig`: what opened it, where somebody passed it on. */
export type AnswerNow = Answer & Partial<Pick<KeptAnswer, "corrected_citation_ids" | "source_state"> & Pick<AnswerLink, "sig">>;

/** Sentences of an article as they were quoted, and what stands in their place now; one of the two may be empty. */
export interface TextChange {
  before: string;
  after: string;
  /** Whether words that the answer cites are among those changed. */
  quoted: boolean;
}

export interface ArticleChanges {
  citation_ids: string[];
  title: string | null;
  title_before?: string | null;
  changes?: TextChange[];
}

export interface AnswerChanges {
  articles: ArticleChanges[];
}

export interface SearchResultsEvent {
  type: "search_results";
  id: string;
  conversation_id: string | null;
  question: string;
  resolved_query: string;
  search_results: SearchResult[];
  understood_period?: Period | null;
}

export interface ClaimEvent {
  type: "claim";
  claim: Claim;
  citations: Citation[];
}

export interface AnswerEvent {
  type: "answer";
  answer: Answer;
}

export type StreamEvent = SearchResultsEvent | ClaimEvent | AnswerEvent;

/** As asked, and as an answer says them again, where what is not set is empty. */
export interface Filters {
  source?: string[];
  section?: string[];
  language?: string[];
  author?: string[];
  published_after?: string | null;
  published_before?: string | null;
  article_ids?: string[];
}

/** What is undefined is not sent. */
export interface AskRequest {
  question: string;
  conversation_id?: string | undefined;
  collection?: string | undefined;
  filters?: Filters | undefined;
  /** Neither completed from the conversation nor corrected. */
  as_written?: boolean | undefined;
  /** Answer in whose place it is asked. */
  replaces?: string | undefined;
}

/** What questions are narrowed to. */
export type Narrowed = Pick<AskRequest, "collection" | "filters">;

export interface Article {
  id: string;
  version: string;
  current_version?: string;
  title: string;
  text: string;
  source: string;
  url: string | null;
  published_at: string | null;
  language: string | null;
}

export type Headline = AlsoReported;

/** What articles there are. */
export interface Archive {
  articles: number;
  sources: number;
  earliest: string | null;
  latest: string | null;
  newest: Headline[];
  /** Sources that are silent for longer than usual. */
  late?: { source: string; latest: string }[];
}

/** What a page can begin with, or go on with; `complete`: no further questions will come. */
export interface Beginning {
  starters?: { question: string; quote?: string }[];
  archive?: Archive;
  complete?: boolean;
}
