"""Finds the headline in a page's title: one line, without the site's name."""

import re
import unicodedata
from collections.abc import Sequence
from itertools import takewhile
from typing import Final

from embeddings.cleaning.unicode import canonical_line
from embeddings.runtime import compiled_late

MAX_TITLE: Final = 1000
"""Longest title kept, in characters; a longer one is cut between words."""

_SIGNS = r"|¦丨❘·•⋆∙»›｜>"
_SUFFIX = compiled_late(rf" ?(?P<mark>[{_SIGNS}]|::|—|(?<= )(?:--?|–|:|[/\\<~‹«])(?= )) ?(?=[^{_SIGNS}]{{1,40}}$)")
_PREFIX = compiled_late(
    rf"(?P<name>[^{_SIGNS}:]{{2,40}}?) ?(?P<mark>[{_SIGNS}]|::|—|(?<= )(?:--?|–|[/\\<~])(?= )|:(?= )) ?"
)
_IN_BRACKETS = compiled_late(r" ?[(\[](?P<name>[^()\[\]]{2,40})[)\]]$")
_HOME = compiled_late(
    r"(?:home(?:page)?|startseite|accueil|inicio|início|главная)(?: ?(?P<mark>[>»›])|(?P<slash> / |/(?! )))",
    re.IGNORECASE,
)
"""Where the way through the site begins that may stand before a headline: "Home > News > "."""
_WIDE_PREFIX = compiled_late(r"[【\[［](?P<name>[^】\]］]{1,20})[】\]］]\s?")
_WIDE_MEDIUM = compiled_late(
    r".*[^\s】].*(?:新聞社?|新闻社?|ニュース|日報|日报|時報|时报|晚报|晩報|週刊|周刊|(?<![A-Za-z\d帯動动星線线])通信|通信社|通讯社|通訊社|뉴스|일보|신문)"
)
"""What names a newspaper or an agency. Not a lone 報, 社 or 網, nor "5G通信": news of a death (訃報), too, ends so."""
_DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}")
_TAGLINE = re.compile(
    r"[^:|]{2,60}\b(?:platform|portal|newspaper|website|site|magazine|news|newsroom|nettavis|zeitung|journal|diario): "
)
"""What a site says of itself between its name and the headline."""
_CRUMBS: Final = "»›/>"
"""Marks of a path through the site: what stands between two of them is a section."""
# Chinese and Japanese titles need no space around a mark. A lone 网 or 报 tells a site's name only behind - or _.
_WIDE_SUFFIX = compiled_late(
    r"(?:\s?[_|｜丨－-]\s?[^\s_|｜丨－-]{1,12}(?:新聞|新闻|ニュース|日報|日报|時報|时报|晚报|週刊|周刊|通信|放送|電視台|电视台|在线|频道|网|網|报|報|社|뉴스|일보|신문|타임스|방송)"
    r"|\s?[：:]\s?[^\s：:]{1,10}(?:新聞|新闻|ニュース|日報|日报|時報|时报|通信社|放送局|新闻网|新聞網))$"
)
_WIDE_SECTION = compiled_late(r"\s?[_｜|]\s?[\u3400-\u9fff\u3040-\u30ff]{2,4}\s?$")
_WIDE = compiled_late(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
# What a site puts behind its own name: "CNN Business", "BBC News", "The Week UK".
_SECTIONS = frozenset(
    """business politics news sport sports health travel style tv video uk us usa world opinion entertainment tech
    technology science online com live international english money climate culture style weather local region
    economy finance lifestyle food arts books education environment national home ニュース 新聞 新闻 뉴스
    nachrichten politik wirtschaft kultur panorama lokales regional regionales wissen actualités actualité société
    économie monde notícias notizie новости политика общество экономика спорт культура мир
    noticias política economía deportes sociedad mundo cronaca politica economia esteri nieuws nyheter""".split()
)
_MEDIA = _SECTIONS | frozenset(
    """times post herald tribune gazette guardian journal chronicle magazine today daily zeitung nachrichten nyheter
    noticias actualités notizie blog observer mail telegraph star courier""".split()
)
"""Words that end a site's name."""
_ARTICLES = frozenset("the der die das el la los las le les il lo o a os as de het".split())
_SECOND_LEVEL = frozenset({"co", "com", "org", "net", "gov", "ac", "edu"})
_HOST_ENDING = re.compile(r"(?:\.(?:co|com|org|net))?\.[a-z]{2,10}$", re.IGNORECASE)
_SHORTEST: Final = 8
"""Fewer characters behind a site's name are no headline."""
_NO_NAMES: frozenset[str] = frozenset()


def clean_title(written: str, *, sites: Sequence[str]) -> str:
    """Fold white space, drop the site's own name (with its sections) at either end, cut to `MAX_TITLE`.

    `sites` names the article's source: hosts, names, or empty. A suffix that matches none stays: it may be wording.

    >>> clean_title("Rain stops  | CNN Business", sites=["edition.cnn.com"])
    'Rain stops'
    >>> clean_title("Rain stops » Local » The Daily Drop", sites=["dailydrop.example"])
    'Rain stops'
    >>> clean_title("Rain stops : NPR", sites=["npr.org"]), clean_title("Rain stops : why?", sites=["npr.org"])
    ('Rain stops', 'Rain stops : why?')
    >>> clean_title("Rain stops - CNN chief explains", sites=["cnn.com"])
    'Rain stops - CNN chief explains'
    """
    title = _cut(canonical_line(written))
    title = _without_crumbs(title)
    names = _NO_NAMES.union(*map(_names, sites))
    if not names:
        return title
    before, named_behind = "", False
    while before != title:
        shorter = _without_suffix(title, names)
        named_behind = named_behind or shorter != title
        before, title = title, _without_prefix(shorter, names, named_behind=named_behind)
    return title


def _without_crumbs(title: str) -> str:
    """A title without the way to it: a section must follow the start, then come sections and single words.

    Between two words a " / " may be wording ("Home / Office rules"): it takes two sections.

    >>> _without_crumbs("Home > Sport > Football > Orrin wins the cup"), _without_crumbs("Home > Away: how Orrin won")
    ('Orrin wins the cup', 'Home > Away: how Orrin won')
    """
    home = _HOME.match(title)
    if home is None:
        return title
    mark = home["mark"] or home["slash"]
    pieces = title[home.end() :].split(mark)
    way = list(takewhile(lambda piece: _is_section(piece) or len(piece.split()) == 1, pieces[:-1]))
    sections = sum(map(_is_section, way))
    if not way or not _is_section(way[0]) or sections < (2 if mark == " / " else 1):
        return title
    rest = mark.join(pieces[len(way) :]).lstrip()
    return rest if len(rest) >= _SHORTEST else title


def _without_suffix(title: str, names: frozenset[str]) -> str:
    if _WIDE.search(title) and (wide := _WIDE_SUFFIX.search(title)) and wide.start() > 2:
        title = title[: wide.start()].rstrip()
        section = _WIDE_SECTION.search(title)
        return title[: section.start()].rstrip() if section and section.start() > 2 else title
    bracket = _IN_BRACKETS.search(title)
    if bracket and bracket.start() >= _SHORTEST and _is_site(bracket["name"], names):
        return title[: bracket.start()]
    suffix = _site_suffix(title, names)
    if suffix is None:
        return title
    shorter = title[: suffix.start()].rstrip()
    while (above := _last_suffix(shorter)) and above["mark"] == suffix["mark"]:
        piece = shorter[above.end() :]
        crumb = suffix["mark"] in _CRUMBS and len(piece.split()) <= 3
        if not crumb and not _is_section(piece):
            break
        shorter = shorter[: above.start()].rstrip()
    return shorter or title


def _site_suffix(title: str, names: frozenset[str]) -> re.Match[str] | None:
    """The site's name at the end of a title, or before the section or the date at its end ("… | Daily Drop | News")."""
    last = _last_suffix(title)
    if last is None or _is_site(title[last.end() :], names):
        return last
    piece, before = title[last.end() :], title[: last.start()].rstrip()
    if not (_DATE.fullmatch(piece) or _is_section(piece)):
        return None
    above = _last_suffix(before)
    return above if above and _is_site(before[above.end() :], names) else None


def without_sections(title: str) -> str:
    """A title whose site's name is off already, without the sections that stood before that name.

    >>> without_sections("Rain stops | Local News"), without_sections("Local | Sport")
    ('Rain stops', 'Local | Sport')
    """
    shorter = title
    while (
        (suffix := _last_suffix(shorter)) and suffix["mark"] not in {":", "::"} and _is_section(shorter[suffix.end() :])
    ):
        shorter = shorter[: suffix.start()].rstrip()
    return shorter if len(shorter) >= _SHORTEST else title


def _is_section(piece: str) -> bool:
    """Whether a piece of a title is made of words that name sections: "Local News", "Arts & Culture"."""
    words = [squeezed for word in piece.split() if (squeezed := _squeeze(word))]
    return 0 < len(words) <= 3 and _SECTIONS.union({"and", "crime", "courts"}).issuperset(words)


def _without_prefix(title: str, names: frozenset[str], *, named_behind: bool) -> str:
    if wide := _WIDE_PREFIX.match(title):
        is_medium = _WIDE.search(title) and _WIDE_MEDIUM.fullmatch(wide["name"])
        return (title[wide.end() :].lstrip() or title) if is_medium or _is_site(wide["name"], names) else title
    prefix = _PREFIX.match(title)
    if prefix is None or not _is_site(prefix["name"], names):
        return title
    if prefix["mark"] == ":" and (named_behind or not _is_spelt_out(prefix["name"], names)):
        return title
    rest = title[prefix.end() :]
    tagline = _TAGLINE.match(rest)
    rest = rest[tagline.end() :] if tagline else rest
    return rest if len(rest) >= _SHORTEST else title


def _is_spelt_out(name: str, names: frozenset[str]) -> bool:
    """Whether this before a ":" can only be the site's name.

    "Velda: bridge closed" may be of the town, and "The Sun: how it will die" of the sun.
    """
    words = name.split()
    return len(words) > 1 and words[0].casefold() not in _ARTICLES and _squeeze(name) in names


def _last_suffix(title: str) -> re.Match[str] | None:
    tail = max(0, len(title) - 60)
    found = None
    for found in _SUFFIX.finditer(title, tail):  # noqa: B007  the last one is wanted
        pass
    return found


def _cut(title: str) -> str:
    if len(title) <= MAX_TITLE:
        return title
    head = title[: MAX_TITLE + 1].rsplit(" ", 1)[0] if " " in title[:MAX_TITLE] else title[:MAX_TITLE]
    # A cut may leave a joiner with nothing to join.
    return canonical_line(head)


def _names(site: str) -> frozenset[str]:
    """The site's name as a title may spell it, squeezed to letters and digits."""
    labels = [label for label in site.casefold().split(".") if label]
    whole = ""
    if "." in site and " " not in site and len(labels) > 1:
        labels.pop()
        if len(labels) > 1 and labels[-1] in _SECOND_LEVEL:
            labels.pop()
        # The ending may be part of the name: "Daily Example" of daily.example.
        whole, site = _squeeze(site.casefold().removeprefix("www.")), labels[-1]
    name = _squeeze(site)
    return frozenset({name, name.removeprefix("the"), whole} - {""})


def _is_site(suffix: str, names: frozenset[str]) -> bool:
    suffix = suffix.strip().removeprefix("www.")
    squeezed = _squeeze(_HOST_ENDING.sub("", suffix))
    whole = _squeeze(suffix)
    if any(
        spelt.startswith(name) and (spelt == name or spelt.removeprefix(name) in _SECTIONS)
        for spelt in (squeezed, whole, squeezed.removeprefix("the"), _squeeze(unicodedata.normalize("NFD", suffix)))
        for name in names
    ):
        return True
    words = [squeezed for word in suffix.split() if (squeezed := _squeeze(word))]
    return any(_abbreviates(name, words) or _is_akin(name, words) for name in names)


def _abbreviates(name: str, words: Sequence[str]) -> bool:
    """Whether a name is made of the beginnings of all these words: `nytimes` of "The New York Times"."""
    words = words[1:] if words[:1] == ["the"] else words
    if not 2 <= len(words) <= 6 or len(name) < 3:
        return False
    reached = {0}
    for word in words:
        step = {
            at + length for at in reached for length in range(1, len(word) + 1) if name.startswith(word[:length], at)
        }
        reached = step | (reached if word in {"of", "and", "the", "de", "der"} else set())
    return len(name) in reached


def _is_akin(name: str, words: Sequence[str]) -> bool:
    """Whether the words begin as the name does and end as names of media do: "Auto News" of autoexample.com."""
    return 2 <= len(words) <= 4 and words[-1] in _MEDIA and len(words[0]) >= 4 and name.startswith("".join(words[:-1]))


def _squeeze(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
