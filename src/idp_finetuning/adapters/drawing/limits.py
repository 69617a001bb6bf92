"""What a page image may be, and what drawing one may cost."""

from __future__ import annotations

import math

from idp_finetuning.errors import DocumentRejected

DPI = 150
JPEG_QUALITY = 85
# Converse takes up to 8,000 px a side and 3.75 MB (botocore: bedrock-runtime Message.content); training takes sides
# from 25 px (dataset checks in AWS's Nova Forge SDK).
MINIMUM_SIDE = 25
MAXIMUM_SIDE = 8_000
MAXIMUM_BYTES = 3_750_000
# A0 at 300 dpi has 140 million pixels; more is a decompression bomb.
MAXIMUM_PIXELS = 150_000_000

# What the process that draws may use: resident memory, and processor time to open a document or to draw a page. The
# function has 2,048 MB, of which its own part and a document of 250 MB take a quarter.
DRAWING_MEMORY_MB = 1_400
PAGE_CPU_SECONDS = 30


def target_size(width: float, height: float) -> tuple[int, int]:
    """Return the pixel size within the limits that is nearest to the given one. Raises DocumentRejected."""
    if not (width > 0 and height > 0 and math.isfinite(width * height)):
        raise DocumentRejected("page_size", "A page has no size. Save the document again.")
    scale = min(1.0, MAXIMUM_SIDE / max(width, height))
    scale = max(scale, MINIMUM_SIDE / min(width, height))
    size = max(round(width * scale), MINIMUM_SIDE), max(round(height * scale), MINIMUM_SIDE)
    if max(size) > MAXIMUM_SIDE:
        raise DocumentRejected(
            "page_size",
            f"A page is {max(width, height) / min(width, height):.0f} times as long as wide and cannot be brought "
            f"between {MINIMUM_SIDE} and {MAXIMUM_SIDE} pixels a side.",
        )
    return size


# Exit status of the process that draws if it was refused memory (ENOMEM).
MEMORY_EXIT = 12


def memory_rejection(subject: str, memory_mb: int) -> DocumentRejected:
    """Return the rejection of a document that reached the limit of memory."""
    return DocumentRejected(
        "too_much_memory", f"{subject} needs more than {memory_mb:,} MB of memory. Save it in a simpler form."
    )
