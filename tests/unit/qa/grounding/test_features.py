"""The numbers that the aligned checker weighs: token vectors pooled into words."""

from __future__ import annotations

import numpy as np

from embeddings.encoders.encoder import HashingEncoder
from qa.grounding.features import pool


def test_a_span_is_the_mean_of_its_tokens_at_unit_length() -> None:
    (text,) = HashingEncoder().encode_tokens(["The mayor of Kelmar resigned"])
    found = pool(text, [(4, 9), (4, 19), (200, 210)])
    inside = text.tokens[1:4].mean(axis=0)
    np.testing.assert_allclose(found[0], text.tokens[1], atol=1e-5)
    np.testing.assert_allclose(found[1], inside / np.linalg.norm(inside), atol=1e-5)
    assert not found[2].any()
