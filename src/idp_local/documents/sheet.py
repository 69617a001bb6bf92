"""A drawing surface for invented documents: pages in millimetres, one style for each document."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random
from typing import Literal

from fpdf import FPDF
from pydantic import BaseModel, ConfigDict

from idp_local.documents.fiction import Fiction

Align = Literal["left", "right", "centre"]
Colour = tuple[int, int, int]

PAPERS: tuple[tuple[float, float], ...] = ((215.9, 279.4), (210.0, 297.0))
ACCENTS: tuple[Colour, ...] = ((24, 60, 110), (120, 24, 32), (20, 96, 60), (60, 60, 60), (180, 90, 10), (70, 40, 110))
BLACK: Colour = (20, 20, 20)
# A fixed date: the same seed gives the same bytes.
DRAWN_AT = datetime(2025, 1, 1, tzinfo=UTC)


class Look(BaseModel):
    """What the pages of one document share: paper (mm), margin (mm), font, accent colour, size of type."""

    model_config = ConfigDict(frozen=True)

    paper: tuple[float, float]
    margin: float
    font: str
    accent: Colour
    scale: float

    @classmethod
    def draw(cls, random: Random) -> Look:
        """Draw a look at random."""
        return cls(
            paper=random.choice(PAPERS),
            margin=random.uniform(12, 25),
            font=random.choice(("helvetica", "helvetica", "times", "courier")),
            accent=random.choice(ACCENTS),
            scale=random.uniform(0.88, 1.12),
        )


class Sheet:
    """A PDF under construction; coordinates in mm from the top left, type sizes in points."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.fiction = Fiction(random)
        self.look = Look.draw(random)
        self._pdf = FPDF(unit="mm")
        self._pdf.set_auto_page_break(False)
        self._pdf.set_creation_date(DRAWN_AT)

    def restyle(self) -> None:
        """Draw a new look for the next document in the same file."""
        self.look = Look.draw(self.random)

    def add_page(self, paper: tuple[float, float] | None = None) -> None:
        """Begin a page, of the look's paper unless another size is given."""
        self._pdf.add_page(format=paper or self.look.paper)

    def to_pdf(self) -> bytes:
        """Return the file."""
        return bytes(self._pdf.output())

    @property
    def page_count(self) -> int:
        """Number of pages so far."""
        return int(self._pdf.page)

    @property
    def width(self) -> float:
        """Width of the current page."""
        return float(self._pdf.w)

    @property
    def height(self) -> float:
        """Height of the current page."""
        return float(self._pdf.h)

    @property
    def left(self) -> float:
        """Left edge of the type area."""
        return self.look.margin

    @property
    def right(self) -> float:
        """Right edge of the type area."""
        return self.width - self.look.margin

    def jitter(self, spread: float) -> float:
        """Draw a random shift of at most `spread` mm."""
        return self.random.uniform(-spread, spread)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = 9,
        bold: bool = False,
        align: Align = "left",
        colour: Colour = BLACK,
        font: str | None = None,
    ) -> None:
        """Write one line of text; `x` is its left, right or middle, `y` its baseline."""
        self._pdf.set_font(font or self.look.font, "B" if bold else "", size * self.look.scale)
        self._pdf.set_text_color(*colour)
        if align != "left":
            width = self._pdf.get_string_width(text)
            x -= width if align == "right" else width / 2
        self._pdf.text(x, y, text)

    def lines(self, x: float, y: float, texts: Sequence[str], *, size: float = 9, align: Align = "left") -> float:
        """Write lines below each other; return the baseline after the last."""
        step = size * self.look.scale * 0.47
        for text in texts:
            self.text(x, y, text, size=size, align=align)
            y += step
        return y

    def paragraph(self, x: float, y: float, width: float, text: str, *, size: float = 10) -> float:
        """Write text broken into lines of a width; return the baseline after the last."""
        self._pdf.set_font(self.look.font, "", size * self.look.scale)
        line = ""
        broken = []
        for word in text.split():
            longer = f"{line} {word}".strip()
            if line and self._pdf.get_string_width(longer) > width:
                broken.append(line)
                longer = word
            line = longer
        return self.lines(x, y, [*broken, line], size=size)

    def rule(self, x1: float, y1: float, x2: float, y2: float, *, weight: float = 0.2, grey: int = 40) -> None:
        """Draw a straight line of a weight in mm."""
        self._pdf.set_line_width(weight)
        self._pdf.set_draw_color(grey)
        self._pdf.line(x1, y1, x2, y2)

    def dashes(self, y: float) -> None:
        """Draw a dashed line across the whole page."""
        self._pdf.set_dash_pattern(dash=2, gap=1.5)
        self.rule(4, y, self.width - 4, y)
        self._pdf.set_dash_pattern()

    def box(self, x: float, y: float, width: float, height: float, *, weight: float = 0.25) -> None:
        """Draw an outlined rectangle."""
        self._pdf.set_line_width(weight)
        self._pdf.set_draw_color(40)
        self._pdf.rect(x, y, width, height)

    def fill(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """Draw a filled rectangle."""
        self._pdf.set_fill_color(*colour)
        self._pdf.rect(x, y, width, height, style="F")

    def disc(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """Draw a filled ellipse in a rectangle."""
        self._pdf.set_fill_color(*colour)
        self._pdf.ellipse(x, y, width, height, style="F")

    def barcode(self, x: float, y: float, width: float, height: float) -> None:
        """Draw bars of random widths."""
        end = x + width
        while x < end:
            bar = self.random.choice((0.3, 0.3, 0.6, 0.9))
            self.fill(x, y, min(bar, end - x), height, BLACK)
            x += bar + self.random.choice((0.3, 0.6, 0.9))

    def signature(self, x: float, y: float) -> None:
        """Draw a scrawl about 35 mm long."""
        self._pdf.set_line_width(0.4)
        self._pdf.set_draw_color(20, 20, 90)
        points = [(x + step * 2.2, y + self.jitter(3.5)) for step in range(15)]
        self._pdf.polyline(points)

    def table(
        self,
        y: float,
        columns: Sequence[tuple[str, float]],
        rows: Sequence[Sequence[str]],
        *,
        size: float = 8.5,
        step: float = 5.5,
        style: Literal["lined", "striped", "plain"] = "lined",
        x: float | None = None,
        width: float | None = None,
    ) -> float:
        """Draw a table with a head; columns are (title, share of the width), the first two left-aligned.

        Return the y below the last row.
        """
        x = self.left if x is None else x
        width = self.right - x if width is None else width
        if style == "plain":
            self.rule(x, y + step, x + width, y + step, weight=0.4)
        else:
            self.fill(x, y, width, step, self.look.accent if style == "striped" else (225, 225, 225))
        ink: Colour = (255, 255, 255) if style == "striped" else BLACK
        self._row(x, y, width, columns, [title for title, _ in columns], size, step, ink, bold=True)
        for number, row in enumerate(rows):
            y += step
            if style == "striped" and number % 2:
                self.fill(x, y, width, step, (238, 240, 244))
            self._row(x, y, width, columns, row, size, step, BLACK, bold=False)
            if style == "lined":
                self.rule(x, y + step, x + width, y + step, grey=150)
        return y + step

    def _row(
        self,
        x: float,
        y: float,
        width: float,
        columns: Sequence[tuple[str, float]],
        cells: Sequence[str],
        size: float,
        step: float,
        ink: Colour,
        *,
        bold: bool,
    ) -> None:
        baseline = y + step * 0.7
        for number, ((_, share), cell) in enumerate(zip(columns, cells, strict=True)):
            if number < 2 and number < len(columns) - 1:
                self.text(x + 1, baseline, cell, size=size, bold=bold, colour=ink)
            else:
                self.text(x + share * width - 1, baseline, cell, size=size, bold=bold, colour=ink, align="right")
            x += share * width
