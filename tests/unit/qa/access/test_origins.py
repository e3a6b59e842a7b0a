"""Origins, client addresses and budgets."""

from __future__ import annotations

import random

import pytest

from qa.access import origins
from qa.access.rate_limits import RateLimits, TokenBucket
from qa.errors import SettingsError


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ()),
        ("https://news.example", ("https://news.example",)),
        (" HTTPS://News.Example/ , http://localhost:3000,", ("https://news.example", "http://localhost:3000")),
        ("https://a.example:443,http://a.example:80", ("https://a.example", "http://a.example")),
        ("http://[::1]:8000", ("http://[::1]:8000",)),
    ],
)
def test_origins(text: str, found: tuple[str, ...]) -> None:
    assert origins.parse_origins(text, setting="QA_ALLOWED_ORIGINS") == found


@pytest.mark.parametrize(
    "text",
    [
        "*", "null", "news.example", "https://*.news.example", "https://news.example/page", "ftp://news.example",
        "https://user@news.example", "https://news.example?x", "https://news.example:x", "https://", "https://a b",
        "https://zürich.example", "javascript://x", "https://news.example;frame-ancestors *",
    ],
)  # fmt: skip
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="QA_ALLOWED_ORIGINS"):
        origins.parse_origins(text, setting="QA_ALLOWED_ORIGINS")


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1:8000", True),
        ("https://news.example", "news.example:443", True),
        ("https://news.example", "NEWS.example", True),
        ("https://news.example:444", "news.example", False),
        ("https://news.example.evil", "news.example", False),
        ("null", "", False),
        ("null", "null", False),
        ("", "", False),
    ],
)
def test_pages_of_the_service_itself(origin: str, host: str, same: bool) -> None:
    assert origins.same_host(origin, host) == same


PROXIES = origins.parse_networks("10.0.0.0/8, ::1", setting="QA_TRUSTED_PROXIES")


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", "1.1.1.1", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.7, 10.2.2.2", "198.51.100.7"),
        ("::1", "made-up, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "", "unknown"),
        ("10.0.0.1", "made-up", "unknown"),
        ("", "1.1.1.1", "unknown"),
        ("2001:db8:1:2:3::4", "", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "", "203.0.113.9"),
    ],
)
def test_whose_request_it_is(peer: str, forwarded: str, client: str) -> None:
    assert origins.client_of(peer, forwarded_for=forwarded, trusted=PROXIES) == client


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(SettingsError, match="QA_TRUSTED_PROXIES"):
        origins.parse_networks("proxy.example", setting="QA_TRUSTED_PROXIES")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_budget_is_spent_and_comes_back() -> None:
    clock = Clock()
    budgets = RateLimits(clock=clock)
    bucket = TokenBucket(owner="a", per_minute=60)
    assert [budgets.spend([bucket], cost=10).remaining for _ in range(6)] == [50, 40, 30, 20, 10, 0]
    refused = budgets.spend([bucket], cost=10)
    assert (refused.allowed, refused.retry_after, refused.remaining) == (False, 10, 0)
    assert budgets.spend([TokenBucket(owner="b", per_minute=60)], cost=10).allowed
    clock.now += 9.5
    assert not budgets.spend([bucket], cost=10).allowed, "a refusal costs nothing"
    clock.now += 0.5
    assert budgets.spend([bucket], cost=10).allowed


def test_what_costs_more_than_the_budget_is_possible_once_it_is_full() -> None:
    budgets = RateLimits(clock=Clock())
    assert budgets.spend([TokenBucket(owner="a", per_minute=5)], cost=10).allowed
    assert budgets.spend([TokenBucket(owner="a", per_minute=5)], cost=10).retry_after == 60


def test_one_empty_purse_is_enough_and_the_other_keeps_what_it_has() -> None:
    budgets = RateLimits(clock=Clock())
    shared = TokenBucket(owner="shared", per_minute=30)
    for visitor in range(3):
        assert budgets.spend([TokenBucket(owner=f"v{visitor}", per_minute=20), shared], cost=10).allowed
    assert not budgets.spend([TokenBucket(owner="v0", per_minute=20), shared], cost=10).allowed
    assert budgets.spend([TokenBucket(owner="v0", per_minute=20)], cost=10).allowed


def test_in_any_minute_nobody_spends_more_than_twice_the_limit() -> None:
    """The limit at once and again while time passes; whatever the rhythm."""
    draw, clock = random.Random(20261125), Clock()
    budgets = RateLimits(clock=clock)
    spent: list[tuple[float, int]] = []
    for _ in range(20_000):
        clock.now += draw.choice([0.0, 0.01, 0.5, 7.0])
        cost = draw.choice([1, 3, 10])
        if budgets.spend([TokenBucket(owner="a", per_minute=100)], cost=cost).allowed:
            spent.append((clock.now, cost))
            spent = [(then, price) for then, price in spent if then > clock.now - 60]
            assert sum(price for _, price in spent) <= 200


def test_only_so_many_clients_are_remembered() -> None:
    budgets = RateLimits(clock=Clock(), most=10)
    for number in range(1000):
        budgets.spend([TokenBucket(owner=str(number), per_minute=10)], cost=1)
    assert len(budgets._left) == 10
