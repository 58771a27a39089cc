"""A sum of pictures, written as one reads it: A − B + C = D."""

import base64
import html
from collections.abc import Sequence

import numpy as np
import streamlit as st

from zoo import images

STYLE = """<style>
.picture-sum { display: grid; grid-template-columns: repeat(3, minmax(0, 9rem) 1.6rem) minmax(0, 9rem); row-gap: 0.75rem;
  align-items: start; }
.picture-sum figure { margin: 0; min-width: 0; }
.picture-sum img { display: block; width: 100%; image-rendering: pixelated; border-radius: 0.5rem; }
.picture-sum figcaption { font-size: 0.875rem; line-height: 1.3; margin-top: 0.25rem; overflow-wrap: anywhere; }
.picture-sum span { font-size: 1.4rem; text-align: center; padding-top: calc(50% + 0.6rem); }
@media (max-width: 640px) { .picture-sum { grid-template-columns: repeat(3, minmax(0, 1fr) 1.1rem) minmax(0, 1fr); }
  .picture-sum span { padding-top: 40%; } .picture-sum figcaption { font-size: 0.75rem; } }
</style>"""


def written_sum(rows: Sequence[np.ndarray], captions: Sequence[Sequence[str]]) -> None:
    """Draw rows of four pictures each (4, H, W, C) with the signs between them; captions are plain text."""
    cells = []
    for pictures, texts in zip(rows, captions, strict=True):
        for index, (picture, text) in enumerate(zip(pictures, texts, strict=True)):
            source = base64.b64encode(images.png(picture)).decode()
            said = html.escape(text)
            cells.append(
                f'<figure><img src="data:image/png;base64,{source}" alt="{said}"><figcaption>{said}</figcaption></figure>'
            )
            if index < 3:
                cells.append(f"<span>{'−+='[index]}</span>")
    st.html(f'{STYLE}<div class="picture-sum">{"".join(cells)}</div>')
