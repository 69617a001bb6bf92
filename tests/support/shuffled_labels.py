"""Labels that teach nothing, made of those that do."""

from __future__ import annotations

import random
from collections.abc import Sequence

from idp_sdk import LabelledDocument


def shuffled(test_set: Sequence[LabelledDocument], seed: int) -> tuple[LabelledDocument, ...]:
    """The same files and sections with the classes dealt anew among all sections: labels that teach nothing.

    How often a class occurs does not change. Used to show that a score comes from the labels.
    """
    classes = [section.class_name for document in test_set for section in document.sections]
    random.Random(seed).shuffle(classes)
    dealt = iter(classes)
    return tuple(
        document.model_copy(
            update={
                "sections": tuple(
                    section.model_copy(update={"class_name": next(dealt)}) for section in document.sections
                )
            }
        )
        for document in test_set
    )
