"""The page of one entry: what one can do with it, its key figures and its provenance."""

import streamlit as st
from huggingface_hub import constants

from zoo.analysis.measured import REAL, Measured, interval, measured, written
from zoo.entries import Entry, catalog
from zoo.samplers import SAMPLERS, offered
from zoo.sharing import card
from zoo.sharing.imports import archive
from zoo.widgets.charts import download
from zoo.widgets.labels import dataset_title, duration, short
from zoo.widgets.safety import plain
from zoo.widgets.tables import Cell, Column, table

OWN = """
With the code of this zoo, which draws codes and asks for classes as the pages do:

```python
from zoo import models
from zoo.entries import catalog

entry = catalog.find("{name}")
{verb}
```
"""


def actions(entry: Entry) -> None:
    """Draw how the entry is used elsewhere, its files as a download, and the way to publish it."""
    repo = entry.origin.repo if entry.origin else None
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.popover("Use this model", icon=":material/code:", width="content"):
            st.markdown(card.uses(entry, repo).removeprefix("## Use\n\n"))
            if entry.folder.parent == catalog.EMBEDDED:
                can = "generate" in entry.capabilities
                verb = "samples = models.sample(entry, count=16, seed=0)" if can else "probabilities, features = "
                verb += "" if can else "models.classify(entry, images)" if "classify" in entry.capabilities else ""
                if can or "classify" in entry.capabilities:
                    st.markdown(OWN.format(name=entry.name, verb=verb))
        download("All files (ZIP)", lambda: archive(entry), f"{entry.name}.zip")
        st.page_link(
            "pages/share/publish.py", label="Publish", icon=":material/cloud_upload:", query_params={"entry": entry.id}
        )


def key_figures(entry: Entry) -> None:
    """Draw the measured figures of an entry in one table: with ranges, for each sampler, and for real images."""
    found = measured(entry)
    if not found:
        return
    st.header("Key figures")
    samplers = list(dict.fromkeys(name for row in found if not row.whole for name in row.values if name != REAL))
    first = next(iter(offered(entry)), "")
    shown = {name: SAMPLERS[name or first].label if (name or first) in SAMPLERS else name for name in samplers}
    columns = [Column("Figure")]
    columns += [Column("Of the entry")] if any(row.whole for row in found) else []
    columns += [Column(f"Codes: {title.lower()}") for title in shown.values()]
    if any(REAL in row.values for row in found):
        columns.append(Column("Real images", "What training images score: the floor or the goal of a generator"))
        shown[REAL] = ""
    whole = any(row.whole for row in found)
    rows = [
        [
            _heading(row),
            *([_cell(row, "", row.whole)] if whole else []),
            *(_cell(row, name, not row.whole) for name in shown),
        ]
        for row in found
    ]
    table(columns, rows, key=f"figures-{entry.id}", label="Key figures")
    st.caption(
        "Figures of samples have a column for each way to draw codes. Ranges are over seeds. "
        "↓ lower is better, ↑ higher is better, → 1 near one is better."
    )
    with st.expander("What the figures mean, and how they were measured", icon=":material/help:"):
        lines = [f"- **{plain(row.label)}**: {plain(row.meaning)}. {plain(row.protocol)}" for row in found]
        st.markdown("\n".join(lines))


def _heading(row: Measured) -> Cell:
    return Cell(row.label, help=" · ".join(filter(None, [row.meaning, row.protocol])))


def _cell(row: Measured, column: str, applies: bool) -> Cell:
    metric = row.values.get(column) if applies or column == REAL else None
    if metric is None:
        return Cell()
    return Cell(written(row.name, metric.value), interval(row.name, metric), metric.protocol)


def provenance(entry: Entry) -> None:
    """Draw where an entry comes from: paper, data, training, networks."""
    manifest, made = entry.manifest, entry.manifest.provenance
    rows = {
        "Paper": f"<{manifest.paper}>" if manifest.paper else "",
        "Data": plain(dataset_title(entry.dataset))
        + (f", {manifest.dataset.images:,} images" if manifest.dataset.images else ""),
        "Data revision": plain(manifest.dataset.revision or ""),
        "Recipe": plain(made.recipe or "") + (f", seed {made.seed}" if made.recipe and made.seed is not None else ""),
        "Trained": plain(", ".join(filter(None, [made.backend, made.device]))),
        "Images seen": f"{made.images_seen:,}" if made.images_seen else "",
        "Time": duration(made.seconds) if made.seconds else "",
        "Latent space": f"{'×'.join(map(str, entry.latent_shape))} numbers" if entry.prior else "",
        "Networks": plain(", ".join(f"{role} ({short(net.parameters)})" for role, net in manifest.networks.items())),
        "Code": plain(made.code or ""),
        "Entry": f"{plain(entry.name)}, revision {entry.revision}",
        "Repository": _repository(entry),
    }
    st.header("Provenance")
    st.markdown("  \n".join(f"**{name}:** {text}" for name, text in rows.items() if text))
    if made.options:
        with st.expander("Recipe in full", icon=":material/receipt_long:"):
            st.json(made.options)


def _repository(entry: Entry) -> str:
    if entry.origin is None:
        return ""
    repo, commit, asked = entry.origin.repo, entry.origin.commit, entry.origin.asked
    return f"<{constants.ENDPOINT}/{repo}/tree/{commit}>" + (f" ({plain(asked)})" if asked != commit else "")
