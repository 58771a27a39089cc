"""Gallery: a map to move in, and every entry as a card, grouped by idea; ?entry=id opens one."""

from collections.abc import Sequence

import streamlit as st

from zoo import charts, widgets
from zoo.analysis import game
from zoo.analysis.history import history, snapshots
from zoo.analysis.ideas import grouped
from zoo.entries import Entry
from zoo.widgets.gallery import actions, cards, entry_filter, key_figures, latent_map, provenance

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
        rooms([entry for entry in shown if not entry.origin])
    else:
        st.info(f"The zoo is empty. {widgets.HOW_TO_FILL}", icon=":material/info:")
    listed = widgets.broken()
    if listed:
        with st.expander(f"{len(listed)} that cannot be shown", icon=":material/heart_broken:"):
            for item in listed:
                st.markdown(f"**{widgets.plain(item.name)}**: {widgets.plain(item.reason)}")


def rooms(shown: Sequence[Entry]) -> None:
    """Show the entries as cards, one group for each idea behind them."""
    for idea, members in grouped(shown).items():
        st.subheader(idea.title)
        st.caption(idea.sentence)
        cards(members)
        st.space("small")


def detail(entry: Entry) -> None:
    """Show one entry in full."""
    st.button("All entries", key="all-entries", on_click=leave, icon=":material/arrow_back:", type="tertiary")
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
    with right, widgets.guard():
        actions(entry)
    key_figures(entry)
    left, right = st.columns([3, 2], gap="large")
    if fetched:
        with left:
            growth(entry)
    with right:
        provenance(entry)
    with widgets.guard():
        text = widgets.card_text(entry) if fetched else ""
        if text:
            with st.expander("Model card", icon=":material/description:"):
                st.markdown(text)


def leave() -> None:
    """Go back to all entries."""
    st.query_params.pop("entry", None)


def growth(entry: Entry) -> None:
    """Show the losses, and the same latents decoded at moments of training."""
    st.header("Training")
    with widgets.guard():
        losses = history(entry)
        if losses:
            caption = "Losses against the number of training images seen: level lines mean that training had converged."
            widgets.figure(charts.training_curve(losses), key="curve", caption=caption, filename=f"{entry.name}-curve")
    with widgets.guard():
        movie = snapshots(entry)
        if movie:
            st.image(movie, width=360, alt="The same latents along training")
            st.caption("The same latent points decoded at moments of training: noise turns into pictures.")
    if game.played([entry]):
        st.page_link(
            "pages/play/replay.py", label="Training replay", icon=":material/replay:", query_params={"entry": entry.id}
        )


main()
