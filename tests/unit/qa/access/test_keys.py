"""API keys, and what each opens."""

from __future__ import annotations

import hashlib
from urllib.parse import quote

import pytest
from click.testing import CliRunner

from embeddings.cleaning.identity import checked_collection
from embeddings.errors import InvalidArticle
from qa.access import keys, origins
from qa.access.keys import EVERYTHING, NOTHING, Scope, scope_of
from qa.access.tokens import answer_signature, is_signed_answer
from qa.cli import program
from qa.errors import SettingsError
from qa.settings import from_environment

PLAIN = "correct-horse-battery"
DIGEST = hashlib.sha256(PLAIN.encode()).hexdigest()
SCOPED_DIGEST = hashlib.sha256(b"correct-horse-battery").hexdigest()


def test_a_new_key_opens_what_its_entry_guards() -> None:
    secret, entry = keys.new_key("newsroom")
    found = keys.find(secret, keys.parse_keys(f"other:{PLAIN}, {entry}"))
    assert found == entry
    assert secret not in str(entry)
    assert len(secret) > 40
    assert keys.new_key("newsroom")[0] != secret


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (PLAIN, f"key-{DIGEST[:12]}"),
        (f"sha256:{DIGEST}", f"key-{DIGEST[:12]}"),
        (f"desk:{PLAIN}", "desk"),
        (f" desk:sha256:{DIGEST} ,", "desk"),
    ],
)
def test_every_form_of_an_entry(text: str, name: str) -> None:
    assert keys.parse_keys(text) == (keys.Key(name=name, digest=DIGEST),)
    assert keys.hashed(text) == f"{name}:sha256:{DIGEST}"
    assert keys.hashed(keys.hashed(text)) == keys.hashed(text)


@pytest.mark.parametrize(
    "text",
    [
        "short",
        "sha256:abc",
        f"a:b:{PLAIN}",
        f"Desk:{PLAIN}",
        f":{PLAIN}",
        f"sha256:{PLAIN}",
        "pass word " * 3,
        "ä" * 20,
    ],
)
def test_a_wrong_entry_is_named_by_its_place_and_not_repeated(text: str) -> None:
    with pytest.raises(SettingsError, match=r"QA_API_KEYS|name of an API key") as error:
        keys.parse_keys(f"{PLAIN},{text}")
    assert PLAIN not in str(error.value)
    assert text not in str(error.value)


@pytest.mark.parametrize("presented", ["", DIGEST, f"sha256:{DIGEST}", PLAIN[:-1], PLAIN + " ", "\udcff", "é"])
def test_nothing_else_opens(presented: str) -> None:
    assert keys.find(presented.encode("utf-8", "replace").decode(), keys.parse_keys(PLAIN)) is None


def test_settings_keep_hashes_only() -> None:
    settings = from_environment({"QA_API_KEYS": f"desk:{PLAIN}"})
    assert settings.api_keys == f"desk:sha256:{DIGEST}"
    assert PLAIN not in repr(settings)


def test_a_secret_is_not_in_the_message_about_it() -> None:
    with pytest.raises(SettingsError) as error:
        from_environment({"QA_API_KEYS": "s3cret"})
    assert "s3cret" not in str(error.value)


def test_the_command_prints_a_key_and_its_entry() -> None:
    done = CliRunner().invoke(program, ["keys", "new", "newsroom"], prog_name="qa")
    key, entry = (line.partition(": ")[2] for line in done.stdout.splitlines())
    assert keys.find(key, keys.parse_keys(entry)) == keys.Key(
        name="newsroom", digest=hashlib.sha256(key.encode()).hexdigest()
    )
    refused = CliRunner().invoke(program, ["keys", "new", "News room"], prog_name="qa")
    assert refused.exit_code == 2
    assert "name of an API key" in refused.stderr


def test_the_whole_hash_counts() -> None:
    nearly = [DIGEST[:-1] + ("0" if DIGEST[-1] != "0" else "1"), DIGEST[:32] + "0" * 32, "0" * 32 + DIGEST[32:]]
    assert keys.find(PLAIN, [keys.Key(name="desk", digest=digest) for digest in nearly]) is None


@pytest.mark.parametrize(
    ("written", "scope", "entry"),
    [
        ("", EVERYTHING, ""),
        (":ask+ingest+admin", EVERYTHING, ""),
        (":ingest+ask", Scope(may=("ask", "ingest")), ":ask+ingest"),
        (":admin", Scope(may=("admin",)), ":admin"),
        (":ask:world+sport+world", Scope(may=("ask",), collections=("sport", "world")), ":ask:sport+world"),
        (":ask+ingest+admin:a%2Bb", Scope(collections=("a+b",)), ":ask+ingest+admin:a%2Bb"),
    ],
)
def test_an_entry_says_what_its_key_may_do(written: str, scope: Scope, entry: str) -> None:
    (key,) = keys.parse_keys(f"desk:sha256:{SCOPED_DIGEST}{written}")
    assert key.scope == scope
    assert str(key) == f"desk:sha256:{SCOPED_DIGEST}{entry}"
    (unnamed,) = keys.parse_keys(f"sha256:{SCOPED_DIGEST}{written}")
    assert (unnamed.name, unnamed.scope) == (f"key-{SCOPED_DIGEST[:12]}", scope)


@pytest.mark.parametrize("scope", ["read", "ask+", "", "ask:world:x", "ask:", "ask:world+", "ASK", "ask ingest"])
def test_a_scope_that_cannot_be_read_is_refused(scope: str) -> None:
    with pytest.raises(SettingsError, match="entry 1 of QA_API_KEYS"):
        keys.parse_keys(f"desk:sha256:{SCOPED_DIGEST}:{scope}")


def test_keys_of_one_name_have_one_scope() -> None:
    other = hashlib.sha256(b"another-horse-battery").hexdigest()
    assert len(keys.parse_keys(f"desk:sha256:{SCOPED_DIGEST}:ask,desk:sha256:{other}:ask")) == 2
    with pytest.raises(SettingsError, match="two keys named desk"):
        keys.parse_keys(f"desk:sha256:{SCOPED_DIGEST}:ask,desk:sha256:{other}")


def test_a_scope_says_in_words_what_it_holds() -> None:
    assert str(EVERYTHING) == "ask, ingest and admin in all collections"
    assert str(Scope(may=("ask",), collections=("sport", "world"))) == "ask in the collections sport and world"
    assert str(Scope(may=("ask", "ingest"), collections=("a",))) == "ask and ingest in the collection a"
    assert not NOTHING.allows(["ask", "ingest", "admin"])
    assert not NOTHING.reaches("default")
    assert EVERYTHING.reaches("any")


@pytest.mark.parametrize("name", ["a+b", "a:b", "a,b", "a=b", "it.is-a_b~c@d", "x" * 100])
def test_any_name_of_a_collection_can_be_in_an_entry(name: str) -> None:
    assert checked_collection(name) == name
    _, entry = keys.new_key("desk", scope=scope_of(["ask"], [name, "world"]))
    assert keys.parse_keys(f"{entry},other:sha256:{SCOPED_DIGEST}")[0] == entry
    assert origins.collections_of(f"https://a.example={quote(name, safe='')}", allowed=["https://a.example"]) == {
        "https://a.example": name
    }


@pytest.mark.parametrize("name", ["", "*", "-a", "a b", "x" * 101, "ä"])
def test_what_no_collection_is_called_is_refused(name: str) -> None:
    with pytest.raises(InvalidArticle):
        checked_collection(name)
    with pytest.raises(SettingsError, match="collection"):
        keys.parse_keys(f"desk:sha256:{SCOPED_DIGEST}:ask:{name}")
    with pytest.raises(SettingsError, match="collection"):
        scope_of(["ask"], [name])


def test_every_origin_has_a_collection_where_one_has() -> None:
    allowed = ["https://a.example", "https://b.example:8443"]
    read = origins.collections_of("https://a.example=world, HTTPS://b.example:8443/=*", allowed=allowed)
    assert read == {"https://a.example": "world", "https://b.example:8443": None}
    assert origins.collections_of("", allowed=allowed) == {}
    for text, said in (
        ("https://a.example=world", r"different origins \(https://b.example:8443\)"),
        ("https://a.example=x,https://b.example:8443=*,https://c.example=y", "https://c.example"),
        ("world", "write ORIGIN=COLLECTION"),
        ("a.example=world", "not an origin"),
        ("https://a.example=", "cannot be"),
    ):
        with pytest.raises(SettingsError, match=said):
            origins.collections_of(text, allowed=allowed)


def test_the_command_prints_an_entry_with_its_scope() -> None:
    wanted = ["keys", "new", "desk", "--may", "ingest", "--may", "ask", "--collection", "world", "--collection", "a+b"]
    done = CliRunner().invoke(program, wanted, prog_name="qa")
    key, entry = (line.partition(": ")[2] for line in done.stdout.splitlines())
    found = keys.find(key, keys.parse_keys(entry))
    assert found is not None
    assert found.scope == Scope(may=("ask", "ingest"), collections=("a+b", "world"))


def test_the_owner_of_an_answer_may_read_no_more_than_who_opens_its_link() -> None:
    made = {one: answer_signature("a", within=one, secret=b"s") for one in (None, ("a.b",), ("a.b", "c+d"))}
    for of_owner, signed in made.items():
        for within in (None, (), ("c+d",), ("a.b",), ("a.b", "c+d", "e")):
            opens = within is None or (of_owner is not None and set(of_owner) <= set(within))
            assert is_signed_answer("a", given=signed, within=within, secret=b"s") == opens
            assert not is_signed_answer("b", given=signed, within=within, secret=b"s")
            assert not is_signed_answer("a", given=f"{signed}x", within=within, secret=b"s")
    stolen = made[("a.b",)].partition(".")[0]
    for given in (stolen, f"{stolen}.", f"{stolen}.c%2Bd", f"{made[None]}.c%2Bd", ".", ""):
        assert not is_signed_answer("a", given=given, within=None, secret=b"s")
