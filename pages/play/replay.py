"""Training replay: generator and discriminator, from the first step to the last, one run or two side by side."""

import streamlit as st

from zoo import images, widgets
from zoo.analysis import game, players
from zoo.entries import Entry
from zoo.widgets.replay import film, loaded

FILES = ("replay.npz", "snapshots.gif", "history.json")
ALONE = "none"
READING = (
    "All pictures of a run are made from the same random numbers z. **Told apart** is the share of pairs of a real and "
    "a generated image in which D gives the real one the higher score: 50 % is guessing, 100 % is never wrong. "
    "**Fréchet distance** (lower is better) says how far generated images are from real ones, **coverage** (higher is "
    "better) which share of real images has a generated one near it. The range of scores and of losses is each run's "
    "own. The axis gives the beginning more room, as moments are denser there."
)


def main() -> None:
    st.title("Training replay")
    st.markdown(
        "A game of two players: the **generator** G makes images out of random numbers, the **discriminator** D tells "
        "them from real ones, and each learns from the other's mistakes."
    )
    found = game.played(widgets.entries())
    if not found:
        st.info(f"No entry here keeps how its game went. {widgets.HOW_TO_FILL}", icon=":material/info:")
        return
    runs = chosen(found)
    with widgets.guard():
        runs = [entry for entry in runs if readable(entry)]
        if not runs:
            return
        film(runs)
        st.caption(READING)
        for entry in runs:
            remarks(entry)
        downloads(runs)
    wants(runs)


def chosen(found: list[Entry]) -> list[Entry]:
    """Let one run be chosen, and another beside it; return those whose files are here."""
    opening, known = game.pair(found), {entry.id: entry for entry in found}
    with st.container(key="side-runs"):
        left, right = st.columns(2, gap="medium")
    with left:
        name = widgets.bound(
            st.selectbox, "Run", list(known), key="entry", default=opening[0], format_func=lambda n: known[n].label
        )
    others = [other for other in known if other != name]
    beside = next((other for other in reversed(opening) if other != name), ALONE)
    with right:
        second = widgets.bound(
            st.selectbox,
            "Beside it",
            [ALONE, *others],
            key="beside",
            default=beside if name in opening else ALONE,
            format_func=lambda n: known[n].label if n in known else "nothing",
        )
    return widgets.fetch_files([known[n] for n in (name, second) if n in known], FILES)


def readable(entry: Entry) -> bool:
    """Whether something of a run can be shown; what is wrong with it is said, and the other run stays."""
    with widgets.guard():
        return loaded(entry) is not None
    return False


def remarks(entry: Entry) -> None:
    """Say what the run is, how its numbers were measured, and what of it is not stored."""
    run = loaded(entry)
    text = " ".join(filter(None, [entry.manifest.description, run and run.missing, run and run.protocol]))
    if text:
        st.caption(f"**{widgets.plain(entry.label)}**: {widgets.plain(text)}")


def downloads(runs: list[Entry]) -> None:
    """Offer the numbers of the runs, and the pictures of each as a film."""
    with st.container(horizontal=True):
        games = {entry.name: run for entry in runs if (run := loaded(entry))}
        widgets.download("Numbers", lambda: game.table(games), f"{'-and-'.join(games)}.csv")
        for name, run in games.items():
            widgets.download(f"Film of {name}", lambda run=run: images.gif(run.pictures, 300, 2), f"{name}-replay.gif")


def wants(runs: list[Entry]) -> None:
    """Show the losses of the players of each run: what each of them wants."""
    st.header("What each player wants")
    st.markdown(
        "D wants high scores for real images x and low ones for G's images G(z). G never sees a real image: it wants a "
        "high score for what it makes, and learns from the slope of D. Each makes its own loss smaller:"
    )
    shown = {players.wants(entry): entry.manifest.family_title for entry in runs}
    for column, (want, title) in zip(st.columns(2, gap="large"), shown.items(), strict=False):
        with column:
            st.subheader(widgets.plain(title))
            if want is None:
                st.caption("The losses of this family are not known here; its paper says what they are.")
                continue
            st.markdown(f"D: $\\;{want.first}$")
            st.markdown(f"{'E' if want == players.CODES else 'G'}: $\\;{want.second}$")
            st.caption(want.words)
    st.caption(
        "x: a real image; z: random numbers drawn from N(0, 1); softplus(a) = log(1 + exp a); 𝔼: the mean over a "
        "batch. Penalties on the slope of D, which most families add to its loss, are not shown."
    )


main()
