"""Bank statements and utility bills."""

from __future__ import annotations

from idp_local.documents.fiction import BANKS, MONTHS, PAYMENTS, UTILITIES
from idp_local.documents.layouts.trade import TABLE_STYLES, TableStyle
from idp_local.documents.sheet import Sheet

STATEMENT_COLUMNS = (("Date", 0.11), ("Description", 0.44), ("Out", 0.14), ("In", 0.14), ("Balance", 0.17))
CHARGE_COLUMNS = (("Charge", 0.4), ("Reading", 0.25), ("Rate", 0.15), ("Amount", 0.2))


def draw_bank_statement(sheet: Sheet, pages: int) -> None:
    """Draw an account summary, then transactions over all pages."""
    fiction, random = sheet.fiction, sheet.random
    bank, account = random.choice(BANKS), f"{fiction.digits(4)} {fiction.digits(6)}"
    style = random.choice(TABLE_STYLES)
    step = random.uniform(4.4, 5.6)
    for page in range(1, pages + 1):
        sheet.add_page()
        y = _statement_head(sheet, bank, account) if page == 1 else _statement_continuation(sheet, bank, account, page)
        most = int((sheet.height - y - 24) / step) - 1
        low = max(4, most // 3) if page == pages else most - 1
        y = _transactions(sheet, y, random.randint(low, most), step, style)
        sheet.text(sheet.width / 2, sheet.height - 10, f"Page {page} of {pages}", size=7, align="centre")


def _statement_head(sheet: Sheet, bank: str, account: str) -> float:
    fiction, random = sheet.fiction, sheet.random
    if random.random() < 0.6:
        sheet.fill(0, 0, sheet.width, 20, sheet.look.accent)
        sheet.text(sheet.left, 13, bank, size=16, bold=True, colour=(255, 255, 255))
    else:
        sheet.text(sheet.left, 15, bank, size=16, bold=True, colour=sheet.look.accent)
        sheet.rule(sheet.left, 19, sheet.right, 19, weight=0.6)
    y = 32 + sheet.jitter(3)
    title = random.choice(("Account statement", "STATEMENT OF ACCOUNT", "Monthly statement", "Checking summary"))
    sheet.text(sheet.right, y, title, size=12, bold=True, align="right")
    sheet.lines(sheet.right, y + 6, [f"Account {account}", f"{random.choice(MONTHS)} 2024"], align="right")
    y = sheet.lines(sheet.left, y, [fiction.person(), *fiction.address()], size=9.5) + 14
    labels = ("Opening balance", "Paid in", "Paid out", "Closing balance")
    if random.random() < 0.5:
        width = (sheet.right - sheet.left) / 4
        for number, label in enumerate(labels):
            sheet.box(sheet.left + number * width, y, width - 2, 15)
            sheet.text(sheet.left + number * width + 2, y + 5, label, size=7)
            sheet.text(sheet.left + number * width + 2, y + 12, fiction.amount(100, 20000), size=10, bold=True)
        return y + 23
    for label in labels:
        sheet.text(sheet.left, y, label)
        sheet.text(sheet.left + 85, y, fiction.amount(100, 20000), align="right")
        y += 5
    return y + 5


def _statement_continuation(sheet: Sheet, bank: str, account: str, page: int) -> float:
    if sheet.random.random() < 0.5:
        sheet.fill(0, 0, sheet.width, 8, sheet.look.accent)
    sheet.text(sheet.left, 15, f"{bank}, account {account}", size=8)
    sheet.text(sheet.right, 15, f"continued, {page}", size=8, align="right")
    return 21 + sheet.jitter(2)


def _transactions(sheet: Sheet, y: float, count: int, step: float, style: TableStyle) -> float:
    fiction, random = sheet.fiction, sheet.random
    rows = []
    for _ in range(count):
        sum_, paid_out = fiction.amount(3, 1800), random.random() < 0.7
        columns = (sum_, "") if paid_out else ("", sum_)
        rows.append((fiction.short_date(), random.choice(PAYMENTS), *columns, fiction.amount(300, 20000)))
    return sheet.table(y, STATEMENT_COLUMNS, rows, size=7.5, step=step, style=style)


def draw_utility_bill(sheet: Sheet, pages: int) -> None:
    """Draw the amount due, a year's use as bars, charges, a payment slip; explanations on further pages."""
    fiction, random = sheet.fiction, sheet.random
    company = random.choice(UTILITIES)
    sheet.add_page()
    sheet.disc(sheet.left, 12, 14, 14, sheet.look.accent)
    sheet.text(sheet.left + 18, 21, company, size=15, bold=True, colour=sheet.look.accent)
    y = sheet.lines(sheet.left, 40 + sheet.jitter(4), [fiction.person(), *fiction.address()], size=9.5)
    sheet.fill(sheet.right - 62, 32, 62, 26, (232, 238, 232))
    sheet.text(sheet.right - 58, 40, random.choice(("Amount due", "Please pay", "TOTAL DUE")), size=9)
    sheet.text(sheet.right - 58, 51, f"$ {fiction.amount(30, 420)}", size=18, bold=True)
    y = max(y, 62) + 6
    sheet.text(sheet.left, y, random.choice(("Your use over 12 months", "Usage history")), size=10, bold=True)
    y = _bars(sheet, y + 4)
    names = ("Base charge", "Consumption", "Network", "Meter service", "State levy", "Credit", "Tax")
    rows = [
        (name, fiction.digits(5), fiction.amount(0.05, 1), fiction.amount(2, 160))
        for name in names[: random.randint(4, 7)]
    ]
    sheet.table(y + 10, CHARGE_COLUMNS, rows, style=random.choice(TABLE_STYLES))
    _payment_slip(sheet, company)
    for page in range(2, pages + 1):
        _bill_explanations(sheet, company, page)


def _bars(sheet: Sheet, y: float) -> float:
    height, width = sheet.random.uniform(28, 42), (sheet.right - sheet.left) * sheet.random.uniform(0.6, 1)
    for month in range(12):
        bar = height * sheet.random.uniform(0.25, 1)
        sheet.fill(sheet.left + width * month / 12, y + height - bar, width / 12 * 0.7, bar, sheet.look.accent)
        sheet.text(sheet.left + width * month / 12 + 1, y + height + 4, MONTHS[month][:1], size=7)
    sheet.rule(sheet.left, y + height, sheet.left + width, y + height)
    return y + height


def _payment_slip(sheet: Sheet, company: str) -> None:
    y = sheet.height - sheet.random.uniform(58, 70)
    sheet.dashes(y)
    sheet.text(sheet.left, y + 8, "Please return this part with your payment", size=7.5)
    sheet.lines(sheet.left, y + 18, [company, *sheet.fiction.address()], size=9)
    sheet.box(sheet.right - 55, y + 12, 55, 12)
    sheet.text(sheet.right - 52, y + 20, f"Account {sheet.fiction.digits(8)}", size=9)
    sheet.barcode(sheet.right - 70, y + 32, 70, 11)


def _bill_explanations(sheet: Sheet, company: str, page: int) -> None:
    sheet.add_page()
    sheet.text(sheet.left, 18, f"{company}: about your bill", size=12, bold=True, colour=sheet.look.accent)
    width = (sheet.right - sheet.left - 8) / 2
    for column in range(2):
        y = 30.0
        while y < sheet.height - 70:
            x = sheet.left + column * (width + 8)
            sheet.text(x, y, sheet.random.choice(("Payment", "Meter reading", "Moving house", "Rates")), bold=True)
            y = sheet.paragraph(x, y + 5, width, sheet.fiction.paragraph(), size=8) + 4
    sheet.text(sheet.right, sheet.height - 12, f"{page}", size=8, align="right")
