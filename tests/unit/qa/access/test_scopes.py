from __future__ import annotations

import hashlib

import pytest

from qa.access import keys
from qa.access.scopes import EVERYTHING, NOTHING, Scope
from qa.errors import SettingsError

DIGEST = hashlib.sha256(b"correct-horse-battery").hexdigest()


@pytest.mark.parametrize(
    ("written", "scope", "entry"),
    [
        ("", EVERYTHING, ""),
        (":ask+ingest+admin", EVERYTHING, ""),
        (":ingest+ask", Scope(may=("ask", "ingest")), ":ask+ingest"),
        (":admin", Scope(may=("admin",)), ":admin"),
    ],
)
def test_an_entry_says_what_its_key_may_do(written: str, scope: Scope, entry: str) -> None:
    (key,) = keys.parse(f"desk:sha256:{DIGEST}{written}")
    assert key.scope == scope
    assert str(key) == f"desk:sha256:{DIGEST}{entry}"
    (unnamed,) = keys.parse(f"sha256:{DIGEST}{written}")
    assert (unnamed.name, unnamed.scope) == (f"key-{DIGEST[:12]}", scope)


@pytest.mark.parametrize("scope", ["read", "ask+", "", "ask:world:x", "ASK", "ask ingest"])
def test_a_scope_that_cannot_be_read_is_refused(scope: str) -> None:
    with pytest.raises(SettingsError, match="entry 1 of QA_API_KEYS"):
        keys.parse(f"desk:sha256:{DIGEST}:{scope}")


def test_keys_of_one_name_have_one_scope() -> None:
    other = hashlib.sha256(b"another-horse-battery").hexdigest()
    assert len(keys.parse(f"desk:sha256:{DIGEST}:ask,desk:sha256:{other}:ask")) == 2
    with pytest.raises(SettingsError, match="two keys named desk"):
        keys.parse(f"desk:sha256:{DIGEST}:ask,desk:sha256:{other}")


def test_a_scope_says_in_words_what_it_holds() -> None:
    assert str(EVERYTHING) == "ask, ingest and admin in all collections"
    assert str(Scope(may=("ask",), collections=("sport", "world"))) == "ask in the collections sport and world"
    assert str(Scope(may=("ask", "ingest"), collections=("a",))) == "ask and ingest in the collection a"
    assert not NOTHING.allows(["ask", "ingest", "admin"])
    assert not NOTHING.reaches("default")
    assert EVERYTHING.reaches("any")
