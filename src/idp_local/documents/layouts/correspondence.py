"""Letters."""

from __future__ import annotations

from idp_local.documents.sheet import Align, Sheet


def draw_letter(sheet: Sheet, pages: int) -> None:
    """Draw letterhead, addressee and text; the signature on the last page."""
    size = sheet.random.uniform(9.5, 11.5)
    for page in range(1, pages + 1):
        sheet.add_page()
        y = _letterhead(sheet, size) if page == 1 else 24 + sheet.jitter(4)
        if page > 1 and sheet.random.random() < 0.7:
            sheet.text(sheet.width / 2, 14, f"- {page} -", size=9, align="centre")
        end = sheet.height - (sheet.random.uniform(60, 120) if page == pages else 32)
        while y < end:
            y = sheet.paragraph(sheet.left, y, sheet.right - sheet.left, sheet.fiction.paragraph(), size=size) + 3.5
        if page == pages:
            _closing(sheet, y + 4, size)


def _letterhead(sheet: Sheet, size: float) -> float:
    fiction, random = sheet.fiction, sheet.random
    sender = random.choice((fiction.company(), fiction.person()))
    top = 20 + sheet.jitter(4)
    places: tuple[tuple[Align, float], ...] = (
        ("left", sheet.left),
        ("centre", sheet.width / 2),
        ("right", sheet.right),
    )
    align, x = random.choice(places)
    sheet.text(x, top, sender, size=14, bold=True, align=align, colour=sheet.look.accent)
    y = sheet.lines(x, top + 5, fiction.address(), size=8, align=align)
    if random.random() < 0.5:
        sheet.rule(sheet.left, y, sheet.right, y, weight=0.4)
    y += 12 + sheet.jitter(4)
    date_right = random.random() < 0.5
    sheet.text(
        sheet.right if date_right else sheet.left, y, fiction.date(), size=size, align="right" if date_right else "left"
    )
    person = fiction.person()
    y = sheet.lines(sheet.left, y + 8, [person, *fiction.address()], size=size) + 8
    if random.random() < 0.6:
        subject = random.choice(("Your enquiry", "Renewal of the agreement", "Repairs to the roof", "Our meeting"))
        sheet.text(sheet.left, y, f"Re: {subject}", size=size, bold=True)
        y += 8
    sheet.text(sheet.left, y, f"Dear {person},", size=size)
    return y + 7


def _closing(sheet: Sheet, y: float, size: float) -> None:
    sheet.text(sheet.left, y, sheet.random.choice(("Sincerely,", "Yours faithfully,", "Kind regards,")), size=size)
    sheet.signature(sheet.left, y + 11)
    sheet.text(sheet.left, y + 20, sheet.fiction.person(), size=size)
