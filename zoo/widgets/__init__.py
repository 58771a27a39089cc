"""What several pages need from Streamlit. This package is the only part of the zoo that imports Streamlit.

Widgets that serve one page stand in a package of that page's name. Everything that comes out of an entry, a file name
or a URL is untrusted text: it passes `plain` before it meets Markdown.
"""

from zoo.widgets.anchors import anchor_inputs, anchor_picker
from zoo.widgets.card import card_text
from zoo.widgets.charts import download, figure
from zoo.widgets.components import reserve
from zoo.widgets.fetching import fetch_files
from zoo.widgets.frame import place, presenting, style
from zoo.widgets.inputs import Picked, image_source
from zoo.widgets.lab import live_lab
from zoo.widgets.labels import dataset_title
from zoo.widgets.listing import broken, entries
from zoo.widgets.loading import available, cached, dataset
from zoo.widgets.matrix import Row, image_matrix
from zoo.widgets.pad import draw_pad
from zoo.widgets.peek import peek
from zoo.widgets.picking import HOW_TO_FILL, entries_picker, entry_picker
from zoo.widgets.placards import framed_sheet, page_links, placard
from zoo.widgets.safety import guard, plain
from zoo.widgets.tiles import image_grid
from zoo.widgets.uploads import MODEL, limit_uploads, uploader
from zoo.widgets.urls import bound, enter, linked_expander
from zoo.widgets.zoos import zoo_picker

__all__ = [
    "HOW_TO_FILL",
    "MODEL",
    "Picked",
    "Row",
    "anchor_inputs",
    "anchor_picker",
    "available",
    "bound",
    "broken",
    "cached",
    "card_text",
    "dataset",
    "dataset_title",
    "download",
    "draw_pad",
    "enter",
    "entries",
    "entries_picker",
    "entry_picker",
    "fetch_files",
    "figure",
    "framed_sheet",
    "guard",
    "image_grid",
    "image_matrix",
    "image_source",
    "limit_uploads",
    "linked_expander",
    "live_lab",
    "page_links",
    "placard",
    "plain",
    "peek",
    "place",
    "presenting",
    "reserve",
    "style",
    "uploader",
    "zoo_picker",
]
