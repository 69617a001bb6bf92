"""PDFs made of objects as they are written down, for what no library would write."""

from __future__ import annotations

from collections.abc import Sequence


def stream(dictionary: str, data: bytes) -> bytes:
    """A stream object with these entries and its length."""
    return f"<<{dictionary}/Length {len(data)}>>stream\n".encode() + data + b"\nendstream"


def pdf_of(*objects: str | bytes, trailer: str = "") -> bytes:
    """A PDF with these objects, numbered from 1; the first is the catalog."""
    out = b"%PDF-1.7\n"
    offsets = []
    for number, item in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n" % number + (item.encode() if isinstance(item, str) else item) + b"\nendobj\n"
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    end = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n<</Size {len(objects) + 1}/Root 1 0 R"
    return out + f"{end}{trailer}>>\nstartxref\n{len(out)}\n%%EOF".encode()


def page_of(
    contents: bytes,
    *,
    resources: str = "",
    entries: str = "",
    catalog: str = "",
    content_entries: str = "",
    more: Sequence[str | bytes] = (),
    box: str = "0 0 300 200",
) -> bytes:
    """A PDF with one page: objects 1 to 3 are catalog, tree and page, 4 the contents, and `more` begins with 5."""
    return pdf_of(
        f"<</Type/Catalog/Pages 2 0 R{catalog}>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        f"<</Type/Page/Parent 2 0 R/MediaBox[{box}]/Contents 4 0 R/Resources<<{resources}>>{entries}>>",
        stream(content_entries, contents),
        *more,
    )
