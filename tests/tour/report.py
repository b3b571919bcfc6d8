"""The page that shows the tour's pictures."""

import html
from collections.abc import Sequence
from pathlib import Path

from tests.tour.driver import Picture

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 16px/1.5 Inter, system-ui, sans-serif; margin: 2rem auto; max-width: 90rem; }}
figure {{ margin: 0 0 3rem; }} figcaption {{ margin: 0 0 .6rem; font-weight: 600; }}
.pair {{ display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }}
img {{ width: 100%; border-radius: 8px; }}
</style></head><body>
<h1>{title}</h1>
<p>{outcome}{export}</p>
{figures}
</body></html>
"""


def write_page(
    folder: Path, pictures: Sequence[Picture], outcome: str, title: str = "Bahi: the tour", export: str = ""
) -> Path:
    """Write index.html into `folder` and return it; `export` names a file there."""
    captions = dict.fromkeys(picture.caption for picture in pictures)
    figures = "\n".join(
        _figure(caption, [p for p in pictures if p.caption == caption]) for caption in captions
    )
    page = folder / "index.html"
    link = f' The exported file: <a href="{export}">{export}</a>.' if export else ""
    text = _PAGE.format(title=title, outcome=html.escape(outcome), export=link, figures=figures)
    page.write_text(text, encoding="utf-8")
    return page


def _figure(caption: str, pictures: Sequence[Picture]) -> str:
    images = "".join(f'<img src="{p.file}" alt="{html.escape(caption)} ({p.theme})">' for p in pictures)
    return f'<figure><figcaption>{html.escape(caption)}</figcaption><div class="pair">{images}</div></figure>'
