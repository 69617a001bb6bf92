"""Invoices and till receipts."""

from __future__ import annotations

from typing import Literal

from idp_local.documents.fiction import GOODS, GROCERIES, SHOPS
from idp_local.documents.sheet import Sheet

TableStyle = Literal["lined", "striped", "plain"]
TABLE_STYLES: tuple[TableStyle, ...] = ("lined", "striped", "plain")
INVOICE_COLUMNS = (("Item", 0.1), ("Description", 0.46), ("Qty", 0.1), ("Price", 0.16), ("Amount", 0.18))


def draw_invoice(sheet: Sheet, pages: int) -> None:
    """Draw letterhead, bill-to block, items, and totals on the last page."""
    fiction, random = sheet.fiction, sheet.random
    company, number = fiction.company(), f"{random.choice(('INV-', 'R', '', '2024/'))}{fiction.digits(6)}"
    style = random.choice(TABLE_STYLES)
    for page in range(1, pages + 1):
        sheet.add_page()
        y = _invoice_head(sheet, company, number) if page == 1 else _invoice_continuation(sheet, company, number, page)
        most = int((sheet.height - y - (70 if page == pages else 30)) / 6)
        low, high = (min(3, most), most) if page == pages else (most - 2, most)
        rows = [
            (
                str(row),
                random.choice(GOODS),
                str(random.randint(1, 40)),
                fiction.amount(2, 300),
                fiction.amount(10, 4000),
            )
            for row in range(1, random.randint(low, high) + 1)
        ]
        y = sheet.table(y, INVOICE_COLUMNS, rows, step=6, style=style)
        if page == pages:
            _invoice_foot(sheet, y + 8)


def _invoice_head(sheet: Sheet, company: str, number: str) -> float:
    fiction, random = sheet.fiction, sheet.random
    title = random.choice(("INVOICE", "Invoice", "TAX INVOICE", "Commercial invoice"))
    mirrored = random.random() < 0.4
    top = 22 + sheet.jitter(5)
    if random.random() < 0.6:
        sheet.fill(sheet.right - 22 if mirrored else sheet.left, top - 8, 22, 12, sheet.look.accent)
        top += 12
    outer, inner = (sheet.right, sheet.left) if mirrored else (sheet.left, sheet.right)
    sheet.text(outer, top, company, size=13, bold=True, align="right" if mirrored else "left")
    y = sheet.lines(outer, top + 5, fiction.address(), size=8, align="right" if mirrored else "left")
    sheet.text(
        inner,
        top - 4,
        title,
        size=random.uniform(17, 26),
        bold=True,
        align="left" if mirrored else "right",
        colour=sheet.look.accent,
    )
    meta = [f"No. {number}", f"Date: {fiction.date()}", f"Due: {fiction.date()}"]
    sheet.lines(inner, top + 6, meta, size=9, align="left" if mirrored else "right")
    y += 14 + sheet.jitter(4)
    sheet.text(sheet.left, y, random.choice(("Bill to", "BILL TO:", "Customer", "Sold to")), size=8, bold=True)
    y = sheet.lines(sheet.left, y + 5, [fiction.company(), *fiction.address()], size=9.5)
    return y + 8 + sheet.jitter(3)


def _invoice_continuation(sheet: Sheet, company: str, number: str, page: int) -> float:
    sheet.text(sheet.left, 18, company, size=9, bold=True)
    sheet.text(sheet.right, 18, f"Invoice {number}, page {page}", size=8, align="right")
    return 26 + sheet.jitter(3)


def _invoice_foot(sheet: Sheet, y: float) -> None:
    fiction, random = sheet.fiction, sheet.random
    for label in ("Subtotal", random.choice(("Tax 8.25 %", "VAT 19 %", "Sales tax")), "TOTAL DUE"):
        bold = label == "TOTAL DUE"
        if bold:
            sheet.rule(sheet.right - 62, y - 4.5, sheet.right, y - 4.5, weight=0.5)
        sheet.text(sheet.right - 60, y, label, size=10, bold=bold)
        sheet.text(sheet.right, y, f"$ {fiction.amount(50, 9000)}", size=10, bold=bold, align="right")
        y += 6
    notes = [f"Payment within {random.choice((10, 14, 30))} days.", f"IBAN XX{fiction.digits(18)}", "Thank you!"]
    sheet.lines(sheet.left, min(y + 12, sheet.height - 22), notes, size=8)


def draw_receipt(sheet: Sheet, pages: int) -> None:
    """Draw narrow strips from a till, `pages` of them, in practice one."""
    for _ in range(pages):
        _strip(sheet)


def _strip(sheet: Sheet) -> None:
    fiction, random = sheet.fiction, sheet.random
    items = random.randint(3, 16)
    font = random.choice(("courier", "courier", "helvetica"))
    strip = random.uniform(66, 84)
    if random.random() < 0.3:  # laid on the glass of a copier
        sheet.add_page()
        x, y = random.uniform(20, sheet.width - strip - 20), random.uniform(18, 50)
        sheet.box(x, y - 12, strip, 66 + items * 4.6, weight=0.1)
    else:
        sheet.add_page((strip, 84 + items * 4.6))
        x, y = 0.0, 14.0
    middle, left, right = x + strip / 2, x + 5, x + strip - 5
    sheet.text(middle, y, random.choice(SHOPS).upper(), size=12, bold=True, align="centre", font=font)
    for line in (*fiction.address(), f"{fiction.date()}  {random.randint(8, 21)}:{random.randint(10, 59)}"):
        y += 4.4
        sheet.text(middle, y, line, size=7.5, align="centre", font=font)
    y += 4
    sheet.rule(left, y, right, y)
    for _ in range(items):
        y += 4.6
        sheet.text(left, y, f"{random.randint(1, 4)} {random.choice(GROCERIES)}", size=8.5, font=font)
        sheet.text(right, y, fiction.amount(0.8, 30), size=8.5, align="right", font=font)
    y += 3
    sheet.rule(left, y, right, y)
    y += 6.5
    sheet.text(left, y, "TOTAL", size=12, bold=True, font=font)
    sheet.text(right, y, fiction.amount(9, 240), size=12, bold=True, align="right", font=font)
    y += 5
    sheet.text(left, y, random.choice(("CARD **** 1204", "CASH", "CONTACTLESS")), size=8, font=font)
    y += 5
    if random.random() < 0.6:
        sheet.barcode(left + 6, y, strip - 22, 9)
        y += 14
    sheet.text(middle, y, "Thank you, come again!", size=8, align="centre", font=font)
