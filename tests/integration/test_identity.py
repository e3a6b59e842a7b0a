"""Which article takes the place of which: every row of the table in docs/identity.md, and the ways to get it wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest

from embeddings import parsers
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import HashingEncoder
from embeddings.ingest import IngestReport, ingest
from embeddings.types import Article, RawArticle, Where

KEEPER = (
    "Nils Ness, who kept the lighthouse of Skagen for 31 years, handed over the keys on Friday, the coast board said."
)
BAKER = "A bakery in Torsby bakes with acorn flour again. Its mill had stood still since the war, the owner said."
STORM = (
    "A storm tore the roof off the school in Odda on Monday night. Nobody was hurt. The council put the damage at {} "
    "crowns and said that lessons move to the town hall until the roof is mended."
)

FIRST = ("Vera", "Jens", "Nora", "Per", "Lena", "Ali", "Ida", "Olaf", "Marfa", "Quin")
LAST = ("Lund", "Aker", "Ek", "Dal", "Moor", "Sand", "Kerr", "Hask", "Joba", "Fen")


class Archive:
    """A corpus, and what an ingest of each call's articles made of it."""

    def __init__(self, corpus: EmbeddedCorpus) -> None:
        self.corpus = corpus

    def ingest(self, *items: RawArticle) -> IngestReport:
        return ingest(items, corpus=self.corpus, encoder=HashingEncoder())

    def files(self, folder: Path, **texts: str) -> list[str]:
        """Write files (name without suffix and text) and ingest them one after another; give the outcomes."""
        outcomes: list[str] = []
        for name, text in texts.items():
            (folder / f"{name}.txt").write_text(text, encoding="utf-8")
            report = ingest(parsers.read(folder / f"{name}.txt"), corpus=self.corpus, encoder=HashingEncoder())
            outcomes += [one.outcome for one in report.articles]
        return outcomes

    def each(self, *items: RawArticle) -> list[str]:
        """Outcomes of the articles, sent one by one."""
        return [self.ingest(item).articles[0].outcome for item in items]

    @property
    def articles(self) -> Sequence[Article]:
        return self.corpus.scan(where=Where(), after=None, limit=99)

    def texts(self) -> set[str]:
        return {article.text for article in self.articles}


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    corpus = EmbeddedCorpus.open(tmp_path / "data", identity=HashingEncoder.identity)
    yield Archive(corpus)
    corpus.close()


def sent(text: str, **fields: Any) -> RawArticle:
    """As from a request: no file ties it to another."""
    return RawArticle(text=text, **{"origin": "request:1", "title": "Keeper retires", **fields})


SAME_PAGE = [
    "https://daily.example/keeper",
    "http://daily.example/keeper",
    "https://www.daily.example/keeper/",
    "https://m.daily.example/keeper",
    "https://amp.daily.example/keeper",
    "https://daily.example/amp/keeper",
    "https://daily.example/keeper/amp/",
    "https://daily.example/keeper?amp",
    "https://daily.example/keeper?outputType=amp",
    "https://daily.example/keeper?utm_source=x&fbclid=1",
    "https://daily.example/keeper?ref=rss",
    "https://daily.example/keeper?CMP=share&at_medium=feed",
    "https://www.google.com/amp/s/daily.example/keeper",
    "https://www.google.com/url?sa=t&url=https%3A%2F%2Fdaily.example%2Fkeeper&usg=x",
    "https://l.facebook.com/l.php?u=https%3A%2F%2Fdaily.example%2Fkeeper%3Ffbclid%3D1&h=AT2",
    "https://daily.example./keeper?ito=1490&dicbo=v2-ab&mtm_campaign=x",
]
OTHER_PAGES = [
    "https://daily.example/keepers",
    "https://daily.example/keeper?page=2",
    "https://daily.example/keeper?ref=1182",
    "https://sport.daily.example/keeper",
    "https://daily.example:8443/keeper",
]


@pytest.mark.parametrize("url", SAME_PAGE[1:])
def test_an_article_under_another_address_of_its_page_is_the_same(archive: Archive, url: str) -> None:
    assert archive.each(sent(KEEPER, url=SAME_PAGE[0]), sent(KEEPER, url=url)) == ["added", "unchanged"]
    assert archive.each(sent(f"{KEEPER} He is 64.", url=url)) == ["updated"]
    (article,) = archive.articles
    assert (article.url, article.source) == (SAME_PAGE[0], "daily.example")
    assert article.text.endswith("64.")


@pytest.mark.parametrize("url", OTHER_PAGES)
def test_another_page_is_another_article(archive: Archive, url: str) -> None:
    assert archive.each(sent(KEEPER, url=SAME_PAGE[0]), sent(BAKER, url=url, title="Acorns")) == ["added", "added"]
    assert archive.texts() == {KEEPER, BAKER}


def test_the_better_address_of_a_page_is_kept(archive: Archive) -> None:
    archive.each(sent(KEEPER, url=SAME_PAGE[3].replace("https", "http")), sent(KEEPER, url=SAME_PAGE[0]))
    assert [article.url for article in archive.articles] == [SAME_PAGE[0]]


def test_all_addresses_in_one_run_are_one_article(archive: Archive) -> None:
    report = archive.ingest(*(sent(KEEPER, url=url) for url in SAME_PAGE))
    assert [one.outcome for one in report.articles].count("unchanged") == len(SAME_PAGE) - 1
    assert len(archive.articles) == 1


def test_the_same_words_elsewhere_on_the_site_are_a_duplicate_and_on_another_site_none(archive: Archive) -> None:
    home, section = "https://daily.example/keeper", "https://www.daily.example/news/2026/keeper-881"
    assert archive.each(sent(KEEPER, url=home), sent(KEEPER, url=section)) == ["added", "duplicate"]
    assert archive.each(sent(KEEPER, url="https://other.example/keeper")) == ["added"]
    weekly = [
        sent("There was no draw.", url=f"https://daily.example/{n}", published_at=f"2026-11-0{n}") for n in (1, 8)
    ]
    assert archive.each(*weekly) == ["added", "added"], "the same words of another day are another article"


@pytest.mark.parametrize(
    "root",
    [
        "https://daily.example/",
        "http://www.daily.example",
        "https://daily.example/index.shtml",
        "https://daily.example/amp/",
    ],
)
def test_the_address_of_a_site_names_no_article(archive: Archive, root: str) -> None:
    items = [sent(KEEPER, url=root), sent(BAKER, url=root, title="Acorns")]
    assert archive.each(*items) == ["added", "added"]
    assert {(article.url, article.source) for article in archive.articles} == {(None, "daily.example")}
    assert archive.each(*items) == ["unchanged", "unchanged"]


def test_pages_that_claim_one_address_do_not_replace_each_other(archive: Archive) -> None:
    wrong = "https://daily.example/latest"
    pages = [
        sent(KEEPER, url=wrong),
        sent(BAKER, url=wrong, title="Acorn flour is back"),
        sent(STORM, url=wrong, title="Roof"),
    ]
    first = archive.ingest(*pages)
    assert [one.outcome for one in first.articles] == ["added"] * 3
    assert [bool(one.notes) for one in sorted(first.articles, key=lambda one: one.title)] == [True, False, True]
    assert [article.url for article in archive.articles if article.url] == [wrong]
    assert {one.outcome for one in archive.ingest(*pages).articles} == {"unchanged"}
    assert len(archive.articles) == 3


WRONG = "https://daily.example/section/latest"
SAME_FORM = {
    "ferry notices": (
        (
            "The {} ferry runs every {} minutes from Monday. Tickets are sold on board, the port of Odda said. Cycles "
            "travel free of charge, and dogs have to be kept on a lead at all times."
        ),
        [("Skerra", "20"), ("Torsby", "20"), ("Almeric", "45")],
    ),
    "morning briefings": (
        "Good morning. {} Here is what else you need to know today before you leave the house. The weather stays dry.",
        [
            ("The tram to the harbour is late again.",),
            ("Two lorries collided and the road is closed.",),
            ("Rain is on the way from the west.",),
        ],
    ),
    "obituaries": (
        (
            "{} has died at the age of {}. The funeral is held in the old church of Torsby. They ask for no flowers "
            "and thanks the nurses of the hospital."
        ),
        [("Vera Lund", "81"), ("Jens Aker", "81"), ("Vera Aker", "68")],
    ),
    "planning notices": (
        (
            "The council of Odda has received an application to build a garage at {} Mill Lane. All may look at the "
            "drawings in the town hall and object in writing within four weeks."
        ),
        [("12",), ("14",), ("3",)],
    ),
}


def same_form(kind: str) -> list[str]:
    form, filled = SAME_FORM[kind]
    return [form.format(*each) for each in filled]


def page(folder: Path, name: str, text: str, *, title: str, head: str = "") -> Path:
    path = folder / f"{name}.html"
    path.write_text(
        f"<html lang=en><head><title>{title}</title><link rel=canonical href='{WRONG}'>{head}</head>"
        f"<body><article><h1>{title}</h1><p>{text}</p></article></body></html>",
        encoding="utf-8",
    )
    return path


@pytest.mark.parametrize("kind", SAME_FORM)
@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("dated", [True, False])
def test_pages_of_one_form_that_name_one_wrong_address_are_all_kept(
    archive: Archive, tmp_path: Path, kind: str, at_once: bool, dated: bool
) -> None:
    head = "<meta property='article:published_time' content='2026-11-{:02}'>" if dated else ""
    texts = same_form(kind)
    paths = [
        page(tmp_path, f"page-{n}", text, title=kind.capitalize(), head=head.format(n + 1))
        for n, text in enumerate(texts)
    ]
    for _ in range(2):
        for group in [paths] if at_once else [[path] for path in reversed(paths)]:
            found = [raw for path in group for raw in parsers.read(path)]
            archive.ingest(*found)
        assert archive.texts() == set(texts)
    assert [article.url for article in archive.articles if article.url] == [WRONG]
    # Each page goes on as itself, also where another one holds the address.
    more = page(tmp_path, "page-1", f"{texts[1]} The notice has no end.", title=kind.capitalize(), head=head.format(2))
    assert [one.outcome for one in archive.ingest(*parsers.read(more)).articles] == ["updated"]
    assert archive.texts() == {texts[0], f"{texts[1]} The notice has no end.", texts[2]}


@pytest.mark.parametrize("kind", SAME_FORM)
def test_records_of_one_form_under_one_wrong_address_are_all_kept(archive: Archive, kind: str) -> None:
    items = [sent(text, url=WRONG, title=kind) for text in same_form(kind)]
    assert {one.outcome for one in archive.ingest(*items).articles} == {"added"}
    assert archive.each(*reversed(items)) == ["unchanged"] * 3
    assert archive.texts() == {item.text for item in items}


@pytest.mark.parametrize("kind", ["ferry notices", "morning briefings", "obituaries"])
def test_records_of_other_names_sent_one_by_one_are_all_kept(archive: Archive, kind: str) -> None:
    items = [sent(text, url=WRONG, title=kind) for text in same_form(kind)]
    assert archive.each(*items) == ["added"] * 3
    assert archive.each(*items) == ["unchanged"] * 3


@pytest.mark.parametrize(
    ("dates", "titles"),
    [(("2026-11-03", "2026-11-10"), ("Fuel", "Fuel")), (("2026-11-03", "2026-11-04"), ("Fuel 44", "Fuel 45"))],
)
def test_the_next_of_a_series_at_its_address_is_another(
    archive: Archive, dates: tuple[str, str], titles: tuple[str, str]
) -> None:
    prices = [
        sent(f"A litre costs {price} crowns at the pumps of Odda, the board said.", url=WRONG, title=t, published_at=d)
        for price, d, t in zip(("19.20", "18.70"), dates, titles, strict=True)
    ]
    assert archive.each(*prices) == ["added", "added"]


def test_a_report_that_goes_on_at_its_address_replaces_and_says_so_where_it_is_not_sure(archive: Archive) -> None:
    first = sent("Three people were hurt in a fire in Torsby, the police of Odda said.", url=SAME_PAGE[0])
    second = sent(
        "Five people were hurt when a bakery burned down in Torsby, the police of Odda said. Nils Ness saw the smoke.",
        url=SAME_PAGE[0],
    )
    typo = msgspec.structs.replace(second, text=second.text.replace("bakery", "bakerry"))
    reports = [archive.ingest(item).articles[0] for item in (first, second, typo)]
    assert [one.outcome for one in reports] == ["added", "updated", "updated"]
    assert ["more than a correction differs" in "".join(one.notes) for one in reports] == [False, True, False]


def test_versions_of_one_day_in_one_file_follow_each_other(archive: Archive) -> None:
    items = [
        sent(f"{count} people were hurt in Torsby.", url=SAME_PAGE[0], published_at=f"2026-11-03T{hour}:00:00Z")
        for count, hour in (("Three", "08"), ("Five", "11"))
    ]
    assert sorted(one.outcome for one in archive.ingest(*items).articles) == ["added", "updated"]
    assert archive.texts() == {"Five people were hurt in Torsby."}


def test_a_page_saved_twice_is_one_article(archive: Archive, tmp_path: Path) -> None:
    text = " ".join(same_form("obituaries")[:1] * 1 + [STORM.format("320,000"), KEEPER])
    paths = [page(tmp_path, "a", text, title="Odda"), page(tmp_path, "a (1)", f"{text} Read by Per Dal.", title="Odda")]
    assert [one.outcome for path in paths for one in archive.ingest(*parsers.read(path)).articles] == [
        "added",
        "updated",
    ]


def test_an_article_told_anew_under_its_address_replaces_the_old(archive: Archive) -> None:
    url = "https://daily.example/keeper"
    again = "After 31 years the lighthouse of Skagen has a new keeper; Nils Ness handed over the keys on Friday."
    assert archive.each(sent(KEEPER, url=url), sent(again, url=url, title="A new light for Skagen")) == [
        "added",
        "updated",
    ]
    assert archive.each(sent("Nothing of it is left.", url=url, title="")) == ["updated"], (
        "without a title nothing speaks against it"
    )


def test_an_older_version_that_arrives_later_changes_nothing(archive: Archive) -> None:
    def toll(price: str, day: str, **fields: str) -> RawArticle:
        return sent(f"The toll on the Osk bridge is {price} crowns, the operator said.", published_at=day, **fields)

    for name in ({"url": "https://daily.example/toll"}, {"id": "toll"}):
        archive.each(toll("4.50", "2026-11-23", **name))
        assert archive.each(toll("5.50", "2026-11-23", **name)) == ["updated"], "the same day: the later one sent"
        (late,) = archive.ingest(toll("4.50", "2026-11-20", **name)).articles
        assert late.outcome == "unchanged"
        assert "2026-11-20" in late.notes[0]
        held = archive.corpus.get(late.id)
        assert held is not None
        assert (late.version, "5.50" in held.text) == (held.version, True)
        assert archive.each(toll("6.50", "2026-11-23T18:00:00Z", **name)) == ["updated"]
        assert archive.each(toll("5.50", "2026-11-23", **name)) == ["updated"], "a day alone may be any time of it"


def test_a_wrong_date_can_be_put_right(archive: Archive) -> None:
    url = "https://daily.example/keeper"
    items = [sent(KEEPER, url=url, published_at=day) for day in ("2026-11-23", "2026-11-20")]
    assert archive.each(*items) == ["added", "updated"]


def test_an_undated_copy_does_not_wipe_out_the_date(archive: Archive) -> None:
    url = "https://daily.example/keeper"
    full = sent(KEEPER, url=url, published_at="2026-11-23", language="en", authors=("R. Holm",))
    assert archive.each(full, sent(KEEPER, url=url)) == ["added", "unchanged"]
    assert archive.each(sent(f"{KEEPER} He is 64.", url=url)) == ["updated"]
    assert [(one.published_at, one.authors) for one in archive.articles] == [("2026-11-23", ("R. Holm",))]


def test_untimed_texts_of_one_title_are_both_kept(archive: Archive) -> None:
    briefings = [sent(text, title="Morning briefing") for text in (KEEPER, BAKER, KEEPER.replace("31", "13"))]
    reports = [archive.ingest(item).articles[0] for item in briefings]
    assert [one.outcome for one in reports] == ["added"] * 3
    assert ["give an `id` or a `url`" in "".join(one.notes) for one in reports] == [False, True, True]
    assert archive.texts() == {item.text for item in briefings}
    assert archive.each(*briefings) == ["unchanged"] * 3


def test_a_correction_with_title_date_and_source_replaces(archive: Archive) -> None:
    def notice(damage: str, **fields: str) -> RawArticle:
        return sent(
            STORM.format(damage), **{"title": "Roof", "published_at": "2026-11-24", "source": "Odda Post", **fields}
        )

    assert archive.each(notice("320,000")) == ["added"]
    (corrected,) = archive.ingest(notice("230,000")).articles
    assert (corrected.outcome, "it replaces 'Roof'" in "".join(corrected.notes)) == ("updated", True)
    assert archive.each(notice("230,000", source="Coast Radio")) == ["duplicate"]
    assert archive.each(notice("99,000", source="Coast Radio")) == ["added"], "another source says otherwise"
    assert archive.each(notice("99,000", published_at="2026-11-25")) == ["added"], "another day"
    assert len(archive.articles) == 3


NOTICES = {
    "Deaths": (
        (
            "{} has died at the age of {}. Friends and neighbours will remember the long evenings in the garden. The "
            "funeral is held in the old church of Torsby. The family asks for no flowers."
        ),
        [("Vera Lund", "81"), ("Jens Aker", "81"), ("Vera Aker", "68")],
    ),
    "Planning notice": (
        (
            "The council has received an application to build a garage at {}. Neighbours may look at the drawings in "
            "the town hall of Odda and object in writing within four weeks."
        ),
        [("12 Mill Lane",), ("14 Mill Lane",), ("3 Quay Street",)],
    ),
    "Auction results": (
        "At the auction in Almeric, {} bought the painting for {} crowns. The house takes a fifth of the price.",
        [("Nora Ek", "40,000"), ("Per Dal", "52,000"), ("Nora Dal", "40,000")],
    ),
    "Missing": (
        (
            "The police in Torsby look for {}, {}, who left home on Tuesday morning and has not been seen since. "
            "Whoever has seen anything is asked to call the station."
        ),
        [("Nora Ek", "14"), ("Per Dal", "71"), ("a boy", "14"), ("a girl", "14")],
    ),
}


def notices(title: str, **fields: str) -> list[RawArticle]:
    form, filled = NOTICES[title]
    said = {"published_at": "2026-11-24", "source": "Odda Post", "title": title} | fields
    return [sent(form.format(*each), **said) for each in filled]


@pytest.mark.parametrize("title", NOTICES)
def test_notices_in_the_same_words_about_others_are_kept_beside_each_other(archive: Archive, title: str) -> None:
    items = notices(title)
    assert archive.each(*items) == ["added"] * len(items)
    assert archive.each(*items) == ["unchanged"] * len(items)
    at_once = archive.ingest(*notices(title, collection="once")).articles
    assert [one.outcome for one in at_once] == ["added"] * len(items)
    assert len(archive.articles) == 2 * len(items)


@pytest.mark.parametrize("title", NOTICES)
def test_a_file_of_lines_that_holds_other_notices_tomorrow_replaces_none(
    archive: Archive, tmp_path: Path, title: str
) -> None:
    file, items = tmp_path / "notices.jsonl", notices(title)
    for item in items:
        file.write_bytes(msgspec.json.encode({"title": title, "text": item.text}))
        (report,) = ingest(parsers.read(file), corpus=archive.corpus, encoder=HashingEncoder()).articles
        assert report.outcome == "added"
    assert archive.texts() == {item.text for item in items}


def test_three_hundred_obituaries_in_three_requests_are_all_kept(archive: Archive) -> None:
    form = NOTICES["Deaths"][0]
    names = [(f"{first} {last}", age) for first in FIRST for last in LAST for age in (64, 71, 88)]
    items = [sent(form.format(*each), title="Deaths", published_at="2026-11-24", source="Post") for each in names]
    outcomes = [one.outcome for n in range(3) for one in archive.ingest(*items[n::3]).articles]
    assert outcomes == ["added"] * 300
    assert archive.corpus.count(Where()).articles == 300
    again = [one.outcome for n in range(3) for one in archive.ingest(*items[n::3]).articles]
    assert again == ["unchanged"] * 300
    more = msgspec.structs.replace(items[0], text=f"{items[0].text} Coffee is served.")
    assert archive.each(more) == ["added"], "one of a series: the title ties it to none"


def test_a_correction_that_may_be_of_either_replaces_neither(archive: Archive) -> None:
    first, second, _ = notices("Planning notice")
    said = {"title": first.title, "published_at": first.published_at, "source": first.source}
    general = "The drawings are in the town hall. Objections are read in four weeks. The committee decides after that."
    assert archive.each(sent(general, **said), sent(f"{general} It meets in May.", **said)) == ["added", "updated"]
    both = [sent(f"{text} It meets in May.", **said) for text in (first.text, second.text)]
    assert [one.outcome for one in archive.ingest(*both).articles] == ["added", "added"]
    (report,) = archive.ingest(sent(f"{first.text} {second.text} {both[0].text}", **said)).articles
    assert (report.outcome, "both are kept" in "".join(report.notes)) == ("added", True)


def test_a_file_corrected_renamed_or_retitled(archive: Archive, tmp_path: Path) -> None:
    body = STORM.format("320,000")
    assert archive.files(tmp_path, roof=f"Storm takes school roof\n\n{body}\n") == ["added"]
    corrected = body.replace("320,000", "230,000")
    assert archive.files(tmp_path, roof=f"Storm takes school roof\n\n{corrected}\n") == ["updated"]
    assert archive.files(tmp_path, roof=f"School loses its roof in storm\n\n{corrected} It is an old one.\n") == [
        "updated"
    ]
    assert archive.files(tmp_path, moved=f"School loses its roof in storm\n\n{corrected} It is an old one.\n") == [
        "duplicate"
    ]
    assert len(archive.articles) == 1
    # Undated and under another name, nothing but the title says which article was corrected: both stay.
    assert archive.files(tmp_path, other=f"School loses its roof in storm\n\n{body} It is a new one.\n") == ["added"]


def test_an_untitled_file_corrected(archive: Archive, tmp_path: Path) -> None:
    assert archive.files(tmp_path, notice=STORM.format("320,000")) == ["added"]
    assert archive.files(tmp_path, notice=STORM.format("230,000")) == ["updated"]
    assert [("230,000" in article.text) for article in archive.articles] == [True]


def test_a_file_filled_with_another_article_replaces_nothing(archive: Archive, tmp_path: Path) -> None:
    assert archive.files(tmp_path, today=f"Morning briefing\n\n{KEEPER}\n") == ["added"]
    assert archive.files(tmp_path, today=f"Morning briefing\n\n{BAKER}\n") == ["added"]
    assert archive.texts() == {KEEPER, BAKER}


def test_a_dated_file_renamed_and_corrected(archive: Archive, tmp_path: Path) -> None:
    head = "---\ntitle: Roof\ndate: 2026-11-24\n---\n"
    outcomes = []
    for name, damage in (("a.md", "320,000"), ("b.md", "230,000"), ("c.md", "230,000")):
        (tmp_path / name).write_text(head + STORM.format(damage), encoding="utf-8")
        report = ingest(parsers.read(tmp_path / name), corpus=archive.corpus, encoder=HashingEncoder())
        outcomes += [one.outcome for one in report.articles]
    assert outcomes == ["added", "updated", "duplicate"]


def test_a_line_put_in_front_of_others_moves_none_of_them(archive: Archive, tmp_path: Path) -> None:
    file = tmp_path / "wire.jsonl"
    outcomes: list[list[str]] = []
    for texts in ([KEEPER, BAKER], [f"{KEEPER} He is 64.", BAKER], [STORM, f"{KEEPER} He is 64.", BAKER]):
        file.write_bytes(b"\n".join(msgspec.json.encode({"text": text}) for text in texts))
        report = ingest(parsers.read(file), corpus=archive.corpus, encoder=HashingEncoder())
        outcomes.append(sorted(one.outcome for one in report.articles))
    assert outcomes[:2] == [["added", "added"], ["unchanged", "updated"]]
    assert outcomes[2][0] == "added"
    assert archive.texts() == {STORM, f"{KEEPER} He is 64.", BAKER}


def test_a_duplicate_is_found_whatever_other_collections_hold(archive: Archive) -> None:
    for number in range(8):  # whatever their ids come to
        text = f"{KEEPER} Number {number}."
        items = [
            sent(text, id=f"{number}", collection="x", title="Old"),
            sent(text, collection="y", title="Old"),
            sent(text, collection="y", title="New"),
        ]
        assert archive.each(*items) == ["added", "added", "duplicate"]


def test_a_store_made_before_this_is_opened_and_recognises_its_articles(
    archive: Archive, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = "https://daily.example/keeper"
    archive.each(sent(KEEPER, url=url), sent(BAKER, title="Acorns", origin="acorns.txt:1"))
    archive.corpus.close()
    db = apsw.Connection(str(tmp_path / "data" / "store.db"))
    db.execute("DROP TABLE known_by")
    db.close()
    reader = EmbeddedCorpus.open(tmp_path / "data", identity=HashingEncoder.identity, read_only=True)
    assert reader.count(Where()).articles == 2
    assert reader.verify() == []
    reader.close()
    again = Archive(EmbeddedCorpus.open(tmp_path / "data", identity=HashingEncoder.identity))
    request.addfinalizer(again.corpus.close)
    assert again.each(sent(f"{KEEPER} He is 64.", url=url)) == ["updated"]
    assert again.each(sent(f"{BAKER} It is open.", title="Acorns", origin="acorns.txt:1")) == ["updated"]
    again.corpus.close()
