"""Invented names, places, sums and sentences for invented documents."""

from __future__ import annotations

from random import Random

FIRST_NAMES = (
    "Ana",
    "Jonas",
    "Mira",
    "Tomas",
    "Lena",
    "Idris",
    "Paula",
    "Henrik",
    "Noor",
    "Felix",
    "Greta",
    "Samir",
    "Ines",
    "Viktor",
    "Dalia",
    "Oskar",
)
LAST_NAMES = (
    "Varga",
    "Holm",
    "Castell",
    "Brandt",
    "Okoro",
    "Lindqvist",
    "Moreau",
    "Petrov",
    "Salgado",
    "Weiss",
    "Tanaka",
    "Ferro",
    "Novak",
    "Ashby",
    "Reyes",
    "Dunmore",
)
STREETS = (
    "Alder Street",
    "Harbour Road",
    "Mill Lane",
    "Station Avenue",
    "Orchard Way",
    "Quarry Hill",
    "Bridge Street",
    "Fern Court",
)
TOWNS = ("Northbrook", "Eastvale", "Port Ansel", "Millhaven", "Kesterton", "Ravensford", "Little Marrow", "Dunlow")
TRADES = (
    "Supply",
    "Logistics",
    "Printing",
    "Timber",
    "Instruments",
    "Foods",
    "Textiles",
    "Engineering",
    "Software",
    "Ceramics",
)
BANKS = ("Meridian Bank", "First Harbour Bank", "Union Savings", "Aldgate Credit Union", "Northern Trust & Loan")
UTILITIES = ("Brightwater Energy", "Valley Power & Light", "Clearstream Water", "Northline Gas", "Sunfield Electric")
SHOPS = (
    "Corner Market",
    "Blue Door Cafe",
    "Hilltop Grocery",
    "The Paper Mill",
    "Green Fork",
    "Station Kiosk",
    "Oak & Iron",
)
GOODS = (
    "Steel bracket",
    "Copy paper A4",
    "Consulting hours",
    "Filter cartridge",
    "Packing tape",
    "Oak panel",
    "Cable set",
    "Service visit",
    "Hinge pair",
    "Toner black",
    "Ceramic tile",
    "Sensor unit",
    "Freight",
    "Assembly",
    "Pump seal",
    "Workbench",
    "Safety gloves",
    "Paint white",
)
GROCERIES = (
    "Bread",
    "Milk 1L",
    "Apples",
    "Coffee",
    "Butter",
    "Cheese",
    "Rice 1kg",
    "Tomatoes",
    "Soap",
    "Pasta",
    "Tea",
    "Eggs x10",
    "Juice",
    "Honey",
)
PAYMENTS = (
    "Card purchase",
    "Direct deposit",
    "Transfer to savings",
    "ATM withdrawal",
    "Standing order rent",
    "Online payment",
    "Cheque paid",
    "Refund",
    "Mobile top-up",
    "Insurance premium",
    "Grocery store",
    "Fuel station",
    "Interest credit",
    "Account fee",
)
SENTENCES = (
    "Thank you for your letter of last week and for the documents you enclosed.",
    "We have looked into the matter and would like to suggest a meeting at our office.",
    "The delivery was delayed because the bridge near Millhaven was closed for repairs.",
    "Please let us know by the end of the month whether the proposal suits you.",
    "Our records show that the agreement was renewed for a further term of two years.",
    "We regret the inconvenience this has caused and have taken steps to prevent it.",
    "The committee met on Tuesday and approved the plan without amendments.",
    "Should you have any questions, my colleagues and I will be pleased to help.",
    "The enclosed form needs your signature on the second page and today's date.",
    "As agreed on the telephone, the work will begin once the permit has arrived.",
    "The inspection found the building in good order, apart from the northern roof.",
    "You will receive a confirmation by post within ten working days.",
    "In the meantime nothing changes for you, and no action is required.",
    "We would appreciate a short reply so that we can reserve the date.",
)
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


class Fiction:
    """Draws invented facts from one random source."""

    def __init__(self, source: Random) -> None:
        self.random = source

    def person(self) -> str:
        """Draw a first and a last name."""
        return f"{self.random.choice(FIRST_NAMES)} {self.random.choice(LAST_NAMES)}"

    def company(self) -> str:
        """Draw a company's name."""
        form = self.random.choice(("Ltd", "Inc.", "GmbH", "& Sons", "Group", "Co."))
        return f"{self.random.choice(LAST_NAMES)} {self.random.choice(TRADES)} {form}"

    def address(self) -> tuple[str, str]:
        """Draw a street line and a town line."""
        street = f"{self.random.randint(1, 240)} {self.random.choice(STREETS)}"
        return street, f"{self.random.choice(TOWNS)} {self.random.randint(10000, 98999)}"

    def date(self) -> str:
        """Draw a date in one of three notations."""
        day, month, year = self.random.randint(1, 28), self.random.randint(1, 12), self.random.randint(2019, 2025)
        notation = self.random.randrange(3)
        if notation == 0:
            return f"{month:02d}/{day:02d}/{year}"
        return f"{year}-{month:02d}-{day:02d}" if notation == 1 else f"{MONTHS[month - 1]} {day}, {year}"

    def short_date(self) -> str:
        """Draw a month and a day, as statements print them."""
        return f"{self.random.randint(1, 12):02d}/{self.random.randint(1, 28):02d}"

    def amount(self, low: float, high: float) -> str:
        """Draw a sum of money without currency."""
        return f"{self.random.uniform(low, high):,.2f}"

    def digits(self, count: int) -> str:
        """Draw a number of `count` digits."""
        return "".join(self.random.choice("0123456789") for _ in range(count))

    def paragraph(self) -> str:
        """Draw three to six sentences."""
        return " ".join(self.random.sample(SENTENCES, self.random.randint(3, 6)))
