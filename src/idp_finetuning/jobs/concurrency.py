"""How many documents of a job are converted at once: the account's Lambda concurrency is shared with the API."""

from __future__ import annotations

from collections.abc import Collection

MINIMUM_CONCURRENCY = 2
# Assumed if the account does not say (decision "Rendering leaves a share of the account's concurrency to the API").
LOWEST_ACCOUNT_LIMIT = 10
_FOR_RENDERING = 60  # percent of the unreserved concurrency that jobs together are given
_AT_MOST = 80  # percent that they may have for a while, if a job comes while another has the whole share


def share_concurrency(wanted: int, *, unreserved: int | None, others: Collection[int | None]) -> int:
    """Return the concurrency of a job's Map: at most `wanted`, at least MINIMUM_CONCURRENCY.

    `unreserved` is what no function of the account has reserved, None if that is not known. `others` are the jobs that
    convert documents now, each with its concurrency, or with None if it has none yet.
    """
    available = LOWEST_ACCOUNT_LIMIT if unreserved is None else unreserved
    share = available * _FOR_RENDERING // 100 // (1 + len(others))
    left = available * _AT_MOST // 100 - sum(other or 0 for other in others)
    return max(MINIMUM_CONCURRENCY, min(wanted, share, left))
