"""How the invented document classes look: a drawing function for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from idp_local.documents.layouts.accounts import draw_bank_statement, draw_utility_bill
from idp_local.documents.layouts.correspondence import draw_letter
from idp_local.documents.layouts.employment import draw_pay_stub, draw_w2
from idp_local.documents.layouts.identity import draw_drivers_license
from idp_local.documents.layouts.trade import draw_invoice, draw_receipt
from idp_local.documents.sheet import Sheet

# Each draws a document with the given number of pages on a sheet.
LAYOUTS: Mapping[str, Callable[[Sheet, int], None]] = MappingProxyType(
    {
        "bank_statement": draw_bank_statement,
        "invoice": draw_invoice,
        "letter": draw_letter,
        "pay_stub": draw_pay_stub,
        "w2": draw_w2,
        "receipt": draw_receipt,
        "drivers_license": draw_drivers_license,
        "utility_bill": draw_utility_bill,
    }
)
