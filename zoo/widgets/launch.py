"""What the server does before its first visitor asks for a page."""

import importlib
import logging
import pkgutil
import threading

import zoo
from zoo.settings import PREPARE
from zoo.widgets.gallery.map import prepare_map
from zoo.widgets.listing import here

# Streamlit imports it when a page first draws one of our components.
FURTHER = ("pandas",)
THREAD = "prepare"


def prepare() -> None:
    """Read the zoo; the imports of all pages and the start page's map follow in a thread of their own."""
    _one_kind_of_pages()
    here()
    if PREPARE.read() == "0":
        return
    threading.Thread(target=_prepare, name=THREAD, daemon=True).start()


def _one_kind_of_pages() -> None:
    """Tell Streamlit before its first run that st.navigation names the pages.

    Because a folder is named pages, it would take that run for an app of its old kind, and answer a link to a page
    that there is none.
    """
    try:
        from streamlit.runtime.pages_manager import PagesManager  # private: a later Streamlit may do without
    except ImportError:
        return
    PagesManager.uses_pages_directory = False


def _prepare() -> None:
    # Streamlit would say that there is nobody to show a spinner to.
    spinners = logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context")
    spinners.addFilter(lambda record: record.threadName != THREAD)
    for name in (*FURTHER, *(found.name for found in pkgutil.walk_packages(zoo.__path__, "zoo."))):
        if not name.endswith("__main__"):
            importlib.import_module(name)
    try:
        prepare_map()
    except Exception:  # a visitor gets the reason on the page
        logging.getLogger(__name__).exception("The start page's map was not prepared")
