"""The figures of one entry as a table."""

import pytest
import tiny_entries as tiny

from zoo.analysis.measured import REAL, interval, measured


@pytest.fixture
def found(tmp_path):
    figures = {
        "odd_one": {"value": 3.14159},
        "psnr": {"value": 20.04},
        "frechet": {"value": 2.0, "low": 1.5, "high": 2.5, "protocol": "p"},
        "frechet_floor": {"value": 0.1},
        "frechet@gmm": {"value": 1.0},
        "coverage_real": {"value": 0.97, "low": 0.9701, "high": 0.9702},
        "coverage": {"value": 0.5},
    }
    return {row.name: row for row in measured(tiny.vae(tmp_path / "some", metrics=figures))}


def test_a_figure_is_one_row_with_its_samplers_and_what_real_images_score(found):
    assert list(found) == ["frechet", "coverage", "psnr", "odd_one"]
    assert {name: metric.value for name, metric in found["frechet"].values.items()} == {"": 2.0, REAL: 0.1, "gmm": 1.0}
    assert set(found["coverage"].values) == {"", REAL}
    assert not found["frechet"].whole and found["psnr"].whole and found["odd_one"].whole


def test_a_range_is_written_where_it_says_something(found):
    assert interval("frechet", found["frechet"].values[""]) == "1.5 to 2.5"
    assert interval("psnr", found["psnr"].values[""]) == ""
    assert interval("coverage", found["coverage"].values[REAL]) == "", "both ends are written alike"
