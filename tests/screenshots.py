"""Photograph the running app: python tests/screenshots.py FOLDER [--all] [--page NAME?QUERY …]

Without options every page in light and wide, as the README shows them; --all adds dark and phone width.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from conftest import PAGES, ROOT, SIZES, Server, settle, url_path
from playwright.sync_api import sync_playwright


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--all", action="store_true", help="light and dark, wide and phone")
    parser.add_argument("--full", action="store_true", help="the whole page, not the first screen")
    parser.add_argument(
        "--page", action="append", default=[], help="address instead of all pages, e.g. generation?seed=3"
    )
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    looks = [(scheme, size) for scheme in ("light", "dark") for size in SIZES] if options.all else [("light", "wide")]
    addresses = options.page or [url_path(page) for page in PAGES]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server(Path(folder) / "log")
        try:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            for scheme, size in looks:
                width, height = SIZES[size]
                context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
                tab = context.new_page()
                for address in addresses:
                    tab.goto(f"{server.url}/{address}")
                    settle(tab)
                    tab.wait_for_timeout(1000)  # plots finish drawing after the script
                    if options.full:
                        tall = tab.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
                        tab.set_viewport_size({"width": width, "height": min(tall + 40, 6000)})
                        settle(tab)
                    name = (address.split("?")[0] or "gallery") + (f"-{scheme}-{size}" if options.all else "")
                    tab.screenshot(path=options.folder / f"{name}.png")
                    tab.set_viewport_size({"width": width, "height": height})
                context.close()
        finally:
            server.stop()


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
