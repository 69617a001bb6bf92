"""Which kind of document the bytes are: their content decides, not a name."""

from __future__ import annotations

from idp_finetuning.adapters.drawing.document import Document
from idp_finetuning.adapters.drawing.images import ImagePages
from idp_finetuning.adapters.drawing.pdf import PdfPages
from idp_finetuning.test_sets.document_types import DocumentType, document_type


def open_bytes(content: bytes) -> Document:
    """Open a PDF or an image. Raises DocumentRejected if it is encrypted, damaged or of no supported type."""
    return PdfPages(content) if document_type(content) is DocumentType.PDF else ImagePages(content)
