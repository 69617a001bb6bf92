"""Keys of test sets in S3, and the ids made from them."""

from __future__ import annotations

import hashlib


def document_id(input_key: str) -> str:
    """Return 20 hexadecimal characters of the SHA-256 of the input key: legal in every S3 key Bedrock reads."""
    return hashlib.sha256(input_key.encode()).hexdigest()[:20]


def input_prefix(test_set_id: str) -> str:
    """Return the prefix of a test set's documents."""
    return f"{test_set_id}/input/"


def test_set_of(key: str) -> str:
    """Return the id of the test set that an object belongs to."""
    return key.partition("/")[0]


def baseline_prefix(test_set_id: str) -> str:
    """Return the prefix of a test set's labels."""
    return f"{test_set_id}/baseline/"


def page_texts_prefix(test_set_id: str, path: str) -> str:
    """Return the prefix of the text of each page of a document."""
    return f"{baseline_prefix(test_set_id)}{path}/pages/"


def page_text_key(test_set_id: str, path: str, page: int) -> str:
    """Return the key of the text of one page; `page` counts from 1."""
    return f"{page_texts_prefix(test_set_id, path)}{page}/result.json"


def document_of(key: str) -> str:
    """Return the path of the document that a file below `input/` is, or that a file below `baseline/` is about."""
    folder, _, rest = key.partition("/")
    if folder == "input":
        return rest
    # The last of them: a document may itself be in a folder of either name.
    end = max(rest.rfind("/sections/"), rest.rfind("/pages/"))
    return rest if end < 0 else rest[:end]


def is_label(key: str) -> bool:
    """Return whether a file below `input/` or `baseline/` is a section of a document's labels."""
    return key.startswith("baseline/") and key.rfind("/sections/") > key.rfind("/pages/")


def uploading_marker(test_set_id: str) -> str:
    """Return the key that exists while a test set is being uploaded."""
    return f"{test_set_id}/.uploading"


def announced_prefix(test_set_id: str) -> str:
    """Return the prefix of what clients said they would upload, one object for each request."""
    return f"{test_set_id}/.announced/"


def sealed_key(test_set_id: str, fingerprint: str) -> str:
    """Return the key of the listing that a test set was completed with."""
    return f"{test_set_id}/.complete/{fingerprint}.json"


def label_cache_prefix(test_set_id: str) -> str:
    """Return the prefix, in the data bucket, of everything that was read of a test set."""
    return f"validation/{test_set_id}/"


def labels_key(test_set_id: str, fingerprint: str) -> str:
    """Return the key, in the data bucket, of the labels read from one state of a test set."""
    return f"{label_cache_prefix(test_set_id)}{fingerprint}.json"


def page_counts_key(test_set_id: str, fingerprint: str) -> str:
    """Return the key, in the data bucket, of the pages of every document of one state of a test set."""
    return f"{label_cache_prefix(test_set_id)}{fingerprint}.pages"


def counting_progress_key(test_set_id: str, fingerprint: str) -> str:
    """Return the key of the counts of an unfinished counting."""
    return f"{label_cache_prefix(test_set_id)}{fingerprint}.counting"


def counting_marker(test_set_id: str, fingerprint: str) -> str:
    """Return the key that says since when the pages of this state are being counted."""
    return f"{label_cache_prefix(test_set_id)}{fingerprint}.counting.reading"


def reading_marker(test_set_id: str, fingerprint: str) -> str:
    """Return the key that says since when the labels of this state are being read in the background."""
    return f"{label_cache_prefix(test_set_id)}{fingerprint}.reading"


def unlisted_marker(test_set_id: str) -> str:
    """Return the key that says since when a test set too large to be listed in a request is being read."""
    return f"{label_cache_prefix(test_set_id)}unlisted.reading"


def last_reading_key(test_set_id: str) -> str:
    """Return the key of what the last reading in the background listed."""
    return f"{label_cache_prefix(test_set_id)}last.json"
