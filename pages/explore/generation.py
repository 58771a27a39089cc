"""Generation: one draw of latents through several entries, and a tile looked at closely."""

from collections.abc import Sequence

import streamlit as st

from zoo import charts, images, models, projector, widgets
from zoo.analysis import comparison
from zoo.entries import Entry, opening
from zoo.latent import codes
from zoo.models import Samples
from zoo.samplers import SAMPLERS
from zoo.widgets.generation import Draw, draw_inputs, judged, nearest_images, search_everything, shared_tile, strength

STYLES = (charts.A, charts.B, *charts.FURTHER)
# Columns and size of the tiles in pixels, by the number of sheets side by side; None fills the width.
LAYOUT = {1: (None, 104), 2: (6, 72), 3: (4, 72), 4: (3, 72)}


def main() -> None:
    st.title("Generation")
    st.markdown("Latent codes are drawn at random and decoded into images. Click an image to see it enlarged.")
    fruits = [entry for entry in widgets.entries("generate") if entry.dataset == "fruits"]
    default = [fruits[0].id, opening.beside(fruits[0], fruits[1:])] if fruits else []
    view(widgets.entries_picker("Entries", needs=["generate"], default=default, most=4))


@st.fragment
def view(entries: Sequence[Entry]) -> None:
    """Draw and show; a fragment, so that a slider leaves the frame and the picker alone."""
    with widgets.guard():
        draw = draw_inputs(entries)
        strength(entries, draw)
        st.caption(comparison.sharing(entries, [draw.sampler_for(entry) for entry in entries]))
        tile = shared_tile("tile", [f"tile_{entry.id}" for entry in entries], draw.count)
        batches = {}
        for column, entry in zip(st.columns(len(entries), gap="large"), entries, strict=True):
            with column, widgets.guard():
                batches[entry] = sheet(entry, draw, tile, *LAYOUT[len(entries)])
        if not batches:
            return
        with st.container(key="closer"):
            st.header(f"Image {tile + 1}, enlarged")
        everything = search_everything(list(batches))
        for style, (entry, batch) in zip(STYLES, batches.items(), strict=False):
            st.subheader(widgets.plain(entry.label))
            closer(entry, batch, tile, style)
            with widgets.guard():
                nearest_images(entry, batch.images[tile], everything)


def sheet(entry: Entry, draw: Draw, tile: int, columns: int | None, size: int) -> Samples:
    """Show one entry's images as tiles to click, with the downloads below."""
    label, name = widgets.plain(entry.label), f"{entry.name}-seed-{draw.seed}"
    with st.spinner(f"{label} draws …"):
        batch = draw.samples(entry)
    st.markdown(f"**{label}**")
    st.caption(f"{widgets.plain(entry.title)}. Codes: {SAMPLERS[draw.sampler_for(entry)].label}.")
    alts = [f"Image {index + 1} by {entry.label}" for index in range(draw.count)]
    widgets.image_grid(
        batch.images,
        alts=alts,
        key=f"tile_{entry.id}",
        size=size,
        columns=columns,
        select="one",
        selected=[tile],
        leads_to="closer",
    )
    with st.container(horizontal=True):
        for text, kind, make in (
            ("PNG sheet", "png", lambda: charts.poster(f"{entry.label}, seed {draw.seed}", charts.lines(batch.images))),
            ("ZIP of PNGs", "zip", lambda: images.zip_png(batch.images, prefix=name)),
            ("CSV of latents", "csv", lambda: projector.csv(batch.latents, batch.labels)),
            (
                "Embedding Projector",
                "projector.zip",
                lambda: projector.archive(batch.latents, batch.images, batch.labels, entry.classes),
            ),
        ):
            widgets.download(text, make, f"{name}.{kind}", key=f"download-{kind}-{entry.id}")
    return batch


def closer(entry: Entry, batch: Samples, tile: int, style: charts.Style) -> None:
    """Show one tile, its latent, and what discriminator and classifier make of it."""
    left, middle, right = st.columns([2, 3, 3], gap="large")
    with left, widgets.guard():
        picture = batch.images[tile : tile + 1]
        widgets.image_grid(picture, alts=f"Image {tile + 1} by {entry.label}", key=f"closer_{entry.id}", size=200)
        if batch.labels is not None:
            st.caption(f"Asked for: {widgets.plain(entry.classes[batch.labels[tile]])}.")
        if "judge" in entry.capabilities:
            scores = models.judge(entry, batch.images, batch.labels)
            beaten = int((scores < scores[tile]).sum())
            better = f"above {beaten} of the {len(scores)} images (higher is more real)"
            st.caption(f"Discriminator: {scores[tile]:+.2f}, {better}.")
    with middle, widgets.guard():
        if entry.discrete:
            caption = "The integers that the prior drew, one after the other, row by row."
            fig = charts.code_grid(codes.nearest(batch.latents[tile], codes.codebook(entry)), codes.vocabulary(entry))
        else:
            caption = "The latent, one bar per number: under a normal prior 19 of 20 bars end inside the grey band."
            fig = charts.latent_bars(batch.latents[tile], style)
        widgets.figure(fig, key=f"latent_{entry.id}", caption=caption)
    with right, widgets.guard():
        judged(entry, picture, style)


main()
