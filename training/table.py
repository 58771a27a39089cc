"""The tables in README.md, written from the entries' manifests so that no number is typed by hand."""

import pathlib

from training import claims
from zoo import settings
from zoo.analysis.headline import headline
from zoo.entries import Entry, catalog
from zoo.known import DATASETS

README = pathlib.Path(__file__).parent.parent / "README.md"


def table(entries: list[Entry]) -> str:
    """Return Markdown: one row per entry with its size, its training and its headline number."""
    rows = [
        "| entry | family | dataset | parameters | trained | measured on the test split |",
        "|---|---|---|---|---|---|",
    ]
    for entry in entries:
        made, source = entry.manifest, entry.manifest.provenance
        dataset = known.title if (known := DATASETS.get(entry.dataset)) else entry.dataset
        seconds, images_seen = source.seconds or 0.0, source.images_seen or 0
        time = f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
        trained = f"{images_seen / 1e6:.2f} M images, {time}"
        rows.append(
            f"| [`{entry.name}`](zoo/pretrained/{entry.name}) | [{made.family_title}]({made.paper}) {made.year} "
            f"| {dataset} | {entry.parameters / 1e6:.2f} M | {trained} | {headline(entry)} |"
        )
    return "\n".join(rows)


def updated(readme: str) -> str:
    """Return README's text with the tables between its markers renewed: the entries, and the claims."""
    entries = catalog.entries([catalog.EMBEDDED])
    tables = {"entries": table(entries), "claims": claims.table(entries), "settings": settings.readme_table()}
    for name, made in tables.items():
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        before, _, rest = readme.partition(start)
        _, _, after = rest.partition(end)
        readme = f"{before}{start}\n{made}\n{end}{after}"
    return readme
