from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict

from idp_finetuning.test_sets.labels import Listing, StoredFile, read_labels
from idp_finetuning.test_sets.test_set import TestSetFile
from idp_finetuning.test_sets.validation import validate
from idp_local.documents.generator import unseen_documents
from idp_sdk import LabelledDocument
from tests.support.shuffled_labels import shuffled

Documents = Sequence[LabelledDocument]
Pictures = list[list[Image.Image]]


def test_a_seed_gives_the_same_bytes_at_another_moment() -> None:
    first = unseen_documents(seed=3)
    time.sleep(1.1)  # PDFs carry dates in seconds
    assert unseen_documents(seed=3) == first


def test_another_seed_gives_other_documents() -> None:
    assert not {d.content for d in unseen_documents(seed=3)} & {d.content for d in unseen_documents(seed=4)}


def test_every_page_of_a_file_is_in_exactly_one_section(test_set: Documents, pictures: Pictures) -> None:
    for document, pages in zip(test_set, pictures, strict=True):
        indices = sorted(i for section in document.sections for i in section.page_indices or ())
        assert indices == list(range(len(pages))), document.path


def test_no_two_pages_look_the_same(pictures: Pictures) -> None:
    looks = Counter(page.tobytes() for pages in pictures for page in pages)
    assert max(looks.values()) == 1


def test_nova_2_lite_can_be_trained_and_every_class_is_held_out(test_set: Documents) -> None:
    contents = {f"demo/{key}": content for document in test_set for key, content in document.baselines()}
    keys = sorted([*contents, *(f"demo/input/{document.path}" for document in test_set)])
    listing = Listing(test_set_id="demo", files=tuple(StoredFile(key=k, size=1, etag=k) for k in keys))
    labels = read_labels(listing, lambda wanted: [contents[key] for key in wanted], lambda _: ())
    verdict = validate(labels, train_split=0.9, base_model="us.amazon.nova-2-lite-v1:0")
    assert (verdict.errors, verdict.warnings) == ((), ())
    training = sum(d.page_count or 0 for d in labels.documents if d.path not in verdict.held_out_paths)
    assert 200 <= training <= 260


def test_files_are_pdfs_and_scans_with_names_people_give(test_set: Documents) -> None:
    kinds = {document.path.rsplit(".", 1)[1] for document in test_set}
    assert kinds == {"pdf", "jpg", "png", "tiff"}
    assert any(" " in document.path for document in test_set)
    assert any(not document.path.isascii() for document in test_set)
    assert any(document.path.count("/") == 2 for document in test_set)
    assert any(document.path.endswith(".tiff") and (document.page_count or 0) > 1 for document in test_set)
    assert sum(len(document.sections) > 1 for document in test_set) >= 10
    for document in test_set:
        TestSetFile(key=f"input/{document.path}", size=len(document.read()), md5="0" * 32)


def test_paths_differ_in_more_than_case(test_set: Documents) -> None:
    assert len({document.path.casefold() for document in test_set}) == len(test_set)


def test_the_class_can_be_seen_on_the_page_but_shuffled_labels_teach_nothing(
    test_set: Documents, pictures: Pictures
) -> None:
    features = np.array([_edges(page) for pages in pictures for page in pages])
    groups = [number for number, pages in enumerate(pictures) for _ in pages]
    assert 0.8 <= _accuracy(features, _classes(test_set), groups) <= 0.98
    assert _accuracy(features, _classes(shuffled(test_set, seed=1)), groups) < 0.3


def _classes(documents: Documents) -> list[str]:
    classes = []
    for document in documents:
        by_page = {i: s.class_name for s in document.sections for i in s.page_indices or ()}
        classes += [by_page[index] for index in sorted(by_page)]
    return classes


def _edges(page: Image.Image) -> npt.NDArray[np.float64]:
    """Horizontal and vertical edges in a grid of 16 by 16."""
    grey = np.asarray(page.resize((128, 128), Image.Resampling.BOX), dtype=float)
    down, across = (np.abs(edge).reshape(16, 8, 16, 8).sum(axis=(1, 3)) for edge in np.gradient(grey))
    both = np.concatenate([down.ravel(), across.ravel()])
    return np.asarray(np.sqrt(both / (np.linalg.norm(both) + 1e-6)))


def _accuracy(features: npt.NDArray[np.float64], classes: list[str], groups: list[int]) -> float:
    model = LogisticRegression(C=10, max_iter=500)
    answers = cross_val_predict(model, features, classes, groups=groups, cv=GroupKFold(4))
    return float(np.mean(answers == np.array(classes)))
