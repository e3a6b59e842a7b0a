"""Finds the spans of the sentences of a canonical text.

First it is parted into blocks: paragraphs, items of a list, rows, headings on a line of their own. Within a block go
rules, not a model: a stop ends a sentence unless the word before it is an abbreviation, an initial or a list label, or
what follows goes on in lower case; in Chinese and Japanese not inside brackets or quotation marks that the sentence
opened. Measured against sentencex on the hand-labelled cases of the tests (`tests/benchmarks/bench_sentences.py`):
sentencex keeps whole quotations as one sentence, parts "10 p.m." from its day and hangs opening quotation marks on the
sentence before.

Claimed are abbreviations (`abbreviations.txt`) and initials of English, German, French, Spanish, Italian, Portuguese,
Dutch, Swedish, Norwegian, Danish, Polish, Czech, Russian and Ukrainian; of Arabic, Hindi, Chinese and Japanese the
marks that end sentences, with their quotation marks. Other languages are split by their stops alone.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from embeddings import month_names as months
from embeddings.runtime import compiled_late, word_lists

Span = tuple[int, int]
_LISTS: Final = word_lists("embeddings.chunking", "abbreviations.txt")


def _of(name: str) -> frozenset[str]:
    """The words of one kind, of all languages."""
    return frozenset(word for kind, words in _LISTS.items() if kind.startswith(name) for word in words.split())


_TITLES: Final = _of("title")
NEVER_LAST: Final = _of("never last") | _TITLES | {title.upper() for title in _TITLES}  # wires in capitals
"""A name, a number or the rest of the phrase always follows."""
_BEFORE_NUMBER: Final = _of("before number").union(months.ENGLISH_SHORT_MONTHS, months.CAPITAL_SHORT_MONTHS)
"""Abbreviations when a number follows, words like any other when none does."""
MAYBE_LAST: Final = _of("maybe last")
"""Abbreviations that also end sentences: they do where the next word is one that opens sentences."""
_AFTER_CLOCK: Final = _of("after clock").union(
    months.ENGLISH_WEEKDAYS, months.ENGLISH_MONTHS, months.ENGLISH_SHORT_MONTHS
)
_AFTER_ORDINAL: Final = _of("after ordinal").union(months.GERMAN_MONTHS, months.GERMAN_SHORT_MONTHS)
"""What follows a number with a stop in German where it is read as an ordinal ("am 3. Oktober")."""
_OPENERS: Final = _of("opener")
_STOP = re.compile(
    r"""
    (?<![.!?…‼‽⁇⁈⁉؟۔।॥։])  # a run of marks is tried once, not from each of its characters
    (?P<mark> \.(?:\s\.)+ | [.!?…‼‽⁇⁈⁉؟۔।॥։]++ | (?<=[α-ωά-ώ]); | (?<=[\u0561-\u0587.…]): )  # Greek ?, Armenian stop
    (?P<close> (?:["'”’»›)\]}]|“(?=\s|$))* (?: [\u00a0\u202f\x20]?[”»](?=\s|$) )? (?:\[\d{1,3}\])* )
    (?=\s|$)
    | (?P<wide> [。！？｡．።፧။។]+ [」』”’）】》〉»]* )
    | (?P<glued> (?:(?<=[a-zß-öø-ÿа-яёα-ω]{2})|(?<=\d\d)) [.!?] [”’"»)]*  # a space was lost
        (?=[A-ZÀ-ÖØ-ÞА-ЯЁΑ-Ω][a-zß-öø-ÿа-яёα-ω]*(?:[\s,;:’']|\.\s)) )
    | (?P<shouted> (?<=[a-zß-öø-ÿа-яёα-ω]{2}) [.!?] (?=[A-ZÀ-ÖØ-ÞА-ЯЁΑ-Ω]{3,}[\s,;:’']) )
    """,
    re.VERBOSE,
)
_MARK = re.compile(r"[.!?…‼‽⁇⁈⁉؟۔।॥։。！？｡．።፧။។]")
"""What each stop begins with: looked for first, for there is one in sixty characters."""
_OTHER_LETTERS = re.compile(r"[α-ω\u0561-\u0587]")
_MARK_THERE = re.compile(_MARK.pattern[:-1] + ";:]")
"""Greek asks with a semicolon, and Armenian is often typed with a colon for its stop."""
_NEXT = re.compile(r"""\s*(?P<open>["“”„‘'«‹(\[{¿¡•▪►◦‣*–—-]*)\s*(?P<word>\S{0,40})""")
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")
_WORD_BEFORE = re.compile(r"""[^\s("“„‘'«\[/–—-]*$""")
_WINDOW = 400
"""How far, in characters, an open bracket or quotation mark is looked for: keeps every decision O(1)."""
_CRIES = frozenset({"Yahoo", "Jeopardy", "E", "Wham", "Mamma"})
"""Names spelt with an exclamation mark."""
_CLOCK = frozenset({"a.m", "p.m", "A.M", "P.M"})
# Of one letter any: small ones are "z. B." and "и т. д.". Ideographs and kana are words.
_INITIALS = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]|[^\W\d_\u0900-\u0dff\u2e80-\uffdf]")
_DEGREES = re.compile(r"\d\s?[CFK]?$")
"""A unit, no initial: "-12.5 C."."""
_ORDINAL_BEFORE = re.compile(
    r"(?:\b(?:[Dd](?:e[rmns]|ie|as)|[AaIi]m|[Zz]u[mr]|[Bb]eim|[Vv]om|(?:[Ii]hr|[Ss]ein|[Jj]ed)e[rmns]?)"
    r"|\d\.\s?(?:und|bis|oder|[/–-]))\s?$"
)
"""What makes an ordinal of a German number behind it, whatever noun follows: "am 1. und 2. Weihnachtstag"."""
_ELISION = re.compile(r"^[LlDd]['’](?=\w)")
_LABEL = re.compile(r"\d{1,3}|[A-Za-z]|[ivxIVX]{2,5}")
_CAPITAL_ALL_THE_SAME = re.compile(r"[a-z]{1,2}[A-Z]|https?://|www\.")
_SAYING = re.compile(
    r"\s+(?:[^\W\d_a-z][\w.'’-]*\s+){1,4}"
    r"(?:said|says|asked|asks|added|told|wrote|writes|tweeted|replied|shouted|yelled|recalled|joked)\b"
)
_WIDE_BRACKETS: Final = {"「": "」", "『": "』", "“": "”", "《": "》", "〈": "〉", "（": "）", "【": "】"}
_WIDE_GOES_ON = re.compile(
    r"と|って|など|を|が|は(?!い)|に|の|も(?![うし])|で(?!も)|へ|や|、|，"
    r"|的|然[后後]|[随隨][后後]|接[着著]|[并並便却]"
    r"|[^\s，。！？、“「]{0,8}?(?:说|說|表示|称|稱|写道|寫道|指出|回答|问|問|强调|強調|认为|認為|补充|補充)"
)
"""What follows a quotation inside its sentence: a Japanese particle; who said it in Chinese, or what came next."""
_ADDRESS = re.compile(r"[/@\\]|www\.|\.(?i:com|net|org|info|js|pdf|exe|html?)\b")


def split_sentences(text: str) -> tuple[Span, ...]:
    """Find the sentences of a canonical text: trimmed, in order, disjoint, never across a paragraph break.

    Every character that is not white space lies in exactly one of them. Takes time linear in the text.

    >>> split_sentences("Dr. Bo came at 9 p.m. Monday. “Good.”")
    ((0, 29), (30, 37))
    """
    return tuple(
        span
        for block_start, block_end in _blocks(text)
        for start, end in _cut(text, block_start, block_end)
        for span in _trimmed(text, start, end)
    )


def _cut(text: str, start: int, end: int) -> Iterator[Span]:
    """Consecutive raw spans that make up one block."""
    first = _LETTER_OR_DIGIT.search(text, start, end)
    for stop in _stops(text, start, end):
        if first is None:
            break
        if first.start() < stop.start() and _ends(text, start, first.start(), stop, end):
            yield start, stop.end()
            start = stop.end()
            first = _LETTER_OR_DIGIT.search(text, start, end)
    yield start, end


def _stops(text: str, start: int, end: int) -> Iterator[re.Match[str]]:
    plain = text[start:end].isascii() or not _OTHER_LETTERS.search(text, start, end)
    for mark in (_MARK if plain else _MARK_THERE).finditer(text, start, end):
        if mark.start() >= start and (stop := _STOP.match(text, mark.start(), end)):
            yield stop
            start = stop.end()


def _ends(text: str, start: int, first: int, stop: re.Match[str], end: int) -> bool:
    """Whether the sentence running from `start` (its first letter or digit at `first`) ends at this stop."""
    if stop["wide"]:
        again = _MARK.match(text, stop.end(), end)  # "（图1。）。" ends at its second stop
        return again is None and not _inside_wide(text, start, stop, end)
    following = _NEXT.match(text, stop.end(), end)
    if following is None or not following["word"]:
        return True
    word = following["word"]
    if word[0] in ",;:" or (word[0].islower() and not _CAPITAL_ALL_THE_SAME.match(word)):
        return False
    if stop["glued"] or stop["shouted"]:
        return not _in_address(text, start, stop, end) and (
            text[stop.start()] != "." or _full_stop_ends(text, first, stop.start(), following)
        )
    if _in_brackets(text, first, stop, end) or _short_cry(text, start, stop):
        return False
    mark = stop["mark"]
    if mark != ".":
        return not _goes_on(text, first, stop, word)
    return _full_stop_ends(text, first, stop.start(), following)


def _full_stop_ends(text: str, first: int, at: int, next_word: re.Match[str]) -> bool:
    """Whether a single full stop is one, given the word before it and the word after it."""
    following = next_word["word"]
    match = _WORD_BEFORE.search(text, max(first, at - 30), at)
    word = _ELISION.sub("", match[0]) if match else ""
    if at - len(word) == first and _LABEL.fullmatch(word):
        return False
    small = word[:1].lower() + word[1:]
    if at - len(word) != first and word.isascii():
        small = word  # a capital in the middle of a sentence means a name
    if word in NEVER_LAST or small in NEVER_LAST:
        return False
    counted = word in _BEFORE_NUMBER or (len(word) > 1 and (small in _BEFORE_NUMBER or word.endswith("str")))
    if counted and (following[0].isdigit() or not _INITIALS.fullmatch(word)):
        return not following[0].isdigit()
    if word in _CLOCK:
        return following[0].isalpha() and following.rstrip(".,;:)") not in _AFTER_CLOCK
    if word.isdecimal() and len(word) <= 2 and _is_ordinal(text, max(first, at - 20), at - len(word), following):
        return False
    if word in {"C", "F", "K"} and _DEGREES.search(text, max(first, at - 4), at):
        return True
    if word in MAYBE_LAST or _INITIALS.fullmatch(word):
        return opens_sentence(following) and not any(dash in next_word["open"] for dash in "-–—")
    return True


def _is_ordinal(text: str, low: int, at: int, following: str) -> bool:
    """Whether a number at a place is a German ordinal, by the word after it or before."""
    if following.rstrip(".,;:!?)") in _AFTER_ORDINAL:
        return True
    return (
        following[0].isupper() and _ORDINAL_BEFORE.search(text, low, at) is not None and not opens_sentence(following)
    )


def _inside_wide(text: str, start: int, stop: re.Match[str], end: int) -> bool:
    """Whether a Chinese or Japanese stop stands inside brackets, or a quotation it closes is part of the sentence."""
    low = max(start, stop.start() - _WINDOW)
    bare_end = stop.end() - len(stop["wide"].lstrip("。！？｡"))
    for opening, closing in _WIDE_BRACKETS.items():
        opened = text.rfind(opening, low, stop.start())
        if opened < 0 or text.find(closing, opened, stop.start()) >= 0:
            continue
        if closing not in text[bare_end : stop.end()]:
            return text.find(closing, stop.end(), min(end, stop.end() + _WINDOW)) >= 0
        if closing in "》〉" and stop.end() < end and not text[stop.end()].isspace():
            return True
    return bare_end < stop.end() and _WIDE_GOES_ON.match(text, stop.end(), end) is not None


def _in_address(text: str, start: int, stop: re.Match[str], end: int) -> bool:
    """Whether a stop without a space behind it is part of an address or a file's name."""
    low = max(start, stop.start() - 60)
    before = text[low : stop.start()].rsplit(maxsplit=1)
    after = text[stop.start() : min(end, stop.end() + 60)].split(maxsplit=1)
    return _ADDRESS.search((before[-1] if before else "") + (after[0] if after else "")) is not None


def _goes_on(text: str, first: int, stop: re.Match[str], following: str) -> bool:
    """Whether a sentence goes on after `!`, `?` or dots: in a name, or with who said it."""
    if stop["mark"] == "!" and not stop["close"]:
        match = _WORD_BEFORE.search(text, max(first, stop.start() - 30), stop.start())
        return match is not None and match[0] in _CRIES and not opens_sentence(following)
    quoted = any(mark in stop["close"] for mark in "\"'”’»“")
    return quoted and _SAYING.match(text, stop.end(), stop.end() + _WINDOW) is not None


def _in_brackets(text: str, first: int, stop: re.Match[str], end: int) -> bool:
    """Whether the stop stands in brackets that were opened in the middle of its sentence and close soon after."""
    low = max(first, stop.start() - _WINDOW)
    opened = text.rfind("(", low, stop.start())
    if opened < 0 or text.rfind(")", opened, stop.start()) >= 0 or ")" in stop["close"]:
        return False
    return text.find(")", stop.end(), min(end, stop.end() + _WINDOW)) >= 0


def _short_cry(text: str, start: int, stop: re.Match[str]) -> bool:
    """Whether the stop stands inside a quotation after one or two words of it, as in "No! Never!" and the like."""
    low = max(start, stop.start() - _WINDOW)
    curly, straight = text.rfind("“", low, stop.start()), text.rfind('"', low, stop.start())
    opened = max(curly, straight)
    if opened < 0 or stop["close"] or text.rfind("”", opened, stop.start()) >= 0:
        return False
    if opened == straight and opened > low and not (text[opened - 1].isspace() or text[opened - 1] in "([—–"):
        return False
    return len(text[opened : stop.start()].split(maxsplit=3)) < 3


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    """The span without white space at its ends; nothing for white space alone."""
    inner = text[start:end]
    begin = start + len(inner) - len(inner.lstrip())
    finish = start + len(inner.rstrip())
    if begin < finish:
        yield begin, finish


# --- The blocks of a text, within which sentences are told apart

_PARAGRAPH_BREAK = re.compile(r"\n[^\S\n]*\n\s*")
_LIST_LINE = re.compile(
    r"\n(?=[^\S\n]*(?:[•▪►◦‣⁃*–—-]|\d{1,3}[.)]|[A-Za-z]\)|\((?:\d{1,3}|[A-Za-z])\)|\(?[ivx]{1,5}\))\s)"
)
_ITEM_LABEL = re.compile(
    r"(?<!\S)(?:[•⁃*–—-]\s?)?(?P<open>\(?)(?P<label>\d{1,2}|[a-z])(?P<mark>\.\)|[.)])\s+(?P<word>\S+)"
)
"""What stands before an item of a list: "2.", "b)", "(c)", "• 4."."""
_BEFORE_A_LIST: Final = ".:;!?…"
_BULLETS: Final = "•▪►◦‣⁃"
_SIGNS_OF_A_LIST: Final = ("2.", "2)", "b. ", "b)", *_BULLETS)
"""One of them stands in every list of two: looked for first, for most lines hold none."""
_HEADING: Final = 120
"""Longest line, in characters, taken for one that stands for itself."""
_NARROW: Final = 30
"""Running text is wrapped to no such width: in lines all shorter than this, every break was meant,
but before a figure that a sentence ends with."""
_WIDE = compiled_late(r"[\u2e80-\uffdf]")
_OPEN_END = compiled_late(
    r"""[,;:.!?…。！？、–—-]["”’»)]*$|\b(?:[Tt]he|an?|of|and|or|to|in|on|at|by|for|from|with|der|die|das|von|und|de|la|le|et)$"""
)
_LINE_GOES_ON = re.compile(r"[^\w\s\"“„«‹‘'(\[¿¡]")


def _blocks(text: str) -> Iterator[Span]:
    """Paragraphs, within them the lines of a list, and within a line the items of one that goes on in it."""
    start = 0
    for match in _PARAGRAPH_BREAK.finditer(text):
        yield from _lines(text, start, match.start())
        start = match.end()
    yield from _lines(text, start, len(text))


def _items(text: str, start: int, end: int) -> Iterator[Span]:
    """The items of a list that lost its line breaks: "1. Close the bridge 2. Mend it" are two.

    Labels count where they begin a line or follow a stop, and go on one by one.
    """
    if not any(text.find(sign, start, end) >= 0 for sign in _SIGNS_OF_A_LIST):
        yield start, end
        return
    items: list[int] = []
    style, expected = "", ""
    for match in _ITEM_LABEL.finditer(text, start, end):
        label, how = match["label"], match["open"] + match["mark"]
        if not _is_label(match):
            continue
        if items and (label, how) == (expected, style):
            items.append(match.start())
        elif label in {"1", "a"} and len(items) < 2 and text[start : match.start()].rstrip()[-1:] in _BEFORE_A_LIST:
            items, style = [match.start()], how
        else:
            continue
        expected = str(int(label) + 1) if label.isdigit() else chr(ord(label) + 1)
    cuts = [start, *(items if len(items) > 1 else _bullets(text, start, end)), end]
    yield from ((one, other) for one, other in pairwise(cuts) if one < other)


def _bullets(text: str, start: int, end: int) -> Iterator[int]:
    """Where a bullet stands again in a line that begins with one."""
    bullet = text[start:end].lstrip()[:1]
    if bullet and bullet in _BULLETS:
        yield from (match.start() for match in re.compile(rf"(?<=\s){bullet}").finditer(text, start, end))


def _is_label(match: re.Match[str]) -> bool:
    """Whether a number is the label of an item, and no ordinal ("am 1. Mai", "2. Bundesliga")."""
    if match["mark"] != "." or not match["label"].isdigit():
        return True
    word = match["word"].rstrip(".,;:!?)")
    return not word[:1].islower() and word not in _AFTER_ORDINAL


def _lines(text: str, start: int, end: int) -> Iterator[Span]:
    for match in _LIST_LINE.finditer(text, start, end):
        yield from _headed(text, start, match.start())
        start = match.end()
    yield from _headed(text, start, end)


def _headed(text: str, start: int, end: int) -> Iterator[Span]:
    """Part lines that are no running text: headings, rows, addresses.

    Text that was wrapped to a width breaks where the next word would not have fitted; a break elsewhere was meant.
    """
    if "\n" not in text[start:end]:
        yield from _items(text, start, end)
        return
    lines = text[start:end].split("\n")
    width = max(map(len, lines))
    at = start
    for line, after in pairwise(lines):
        at += len(line) + 1
        if _is_apart(line.strip(), after.strip(), width=width):
            yield from _items(text, start, at - 1)
            start = at
    yield from _items(text, start, end)


def _is_apart(line: str, after: str, *, width: int) -> bool:
    """Whether a line is one of its own, not running on in the next; a row of a table is."""
    if " | " in f" {line} " and " | " in f" {after} ":
        return True
    if not line or not after or len(line) > _HEADING or after[0].islower():
        return False
    word = after[0] if _WIDE.match(after) else after.split(maxsplit=1)[0]
    if _OPEN_END.search(line[-20:]) or _LINE_GOES_ON.match(after):
        return False
    is_running = width >= _NARROW or (after[0].isdigit() and after.endswith((".", "!", "?")))
    if is_running and len(line) + 1 + len(word) > width and not (word.istitle() and opens_sentence(word)):
        return False
    return not line.endswith((" Mr", " Mrs", " Ms", " Dr"))


def opens_sentence(word: str) -> bool:
    """Whether a word is one that opens sentences: `It's`, `The,` and `THE` are, the initial `A.` is not."""
    bare = re.split(r"['’]", word.rstrip(",:;"), maxsplit=1)[0]
    return bare in _OPENERS or (len(bare) > 1 and bare.isupper() and bare.capitalize() in _OPENERS)
