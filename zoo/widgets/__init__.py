"""What several pages need from Streamlit. This package is the only part of the zoo that imports Streamlit.

Everything that comes out of an entry, a file name or a URL is untrusted text: it passes `plain` before it meets
Markdown.
"""

from zoo.widgets.charts import download, figure
from zoo.widgets.fetching import bring
from zoo.widgets.listing import broken, entries
from zoo.widgets.loading import (
    available,
    cached,
    card_text,
    dataset,
    guard,
    history,
    plain,
    sample_sheet,
    samples,
    snapshots,
)
from zoo.widgets.picking import CAPABILITIES, HOW_TO_FILL, entries_picker, entry_filter, entry_label, entry_picker
from zoo.widgets.pictures import draw_pad, image_grid
from zoo.widgets.placards import (
    dataset_title,
    duration,
    framed_sheet,
    key_figures,
    medium,
    page_links,
    placard,
    provenance,
    short,
    size_text,
)
from zoo.widgets.sources import Picked, image_source
from zoo.widgets.urls import bound, cold_start, enter
from zoo.widgets.zoos import zoo_picker

__all__ = [
    "CAPABILITIES",
    "HOW_TO_FILL",
    "Picked",
    "available",
    "bound",
    "bring",
    "broken",
    "cached",
    "cold_start",
    "card_text",
    "dataset",
    "dataset_title",
    "download",
    "draw_pad",
    "duration",
    "enter",
    "entries",
    "entries_picker",
    "entry_filter",
    "entry_label",
    "entry_picker",
    "figure",
    "framed_sheet",
    "guard",
    "history",
    "image_grid",
    "image_source",
    "key_figures",
    "medium",
    "page_links",
    "placard",
    "plain",
    "provenance",
    "sample_sheet",
    "samples",
    "short",
    "size_text",
    "snapshots",
    "zoo_picker",
]
