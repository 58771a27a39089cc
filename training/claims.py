"""Claims of the papers, tested on the entries: the second table of README.md.

A claim of claims.toml names an entry, a baseline and a figure; whether it holds is computed from the two intervals.
"""

import pathlib
import tomllib

import pydantic

from zoo.entries import Entry
from zoo.manifest import Metric
from zoo.metrics.figures import figure

CLAIMS = pathlib.Path(__file__).parent / "claims.toml"
HOLDS, FAILS, OPEN = "holds", "**does not hold here**", "undecided: the intervals overlap"


class Claim(pydantic.BaseModel):
    """The claim that `entry` is better than `baseline` by `metric`, a name in the manifest's metrics; `against` is the
    baseline's metric where that is another one."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    claim: str
    entry: str
    baseline: str
    metric: str
    against: str | None = None


def load() -> list[Claim]:
    """Return the claims in claims.toml, in its order."""
    return [Claim(**claim) for claim in tomllib.loads(CLAIMS.read_text(encoding="utf-8"))["claims"]]


def verdict(claim: Claim, one: Metric, other: Metric) -> str:
    """Return HOLDS where the entry's figure is better than the baseline's beyond both intervals, else FAILS or OPEN."""
    (low, high), (other_low, other_high) = _interval(one), _interval(other)
    below, above = high < other_low, low > other_high
    if not below and not above:
        return OPEN
    return HOLDS if below == (figure(claim.metric).better == "lower") else FAILS


def table(entries: list[Entry]) -> str:
    """Return Markdown: one row per claim whose two entries are there and measured."""
    known = {entry.name: entry for entry in entries}
    rows = ["| the paper's claim | figure | here | baseline | |", "|---|---|---|---|---|"]
    for claim in load():
        if claim.entry not in known or claim.baseline not in known:
            continue
        one = known[claim.entry].manifest.metrics.get(claim.metric)
        other = known[claim.baseline].manifest.metrics.get(claim.against or claim.metric)
        if one is None or other is None:
            continue
        rows.append(
            f"| {claim.claim} | {other.label} | `{claim.entry}` {_written(one)} | `{claim.baseline}` {_written(other)} "
            f"| {verdict(claim, one, other)} |"
        )
    return "\n".join(rows)


def _interval(metric: Metric) -> tuple[float, float]:
    low, high = metric.low, metric.high
    return (metric.value if low is None else low), (metric.value if high is None else high)


def _written(metric: Metric) -> str:
    """Return a figure with its interval, for example "5.43 [5.35, 5.48]"."""
    if metric.low is None:
        return f"{metric.value:.4g}"
    return f"{metric.value:.4g} [{metric.low:.4g}, {metric.high:.4g}]"
