"""Gallery: every entry as a framed sheet with its placard; ?entry=id opens one."""

from collections.abc import Sequence

import streamlit as st

from zoo import charts, widgets
from zoo.analysis.headline import headline
from zoo.entries import Entry
from zoo.widgets.gallery import entry_filter, history, key_figures, latent_map, provenance, snapshots

COLUMNS = 3
FULL = ("history.json", "snapshots.gif", "README.md")


def main() -> None:
    everything = {entry.id: entry for entry in widgets.entries()}
    name = st.query_params.get("entry")
    if name in everything:
        detail(everything[name])
        return
    st.title("Latent Zoo")
    if name:
        st.info(f"There is no entry {widgets.plain(name[:100])} here; these are the ones there are.")
    latent_map()
    st.header("Gallery")
    st.markdown("Autoencoders and generative adversarial networks, each with samples, key figures and provenance.")
    if everything:
        shown = entry_filter(list(everything.values()))
        if not shown:
            st.info("No entry passes these filters.", icon=":material/filter_alt_off:")
        pulled = [entry for entry in shown if entry.origin]
        if pulled:
            st.header("From the Hub")
            cards(pulled)
            st.header("From this machine")
        cards([entry for entry in shown if not entry.origin])
    else:
        st.info(f"The zoo is empty. {widgets.HOW_TO_FILL}", icon=":material/info:")
    listed = widgets.broken()
    if listed:
        with st.expander(f"{len(listed)} that cannot be shown", icon=":material/heart_broken:"):
            for item in listed:
                st.markdown(f"**{widgets.plain(item.name)}**: {widgets.plain(item.reason)}")


def cards(shown: Sequence[Entry]) -> None:
    """Show the entries as cards, row by row; a phone shows them one below the other."""
    for start in range(0, len(shown), COLUMNS):
        row = st.columns(COLUMNS, gap="large")
        for column, entry in zip(row, shown[start : start + COLUMNS], strict=False):
            with column, widgets.guard():
                widgets.framed_sheet(entry, 560)
                widgets.placard(entry)
                st.caption(widgets.plain(headline(entry)))
                st.button(
                    "Open", key=f"open-{entry.id}", on_click=look, args=[entry.id],
                    icon=":material/zoom_in:", help=f"Open {widgets.plain(entry.label)}",
                )  # fmt: skip
                st.space("small")


def look(name: str | None) -> None:
    """Open an entry, or go back to all entries."""
    if name is None:
        st.query_params.pop("entry", None)
    else:
        st.query_params["entry"] = name


def detail(entry: Entry) -> None:
    """Show one entry in full."""
    st.button("All entries", on_click=look, args=[None], icon=":material/arrow_back:", type="tertiary")
    st.title(widgets.plain(entry.label))
    left, right = st.columns(2, gap="large")
    with left, widgets.guard():
        widgets.framed_sheet(entry, 900)
    with right:
        widgets.placard(entry, named=False)
        st.markdown(widgets.plain(entry.manifest.description))
        with st.container(horizontal=True):
            widgets.page_links(entry)
    fetched = widgets.fetch_files([entry], FULL)
    if fetched:
        growth(entry)
    left, right = st.columns([3, 2], gap="large")
    with left:
        key_figures(entry)
    with right:
        provenance(entry)
    with widgets.guard():
        text = widgets.card_text(entry) if fetched else ""
        if text:
            with st.expander("Model card", icon=":material/description:"):
                st.markdown(text)


def growth(entry: Entry) -> None:
    """Show the losses, and the same latents decoded at moments of training."""
    st.header("Training")
    left, right = st.columns([3, 2], gap="large")
    with left, widgets.guard():
        losses = history(entry)
        if losses:
            caption = "Losses against the number of training images seen: level lines mean that training had converged."
            widgets.figure(charts.training_curve(losses), key="curve", caption=caption, filename=f"{entry.name}-curve")
    with right, widgets.guard():
        movie = snapshots(entry)
        if movie:
            st.image(movie, width="stretch", alt="The same latents along training")
            st.caption("The same latent points decoded at moments of training: noise turns into pictures.")


main()
