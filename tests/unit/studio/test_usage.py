"""What a job took is counted once, whoever asks."""

from __future__ import annotations

import pytest

from ima2 import Usage
from ima2.studio.usage import UsageTotal


def total(*calls: Usage) -> UsageTotal:
    counted = UsageTotal()
    for call in calls:
        counted.add(call)
    return counted


def test_nothing_told_is_unknown_and_not_nothing() -> None:
    assert (UsageTotal().tokens, UsageTotal().cost, UsageTotal().searches) == (None, None, 0)
    silent = total(Usage(), Usage())
    assert (silent.tokens, silent.cost, silent.searches) == (None, None, 0)


def test_numbers_add_up_at_any_depth_and_words_stay_as_first_seen() -> None:
    first = Usage({"total": 3, "deep": {"in": 1, "tier": "a"}, "cached": True})
    second = Usage({"total": 4, "deep": {"in": 2, "out": 5, "tier": "b"}, "cached": False})
    assert total(first, second).tokens == {
        "total": 7,
        "deep": {"in": 3, "out": 5, "tier": "a"},
        "cached": True,
    }


def test_a_number_that_was_a_word_before_counts_from_there() -> None:
    assert total(Usage({"n": "many"}), Usage({"n": 2})).tokens == {"n": 2}
    assert total(Usage({"n": 2}), Usage({"n": {"in": 1}})).tokens == {"n": {"in": 1}}


def test_what_is_added_up_is_not_what_the_provider_handed_over() -> None:
    given = {"total": 3}
    total(Usage(given), Usage({"total": 4}))
    assert given == {"total": 3}


def test_costs_add_up_without_the_dust_of_binary_fractions() -> None:
    assert total(Usage(cost=0.1), Usage(cost=0.2)).cost == 0.3
    assert total(Usage(cost=0.25), Usage(tokens={"n": 1})).cost == 0.25


def test_the_only_picture_took_the_whole() -> None:
    counted = total(Usage({"n": 2}, 1, 0.5), Usage({"n": 1}, 2, 0.25, index=0))
    assert counted.share(0, 1) == Usage({"n": 3}, 3, 0.75, 0)


@pytest.mark.parametrize(("index", "tokens", "cost"), [(0, {"n": 1}, 0.1), (1, {"n": 5}, 0.4), (2, None, None)])
def test_of_several_pictures_each_took_what_its_own_calls_took(index: int, tokens: object, cost: object) -> None:
    counted = total(Usage({"n": 1}, cost=0.1, index=0), Usage({"n": 2}, cost=0.2, index=1))
    counted.add(Usage({"n": 3}, cost=0.2, index=1))
    assert counted.share(index, 3) == Usage(tokens, 0, cost, index)  # type: ignore[arg-type]


def test_of_a_sum_for_several_pictures_nobody_knows_a_share_and_its_searches_served_each() -> None:
    counted = total(Usage({"n": 9}, 2, 0.9), Usage(searches=1, index=1))
    assert counted.share(0, 2) == Usage(None, 2, None, 0)
    assert counted.share(1, 2) == Usage(None, 3, None, 1)
    assert (counted.tokens, counted.searches, counted.cost) == ({"n": 9}, 3, 0.9)
