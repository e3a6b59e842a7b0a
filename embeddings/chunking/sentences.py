"""Finds the spans of the sentences of a canonical text.

Rules, not a model: a stop ends a sentence unless the word before it is an abbreviation, an initial or a list label,
or what follows goes on in lower case; in Chinese and Japanese not inside brackets or quotation marks that the
sentence opened. A heading on a line of its own is a sentence of its own. Measured against sentencex on the
hand-labelled cases of the tests (`tests/benchmarks/bench_sentences.py`): sentencex keeps whole quotations as one
sentence, parts "10 p.m." from its day and hangs opening quotation marks on the sentence before.

Claimed are abbreviations and initials of English, German, French, Spanish, Italian, Portuguese, Dutch, Swedish,
Norwegian, Danish, Polish, Czech, Russian and Ukrainian; of Arabic, Hindi, Chinese and Japanese the marks that end
sentences, with their quotation marks. Other languages are split by their stops alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from embeddings.month_names import (
    CAPITAL_SHORT_MONTHS,
    ENGLISH_MONTHS,
    ENGLISH_SHORT_MONTHS,
    ENGLISH_WEEKDAYS,
    GERMAN_MONTHS,
    GERMAN_SHORT_MONTHS,
)
from embeddings.runtime import compiled_late

Span = tuple[int, int]
_PARAGRAPH_BREAK = re.compile(r"\n[^\S\n]*\n\s*")
_LIST_LINE = re.compile(r"\n(?=[^\S\n]*(?:[•▪►◦‣*–—-]|\d{1,3}[.)])\s)")
_STOP = re.compile(
    r"""
    (?<![.!?…‼‽⁇⁈⁉؟۔।॥։።။។])  # a run of marks is tried once, not from each of its characters
    (?P<mark> \.(?:\s\.)+ | [.!?…‼‽⁇⁈⁉؟۔।॥։።။។]++ )
    (?P<close> (?:["'”’»›)\]}]|“(?=\s|$))* (?: [\u00a0\u202f\x20]?[”»](?=\s|$) )? (?:\[\d{1,3}\])* )
    (?=\s|$)
    | (?P<wide> [。！？｡]+ [」』”’）】》〉]* )
    | (?P<glued> (?:(?<=[a-zß-öø-ÿа-яёα-ω]{2})|(?<=\d\d)) [.!?] [”’"»)]*  # a space was lost
        (?=[A-ZÀ-ÖØ-ÞА-ЯЁΑ-Ω][a-zß-öø-ÿа-яёα-ω]*[\s,;:’']) )
    """,
    re.VERBOSE,
)
_MARK = re.compile(r"[.!?…‼‽⁇⁈⁉؟۔।॥։።။。！？｡]")
"""What each stop begins with: looked for first, for there is one in sixty characters."""
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
    r"|[^\s，。！？、“「]{0,8}?(?:说|說|表示|称|稱|写道|寫道|指出|回答|问|問|强调|強調|认为|認為|补充|補充)"
)
"""What follows a quotation that is part of its sentence: a Japanese particle, or who said it in Chinese."""
_ADDRESS = re.compile(r"[/@\\]|www\.|\.(?:[Cc]om|[Nn]et|[Oo]rg|[Ii]nfo|[Jj]s|[Pp]df|[Ee]xe|[Hh]tml?)\b")
_HEADING: Final = 120
"""Longest line, in characters, taken for one that stands for itself."""
_WIDE = compiled_late(r"[\u2e80-\uffdf]")
_OPEN_END = compiled_late(
    r"""[,;:.!?…。！？、–—-]["”’»)]*$|\b(?:[Tt]he|an?|of|and|or|to|in|on|at|by|for|from|with|der|die|das|von|und|de|la|le|et)$"""
)
_LINE_GOES_ON = re.compile(r"[^\w\s\"“„«‹‘'(\[¿¡]")


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


def _blocks(text: str) -> Iterator[Span]:
    """Paragraphs, and within them the lines of a list."""
    start = 0
    for match in _PARAGRAPH_BREAK.finditer(text):
        yield from _lines(text, start, match.start())
        start = match.end()
    yield from _lines(text, start, len(text))


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
        yield start, end
        return
    lines = text[start:end].split("\n")
    width = max(map(len, lines))
    at = start
    for line, after in pairwise(lines):
        at += len(line) + 1
        if _is_apart(line.strip(), after.strip(), width=width):
            yield start, at - 1
            start = at
    yield start, end


def _is_apart(line: str, after: str, *, width: int) -> bool:
    """Whether a line is one of its own, not running on in the next."""
    if not line or not after or len(line) > _HEADING or after[0].islower():
        return False
    word = after[0] if _WIDE.match(after) else after.split(maxsplit=1)[0]
    if _OPEN_END.search(line[-20:]) or _LINE_GOES_ON.match(after):
        return False
    if len(line) + 1 + len(word) > width and not (word.istitle() and _opens_sentence(word)):
        return False
    return not line.endswith((" Mr", " Mrs", " Ms", " Dr"))


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
    for mark in _MARK.finditer(text, start, end):
        if mark.start() >= start and (stop := _STOP.match(text, mark.start(), end)):
            yield stop
            start = stop.end()


def _ends(text: str, start: int, first: int, stop: re.Match[str], end: int) -> bool:
    """Whether the sentence running from `start` (its first letter or digit at `first`) ends at this stop."""
    if stop["wide"]:
        return not _inside_wide(text, start, stop, end)
    following = _NEXT.match(text, stop.end(), end)
    if following is None or not following["word"]:
        return True
    word = following["word"]
    if word[0] in ",;:" or (word[0].islower() and not _CAPITAL_ALL_THE_SAME.match(word)):
        return False
    if stop["glued"]:
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
    if word in _NEVER_LAST or small in _NEVER_LAST:
        return False
    if word in _BEFORE_NUMBER or (len(word) > 1 and small in _BEFORE_NUMBER):
        return not following[0].isdigit()
    if word in _CLOCK:
        return following[0].isalpha() and following.rstrip(".,;:)") not in _AFTER_CLOCK
    if word.isdecimal() and len(word) <= 2 and following.rstrip(".,;:)") in _AFTER_ORDINAL:
        return False
    if word in {"C", "F", "K"} and _DEGREES.search(text, max(first, at - 4), at):
        return True
    if word in _MAYBE_LAST or _INITIALS.fullmatch(word):
        return _opens_sentence(following) and not any(dash in next_word["open"] for dash in "-–—")
    return True


def _opens_sentence(word: str) -> bool:
    """Whether a word is one that opens sentences: `It's`, `The,` and `THE` are, the initial `A.` is not."""
    bare = re.split(r"['’]", word.rstrip(",:;"), maxsplit=1)[0]
    return bare in _OPENERS or (len(bare) > 1 and bare.isupper() and bare.capitalize() in _OPENERS)


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
        return match is not None and match[0] in _CRIES and not _opens_sentence(following)
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


def _words(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


_TITLES: Final = _words(
    "Mr Mrs Ms Mx Dr Prof Gen Maj Col Lt Sgt Cpl Pvt Capt Cmdr Adm Brig Gov Rep Reps Sen Sens Rev Hon Pres Supt Insp",
    "Det Amb Messrs Mme Mlle Ste Mt Hr Sra Dra",
)
_NEVER_LAST: Final = (
    _TITLES
    | frozenset(title.upper() for title in _TITLES)  # wires in capitals
    | _words(
        "Ft v vs VS e.g i.e cf ca approx est avg Avg viz",
        "z.B u.a bzw ggf vgl sog geb gest d.h i.d.R Dipl Ing Hl inkl zzgl insb bspw",  # German
        "jur phil Fa",
        "Mmes MM Mgr Mgrs p.ex env",  # French
        "Srta Dña Gral Lic Excmo Excma Ilmo EE Mons D.ª aprox",  # Spanish
        "Sig Sig.ra Sigg Dott Dott.ssa Prof.ssa Avv Geom Egr Spett sig sig.ra dott dott.ssa prof.ssa avv",  # Italian
        "Profa Exmo Exma Eng Sr.ª séc Cia",  # Portuguese
        "dr prof mr mrs ing drs dhr mevr mw bijv d.w.z m.b.t t.a.v o.a nl",  # Dutch
        "t.ex bl.a dvs f.eks d.v.s jf mht fr.o.m t.o.m s.k pga adv",  # Swedish, Norwegian, Danish
        "inż mgr hab np tzn tzw tj m.in ul pl św ks bp abp płk mjr kpt ur zm",  # Polish
        "např tj tzv tzn popř vč nám plk",  # Czech
        "проф акад им ул св см т.е т.к напр ок просп пл доц ген полк",  # Russian
        "вул бул буд ім акад див напр бл",  # Ukrainian
        "डॉ प्रो श्री",  # Hindi
    )
)
"""A name, a number or the rest of the phrase always follows."""
_BEFORE_NUMBER: Final = _words(
    "No Nos no nos NO Art art arts Sec sec Fig fig figs p pp para paras ch vol Vol vols op",
    *ENGLISH_SHORT_MONTHS,
    *CAPITAL_SHORT_MONTHS,
    "Nr nr Abs Bd Kap núm Núm pág págs cap kl blz стр рис с ст",
    "godz ok poz rozdz ust cca čp odst",  # Polish, Czech
)
"""Abbreviations when a number follows, words like any other when none does."""
_MAYBE_LAST: Final = _words(
    "Inc Corp Co Cos Ltd Bros Jr Sr LLC INC CORP CO LTD BROS JR SR Ph.D St ST Ave Blvd Rd Sq Hwy Bldg Dept Univ Assn",
    "Assoc Intl al Ala Ariz Ark Calif Colo Conn Del Fla Ga Ill Ind Kan Ky La Mass Md Mich Minn Miss Mo Mont Neb Nev",
    "Okla Ore Pa Tenn Tex Va Vt Wash Wis Wyo",
    "usw usf Mio Mrd Tsd Str Tel Hrsg evtl Jh Chr",  # German
    "tys mln mld bln itd itp im br tis mil atd apod ecc",  # Polish, Czech, Italian, Dutch
    "Me Pr av Av Avda Ud Uds UU On Arch Gen apdo m.m osv gen",
    "тис тыс млн млрд руб коп др долл чел обл гг т.д т.п т.ч грн",
)
"""Abbreviations that also end sentences: they do where the next word is one that opens sentences."""
_AFTER_CLOCK: Final = _words(
    *ENGLISH_WEEKDAYS,
    *ENGLISH_MONTHS,
    *ENGLISH_SHORT_MONTHS,
    "Eastern Central Mountain Pacific Greenwich GMT UTC BST CET CEST EET MSK IST ET EST EDT CT CST CDT MT MST MDT",
    "PT PST PDT",
)
_AFTER_ORDINAL: Final = _words(
    *GERMAN_MONTHS,
    *GERMAN_SHORT_MONTHS,
    "FC SC SV FSV VfL BC",
    "Jahrhundert Jahrhunderts Weltkrieg Weltkriegs Weltkrieges Bundesliga Liga Platz Mal Tag Woche Minute Spieltag",
    "Stock Klasse Geburtstag Jahrestag Todestag Runde Etage Auflage Bezirk Jahrtausend Kapitel Sitzung",
)
"""What follows a number with a stop in German where it is read as an ordinal ("am 3. Oktober")."""
_OPENERS: Final = _words(
    "The A An He She It They We I You This That These Those There Here His Her Its Their Our My Your In On At But And",
    "Or So If When While After Before As For From With By To Of No Not Some Many Most All Both Each Several Another",
    "One Two Three What Who Why How Where Which Then Now Once Since Because Although Though However Meanwhile Later",
    "Still Yet Also Other Others More About Under Over During Despite According Only Even Just Until Among Let Do Did",
    "Is Are Was Were Has Have Had Will Would Can Could Should Officials Police Authorities Prosecutors Investigators",
    "Residents Critics Supporters Analysts Experts Researchers Scientists Shares Nearly More Every Nobody None",
    # Particles of names ("De", "Van", "La", "El", "Das") are left out.
    "Die Der Ein Eine Er Sie Es Wir Ich Im Auf Bei Mit Nach Doch Aber Und Auch Zu Von Für Dort Hier Seit Wenn Als",
    "Les Il Elle Ils Elles On Nous Une Dans Mais Et Cette Ce Ces Selon Pour Avec Après",
    "Los Las Una Ellos Pero Según Este Esta Para Por Desde También Gli Lo Questo Questa Però Secondo Ma Ele Ela Eles",
    "Uma Mas Segundo Também Het Een Hij Zij Ze Maar Deze Volgens Det Den Han Hon Hun Men Och Og En Ett Et",
    "To Ten Jest Nie Ale Jak Według Po",
    "Potem Gdy Kiedy Nikt Wczoraj Dziś Tam Jego Jej Ona Oni Jeho Její Oni Podle Když Nikdo",
    "Он Она Оно Они Это Этот Эта Эти В На Но По Как Так Также При После Для Однако Мы Вы Тогда Поэтому Власти Полиция",
    "Він Вона Вони Це Цей Ця Після Проте Але За Із Та",
)
