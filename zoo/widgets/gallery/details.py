"""The page of one entry: its key figures and its provenance."""

import streamlit as st
from huggingface_hub import constants

from zoo.entries import Entry
from zoo.widgets.labels import dataset_title, duration, short
from zoo.widgets.safety import plain


def key_figures(entry: Entry) -> None:
    """Draw the measured numbers of an entry with their ranges, in a table for each protocol."""
    if not entry.manifest.metrics:
        return
    st.header("Key figures")
    tables: dict[str, list[str]] = {}
    for name, metric in entry.manifest.metrics.items():
        interval = f"{metric.low:.3g} to {metric.high:.3g}" if None not in (metric.low, metric.high) else ""
        cells = (metric.label or name.replace("_", " "), f"{metric.value:.4g}", interval, metric.meaning)
        how = metric.protocol or (f"Measured on the {metric.split} split." if metric.split else "")
        tables.setdefault(how, []).append(f"| {' | '.join(map(plain, cells))} |")
    for how, rows in tables.items():
        st.markdown("\n".join(["| Figure | Value | Range | Meaning |", "|---|---|---|---|", *rows]))
        st.caption(plain(how))


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
