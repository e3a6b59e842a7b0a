"""What makes the outcome of a case right, where `expected` is prose: by id, for the cases that others wrote.

A case of one's own says it itself, in `judge`: see `judge_of`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from qa.language.dates import Period, shown

__all__ = ["JUDGES", "judge_of"]

Judge = Callable[[Any], bool]


def answer(
    *says: str, never: Sequence[str] = (), short: str | None = None, declined: bool = False, conflict: bool = False
) -> Judge:
    """An answer whose words hold every pattern of `says` and none of `never`; with `declined`, or an abstention.

    `short` is what a short answer must match where there is one; `conflict` wants the patterns among the values of one.
    """

    def judge(got: Any) -> bool:
        if got["answer_mode"] == "abstained":
            return declined
        words = " ".join(value for one in got["conflicts"] for value in one["values"]) if conflict else got["answer"]
        if not all(re.search(pattern, words) for pattern in says) or any(re.search(one, words) for one in never):
            return False
        few = got["short_answer"]
        return short is None or few is None or re.search(short, few["text"]) is not None

    return judge


def declined(got: Any) -> bool:
    """No answer."""
    return bool(got["answer_mode"] == "abstained")


def judge_of(case: Mapping[str, Any]) -> Judge | None:
    """The judge of a case: the one it brings, else the one of its id, else equality where `expected` is a value."""
    if "judge" in case:
        wanted = dict(case["judge"])
        return answer(*wanted.pop("says", ()), **wanted)
    if case["id"] in JUDGES:
        return JUDGES[case["id"]]
    expected = case["expected"]
    return None if isinstance(expected, str) else lambda got: bool(got == expected)


def _first_said(pattern: str) -> Judge:
    return lambda got: bool(got["claims"]) and re.search(pattern, got["claims"][0]["text"]) is not None


def _status(code: int, *, naming: str = "") -> Judge:
    return lambda got: got[0][0] == code and naming in got[0][2]


def _not_modified(got: Any) -> bool:
    (first, headers, _), (second, _, body) = got
    return first == 200 and "etag" in headers and second == 304 and not body


def _arrived(*outcomes: str) -> Judge:
    return lambda got: [one["outcome"] for one in got["reports"]] == list(outcomes)


def _newer_stays(got: Any) -> bool:
    return bool(got["reports"][-1]["notes"]) and [("5.50" in one["text"]) for one in got["held"]] == [True]


def _days(**expected: tuple[str | None, str]) -> Judge:
    """First and last day of each phrase, written with underscores."""

    def judge(got: Mapping[str, Period | None]) -> bool:
        read = {phrase.replace(" ", "_"): shown(period) for phrase, period in got.items()}
        days = {name: one and ((one.start or "")[:10] or None, one.end[:10]) for name, one in read.items()}
        return all(days.get(name) == value for name, value in expected.items())

    return judge


def _read_or_noted(got: Any) -> bool:
    fields = ("published_at", "url", "language")
    asked = [(one, name) for one in got for name in fields if getattr(one["raw"], name)]
    return all(one[name] or one["notes"] for one, name in asked)


def _headlines(got: Any) -> bool:
    starts = ("Harbour crane collapses", "クレーン倒壊", "起重机倒塌")
    return all(title.startswith(starts) and len(title) <= 23 for title in got)


_FILES: Mapping[str, Judge] = {
    "html_amp_ogurl_over_canonical": lambda got: got[0]["url"] == "https://daily.example/crane",
    "html_author_is_update_line": lambda got: [one["authors"] for one in got] == [(), ("Ida Moen",)],
    "html_base_href_collides": lambda got: len({one["id"] for one in got}) == 2,
    "html_chunked_body_truncated": lambda got: got[0]["text"].count("\n\n") == 7,
    "html_footer_correction_lost": lambda got: "It was four." in got[0]["text"],
    "html_gb2312_is_gbk_rejected": lambda got: "码头" in got[0].get("text", ""),
    "html_head_closed_early_loses_url": lambda got: (
        (got[0]["url"], got[0]["source"]) == ("https://daily.example/crane", "daily.example")
    ),
    "html_hidden_attribute_quoted": lambda got: "blue" not in got[0]["text"] and "Nobody was" not in got[0]["text"],
    "html_jsonld_url_unused": lambda got: got[0]["url"] == "https://daily.example/crane",
    "html_local_midnight_shifts_day": lambda got: [one["published_at"][:10] for one in got] == ["2026-11-24"] * 2,
    "html_modified_as_published": lambda got: got[0]["published_at"] is None and bool(got[0]["notes"]),
    "html_one_bad_byte_rejected": lambda got: "Voltnett" in got[0].get("text", ""),
    "html_related_date_as_published": lambda got: got[0]["published_at"] is None,
    "html_us_date_read_day_first": lambda got: got[0]["published_at"] is None,
    "html_xml_declaration_ignored": lambda got: "порт" in got[0].get("text", ""),
    "dates_dropped_silently": _read_or_noted,
    "title_site_name_stays": _headlines,
}
_ASKED: Mapping[str, Judge] = {
    "acronym_in_question": answer("lowered its deposit rate"),
    "caps_wire_subject_cut_off": answer(r"MR\. HOLM"),
    "chinese_question_chinese_article": answer("四名"),
    "copies_with_other_figure_told_as_same": answer("12,000", "21,000", conflict=True),
    "entity_brother_sentenced": answer("acquitted", short="^(?!four|Karl)", declined=True),
    "entity_unanswerable_prison": declined,
    "fullwidth_question": answer("12,000"),
    "latest_on_topic": _first_said("signed"),
    "multi_two_questions_half_answered": answer("12,000", "14 million"),
    "neg_open_vs_closed": answer("Orrin", never=["Nordal"], short="Orrin"),
    "neg_opposite_town": answer("Orrin", never=["Nordal"], short="Orrin"),
    "neg_who_did_not_sign": answer("Fennia and Gothmark did not sign", never=["Arvia"], short="Fennia|Gothmark"),
    "neg_who_did_not_vote": answer("Moen|Strand", never=["Eleven"], short="Moen|Holm|Strand"),
    "number_words_vs_digits": answer("two thousand five hundred nurses"),
    "other_language_question": lambda got: "12,000" in got["answer"] or "language" in (got["abstain_reason"] or ""),
    "possessive_role_before_name": answer("Ida Moen", short="Ida Moen"),
    "premise_accepted_bid": answer("too low", declined=True),
    "roles_exchanged_bidder": declined,
    "short_answer_place_for_countries": answer("Arvia", short="Arvia.*Estmark"),
    "short_answer_wrong_unit": answer("1,200 hectares", short="hectares"),
    "time_month_makes_it_decline": answer("swimming hall"),
    "time_named_year_answered_from_another": answer("froze", never=[r"1\.20", r"1\.80", r"3\.20"]),
    "time_year_makes_it_decline": answer("Runa Hald was sworn in"),
}
JUDGES: Mapping[str, Judge] = {
    **_FILES,
    **_ASKED,
    "api_bom_body": _status(200),
    "api_n_2_gives_one": lambda got: _status(400, naming="n")(got) or got[0][2].count('"index":') == 2,
    "api_no_etag": _not_modified,
    "api_response_format_ignored": _status(400, naming="response_format"),
    "duplicate_missed_beside_other_collection": _arrived("added", "added", "duplicate"),
    "older_copy_replaces_newer": _newer_stays,
    "urls_of_one_article": lambda got: len(got["held"]) == 1,
    "time_phrases_misread": _days(
        the_day_before_yesterday=("2026-11-26", "2026-11-27"),
        after_June_5=("2026-06-06", "2026-11-29"),
        until_May=(None, "2026-06-01"),
        last_weekend=("2026-11-21", "2026-11-23"),
    ),
    "time_phrases_unread": lambda got: all(got.values()),
}
