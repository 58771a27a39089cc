"""The model card: what the Hub indexes, examples that run, a curve that shows, nothing that a manifest slips in."""

import io
import json
import re

import numpy as np
import pytest
import tiny_entries as tiny
import yaml
from PIL import Image

from zoo.charts import curve
from zoo.entries import catalog, entry
from zoo.sharing import card

MEASURED = {
    "frechet": {"value": 5.4, "low": 5.3, "high": 5.5, "split": "test", "label": "Fréchet distance",
                "meaning": "between Gaussians", "protocol": "10 samples, seeds 0 to 2."},
    "mse": {"value": 0.1, "split": "test", "protocol": "ten images"},
}  # fmt: skip
HISTORY = {"epoch": [1, 2, 3], "images": [10, 20, 30], "loss": [100.0, 3.0, 1.0], "val_loss": [90.0, 4.0, 2.0],
           "accuracy": [0.1, 0.5, 0.9], "frechet": [9.0, None, 2.0], "seconds": [1, 2, 3]}  # fmt: skip


def parts(found) -> tuple[dict, str]:
    """Head and body of the card in an entry's folder, split as the Hub does."""
    text = (found.folder / "README.md").read_text(encoding="utf-8")
    head, body = re.fullmatch(r"---\n(.*?)\n---\n\n(.*)", text, re.DOTALL).groups()
    return yaml.safe_load(head), body


def test_the_head_is_what_the_hub_indexes(tmp_path):
    found = tiny.vae(tmp_path / "a", metrics=MEASURED, dataset={"id": "mnist", "revision": None, "images": 60_000})
    card.write(found)
    head, body = parts(found)
    assert head["tags"] == ["latent-zoo", "tiny"] and head["pipeline_tag"] == "unconditional-image-generation"
    assert head["license"] == "mit" and head["datasets"] == ["ylecun/mnist"]
    assert head["library_name"] == "onnx"  # this one has no Keras model, and claims none
    assert "keras" not in body.lower()
    (result,) = head["model-index"][0]["results"]
    assert result["dataset"] == {"name": "MNIST", "type": "ylecun/mnist", "split": "test"}
    frechet = result["metrics"][0]
    assert frechet["value"] == 5.4 and frechet["name"] == "Fréchet distance"
    assert frechet["args"] == {"low": 5.3, "high": 5.5, "protocol": "10 samples, seeds 0 to 2."}
    from huggingface_hub import ModelCard

    assert len(ModelCard.load(found.folder / "README.md").data.eval_results) == 2


def test_the_body_tells_use_limits_data_and_where_it_is_from(tmp_path):
    found = tiny.vae(tmp_path / "a", metrics=MEASURED, dataset={"id": "ylecun/mnist", "revision": "abc", "images": 9})
    card.write(found, "ada/lovelace")
    _, body = parts(found)
    for words in (
        "CC BY-SA 3.0", "Census Bureau", "Intended use and limits", "decide nothing about people",
        "10 samples, seeds 0 to 2.",
        "http://localhost:8501/?source=ada/lovelace", 'hf_hub_download("ada/lovelace", "onnx/decoder.onnx")',
        "| seed | 0 |", "| data revision | abc |", "@misc{vae2013,", "url = {https://arxiv.org/abs/1312.6114}",
    ):  # fmt: skip
        assert words in body, words


@pytest.mark.parametrize("make", [tiny.vae, tiny.gan, tiny.classifying])
def test_the_onnx_example_runs_as_it_stands(tmp_path, monkeypatch, make):
    found = make(tmp_path / "a")
    card.write(found)
    (code,) = re.findall(r"```python\n(.*?)```", parts(found)[1], re.DOTALL)
    monkeypatch.chdir(found.folder)
    names = {}
    exec(code, names)
    result = names.get("images", names.get("logits"))
    assert result.shape == ((16, *tiny.SHAPE) if "images" in names else (16, tiny.CLASSES))


def test_what_a_manifest_says_stays_text(tmp_path):
    evil = "# <img src=x onerror=alert(1)> [here](http://evil) ![p](http://evil) `c` $m$ a|b\n---\n:fire: &lt;"
    metric = {"value": 1.0, "label": "x|y\n---", "meaning": evil, "protocol": "p\n---\nlicense: none"}
    found = tiny.vae(
        tmp_path / "a", title="T\n---\nlicense: evil", description=evil, tags=["t\n---\nx", "latent-zoo"],
        family_title="}} \\input{x} <b>", metrics={"m\n---": metric}, paper="https://x.org/a)(b`{}",
    )  # fmt: skip
    card.write(found)
    head, body = parts(found)
    assert head["license"] == "mit" and head["tags"] == ["latent-zoo", "t --- x"]
    assert not re.search(r"(?<!\\)<(?!https?:)|(?<!\\)!?\[here\]|(?<!\\)!\[p\]|(?<!\\)\$m", body)
    row = next(line for line in body.splitlines() if line.startswith("| x"))
    assert len(re.findall(r"(?<!\\)\|", row)) == 5  # four cells, whatever they hold
    assert "\n---" not in body.replace("|---", "") and "[paper](<https://x.org/a)(b%60%7B%7D>)" in body
    assert "  note = { inputx b},\n" in body


def test_a_list_or_heading_at_the_start_is_escaped_but_numbers_are_not():
    assert card.escaped("1. no list") == "1\\. no list" and card.escaped("- no list") == "\\- no list"
    assert card.escaped("0.0123") == "0.0123" and card.escaped("# no heading") == "\\# no heading"


def test_an_unknown_licence_is_not_called_mit(tmp_path):
    found = tiny.vae(tmp_path / "a", provenance={"recipe": None}, dataset={"id": "holidays"})
    card.write(found)
    head, body = parts(found)
    assert head["license"] == "other" and head["license_name"] == "unknown" and "ask who made them" in body
    assert "datasets" not in head and "Licence of the data: not known" in body
    assert card.licence(tiny.vae(tmp_path / "b", license="apache-2.0")) == "apache-2.0"
    assert card.licence(tiny.vae(tmp_path / "c", license="x\n---\n")) == "mit"


def test_the_curve_is_drawn_listed_and_the_same_each_time(tmp_path):
    found = tiny.vae(tmp_path / "a", files={"history.json": json.dumps(HISTORY).encode()})
    card.write(found)
    first = (found.folder / "curve.png").read_bytes()
    assert "![Training curve](curve.png)" in parts(found)[1]
    card.write(found)
    assert (found.folder / "curve.png").read_bytes() == first
    picture = np.asarray(Image.open(io.BytesIO(first)).convert("RGB"))
    assert picture.shape[1] == 1920 and len(first) < 100_000
    drawn = {tuple(colour) for colour in picture.reshape(-1, 3)}
    for hex_colour in (curve.BLUE, curve.VERMILLION, curve.GREEN):  # loss, accuracy, Fréchet distance
        wanted = np.array([int(hex_colour[i : i + 2], 16) for i in (1, 3, 5)])
        assert min(np.abs(np.array(colour) - wanted).sum() for colour in drawn) < 24


BROKEN = [b"[]", b"nonsense", b'{"images": [1, 2]}', b'{"images": "x", "loss": 3}', b"[" * 5000]
BROKEN += [b'{"images": [1, 2], "loss": [[1], [2]]}', b'{"images": [1, NaN], "loss": [1, 2]}']
BROKEN += [b'{"images": [1, 2], "loss": [NaN, Infinity]}']


@pytest.mark.parametrize("history", BROKEN)
def test_a_history_that_is_no_table_gives_no_curve(tmp_path, history):
    found = tiny.vae(tmp_path / "a", files={"history.json": history})
    card.write(found)
    assert not (found.folder / "curve.png").exists() and "How it learned" not in parts(found)[1]


@pytest.mark.parametrize("values", [[0, 0], [1, 1], [-5, 1e9], [1e-9, 1e9], [1e-300, 1e300], [3, 3.0000001]])
def test_any_finite_numbers_can_be_drawn(values):
    assert Image.open(io.BytesIO(curve.png({"images": [0, 10], "loss": values}))).width == 1920


def test_long_histories_are_thinned_and_absurd_ones_are_no_trouble():
    count = curve.MAX_POINTS
    drawn = curve.png({"images": list(range(count)), "val_loss": [index % 2 for index in range(count)]})
    assert Image.open(io.BytesIO(drawn)).width == 1920
    assert curve.png({"images": [0, 1], "loss": [1e308, -1e308]}) is None
    assert curve.png({"images": [0, 1e300], "loss": [1, 2]}) is None


def test_every_embedded_entry_gets_a_complete_card():
    for found in catalog.load():
        if not isinstance(found, entry.Entry):
            continue
        text = card.text(found, "ada/x", curve=True)
        assert card.metadata(found).startswith(("datasets:", "library_name: keras"))
        for section in ("## Use", "## Measured", "## How it learned", "## Provenance", "## Citation", "hf://ada/x"):
            assert section in text, f"{found.name}: {section}"
        assert "not known" not in text, found.name
