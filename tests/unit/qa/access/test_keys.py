from __future__ import annotations

import hashlib

import pytest
from click.testing import CliRunner

from qa.access import keys
from qa.cli.program import program
from qa.errors import SettingsError
from qa.settings import from_environment

PLAIN = "correct-horse-battery"
DIGEST = hashlib.sha256(PLAIN.encode()).hexdigest()


def test_a_new_key_opens_what_its_entry_guards() -> None:
    secret, entry = keys.new_key("newsroom")
    found = keys.find(secret, keys.parse(f"other:{PLAIN}, {entry}"))
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
    assert keys.parse(text) == (keys.Key(name=name, digest=DIGEST),)
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
        keys.parse(f"{PLAIN},{text}")
    assert PLAIN not in str(error.value)
    assert text not in str(error.value)


@pytest.mark.parametrize("presented", ["", DIGEST, f"sha256:{DIGEST}", PLAIN[:-1], PLAIN + " ", "\udcff", "é"])
def test_nothing_else_opens(presented: str) -> None:
    assert keys.find(presented.encode("utf-8", "replace").decode(), keys.parse(PLAIN)) is None


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
    assert keys.find(key, keys.parse(entry)) == keys.Key(
        name="newsroom", digest=hashlib.sha256(key.encode()).hexdigest()
    )
    refused = CliRunner().invoke(program, ["keys", "new", "News room"], prog_name="qa")
    assert refused.exit_code == 2
    assert "name of an API key" in refused.stderr


def test_the_whole_hash_counts() -> None:
    nearly = [DIGEST[:-1] + ("0" if DIGEST[-1] != "0" else "1"), DIGEST[:32] + "0" * 32, "0" * 32 + DIGEST[32:]]
    assert keys.find(PLAIN, [keys.Key(name="desk", digest=digest) for digest in nearly]) is None
