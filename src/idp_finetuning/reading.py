"""Reads the labels of a test set once for each state of it."""

from __future__ import annotations

from idp_finetuning.adapters.buckets import DataBucket, TestSetBucket
from idp_finetuning.labels import Labels, Listing, read_labels
from idp_finetuning.layout import labels_key
from idp_finetuning.wire import WireModel


class ReadTestSet(WireModel):
    """What a test set holds now."""

    listing: Listing
    labels: Labels


def read_test_set(test_set_id: str, *, bucket: TestSetBucket, data: DataBucket) -> ReadTestSet:
    """Lists the test set and reads its labels, from the data bucket where this very state was read before.

    Only labels are kept, never a verdict: rules may change, labels of one fingerprint do not.
    """
    listing = bucket.listing(test_set_id)
    key = labels_key(test_set_id, listing.fingerprint)
    labels = data.read_model(key, Labels)
    if labels is None:
        labels = read_labels(listing, bucket.read_all)
        data.write_model(key, labels)
    return ReadTestSet(listing=listing, labels=labels)
