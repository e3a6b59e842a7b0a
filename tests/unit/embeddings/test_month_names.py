"""Names of months: twelve a language, none of two months, and known to no other file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from embeddings.month_names import ENGLISH_MONTHS, MONTHS, MONTHS_BY_LANGUAGE


@pytest.mark.parametrize("language", MONTHS_BY_LANGUAGE)
def test_every_language_has_twelve_in_order(language: str) -> None:
    months = [names.split() for names in MONTHS_BY_LANGUAGE[language].split(",")]
    assert len(months) == 12
    assert all(MONTHS[name] == number for number, names in enumerate(months, start=1) for name in names)
    assert all(name == name.casefold() for name in MONTHS)


def test_no_other_file_knows_them(repo: Path) -> None:
    months = re.compile(r"\b(?:" + "|".join(name for name in ENGLISH_MONTHS if name != "May") + r")\b", re.IGNORECASE)
    listing = [
        str(path.relative_to(repo))
        for package in ("qa", "embeddings")
        for path in (repo / package).rglob("*.py")
        if len({found.casefold() for found in months.findall(path.read_text(encoding="utf-8"))}) > 5
    ]
    assert listing == ["embeddings/month_names.py"]
