"""What hangs beside a picture: placard, key figures, provenance."""

import streamlit as st
from huggingface_hub import constants

from zoo.entries import Entry
from zoo.known import DATASETS
from zoo.widgets.loading import plain, sample_sheet

# What can be opened with an entry: page, label, icon, capability it needs, the parameter that names the entry.
PAGES = (
    ("pages/explore/reconstruction.py", "Reconstruct", ":material/compare:", "reconstruct", "entries"),
    ("pages/explore/interpolation.py", "Interpolate", ":material/timeline:", "decode", "entry"),
    ("pages/explore/generation.py", "Generate", ":material/casino:", "generate", "entries"),
    ("pages/measure/distributions.py", "Compare distributions", ":material/bar_chart:", "generate", "a"),
)


def dataset_title(name: str) -> str:
    """Return the title of a dataset in the catalogue, or its id."""
    known = DATASETS.get(name)
    return known.title if known else name


def framed_sheet(entry: Entry, width: int) -> None:
    """Draw the entry's samples in a frame, enlarged without smoothing to about `width` pixels; raises EntryError."""
    with st.container(border=True):
        picture = sample_sheet(entry, width)
        if picture is None:
            st.caption("This entry has no sample sheet.")
        else:
            st.image(picture, width="stretch", alt=f"Samples of {entry.title} on {dataset_title(entry.dataset)}")


def placard(entry: Entry, *, titled: bool = True) -> None:
    """Draw what hangs beside a picture: title (unless the page has it already), family and year, dataset, medium."""
    manifest = entry.manifest
    family = plain(manifest.family_title) + (f", {manifest.year}" if manifest.year else "")
    st.markdown(f"**{plain(entry.title)}**  \n{family}" if titled else family)
    lines = [f"{dataset_title(entry.dataset)}, {size_text(entry)}", medium(entry)]
    if entry.origin:
        lines.append(f"{entry.origin.repo}, {entry.origin.asked} at {entry.origin.commit[:12]}")
    st.caption("  \n".join(map(plain, lines)))


def page_links(entry: Entry, **parameters: str | list[str]) -> None:
    """Draw a link to each page that can show something of an entry; parameters go into the address as well."""
    for page, label, icon, need, name in PAGES:
        if need in entry.capabilities:
            st.page_link(page, label=label, icon=icon, query_params={**parameters, name: entry.id})


def medium(entry: Entry) -> str:
    """Return what the work is made of, e.g. "1.2 M parameters, trained on 3 M images in 30 min on cpu"."""
    made = entry.manifest.provenance
    parts = ["trained"] if made.images_seen or made.seconds else []
    if made.images_seen:
        parts.append(f"on {short(made.images_seen)} images")
    if made.seconds:
        parts.append(f"in {duration(made.seconds)}" + (f" on {made.device}" if made.device else ""))
    return ", ".join(filter(None, [f"{short(entry.parameters)} parameters", " ".join(parts)]))


def size_text(entry: Entry) -> str:
    """Return e.g. "28×28 grey"."""
    height, width, channels = entry.shape
    return f"{height}×{width} {'colour' if channels == 3 else 'grey'}"


def short(number: float) -> str:
    """Return a count in at most three digits: 950, 1.2 k, 34 M."""
    for unit, scale in (("", 1), (" k", 1e3), (" M", 1e6), (" G", 1e9)):
        if abs(number) < 999.5 * scale or scale == 1e9:
            value = number / scale
            return f"{value:.1f}{unit}" if unit and abs(value) < 9.95 else f"{value:.0f}{unit}"
    raise AssertionError


def duration(seconds: float) -> str:
    """Return seconds in words: 40 s, 12 min, 1.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def key_figures(entry: Entry) -> None:
    """Draw the measured numbers of an entry with their ranges: a table for each way of measuring, told below it."""
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


def _repository(entry: Entry) -> str:
    if entry.origin is None:
        return ""
    repo, commit, asked = entry.origin.repo, entry.origin.commit, entry.origin.asked
    return f"<{constants.ENDPOINT}/{repo}/tree/{commit}>" + (f" ({plain(asked)})" if asked != commit else "")


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
