// What the service sends, as qa/types.py defines it. Offsets are half-open and count Unicode code points.

export type AnswerMode = "generated" | "extractive" | "abstained";
export type Verdict = "supported" | "partly_supported" | "unsupported" | "contradicted";

export interface Claim {
  text: string;
  start: number;
  end: number;
  verdict: Verdict;
  support_score: number;
  citation_ids: string[];
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
}

export interface Conflict {
  citation_ids: string[];
  note: string;
  kind?: "disagreement" | "correction";
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
  also_reported_by?: AlsoReported[];
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
}

export interface SearchResultsEvent {
  type: "search_results";
  id: string;
  conversation_id: string | null;
  question: string;
  resolved_query: string;
  search_results: SearchResult[];
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

export interface Filters {
  source?: string[];
  published_after?: string;
  published_before?: string;
}

export interface AskRequest {
  question: string;
  conversation_id?: string;
  collection?: string;
  filters?: Filters;
}

export interface Article {
  id: string;
  version: string;
  title: string;
  text: string;
  source: string;
  url: string | null;
  published_at: string | null;
  language: string | null;
}
