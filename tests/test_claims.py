"""Papers' claims: the verdict follows from the two intervals and from which direction is better."""

import pytest

from training import claims
from zoo.entries import catalog
from zoo.manifest import Metric


def claim(metric: str) -> claims.Claim:
    return claims.Claim(claim="One is better", entry="one", baseline="other", metric=metric)


def spread(low: float, high: float) -> Metric:
    return Metric(value=(low + high) / 2, low=low, high=high, label="A figure")


@pytest.mark.parametrize(
    ("metric", "one", "other", "found"),
    [
        ("frechet", (1, 2), (3, 4), claims.HOLDS),
        ("frechet@gmm", (1, 2), (3, 4), claims.HOLDS),
        ("frechet", (3, 4), (1, 2), claims.FAILS),
        ("frechet", (1, 3), (2, 4), claims.OPEN),
        ("frechet", (1, 2), (2, 4), claims.OPEN),
        ("probe", (3, 4), (1, 2), claims.HOLDS),
        ("probe", (1, 2), (3, 4), claims.FAILS),
    ],
)
def test_the_verdict_needs_intervals_that_part_in_the_claimed_direction(metric, one, other, found):
    assert claims.verdict(claim(metric), spread(*one), spread(*other)) == found


def test_a_single_number_is_an_interval_of_no_width():
    exact = Metric(value=2.0, label="A figure")
    assert claims.verdict(claim("psnr"), exact, spread(0, 1)) == claims.HOLDS
    assert claims.verdict(claim("psnr"), exact, exact) == claims.OPEN


def test_every_claim_names_two_entries_that_are_there_and_measured():
    entries = catalog.entries([catalog.EMBEDDED])
    assert claims.table(entries).count("\n") == len(claims.load()) + 1


def test_a_claim_without_its_entries_is_left_out():
    assert claims.table([]).count("\n") == 1
