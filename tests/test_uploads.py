"""Uploads through the page: a dark-on-light drawing can be inverted, a file that is no image is refused by name."""

import io

import numpy as np
from PIL import Image
from streamlit.testing.v1 import AppTest

PAGE = """
import streamlit as st
from zoo import widgets
widgets.enter("x")
picked = widgets.image_source("input", (8, 8, 1), kind="upload")
st.text(f"{picked.description}: {len(picked.images)}, corner {picked.images[0, 0, 0, 0]:.1f}")
"""


PAGES = """
import streamlit as st
from zoo.widgets import uploads
uploads.KEPT_BYTES = 2000
if st.session_state.get("elsewhere"):
    st.text("elsewhere")
else:
    for name, content in uploads.uploader("Some", ["png"], uploads.Limit(1, 1), key="some"):
        st.text(f"{name} {len(content)}")
"""


def png(pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def texts(app) -> str:
    return " ".join(element.value for element in [*app.text, *app.warning])


def test_an_upload_can_be_inverted():
    app = AppTest.from_string(PAGE, default_timeout=60).run()
    assert "uploaded" not in texts(app)
    app.file_uploader[0].upload("paper.png", png(np.full((8, 8), 255, np.uint8)), "image/png").run()
    assert "uploaded images: 1, corner 1.0" in texts(app)
    app.toggle(key="input_invert").set_value(True).run()
    assert "uploaded images: 1, corner 0.0" in texts(app)


def test_a_wrong_file_is_named_and_the_others_are_shown():
    app = AppTest.from_string(PAGE, default_timeout=60).run()
    app.file_uploader[0].upload("notes.png", b"not an image", "image/png")
    app.file_uploader[0].upload("fine.png", png(np.zeros((9, 5), np.uint8)), "image/png").run()
    assert "notes" in texts(app) and "uploaded images: 1" in texts(app) and not app.exception


def test_a_strip_that_would_be_padded_beyond_memory_is_refused():
    app = AppTest.from_string(PAGE, default_timeout=60).run()
    app.file_uploader[0].upload("strip.png", png(np.zeros((1, 60_000), np.uint8)), "image/png").run()
    assert "more than 10 times as long as wide" in texts(app) and not app.exception


def test_an_upload_stays_while_another_page_is_looked_at():
    app = AppTest.from_string(PAGES, default_timeout=60).run()
    app.file_uploader[0].upload("paper.png", png(np.full((8, 8), 255, np.uint8)), "image/png").run()
    assert "paper.png" in texts(app)
    app.session_state["elsewhere"] = True
    assert "elsewhere" in texts(app.run()) and not app.file_uploader
    app.session_state["elsewhere"] = False
    assert "paper.png" in texts(app.run()) and "Still here: paper" in " ".join(item.value for item in app.caption)
    app.button(key="some-back").click().run()
    assert "paper.png" not in texts(app) and not app.button
    app.file_uploader[0].upload("large.png", bytes(3000), "image/png").run()
    app.session_state["elsewhere"] = True
    app.run()
    app.session_state["elsewhere"] = False
    assert "large.png" not in texts(app.run())  # more than a session keeps


def test_what_is_done_to_an_upload_is_told():
    app = AppTest.from_string(PAGE, default_timeout=60).run()
    values = np.linspace(0, 4095, 64).reshape(8, 8).astype(np.uint16)
    app.file_uploader[0].upload("camera.png", png(values), "image/png").run()
    assert "12 of 16 bits" in " ".join(item.value for item in app.caption)
