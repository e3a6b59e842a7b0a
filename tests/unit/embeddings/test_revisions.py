"""Whether one text is a later version of another where nothing but title, date and source tie them: only where sure."""

from __future__ import annotations

import msgspec
import pytest

from embeddings.revisions import is_another_article, is_revision
from embeddings.types import Article

OBITUARY = (
    "{} has died at the age of {}. Friends and neighbours will remember the long evenings in the garden and the songs "
    "at the harbour. The funeral is held in the old church of Torsby. The family asks for no flowers."
)
PLANNING = (
    "The council has received an application to build a garage at {}. Neighbours may look at the drawings in the town "
    "hall of Odda and object in writing within four weeks. The building committee decides after that."
)
RESULT = "At the spring auction in Almeric, {} bought the painting for {} crowns. The house takes a fifth of the price."
MISSING = (
    "The police in Torsby look for {}, {}, who left home on Tuesday morning and has not been seen since. Whoever has "
    "seen anything is asked to call the station."
)
ROOF = (
    "A storm tore the roof off the school in Odda on Monday night. Nobody was hurt. The council put the damage at {} "
    "and said that lessons move to the town hall until the roof is mended."
)
SHELTER = "The shelter looks for the owner of a {} dog that was found at the river. It can be fetched in the mornings."


def article(text: str, **fields: str) -> Article:
    said = {"id": "a", "version": text, "title": "Notice", "source": "Odda Post", "published_at": "2026-11-24"} | fields
    return Article(text=text, url=None, language="en", collection="default", **said)


def revises(new: str, old: str) -> bool:
    return is_revision(article(new), article(old), closely=True)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (OBITUARY.format("Vera Lund", 81), OBITUARY.format("Jens Aker", 81)),
        (OBITUARY.format("Vera Lund", 81), OBITUARY.format("Vera Lund", 18)),
        (OBITUARY.format("Vera Lund", 81), OBITUARY.format("Vera Lunde", 81)),
        (OBITUARY.format("Vera Lund", 81), OBITUARY.format("Vera Maria Lund", 81)),
        (OBITUARY.format("Vera Lund", "sixty"), OBITUARY.format("Vera Lund", "ninety")),
        (
            OBITUARY.format("Vera Lund", 81),
            f"{OBITUARY.format('Jens Aker', 81)} Correction: the church is the old one.",
        ),
        (OBITUARY.format("Vera Lund", 81), OBITUARY.format("Vera Lund", 81).replace("Torsby", "Almeric")),
        (PLANNING.format("12 Mill Lane"), PLANNING.format("14 Mill Lane")),
        (PLANNING.format("12 Mill Lane"), PLANNING.format("12 Quay Street")),
        (PLANNING.format("plot 1204"), PLANNING.format("plot 1311")),
        (RESULT.format("Nora Ek", "40,000"), RESULT.format("Per Dal", "52,000")),
        (RESULT.format("Nora Ek", "40,000"), RESULT.format("Per Dal", "40,000")),
        (RESULT.format("Nora Ek", "40,000"), f"Lot 7. {RESULT.format('Nora Ek', '52,000')}"),
        (MISSING.format("Nora Ek", 14), MISSING.format("Per Dal", 71)),
        (MISSING.format("a girl", 14), MISSING.format("a woman", 14)),
        (MISSING.format("a girl", 14), MISSING.format("a girl", 17)),
        (SHELTER.format("black"), SHELTER.format("white")),
        (SHELTER.format("black"), SHELTER.format("brown")),
        (PLANNING.format("plot 1,204 Mill Field"), PLANNING.format("plot 1,311 Mill Field")),
        (SHELTER.format("black").replace("river", "1,200"), SHELTER.format("black").replace("river", "1,300")),
        (OBITUARY.format("Vera Lund", "six"), OBITUARY.format("Vera Lund", "sixty")),
        (ROOF.format("320,000 crowns"), ROOF.format("320,000 crowns").replace("Monday", "Sunday")),
        (ROOF.format("320,000 crowns"), ROOF.format("23 crowns")),
        (
            "Vera Lund beat Jens Aker in the final in straight sets.",
            "Jens Aker beat Vera Lund in the final in straight sets.",
        ),
        (
            "去世：王小明先生昨日在医院去世，享年八十一岁。葬礼星期五举行。",
            "去世：李大华先生昨日在医院去世，享年八十一岁。葬礼星期五举行。",
        ),
    ],
)
def test_a_notice_of_another_matter_is_no_revision(one: str, other: str) -> None:
    assert not revises(other, one)
    assert "Correction" in other or not revises(one, other)


WHOLE = ROOF.format("320,000 crowns")


@pytest.mark.parametrize(
    "new",
    [
        ROOF.format("230,000 crowns"),
        f"{WHOLE} A crane comes on Thursday.",
        f"School closed. {WHOLE}",
        WHOLE.replace("Nobody was hurt.", "Nobody was hurt. Lena Moor, 14, saw it. She lives in Torsby."),
        WHOLE.replace("lessons", "leesons"),
        WHOLE.replace("the damage", "the whole damage"),
        WHOLE.replace("; ", ", ").replace(" until the roof is mended", ""),
        f"{ROOF.format('230,000 crowns')} A crane comes soon.",
        f"{WHOLE.replace('Odda', 'Torsby')} Correction: an earlier version said that the school is in Odda.",
        f"{ROOF.format('31 thousand crowns')} Correction: the damage was given as 320,000 crowns.",
        f"{WHOLE.replace('mended', 'built anew')} Corrected: the roof is not mended.",
    ],
)
def test_a_correction_is_a_revision(new: str) -> None:
    assert revises(new, WHOLE)


def test_one_figure_of_any_kind_is_corrected_where_a_note_says_so() -> None:
    told = ROOF.format("7 windows")
    assert not revises(ROOF.format("9 windows"), told)
    assert revises(f"{ROOF.format('9 windows')} Correction: the number of windows was wrong.", told)


def test_the_date_and_the_share_of_words_still_hold() -> None:
    assert not is_revision(article(WHOLE), article(WHOLE, published_at="2026-11-25"), closely=True)
    assert not revises(f"{WHOLE} {OBITUARY.format('Vera Lund', 81)}", "The roof of the mill is old, and red, and tall.")


def test_a_file_may_correct_a_name() -> None:
    one, other = (article(OBITUARY.format(name, 81)) for name in ("Vera Lund", "Vera Lunde"))
    assert is_revision(one, other)


def test_pages_that_share_a_footer_and_a_wrong_address_are_two_articles() -> None:
    footer = "The town hall answers letters every Friday until noon."
    tram = "A tram to the harbour runs every ten minutes from Sunday, the mayor said in Odda. It is red."
    plums = "Frost took half of the plums in the valley, and growers ask for aid this winter. It was cold."
    one, other = article(f"{tram} {footer}", title="Tram line"), article(f"{plums} {footer}", title="Plums lost")
    assert is_another_article(one, other)
    assert is_another_article(one, msgspec.structs.replace(other, title="Tram line")), "a title of many"
    again = article(f"The tram to the harbour runs more often from Sunday. {footer}", title="Trams")
    assert not is_another_article(again, one)


def test_a_correction_of_a_name_replaces_the_wrong_one_at_its_address() -> None:
    text = "A fire broke out at the Velda mill on Tuesday. Two workers are in hospital. The mayor, {}, came at noon."
    one, renamed = (article(text.format(name), title="Fire") for name in ("Vera Lund", "Nora Ek"))
    assert is_another_article(renamed, one)
    note = "Correction: an earlier version named another mayor."
    corrected = article(f"{renamed.text} {note}", title="Fire")
    assert not is_another_article(corrected, one)
    assert is_another_article(corrected, one, strictly=True)
    assert is_another_article(msgspec.structs.replace(corrected, title="Fire in Torsby"), one)
    assert is_another_article(corrected, article(f"{one.text} {note}", title="Fire")), "both say so"
