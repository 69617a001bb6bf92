"""Pay stubs and W-2 wage statements."""

from __future__ import annotations

from typing import NamedTuple

from idp_local.documents.layouts.trade import TABLE_STYLES
from idp_local.documents.sheet import Sheet

EARNINGS = ("Regular pay", "Overtime", "Holiday pay", "Bonus", "Allowance", "Shift extra")
WAGE_BOXES = (
    "Wages, tips",
    "Federal tax",
    "Soc. sec. wages",
    "Soc. sec. tax",
    "Medicare wages",
    "Medicare tax",
    "Soc. sec. tips",
    "Allocated tips",
    "Verification",
    "Dependent care",
    "Nonqualified",
    "See 12a",
)
DEDUCTIONS = ("Federal tax", "State tax", "Social security", "Medicare", "Health plan", "Pension", "Union dues")


def draw_pay_stub(sheet: Sheet, pages: int) -> None:
    """Earnings and deductions side by side; on some a cheque below or above."""
    random = sheet.random
    for _ in range(pages):
        sheet.add_page()
        cheque = random.choice(("none", "below", "above"))
        y = 20 + sheet.jitter(5)
        if cheque == "above":
            _cheque(sheet, y - 4)
            sheet.dashes(y + 78)
            y += 92
        y = _stub(sheet, y)
        if cheque == "below":
            sheet.dashes(max(y + 14, 165))
            _cheque(sheet, max(y + 22, 175))


def _stub(sheet: Sheet, y: float) -> float:
    fiction, random = sheet.fiction, sheet.random
    sheet.text(sheet.left, y, fiction.company(), size=13, bold=True)
    title = random.choice(("EARNINGS STATEMENT", "Pay stub", "Payslip", "Statement of earnings"))
    sheet.text(sheet.right, y, title, size=12, bold=True, align="right", colour=sheet.look.accent)
    sheet.rule(sheet.left, y + 3, sheet.right, y + 3, weight=0.5)
    y += 10
    sheet.lines(sheet.right, y, [f"Period to {fiction.date()}", f"Employee {fiction.digits(5)}"], align="right")
    y = sheet.lines(sheet.left, y, [fiction.person(), *fiction.address()]) + 5
    width = (sheet.right - sheet.left - 6) / 2
    style = random.choice(TABLE_STYLES)
    earnings = [
        (name, fiction.amount(1, 80), fiction.amount(100, 4000))
        for name in EARNINGS[: random.randint(2, len(EARNINGS))]
    ]
    deductions = [
        (name, fiction.amount(5, 600), fiction.amount(100, 7000))
        for name in DEDUCTIONS[: random.randint(4, len(DEDUCTIONS))]
    ]
    ends = (
        sheet.table(
            y, (("Earnings", 0.46), ("Hours", 0.26), ("Current", 0.28)), earnings, size=8, style=style, width=width
        ),
        sheet.table(
            y,
            (("Deductions", 0.46), ("Current", 0.26), ("Year", 0.28)),
            deductions,
            size=8,
            style=style,
            x=sheet.left + width + 6,
        ),
    )
    y = max(ends) + 8
    sheet.fill(sheet.left, y, sheet.right - sheet.left, 11, (226, 230, 236))
    sheet.text(sheet.left + 3, y + 7.5, "NET PAY", size=12, bold=True)
    sheet.text(sheet.right - 3, y + 7.5, f"$ {fiction.amount(900, 6000)}", size=13, bold=True, align="right")
    return y + 11


def _cheque(sheet: Sheet, y: float) -> None:
    fiction = sheet.fiction
    sheet.box(sheet.left, y, sheet.right - sheet.left, 66)
    sheet.lines(sheet.left + 5, y + 9, [fiction.company(), *fiction.address()], size=8)
    sheet.text(sheet.right - 5, y + 9, f"No. {fiction.digits(6)}", align="right")
    sheet.text(sheet.left + 5, y + 32, f"Pay to the order of  {fiction.person()}", size=10)
    sheet.rule(sheet.left + 5, y + 34, sheet.right - 50, y + 34)
    sheet.box(sheet.right - 44, y + 26, 39, 9)
    sheet.text(sheet.right - 41, y + 32, f"$ {fiction.amount(900, 6000)}", size=10, bold=True)
    sheet.signature(sheet.right - 45, y + 50)
    sheet.rule(sheet.right - 55, y + 54, sheet.right - 5, y + 54)
    sheet.text(sheet.left + 10, y + 62, f"|: {fiction.digits(9)} |: {fiction.digits(10)}", size=10, font="courier")


class WageStatement(NamedTuple):
    """The text of every copy on a sheet."""

    employer: list[str]
    employee: list[str]
    numbers: list[str]
    amounts: list[str]


def draw_w2(sheet: Sheet, pages: int) -> None:
    """Draw a grid of numbered boxes; one, two or four copies on a sheet of paper."""
    fiction = sheet.fiction
    for _ in range(pages):
        sheet.add_page()
        copies = sheet.random.choice((1, 1, 2, 2, 4))
        across = 2 if copies == 4 else 1
        margin = sheet.random.uniform(8, 16)
        width, height = (sheet.width - 2 * margin) / across, (sheet.height - 2 * margin) / 2
        statement = WageStatement(
            employer=[fiction.company(), *fiction.address()],
            employee=[fiction.person(), *fiction.address()],
            numbers=[f"XXX-XX-{fiction.digits(4)}", fiction.digits(9), fiction.digits(6)],
            amounts=[fiction.amount(500, 90000) for _ in WAGE_BOXES],
        )
        for copy in range(copies):
            x = margin + (copy % across) * width
            y = margin + (copy // across) * height + sheet.jitter(1.5)
            _wage_form(sheet, x, y, width - 4, height * (0.95 if copies == 1 else 0.9), statement)


def _wage_form(sheet: Sheet, x: float, y: float, width: float, height: float, statement: WageStatement) -> None:
    row = height / 9.5
    small = 5.6 if width < 120 else 6.5
    left_width = width * 0.55
    left = (
        ("a  Employee's social security number", statement.numbers[:1], 1),
        ("b  Employer identification number", statement.numbers[1:2], 1),
        ("c  Employer's name and address", statement.employer, 2.4),
        ("d  Control number", statement.numbers[2:], 1),
        ("e  Employee's name and address", statement.employee, 2.6),
    )
    top = y
    for label, lines, rows in left:
        sheet.box(x, top, left_width, row * rows)
        sheet.text(x + 1, top + 2.8, label, size=small)
        sheet.lines(x + 3, top + 7, lines, size=small + 1.8)
        top += row * rows
    cell = (width - left_width) / 2
    for number, (label, amount) in enumerate(zip(WAGE_BOXES, statement.amounts, strict=True)):
        cx, cy = x + left_width + (number % 2) * cell, y + (number // 2) * row
        sheet.box(cx, cy, cell, row)
        sheet.text(cx + 1, cy + 2.8, f"{number + 1} {label}", size=small)
        sheet.text(cx + cell - 2, cy + row * 0.75, amount, size=small + 2, align="right")
    sheet.box(x + left_width, y + 6 * row, width - left_width, row * 2)
    bottom = y + 8 * row
    for number, label in enumerate(("State", "ID no.", "Wages", "Tax", "Local")):
        sheet.box(x + number * width / 5, bottom, width / 5, row * 0.8)
        sheet.text(x + number * width / 5 + 1, bottom + 2.8, label, size=small)
    sheet.text(x + 2, y + height * 0.98, "W-2", size=15, bold=True, font="helvetica")
    sheet.text(x + 22, y + height * 0.98, "Wage and Tax Statement   2024", size=small + 1.5, font="helvetica")
