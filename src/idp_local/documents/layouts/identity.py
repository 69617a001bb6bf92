"""Driver's licences."""

from __future__ import annotations

from idp_local.documents.sheet import BLACK, Sheet

CARD = (85.6, 54.0)  # ISO/IEC 7810 ID-1, mm
STATES = ("NORTHLAND", "STATE OF FRANKLIN", "WESTMARK", "NEW ANSEL")


def draw_drivers_license(sheet: Sheet, pages: int) -> None:
    """Draw the front, and the back if there are two pages; the card alone, or as copied on a sheet of paper."""
    enlarged = sheet.random.choice((1.0, 1.0, 1.35, 1.8))
    alone = sheet.random.random() < 0.45
    width, height = CARD[0] * enlarged, CARD[1] * enlarged
    for page in range(1, pages + 1):
        if alone:
            border = sheet.random.uniform(0, 8)
            sheet.add_page((width + 2 * border, height + 2 * border))
            x, y = border, border
        else:
            sheet.add_page()
            x, y = sheet.random.uniform(12, sheet.width - width - 12), sheet.random.uniform(15, 90)
        (_front if page == 1 else _back)(sheet, x, y, enlarged)
        if pages == 1 and not alone and sheet.random.random() < 0.5:
            _back(sheet, x + sheet.jitter(4), y + height + sheet.random.uniform(8, 30), enlarged)


def _front(sheet: Sheet, x: float, y: float, factor: float) -> None:
    fiction, random, width, height = sheet.fiction, sheet.random, CARD[0] * factor, CARD[1] * factor
    red, green, blue = sheet.look.accent
    sheet.fill(x, y, width, height, (200 + red // 6, 205 + green // 6, 210 + blue // 6))
    sheet.fill(x, y, width, 10 * factor, sheet.look.accent)
    sheet.text(
        x + 3 * factor, y + 6.6 * factor, random.choice(STATES), size=10 * factor, bold=True, colour=(255, 255, 255)
    )
    sheet.text(
        x + width - 3 * factor,
        y + 6.6 * factor,
        "DRIVER LICENSE",
        size=6.5 * factor,
        align="right",
        colour=(255, 255, 255),
    )
    on_right = random.random() < 0.35
    _portrait(sheet, x + (58 if on_right else 4) * factor, y + 14 * factor, factor)
    left = x + (5 if on_right else 32) * factor
    person = fiction.person().upper().split()
    street, town = fiction.address()
    fields = (
        f"DL {fiction.digits(8)}",
        person[1],
        person[0],
        street,
        town,
        f"DOB {fiction.date()}",
        f"EXP {fiction.date()}",
    )
    line = y + 16 * factor
    for number, field in enumerate(fields):
        sheet.text(
            left, line, field, size=(6.5 if number in (0, 1, 2) else 5.5) * factor, bold=number < 3, font="helvetica"
        )
        line += 4.6 * factor
    sheet.text(
        left,
        line + factor,
        f"SEX {random.choice('FMX')}  HGT {random.randint(150, 199)}  CLASS {random.choice('ABC')}",
        size=5 * factor,
    )
    sheet.box(x, y, width, height, weight=0.3)


def _portrait(sheet: Sheet, x: float, y: float, factor: float) -> None:
    skin = sheet.random.choice(((230, 195, 165), (190, 140, 105), (120, 80, 55)))
    hair = sheet.random.choice(((40, 30, 25), (110, 70, 30), (150, 150, 150), (190, 150, 80)))
    sheet.fill(x, y, 24 * factor, 31 * factor, (205, 215, 225))
    sheet.disc(x + 6 * factor, y + 3 * factor, 12 * factor, 14 * factor, hair)
    sheet.disc(x + 7 * factor, y + 5.5 * factor, 10 * factor, 14 * factor, skin)
    sheet.disc(x + 9 * factor, y + 10 * factor, 1.6 * factor, 1.2 * factor, BLACK)
    sheet.disc(x + 13.4 * factor, y + 10 * factor, 1.6 * factor, 1.2 * factor, BLACK)
    sheet.fill(x + 2 * factor, y + 22 * factor, 20 * factor, 9 * factor, sheet.look.accent)


def _back(sheet: Sheet, x: float, y: float, factor: float) -> None:
    width, height = CARD[0] * factor, CARD[1] * factor
    sheet.fill(x, y, width, height, (238, 238, 232))
    sheet.fill(x, y + 4 * factor, width, 9 * factor, (35, 35, 35))
    for row in range(6):
        sheet.barcode(x + 6 * factor, y + (18 + row * 2.2) * factor, width - 12 * factor, 2.2 * factor)
    lines = ["CLASS C: vehicles below 12,000 kg", "Restrictions: corrective lenses", f"Issued {sheet.fiction.date()}"]
    for number, line in enumerate(lines):
        sheet.text(x + 6 * factor, y + (38 + number * 4) * factor, line, size=5 * factor)
    sheet.box(x, y, width, height, weight=0.3)
