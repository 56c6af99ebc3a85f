#!/usr/bin/env python3
"""Draws the pictures of the report that README.md and docs show.

    cargo build --release && docs/images/make.py

Needs Chromium and Playwright: pip install playwright
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
FUSIONGEN = os.environ.get("FUSIONGEN", ROOT / "target" / "release" / "fusiongen")
#: Name of the picture, colours, and the section that it begins with.
PICTURES = [("report", "light", "time"), ("attack", "dark", "chain")]


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        corpus, page = Path(place, "corpus"), Path(place, "report.html")
        settings = ["--preset", "soc", "--events", "1M", "--days", "14", "--seed", "7"]
        subprocess.run([FUSIONGEN, "generate", *settings, "--out", corpus, "-q"], check=True)
        subprocess.run([FUSIONGEN, "report", corpus, "-o", page, "-q"], check=True)
        found = [shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")]
        with sync_playwright() as started:
            path = next(filter(None, found), None)
            browser = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
            for name, scheme, section in PICTURES:
                tab = browser.new_page(viewport={"width": 1200, "height": 800}, color_scheme=scheme)
                tab.goto(page.as_uri())
                tab.wait_for_function("document.documentElement.dataset.ready === 'yes'")
                # A plot is drawn when it comes into view.
                tab.evaluate(f"document.getElementById('{section}').scrollIntoView({{behavior: 'instant'}})")
                drawn = "[...document.querySelectorAll('.plot')].every(e => e.dataset.drawn === 'yes')"
                tab.wait_for_function(drawn)
                box = tab.locator(f"#{section}").bounding_box()
                top = box["y"] + tab.evaluate("scrollY")
                clip = {"x": 0, "y": top - 24, "width": 1200, "height": min(box["height"] + 48, 900)}
                tab.screenshot(path=ROOT / "docs" / "images" / f"{name}.png", full_page=True, clip=clip)
                tab.close()
            browser.close()


if __name__ == "__main__":
    main()
