"""The model card of an entry: README.md with the metadata that the Hub indexes, and the training curve beside it.

Manifests may come from strangers: what they say is escaped here, for Markdown and for YAML.
"""

import json
import re

from zoo.entries import Entry
from zoo.errors import EntryError
from zoo.hub.origin import TAG
from zoo.known import known
from zoo.manifest import SCHEMA_FILE

README, CURVE = "README.md", "curve.png"
KERAS = ("config.json", "metadata.json", "model.weights.h5")  # Keras' own layout of a model on the Hub
PIPELINES = {"classify": "image-classification", "generate": "unconditional-image-generation"}
MAX_HISTORY_BYTES = 4 << 20


def write(entry: Entry, repo: str | None = None) -> None:
    """Write README.md, and curve.png where there is a history, into the folder of an entry.

    repo is the "owner/name" that the examples name; without one they show how to load the folder itself. The files get
    into zoo.json when it is written anew."""
    from zoo.charts import curve

    picture = curve.png(_history(entry))
    if picture:
        (entry.folder / CURVE).write_bytes(picture)
    content = f"---\n{metadata(entry)}\n---\n\n{text(entry, repo, picture is not None)}"
    (entry.folder / README).write_text(content, encoding="utf-8")


def metadata(entry: Entry) -> str:
    """YAML for the card's head."""
    from huggingface_hub import EvalResult, ModelCardData

    manifest, hub_id = entry.manifest, _hub_id(entry)
    pipeline = next((task for ability, task in PIPELINES.items() if ability in entry.capabilities), "image-to-image")
    row = known(entry.dataset)
    results = [
        EvalResult(
            task_type=pipeline,
            dataset_type=hub_id or entry.dataset,
            dataset_name=row.title if row else entry.dataset,
            dataset_split=_line(metric.split),
            dataset_revision=manifest.dataset.revision,
            metric_type=_line(name),
            metric_name=_line(metric.label or name),
            metric_value=round(metric.value, 6),
            metric_args={
                key: round(value, 6) if isinstance(value, float) else _line(value)
                for key, value in (("low", metric.low), ("high", metric.high), ("protocol", metric.protocol))
                if value not in (None, "")
            },
        )
        for name, metric in manifest.metrics.items()
    ]
    return ModelCardData(
        model_name=entry.name,
        library_name="keras" if _keras(entry) else "onnx",
        pipeline_tag=pipeline,
        license=licence(entry) or "other",
        license_name=None if licence(entry) else "unknown",
        tags=list(dict.fromkeys(_line(tag) for tag in (TAG, *manifest.tags))),
        datasets=[hub_id] if hub_id else None,
        eval_results=results or None,
    ).to_yaml()


def text(entry: Entry, repo: str | None = None, curve: bool = False) -> str:
    """The card's body in Markdown."""
    parts = [_opening(entry), _samples(entry), uses(entry, repo), _measured(entry)]
    if curve:
        caption = "Losses against the number of training images seen; level lines mean that training had converged."
        parts.append(f"## How it learned\n\n![Training curve]({CURVE})\n\n{caption}")
    parts += [_limits(entry), _provenance(entry), _citation(entry)]
    return "\n\n".join(part for part in parts if part) + "\n"


def licence(entry: Entry) -> str | None:
    """Return the licence of the weights: the manifest's, MIT for what a recipe of the zoo trained, None if unknown."""
    said = getattr(entry.manifest, "license", None)
    if isinstance(said, str) and re.fullmatch(r"[a-z0-9][a-z0-9.-]{0,39}", said):
        return said
    return "mit" if entry.manifest.provenance.recipe else None


def escaped(value: object) -> str:
    """Return text from a manifest such that Markdown shows it as it is: one line, no links, images, HTML or maths."""
    line = re.sub(r"([\\`*_\[\]<>|$&~]|!(?=\[)|:(?=\w))", r"\\\1", _line(value))
    return re.sub(r"^(\d{1,9}(?=[.)](?:\s|$))|(?=[#+=-]))", r"\1\\", line)


def _opening(entry: Entry) -> str:
    manifest, row = entry.manifest, known(entry.dataset)
    family = f"**{escaped(manifest.family_title)}**" + (f" ({manifest.year})" if manifest.year else "")
    paper = f" · [paper](<{_address(manifest.paper)}>)" if manifest.paper else ""
    data = escaped(row.title if row else entry.dataset)
    return f"# {escaped(entry.title)}\n\n{family} on **{data}**{paper}\n\n{escaped(manifest.description)}".rstrip()


def _samples(entry: Entry) -> str:
    if not entry.has("samples.png"):
        return ""
    what = "Confusion matrix" if "classify" in entry.capabilities else "Samples"
    film = "\n\n![The same latent points along training](snapshots.gif)" if entry.has("snapshots.gif") else ""
    return f"![{what}](samples.png){film}"


def uses(entry: Entry, repo: str | None = None) -> str:
    """Return how to load it, in Markdown: plain Keras, ONNX Runtime, the app."""
    manifest, size = entry.manifest, " × ".join(map(str, entry.shape))
    lines = ["## Use", "", f"Images are float32 in [0, 1], {size} (height, width, channels).", ""]
    roles = list(manifest.networks)
    role = next((role for role in ("decoder", "generator", "classifier") if role in roles), roles[0])
    network = manifest.networks[role]
    draws = {name: _draw(name, shape, len(entry.classes)) for name, shape in network.inputs.items()}
    drawn = [f"{name} = {code}" for name, code in draws.items()]
    output = next(iter(network.outputs))
    if _keras(entry):
        place = f"hf://{repo}" if repo else "."
        given = ", ".join(draws) if len(draws) == 1 else f"[{', '.join(draws)}]"
        lines += [
            "With plain Keras 3; every layer is a stock layer:" if repo else "With plain Keras 3, in this folder:",
            "",
            "```python",
            "import keras",
            "import numpy as np",
            "",
            f'model = keras.saving.load_model("{place}")',
            *[f'{name} = model.get_layer("{name}")' for name in roles],
            *drawn,
            f'{_result(output)} = {role}.predict({given})["{output}"]  # {(16, *network.outputs[output])}',
            "```",
            "",
        ]
    same = "The same networks" if _keras(entry) else "The networks"
    path = f'hf_hub_download("{repo}", "{network.file}")' if repo else f'"{network.file}"'
    feed = ", ".join(f'"{name}": {name}' for name in draws)
    lines += [
        f"{same} with ONNX Runtime ({', '.join(f'`{item.file}`' for item in manifest.networks.values())}):",
        "",
        "```python",
        "import numpy as np",
        "import onnxruntime",
        *(["from huggingface_hub import hf_hub_download"] if repo else []),
        "",
        f"session = onnxruntime.InferenceSession({path})",
        *drawn,
        f'({_result(output)},) = session.run(["{output}"], {{{feed}}})',
        "```",
    ]
    if repo:
        there = f"`http://localhost:8501/?source={repo}`"
        lines += ["", f"In the app of the Latent Zoo, started with `make app`: [{there}]({there.strip('`')})"]
    return "\n".join(lines)


def _measured(entry: Entry) -> str:
    """One table for each way of measuring, which is told below it."""
    tables: dict[str, list[str]] = {}
    for name, metric in entry.manifest.metrics.items():
        interval = f"{metric.low:.4g} to {metric.high:.4g}" if None not in (metric.low, metric.high) else ""
        cells = (metric.label or name, f"{metric.value:.4g}", interval, metric.meaning)
        how = metric.protocol or (f"On the {metric.split} split." if metric.split else "")
        tables.setdefault(how, []).append("| " + " | ".join(map(escaped, cells)) + " |")
    head = "| figure | value | range | meaning |\n|---|---|---|---|\n"
    parts = [head + "\n".join(rows) + (f"\n\n{escaped(how)}" if how else "") for how, rows in tables.items()]
    return "\n\n".join(["## Measured", *parts]) if parts else ""


def _limits(entry: Entry) -> str:
    height, width, _ = entry.shape
    row = known(entry.dataset)
    data, note = (row.licence, row.note) if row else ("not known to this card", "")
    lines = [
        "## Intended use and limits",
        "",
        f"For teaching, and for research on representations and on generated images, at {height}×{width} pixels. It is "
        "no product: decide nothing about people with it.",
    ]
    if "generate" in entry.capabilities:
        lines.append("What it generates resembles its training data, with the faults of that data, and may repeat it.")
    if "classify" in entry.capabilities:
        lines.append("It gives every image one of its classes, also images that show none of them.")
    lines += ["", f"**Data**: {escaped(_source(entry))} Licence of the data: {data}. {note}".rstrip()]
    lines[-1] += f"  \n**Licence of the weights**: {licence(entry) or 'not known; ask who made them'}."
    return "\n".join(lines)


def _provenance(entry: Entry) -> str:
    manifest, made = entry.manifest, entry.manifest.provenance
    facts = {
        "recipe": made.recipe,
        "seed": made.seed,
        "backend": made.backend,
        "device": made.device,
        "precision": getattr(made, "precision", None),
        "images seen": f"{made.images_seen:,}" if made.images_seen else None,
        "training time": f"{made.seconds / 60:.1f} minutes" if made.seconds else None,
        "code": made.code,
        "data revision": manifest.dataset.revision,
        **{f"parameters, {role}": f"{network.parameters:,}" for role, network in manifest.networks.items()},
    }
    rows = [f"| {key} | {escaped(value)} |" for key, value in facts.items() if value is not None]
    note = "`zoo.json` holds the whole recipe and the sha256 of every file."
    if entry.has(SCHEMA_FILE.name):
        note += f" Its format is written down in [`{SCHEMA_FILE.name}`]({SCHEMA_FILE.name}), a JSON Schema."
    return "\n".join(["## Provenance", "", "| | |", "|---|---|", *rows, "", note])


def _citation(entry: Entry) -> str:
    manifest = entry.manifest
    if not manifest.paper:
        return ""
    method, year = re.sub(r"[\\{}`<>]", "", _line(manifest.family_title)), manifest.year
    rows = [f"  note = {{{method}}},", f"  year = {{{year}}},", f"  url = {{{_address(manifest.paper)}}}"]
    rows = [row for row in rows if "{None}" not in row]
    head = f"@misc{{{manifest.family}{year or ''},"
    return "\n".join(["## Citation", "", "The paper of the method:", "", "```bibtex", head, *rows, "}", "```"])


def _address(address: str) -> str:
    """Keep a manifest's address from ending a code block or a BibTeX field."""
    return address.replace("{", "%7B").replace("}", "%7D").replace("`", "%60")


def _line(value: object) -> str:
    return " ".join(str(value).split()) if value is not None else ""


def _draw(name: str, shape: tuple[int, ...], classes: int) -> str:
    """Code that makes sixteen inputs."""
    size = ", ".join(map(str, (16, *shape)))
    if name == "label":
        return f'np.arange(16, dtype="int32") % {classes}'
    return f'np.random.{"rand" if name == "image" else "randn"}({size}).astype("float32")'


def _result(output: str) -> str:
    return "images" if output == "image" else output


def _keras(entry: Entry) -> bool:
    return all(map(entry.has, KERAS))


def _hub_id(entry: Entry) -> str | None:
    # Only what came from the Hub has a revision; a local folder may look like a Hub id and be none.
    row = known(entry.dataset)
    return row.hub_id if row else entry.dataset if entry.manifest.dataset.revision else None


def _source(entry: Entry) -> str:
    row, data = known(entry.dataset), entry.manifest.dataset
    count = f", {data.images:,} images" if data.images else ""
    return f"{row.title if row else entry.dataset}{count}."


def _history(entry: Entry) -> dict:
    """The content of history.json; {} when there is none or it is not a table."""
    try:
        found = json.loads(entry.content("history.json", MAX_HISTORY_BYTES))
    except (EntryError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
