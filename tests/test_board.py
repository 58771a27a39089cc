"""The leaderboard: which rows there are, their order, and the table people take home."""

import csv
import io

import pytest
import tiny_entries as tiny

from zoo.analysis import board
from zoo.entries import catalog


@pytest.fixture
def measured(tmp_path):
    def make(name, **metrics):
        figures = {
            key.replace("_at_", "@"): {"value": value, "low": value / 2, "high": value * 2, "protocol": "p"}
            for key, value in metrics.items()
        }
        return tiny.vae(tmp_path / name, metrics=figures)

    return make


def test_rows_are_ranked_and_every_further_sampler_has_its_own(measured):
    entries = [
        measured("last", accuracy=0.9),
        measured(
            "vae", frechet=2.0, coverage=0.5, psnr=20.0, memorisation=1.0, frechet_at_gmm=1.0, coverage_at_gmm=0.7
        ),
        measured("best", frechet=0.5),
        measured("unmeasured"),
    ]
    rows = board.rows(entries)
    assert [row.label for row in rows] == ["VAE · best", "VAE · vae · gmm", "VAE · vae", "VAE · last"]
    mixture = rows[1]
    assert mixture.sampler == "gmm" and mixture.value("coverage") == 0.7
    assert mixture.value("psnr") == 20.0, "how it reconstructs does not depend on the sampler"
    assert mixture.value("memorisation") is None, "of the mixture's samples nobody measured it"
    assert rows[3].value("frechet") is None


def test_the_table_holds_every_figure_with_its_interval(measured):
    found = [measured("one", frechet=2.0), measured("two", accuracy=0.5)]
    lines = list(csv.DictReader(io.StringIO(board.table(board.rows(found)))))
    assert [line["entry"] for line in lines] == ["one", "two"]
    assert (lines[0]["frechet"], lines[0]["frechet_low"], lines[0]["frechet_high"]) == ("2.0", "1.0", "4.0")
    assert lines[1]["frechet"] == "" and lines[1]["accuracy"] == "0.5"


def test_each_entry_leads_with_its_best_sampler(measured):
    rows = board.rows([measured("vae", frechet=2.0, frechet_at_gmm=1.0), measured("gan", frechet=1.5)])
    assert [row.label for row in board.leading(rows)] == ["VAE · vae · gmm", "VAE · gan"]


def test_no_cell_becomes_a_formula():
    assert board.cell("=1+1") == "'=1+1" and board.cell("mnist") == "mnist"


def test_the_embedded_zoo_has_a_row_for_every_measured_entry():
    entries = [found for found in catalog.entries([catalog.EMBEDDED]) if found.manifest.metrics]
    assert {row.entry.name for row in board.rows(entries)} == {found.name for found in entries}


def test_the_ranking_holds_every_entry_once_by_its_best_sampler(measured):
    rows = board.rows([measured("vae", frechet=2.0, frechet_at_gmm=1.0, coverage=0.5), measured("gan", frechet=1.5)])
    assert [row.label for row in board.best(rows, "frechet")] == ["VAE · vae · gmm", "VAE · gan"]
    assert [row.label for row in board.best(rows, "coverage")] == ["VAE · vae"]
