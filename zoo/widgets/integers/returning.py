"""How often a number comes back the same."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from zoo import charts
from zoo.analysis import comparison, numerals
from zoo.entries import Entry
from zoo.entries.catalog import classifier_for
from zoo.widgets.charts import figure
from zoo.widgets.integers.writing import Written
from zoo.widgets.loading import cached
from zoo.widgets.progress import progress
from zoo.widgets.safety import plain
from zoo.widgets.urls import bound

COUNTS = (50, 200, 1000)


def there_and_back(readers: Sequence[Entry], written: Written) -> None:
    """Show how often numbers (?count of them) come back the same; nothing without writers or readers.

    It is no fragment: a click inside of one would not interrupt what is being computed.
    """
    if not written.pictures or not readers:
        return
    st.header("There and back")
    count = bound(
        st.segmented_control, "Numbers", COUNTS, key="count", default=COUNTS[0], required=True,
        format_func=lambda number: f"{number:,}",
    )  # fmt: skip
    ways_out, trips = st.empty(), {}
    if count > COUNTS[0]:
        ways_out.button("Cancel", key="cancel-count", icon=":material/close:", on_click=_fewest)
    for writer in written.pictures:
        reader = classifier_for(writer, readers) or readers[0]
        trips[writer] = _trip(writer, reader, count, written.seed, written.hand), reader
    ways_out.empty()
    outcomes = {
        writer.label: (trip.same, count - trip.same - trip.miscounted, trip.miscounted)
        for writer, (trip, _) in trips.items()
    }
    protocol = (
        f"{count:,} numbers of {numerals.LENGTH} digits, drawn evenly with seed {written.seed}; "
        f"{numerals.HANDS[written.hand].lower()}, a new latent code for each "
        f"{'number' if written.hand == 'one' else 'digit'}; the digits are laid side by side, found again and read."
    )
    figure(
        charts.returned(outcomes), key="returned", filename="there-and-back",
        caption=f"Number, image, number: how often the number that is read is the one that was written. {protocol}",
    )  # fmt: skip
    st.markdown("\n".join(f"- {plain(_finding(writer, *found))}" for writer, found in trips.items()))


def _fewest() -> None:
    st.session_state["count"] = COUNTS[0]


def _finding(writer: Entry, trip: numerals.Trip, reader: Entry) -> str:
    confusion = trip.confusion()
    right, total = int(np.trace(confusion)), int(confusion.sum())
    text = f"{writer.label}: {trip.same:,} of {len(trip.asked):,} numbers come back"
    if total:
        text += f", and {comparison.percent(right / total)} of the digits, read by {reader.label}"
    wrong = confusion - np.diag(np.diag(confusion))
    if wrong.any():
        asked, read = np.unravel_index(wrong.argmax(), wrong.shape)
        text += f"; most often a {asked} is read as {read} ({wrong.max()} of {confusion[asked].sum()})"
    return text + "."


@cached(max_entries=64)
def _trip(writer: Entry, reader: Entry, count: int, seed: int, hand: str) -> numerals.Trip:
    """Return the trip, with a progress bar."""
    with progress() as report:

        def tell(part: float) -> None:
            report(part, f"{writer.label} writes {count:,} numbers, and {reader.label} reads them …")

        return numerals.there_and_back(writer, reader, count, seed, hand, tell)
