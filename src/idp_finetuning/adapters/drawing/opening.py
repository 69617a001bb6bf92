"""Which kind of document the bytes are: their content decides, not a name."""

from __future__ import annotations

from idp_finetuning.adapters.drawing.document import Document
from idp_finetuning.adapters.drawing.images import ImagePages, begins_as_image
from idp_finetuning.adapters.drawing.pdf import PdfPages

_PDF_HEADER_WITHIN = 1024  # Acrobat accepts junk before the header up to here


def open_bytes(content: bytes) -> Document:
    """Open a PDF or an image. Raises DocumentRejected if it is encrypted, damaged or of no supported type."""
    return PdfPages(content) if _is_pdf(content) else ImagePages(content)


def _is_pdf(content: bytes) -> bool:
    """Return whether this is a PDF: there may be junk before the header, but not an image with PDF in its metadata."""
    return b"%PDF-" in content[:_PDF_HEADER_WITHIN] and not begins_as_image(content)
