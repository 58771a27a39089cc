"""The model card of an entry: README.md with the metadata that the Hub indexes."""

from huggingface_hub import EvalResult, ModelCardData

from zoo import datasets
from zoo.entry import Entry

PIPELINES = {"classify": "image-classification", "generate": "unconditional-image-generation"}


def write(entry: Entry) -> None:
    """Write README.md into the folder of an entry from its manifest alone."""
    (entry.folder / "README.md").write_text(f"---\n{metadata(entry)}\n---\n\n{text(entry)}", encoding="utf-8")


def metadata(entry: Entry) -> str:
    """YAML for the card's head."""
    manifest, known = entry.manifest, datasets.NAMES.get(entry.dataset)
    # Only what came from the Hub has a revision; a local folder may look like a Hub id and be none.
    hub_id = known.hub_id if known else entry.dataset if manifest.dataset.revision else None
    pipeline = next((task for ability, task in PIPELINES.items() if ability in entry.capabilities), "image-to-image")
    results = [
        EvalResult(
            task_type=pipeline,
            dataset_type=hub_id or entry.dataset,
            dataset_name=known.title if known else entry.dataset,
            dataset_split=metric.split,
            metric_type=name,
            metric_name=metric.label or name,
            metric_value=round(metric.value, 6),
        )
        for name, metric in manifest.metrics.items()
    ]
    return ModelCardData(
        model_name=entry.name,
        library_name="keras",
        pipeline_tag=pipeline,
        license="mit",
        tags=list(manifest.tags),
        datasets=[hub_id] if hub_id else None,
        eval_results=results or None,
    ).to_yaml()


def text(entry: Entry) -> str:
    """The card's body in Markdown."""
    manifest, source = entry.manifest, entry.manifest.provenance
    known = datasets.NAMES.get(entry.dataset)
    lines = [
        f"# {entry.title}",
        "",
        f"**{manifest.family_title}** ({manifest.year}) on **{known.title if known else entry.dataset}** · "
        f"[paper]({manifest.paper})",
        "",
        manifest.description,
        "",
        "![samples](samples.png)",
        "",
    ]
    if manifest.metrics:
        lines += ["## Measured", "", "| metric | value | range | protocol |", "|---|---|---|---|"]
        for name, metric in manifest.metrics.items():
            interval = "" if metric.low is None else f"{metric.low:.4g} – {metric.high:.4g}"
            lines.append(
                f"| {metric.label or name}: {metric.meaning} | {metric.value:.4g} | {interval} | {metric.protocol} |"
            )
        lines.append("")
    roles = list(manifest.networks)
    onnx_files = ", ".join(f"`{network.file}`" for network in manifest.networks.values())
    lines += [
        "## Use",
        "",
        "Stock Keras layers only; images are float32 in [0, 1], shape " + " × ".join(map(str, entry.shape)) + ".",
        "",
        "```python",
        "import keras",
        "",
        f'model = keras.saving.load_model("{entry.name}")  # this folder, or "hf://owner/{entry.name}"',
        *[f'{role} = model.get_layer("{role}")' for role in roles],
        "```",
        "",
        f"The same networks as ONNX, equal to Keras within 1e-4: {onnx_files}.",
        "",
        "## Provenance",
        "",
        "| | |",
        "|---|---|",
    ]
    told = {
        "recipe": source.recipe,
        "seed": source.seed,
        "backend": source.backend,
        "device": source.device,
        "precision": getattr(source, "precision", None),
        "images seen": f"{source.images_seen:,}" if source.images_seen else None,
        "training time": f"{source.seconds / 60:.1f} minutes" if source.seconds else None,
        "code": source.code,
    }
    lines += [f"| {key} | {value} |" for key, value in told.items() if value is not None]
    for role, network in manifest.networks.items():
        lines.append(f"| parameters, {role} | {network.parameters:,} |")
    return "\n".join(lines) + "\n"
