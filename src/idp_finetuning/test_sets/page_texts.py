"""Texts of pages in the baseline of a test set, for prompts with {DOCUMENT_TEXT}."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from idp_finetuning.errors import DocumentRejected
from idp_finetuning.nova.prompt import TEXT_PLACEHOLDER
from idp_finetuning.test_sets.keys import input_prefix, page_text_key
from idp_finetuning.test_sets.labels import DocumentLabels, Labels, Listing
from idp_finetuning.test_sets.page_limit import MAXIMUM_PAGES
from idp_finetuning.text import join_first

# Enough to see a change. 500 whole ETags do not fit into a payload of 256 KiB beside the longest labels.
ETAG_LENGTH = 8


def page_text(content: bytes, page: int) -> str:
    """Return the text in a page's `result.json`, `{"text": …}`; `page` counts from 1.

    Raises DocumentRejected if it has none.
    """
    try:
        result = json.loads(content)
    except (ValueError, RecursionError):
        result = None
    text = result.get("text") if isinstance(result, dict) else None
    if not isinstance(text, str):
        raise DocumentRejected(
            "text_unreadable", f'pages/{page}/result.json of the baseline is not {{"text": …}}. Save it again.'
        )
    return text


def text_etags(listing: Listing) -> dict[str, tuple[str, ...]]:
    """Return how the ETags of each document's texts begin, by its path, from page 1 to the first without a text."""
    etags = {file.key: file.etag for file in listing.files}
    inputs = input_prefix(listing.test_set_id)
    paths = [file.key.removeprefix(inputs) for file in listing.files if file.key.startswith(inputs)]
    return {path: tuple(_etags_of(etags, listing.test_set_id, path)) for path in paths}


def _etags_of(etags: Mapping[str, str], test_set_id: str, path: str) -> Iterator[str]:
    for page in range(1, MAXIMUM_PAGES + 1):
        etag = etags.get(page_text_key(test_set_id, path, page))
        if etag is None:
            return
        yield etag[:ETAG_LENGTH]


def text_errors(listing: Listing, labels: Labels) -> Iterator[str]:
    """Yield one sentence that names the documents without the text of a page, if there are any.

    If the labels do not show the number of pages, only the text of the first page is looked for.
    """
    keys = {file.key for file in listing.files}
    lacking = [d.path for d in labels.documents if not d.problem and not _has_texts(d, listing.test_set_id, keys)]
    if lacking:
        noun, verb = ("document", "lacks") if len(lacking) == 1 else ("documents", "lack")
        yield (
            f"The prompt has {TEXT_PLACEHOLDER}, but {len(lacking)} {noun} {verb} the text of a page "
            f"(baseline/<document>/pages/<page>/result.json): {join_first(lacking)}. Add the texts, or use a prompt "
            f"without {TEXT_PLACEHOLDER}."
        )


def _has_texts(document: DocumentLabels, test_set_id: str, keys: set[str]) -> bool:
    pages = document.page_count or 1
    return all(page_text_key(test_set_id, document.path, page) in keys for page in range(1, pages + 1))
