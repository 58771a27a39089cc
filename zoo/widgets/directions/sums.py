"""A sum of codes as one reads it, in pictures: A − B + C = D."""

import base64
import html
from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st

from zoo import charts, images, models
from zoo.analysis.walk import Anchor
from zoo.entries import Entry
from zoo.latent import geometry
from zoo.widgets.anchors import anchor_inputs
from zoo.widgets.charts import download
from zoo.widgets.safety import guard

# Of A, B and C: place in the list of classes, seed, kind. The mean of one class minus that of another, added to an
# image of the other, makes it one of the first.
BEGIN, KINDS = (((1, 2), 0), ((0, 1), 1), ((0, 1), 2)), ("mean", "mean", "class")
CENTRE = (
    " The mean of many random codes lies near the centre, where few codes are drawn: its picture need not be typical."
)
STYLE = """<style>
.picture-sum { display: grid; grid-template-columns: repeat(3, minmax(0, 9rem) 1.6rem) minmax(0, 9rem);
  row-gap: 0.75rem; align-items: start; }
.picture-sum figure { margin: 0; min-width: 0; }
.picture-sum img { display: block; width: 100%; image-rendering: pixelated; border-radius: 0.5rem; }
.picture-sum figcaption { font-size: 0.875rem; line-height: 1.3; margin-top: 0.25rem; overflow-wrap: anywhere; }
.picture-sum span { font-size: 1.4rem; text-align: center; padding-top: calc(50% + 0.6rem); }
@media (max-width: 640px) { .picture-sum { grid-template-columns: repeat(3, minmax(0, 1fr) 1.1rem) minmax(0, 1fr); }
  .picture-sum span { padding-top: 40%; } .picture-sum figcaption { font-size: 0.75rem; } }
</style>"""


@st.fragment
def sums(entry: Entry, means: Mapping[str, Anchor]) -> None:
    """Show A − B + C of codes, and of pixels for comparison; the three are chosen below (?term_a, b, c)."""
    st.header("A − B + C")
    with guard():
        pictures, buttons, chosen = st.container(), st.container(horizontal=True), []
        for letter, begin, kind in zip("ABC", BEGIN, KINDS, strict=True):
            with buttons, st.popover(f"Choose {letter}", icon=":material/tune:"):
                anchor, notes = anchor_inputs(entry, letter, f"term_{letter.lower()}", *begin, means, kind)
            for note in notes:
                st.caption(f"{letter}: {note}")
            chosen.append(anchor)
        a, b, c = chosen
        answer = models.decode(entry, geometry.analogy(a.latent, b.latent, c.latent)[None], c.label)[0]
        pixels = np.clip(a.image - b.image + c.image, 0, 1)
        rows = [np.stack([a.image, b.image, c.image, last]) for last in (answer, pixels)]
        names = [f"{letter}: {each.name}" for letter, each in zip("ABC", chosen, strict=True)]
        with pictures:
            _draw(rows, [[*names, "the codes added, decoded"], ["A", "B", "C", "the pixels added"]])
            near = "" if "encode" in entry.capabilities else CENTRE
            st.caption(
                "What makes A differ from B is added to C. Above, the three codes are added and the sum is decoded. "
                f"Below, the pixels are added: what is not at the same place in all three stays as a ghost.{near}"
            )
        posters = [charts.Row(title, row, "A − B + C") for title, row in zip(("Codes", "Pixels"), rows, strict=True)]
        with buttons:
            download("Sum", lambda: charts.poster(f"{entry.label}: A − B + C", posters), f"{entry.name}-sum.png")


def _draw(rows: Sequence[np.ndarray], captions: Sequence[Sequence[str]]) -> None:
    """Draw rows of four pictures each (4, H, W, C) with the signs between them; captions are plain text."""
    cells = []
    for pictures, texts in zip(rows, captions, strict=True):
        for index, (picture, text) in enumerate(zip(pictures, texts, strict=True)):
            source, said = base64.b64encode(images.png(picture)).decode(), html.escape(text)
            shown = f'<img src="data:image/png;base64,{source}" alt="{said}">'
            cells.append(f"<figure>{shown}<figcaption>{said}</figcaption></figure>")
            if index < 3:
                cells.append(f"<span>{'−+='[index]}</span>")
    st.html(f'{STYLE}<div class="picture-sum">{"".join(cells)}</div>')
