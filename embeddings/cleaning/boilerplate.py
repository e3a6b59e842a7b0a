"""Removes boilerplate: lines that a page prints around an article, or twice.

Every rule looks at one whole line and nothing else (the two exceptions look at the line before), never inside a
paragraph; no line that begins with a quotation mark is touched, nor one that begins with a small letter (it may be
the rest of a sentence cut by a line break) or is longer than `MAX_BOILERPLATE`.

| rule | drops | why it is no wording of the article |
|---|---|---|
| control | "TT", "Share", "Copy link", "Skip to content", "Ad Feedback" | a label of something to click |
| font-size | a lone number 6–72 right after a font-size control | the control's value |
| share-bar | "Facebook", "Print", "Home" right beside a control | ordinary words alone; a row of buttons together |
| more-link | "Read More", "Related articles", "Up next" | announces other pages |
| advertisement | "Advertisement", "Story continues below" | announces an advertisement |
| reading-time | "3 min read" | computed by the site |
| player | "Video Ad Feedback …", "JUST WATCHED … MUST WATCH …", "… 02:17 - Source: CNN" | title of an embedded video |
| dateline | "CNN —" alone | an agency's name without the place that would make it a dateline |
| divider | "___", "* * *", "♦" | no letter, no digit |
| sign-up | a line asking to sign up or subscribe, with newsletter, inbox, alerts… | the site's own offer |
| follow | "Follow … on Twitter", "Follow us on Facebook", "Follow X @handle" | where to find the writer or the site |
| consent | "By signing up you agree …", "We use cookies …" | terms of a form |
| rights | "© 2024 …", "… All rights reserved." | legal line of the site |

Kept on purpose, because the words may be news: related headlines ("More: …", "Related: …"), corrections and updates
("This story has been updated …"), contact addresses, bylines, times and numbers of a live page, photo captions.

A scraper sees the headline above the picture and again above the text, and a caption both as the picture's
description and below it. Three causes, three rules:

- *title*: a line that is the title goes, wherever it stands; the title is kept apart from the text.
- *page-head*: where the title comes back within the first lines, what stands before it is the page's head; of what
  the head prints twice, or prints and repeats right after it, one stays.
- *caption*: a caption stays once. A line is taken for a doubled caption when it follows itself and is no short line
  (`_SHORTEST_CAPTION`: table cells, refrains) and no quotation, or when it ends in a photo credit such as
  "(Reuters)" and occurred before.

Captions themselves stay, credit included: who is seen where is news, and the words are the source's.
A sentence said twice within prose is left alone.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import msgspec

from embeddings.runtime import compiled_late, word_lists

MAX_BOILERPLATE: Final = 400
"""Longest line a rule looks at, in characters; what is longer is prose."""
_SHORTEST_CAPTION: Final = 40
"""Characters from which a line that follows itself counts as a doubled caption."""
_HEAD: Final = 15
"""Filled lines within which the title must come back to mark a page's head."""
_FOLD = str.maketrans({"‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "–": "-", "—": "-", "\u00a0": " "})
_SITE_SUFFIX = re.compile(r" [|·»] [^|·»]{1,60}$")
_SITE_MARKS = frozenset("|·»")
_QUOTE_ENDS = tuple("\"'“”‘’„‚«»‹›「」『』")
_CREDIT = re.compile(
    r"\([^()]{0,100}\b(?:Reuters|AP|AFP|EPA|EFE|UPI|Getty|Xinhua|dpa|Anadolu|TASS|Shutterstock|Bloomberg|Photo|Images|"
    r"Handout|Press|File)\b[^()]{0,100}\)\.?$|\b(?:Getty Images|AFP|Shutterstock|AP Photo)$"
)
_CREDIT_ENDS = (")", ").", "Getty Images", "AFP", "Shutterstock", "AP Photo")
_LONGEST_CREDIT = 230


class Dropped(msgspec.Struct, frozen=True):
    """One line that cleaning removed, and the rule that did it."""

    rule: str
    line: str


_LISTS = word_lists("embeddings.cleaning", "labels.txt")


def _labels(name: str) -> frozenset[str]:
    return frozenset(_LISTS[name].split(", "))


_FONT_SIZE = _labels("font size")
_CONTROLS = _FONT_SIZE | _labels("control")
_BUTTONS = _labels("button")
_BY_LABEL: Final = {
    **dict.fromkeys(_labels("more-link"), "more-link"),
    **dict.fromkeys(_labels("advertisement"), "advertisement"),
    **dict.fromkeys(_CONTROLS, "control"),
}
_LONGEST_LABEL = max(map(len, _BY_LABEL)) + 10
_NOT_WORDS = re.compile(r"[^\w]+")
_READING_TIME = re.compile(
    r"(?:estimated )?(?:read|reading|listening)(?: time)? (?:about |approx )?\d{1,3} min(?:ute)?s?(?: read)?"
    r"|\d{1,3} min(?:ute)?s? (?:read|listen|watch|video)"
)
_AGENCY = (
    r"CNN(?: Business| Politics| Money| Sports?)?|Reuters|AP|AFP|Associated Press|The Associated Press|UPI|dpa|BBC"
)
_ASKED = r"(?:^|[.!?:;>|►•*(\[–—-] ?)(?:please |you can (?:also )?|to [\w ]{3,60}, )?(?:sign up|subscribe)\b"
_SITES = (
    r"(?:facebook|twitter|instagram|tiktok|threads|youtube|linkedin|whatsapp|telegram|bluesky|google news|flipboard)"
)
_SIGN_UP = (
    r"^(?=.*\b(?:newsletters?|inbox|alerts|briefing|e-?mail updates|text messages?|journalism|today\.?$)\b)"
    rf"(?:(?=.*{_ASKED})|would you like to receive\b)"
)
_FOLLOW = rf"^(?:follow|like us|join us|find us) .{{0,200}}(?:\bon (?:our )?{_SITES}\b|\s@\w)"
_CONSENT = (
    r"^by (?:signing up|subscribing|registering|clicking|(?:submitting|entering|providing) (?:this|your))\b.*"
    r"\byou (?:\w+ )?(?:agree|consent|accept|acknowledge)\b"
    r"|^we will use the (?:details|information) you have shared\b|\bprotected by recaptcha\b"
    r"|^if you wish to object to the use of your data\b|^you (?:can|may) unsubscribe at any time\b"
    r"|^(?:we|(?:this|our) (?:web)?site) uses? cookies\b|^(?:accept|reject|manage) (?:all )?cookies$"
)
_PLAYER = (
    r"^video ad feedback\b|^video\b.* \d{1,2}:\d\d - source: [\w ]{2,30}$"
    r"|^(?-i:JUST WATCHED)\b.*\breplay\b.*\b(?-i:MUST WATCH)\b|^(?-i:JUST|MUST) (?-i:WATCHED|WATCH)$"
    r"|^replay more videos\W*$"
)
_BY_PATTERN: Final = tuple(
    (rule, tuple(triggers.split("|")), compiled_late(pattern, re.IGNORECASE))
    for rule, triggers, pattern in (
        ("player", "ad feedback|- source:|watch|replay more", _PLAYER),
        ("sign-up", "sign up|subscribe|would you like", _SIGN_UP),
        ("follow", "follow|like us|join us|find us", _FOLLOW),
        ("consent", "agree|consent|accept|cookie|recaptcha|shared|your data|unsubscribe", _CONSENT),
        ("rights", "©|copyright|rights reserved", r"^(?:© ?\w|copyright (?:©|\d{4}))|\ball rights reserved\b"),
        ("dateline", "—|–|-", rf"^\(?(?:{_AGENCY})\)? ?[—–-]{{1,2}}$"),
    )
)
_DIVIDER = frozenset("_*-–—=~•·.♦◆■▪●|/#+<> ")
_QUOTES = tuple("\"'“”‘’„‚«»‹›「『")


def drop_boilerplate(lines: Sequence[str]) -> tuple[list[str], list[Dropped]]:
    """Tell the article's own lines from the page's.

    `lines` are lines of canonical text, empty ones between paragraphs; order and empty lines stay. A second
    pass finds nothing more: no rule depends on a line that another rule drops and another keeps.

    >>> drop_boilerplate(["Haftar. (Reuters)", "TT", "20", "", "The price was", "20"])[0]
    ['Haftar. (Reuters)', '', 'The price was', '20']
    """
    rules = [_rule(line) for line in lines]
    _mark_neighbours(lines, rules)
    kept = [line for line, rule in zip(lines, rules, strict=True) if rule is None]
    return kept, [Dropped(rule, line) for line, rule in zip(lines, rules, strict=True) if rule is not None]


def _rule(line: str) -> str | None:
    if not line or len(line) > MAX_BOILERPLATE or line[0].islower() or line.startswith(_QUOTES):
        return None
    if len(line) <= _LONGEST_LABEL:
        label = _label(line)
        if found := _BY_LABEL.get(label):
            return found
        if _READING_TIME.fullmatch(label):
            return "reading-time"
        if not label.strip("_") and _DIVIDER.issuperset(line):
            return "divider"
    folded = line.casefold()
    for rule, triggers, pattern in _BY_PATTERN:
        if any(trigger in folded for trigger in triggers) and pattern.search(line):
            return rule
    return None


def _mark_neighbours(lines: Sequence[str], rules: list[str | None]) -> None:
    """Mark what is boilerplate only beside a control: its value, and the other buttons of its row."""
    filled = [index for index, line in enumerate(lines) if line]
    for before, index in pairwise(filled):
        if rules[index] is not None:
            continue
        if rules[before] == "control" and _label(lines[before]) in _FONT_SIZE and _is_font_size(lines[index]):
            rules[index] = "font-size"
        elif rules[before] in {"control", "share-bar"} and _is_button(lines[index]):
            rules[index] = "share-bar"
    for after, index in pairwise(reversed(filled)):
        if rules[index] is None and rules[after] in {"control", "share-bar"} and _is_button(lines[index]):
            rules[index] = "share-bar"


def _label(line: str) -> str:
    return _NOT_WORDS.sub(" ", line).strip().casefold()


def _is_font_size(line: str) -> bool:
    return len(line) <= 2 and line.isascii() and line.isdigit() and 6 <= int(line) <= 72


def _is_button(line: str) -> bool:
    return len(line) <= 15 and line[0].isupper() and _label(line) in _BUTTONS


def drop_repeats(lines: Sequence[str], *, title: str) -> tuple[list[str], list[Dropped]]:
    """Take out the title and what is doubled; order and empty lines stay. A second pass finds nothing more.

    >>> drop_repeats(["A man. (AP)", "", "Rain Stops", "", "A man. (AP)", "", "It stopped."], title="Rain Stops")[0]
    ['A man. (AP)', '', '', '', '', '', 'It stopped.']
    """
    lines = list(lines)
    dropped: list[Dropped] = []
    titles = _titles(lines, title)
    _drop_head(lines, titles, dropped)
    _drop(lines, titles, "title", dropped)
    _drop_captions(lines, dropped)
    return lines, dropped


def title_key(line: str) -> str:
    """Fold what differs between two settings of one headline: case, quotes, dashes, final stops.

    >>> title_key("‘Death Checkpoint’ – Near Damascus.") == title_key("'Death checkpoint' - near Damascus")
    True
    """
    return line.translate(_FOLD).casefold().rstrip(" .:")


def _titles(lines: Sequence[str], title: str) -> list[int]:
    """Positions of the lines that are the title, with or without the site's name behind it."""
    keys = {title_key(title), _without_site(title)} - {"", None}
    limit = len(title) + 100  # spares the folding of prose
    short = [index for index, line in enumerate(lines) if line and len(line) <= limit]
    return [index for index in short if title_key(lines[index]) in keys or _without_site(lines[index]) in keys]


def _without_site(line: str) -> str | None:
    suffix = _SITE_SUFFIX.search(line) if _SITE_MARKS.intersection(line) else None
    return title_key(line[: suffix.start()]) if suffix else None


def _drop_head(lines: list[str], titles: Sequence[int], dropped: list[Dropped]) -> None:
    filled = [index for index, line in enumerate(lines) if line]
    marks = set(titles).intersection(filled[:_HEAD])
    if not marks:
        return
    body = max(marks)
    seen: set[str] = set()
    for index in filled:
        if index in marks:
            continue
        if lines[index] in seen:
            _drop(lines, [index], "page-head", dropped)
        elif index > body:
            return
        else:
            seen.add(lines[index])


def _drop_captions(lines: list[str], dropped: list[Dropped]) -> None:
    credited: set[str] = set()
    before = ""
    for index, line in enumerate(lines):
        if not line:
            continue
        credit = line.endswith(_CREDIT_ENDS) and bool(_CREDIT.search(line[-_LONGEST_CREDIT:]))
        if (credit and line in credited) or (line == before and _may_be_caption(line, credit=credit)):
            _drop(lines, [index], "caption", dropped)
        else:
            before = line
        if credit:
            credited.add(line)


def _may_be_caption(line: str, *, credit: bool) -> bool:
    quoted = line.startswith(_QUOTE_ENDS) or line.endswith(_QUOTE_ENDS)
    return credit or (len(line) >= _SHORTEST_CAPTION and not quoted)


def _drop(lines: list[str], indexes: Sequence[int], rule: str, dropped: list[Dropped]) -> None:
    for index in indexes:
        dropped.append(Dropped(rule, lines[index]))
        lines[index] = ""
