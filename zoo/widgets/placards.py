"""What stands beside a picture of an entry: its samples in a frame, its placard, links to the pages that take it."""

from urllib.parse import urlencode

import streamlit as st

from zoo.entries import Entry
from zoo.widgets.components import reserve
from zoo.widgets.labels import dataset_title, size_text, training_text
from zoo.widgets.listing import KEY
from zoo.widgets.loading import sample_sheet
from zoo.widgets.safety import plain

# What can be opened with an entry: page, label, icon, capability it needs, the parameter that names the entry.
PAGES = (
    ("pages/explore/reconstruction.py", "Reconstruct", ":material/compare:", "reconstruct", "entries"),
    ("pages/explore/interpolation.py", "Interpolate", ":material/timeline:", "decode", "entry"),
    ("pages/explore/generation.py", "Generate", ":material/casino:", "generate", "entries"),
    ("pages/represent/latent_map.py", "Latent map", ":material/scatter_plot:", "encode", "entry"),
    ("pages/represent/directions.py", "Move along directions", ":material/explore:", "decode", "entry"),
    ("pages/measure/distributions.py", "Compare distributions", ":material/bar_chart:", "generate", "a"),
)


def framed_sheet(entry: Entry, width: int) -> None:
    """Draw the entry's samples in a frame, enlarged without smoothing to about `width` pixels; raises EntryError."""
    picture, key = sample_sheet(entry, width), f"sheet-{entry.id}"
    if picture is not None:
        reserve(key, f"aspect-ratio: {picture.shape[1]} / {picture.shape[0]};")
    with st.container(border=True, key=key):
        if picture is None:
            st.caption("This entry has no sample sheet.")
        else:
            st.image(picture, width="stretch", alt=f"Samples of {entry.label} on {dataset_title(entry.dataset)}")


def placard(entry: Entry, *, named: bool = True) -> None:
    """Draw label (unless the page has it already), family and year, title, dataset, size and training of an entry."""
    manifest = entry.manifest
    family = plain(manifest.family_title) + (f", {manifest.year}" if manifest.year else "")
    st.markdown(f"**{plain(entry.label)}**  \n{family}" if named else family)
    lines = [entry.title, f"{dataset_title(entry.dataset)}, {size_text(entry)}", training_text(entry)]
    if entry.origin:
        lines.append(f"{entry.origin.repo}, {entry.origin.asked} at {entry.origin.commit[:12]}")
    st.caption("  \n".join(map(plain, lines)))


def address(entry: Entry) -> str:
    """Return the query of the address that opens an entry in the gallery; the zoos that one looks at stay named."""
    return "?" + urlencode([*((KEY, text) for text in st.query_params.get_all(KEY)), ("entry", entry.id)])


def page_links(entry: Entry, **parameters: str | list[str]) -> None:
    """Draw a link to each page that can show something of an entry; parameters go into the address as well."""
    for page, label, icon, need, name in PAGES:
        if need in entry.capabilities:
            st.page_link(page, label=label, icon=icon, query_params={**parameters, name: entry.id})
