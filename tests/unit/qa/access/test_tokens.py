from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.access import tokens
from qa.access.tokens import Secret, TokenClaims

CLAIMS = TokenClaims(origin="https://news.example", expires_at=2_000_000_000, subject="abc", issuer="desk")
SECRET = b"s" * 32


def test_a_token_says_what_was_put_into_it() -> None:
    assert tokens.read(tokens.mint(CLAIMS, secret=SECRET), secret=SECRET) == CLAIMS


@given(st.data())
def test_a_changed_token_is_none(data: st.DataObject) -> None:
    token = tokens.mint(CLAIMS, secret=SECRET)
    at = data.draw(st.integers(0, len(token) - 1))
    changed = token[:at] + data.draw(st.characters().filter(lambda c: c != token[at])) + token[at + 1 :]
    assert tokens.read(changed, secret=SECRET) is None


@pytest.mark.parametrize("text", ["", "st1.", "st1..", "st1.e30.", "st1." + "a" * 5000, "qak_x", "st1.ä.ä"])
def test_what_is_no_token_is_none(text: str) -> None:
    assert tokens.read(text, secret=SECRET) is None


def test_another_secret_makes_it_none() -> None:
    assert tokens.read(tokens.mint(CLAIMS, secret=SECRET), secret=b"t" * 32) is None


def test_the_secret_outlives_a_restart_and_is_the_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "token.key"
    value = Secret(path).value()
    assert Secret(path).value() == value
    assert len(value) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in path.parent.iterdir()] == ["token.key"]


def test_a_torn_secret_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "token.key"
    path.write_bytes(b"torn")
    assert len(Secret(path).value()) == 32


def test_subjects_are_not_guessable() -> None:
    assert len({tokens.new_subject() for _ in range(100)}) == 100
    assert min(len(tokens.new_subject()) for _ in range(20)) >= 20
