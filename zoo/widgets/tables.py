"""Tables whose cells hold a figure and its range, with a first column that stays in sight."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from zoo.widgets.components import component, reserve


@dataclass(frozen=True)
class Column:
    """A heading, what it means, and what a first click on it puts on top: the least (True), the most (False)."""

    title: str
    help: str = ""
    least: bool | None = None


@dataclass(frozen=True)
class Cell:
    """A text, a smaller one below it, and what it is sorted by; it may lead somewhere."""

    text: str = ""
    note: str = ""
    help: str = ""
    sort: float | str | None = None
    href: str = ""


def table(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], *, key: str, label: str) -> None:
    """Draw a table; the first cell of each row is its heading, columns with `least` are sorted by a click.

    Args:
        label: what the table shows, for those who do not see it.
    """
    cells = [[asdict(cell) for cell in row] for row in rows]
    data = {"label": label, "columns": [asdict(one) for one in columns], "rows": cells}
    head = 4.2 if any(column.least is not None for column in columns) else 2.5  # headings that sort are many: they wrap
    height = head + sum(2.75 if any(cell.note for cell in row) else 1.75 for row in rows)
    reserve(f"{key}-table", f"min-height: {height:.2f}rem;")
    component("tables", '<div class="around" tabindex="0" role="region"></div>', "links", "drawn")(
        key=f"{key}-table", data=data
    )
