"""The model card of an entry, and other text of strangers, as harmless Markdown."""

import re

from zoo.entries import Entry
from zoo.widgets.safety import TURNING

MAX_CARD_BYTES = 100_000


def card_text(entry: Entry) -> str:
    """Return the entry's README.md as harmless Markdown, no front matter, small headings; "" without one."""
    if not entry.has("README.md"):
        return ""
    text = entry.content("README.md", MAX_CARD_BYTES).decode("utf-8", "replace")
    text = harmless(re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL))
    return re.sub(r"^#{1,6} ", "##### ", text, flags=re.MULTILINE).strip()


def harmless(text: str) -> str:
    """Return Markdown of a stranger without pictures, and with links to the web alone.

    Streamlit shows HTML as text; pictures are taken out, for they would be fetched from elsewhere.
    """
    text = re.sub(TURNING, "", text)  # first of all, or it would join what the next lines keep apart
    # Bounded, since a card may hold nothing but "![": what is left of a picture after that is shown as text.
    text = re.sub(r"!\[[^\]\n]{0,100}\]\([^)\n]{0,300}\)", "", text).replace("![", r"!\[")
    # Links lead to the web only: no scripts, no data, whether written in place, as a reference or in angle brackets.
    text = re.sub(r"\]([(:])(?!\s*<?(?:https?://|mailto:|#))", r"]\\\1", text, flags=re.IGNORECASE)
    # No backslash here: after one that the card wrote it would be taken for text, and the bracket for a link's.
    return re.sub(r"<(?!https?://|mailto:)(?=[a-z][a-z0-9+.-]{1,31}:)", "&lt;", text, flags=re.IGNORECASE)
