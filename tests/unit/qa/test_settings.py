from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from qa.errors import SettingsError
from qa.settings import DESCRIPTIONS, Settings, from_environment, unknown_variables


def test_an_empty_environment_gives_the_defaults() -> None:
    assert from_environment({}) == Settings()
    assert from_environment(dict.fromkeys(DESCRIPTIONS, "")) == Settings()


def test_every_setting_has_a_variable_and_a_description() -> None:
    assert {f"QA_{field.upper()}" for field in Settings.__struct_fields__} == set(DESCRIPTIONS)
    assert all(text.endswith(".") for text in DESCRIPTIONS.values())


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("QA_DATA_DIR", "/var/lib/sourceline", "data_dir", Path("/var/lib/sourceline")),
        ("QA_DATA_DIR", "42", "data_dir", Path("42")),
        ("QA_ENCODER", "hashing", "encoder", "hashing"),
        ("QA_RETRIEVAL", "dense", "retrieval", "dense"),
        ("QA_COLLECTION", "2024", "collection", "2024"),
        ("QA_HOST", "0.0.0.0", "host", "0.0.0.0"),
        ("QA_PORT", "0", "port", 0),
        ("QA_PORT", " 8080\n", "port", 8080),
        ("QA_DEADLINE_SECONDS", "2.5", "deadline_seconds", 2.5),
        ("QA_DEADLINE_SECONDS", "10", "deadline_seconds", 10.0),
        ("QA_THREADS", "2", "threads", 2),
        ("QA_MAX_BODY_BYTES", "1000", "max_body_bytes", 1000),
        ("QA_MAX_QUEUE", "1", "max_queue", 1),
        ("QA_LOG_LEVEL", "debug", "log_level", "debug"),
    ],
)
def test_each_variable_sets_its_field_alone(name: str, text: str, field: str, value: object) -> None:
    assert from_environment({name: text, "PATH": "/bin"}) == msgspec.structs.replace(Settings(), **{field: value})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("QA_RETRIEVAL", "sparse"),
        ("QA_PORT", "eighty"),
        ("QA_PORT", "65536"),
        ("QA_PORT", "-1"),
        ("QA_PORT", "80.5"),
        ("QA_DEADLINE_SECONDS", "0"),
        ("QA_DEADLINE_SECONDS", "nan"),
        ("QA_DEADLINE_SECONDS", "inf"),
        ("QA_DEADLINE_SECONDS", "soon"),
        ("QA_THREADS", "-1"),
        ("QA_MAX_BODY_BYTES", "0"),
        ("QA_MAX_BODY_BYTES", "10MB"),
        ("QA_MAX_QUEUE", "0"),
        ("QA_LOG_LEVEL", "loud"),
    ],
)
def test_an_unusable_value_is_refused_by_its_name(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=name):
        from_environment({name: text})


def test_misspelt_variables_are_found() -> None:
    environ = {"QA_PROT": "1", "QA_PORT": "1", "qa_port": "1", "PORT": "1", "QA_": "x"}
    assert unknown_variables(environ) == ["QA_", "QA_PROT"]
