"""What Bedrock counted when it read a data set: its `manifest.report.csv` files."""

from __future__ import annotations

import csv
import io

from pydantic import Field, ValidationError

from idp_finetuning.wire import WireModel


class BedrockRecords(WireModel):
    """Bedrock's counts of the records of one file."""

    file_name: str
    total: int = Field(ge=0)
    accepted: int = Field(ge=0)
    partially_accepted: int = Field(ge=0)
    rejected: int = Field(ge=0)

    @property
    def warning(self) -> str | None:
        """What a user should know, if Bedrock did not accept every record whole."""
        if not self.rejected and not self.partially_accepted:
            return None
        partly = f" and accepted {self.partially_accepted} only in part" if self.partially_accepted else ""
        return (
            f"Bedrock rejected {self.rejected} of the {self.total} records of {self.file_name}{partly}. The files "
            "below input_status in the job's output prefix may say why."
        )


def parse_record_counts(content: bytes) -> tuple[BedrockRecords, ...]:
    """Read a `manifest.report.csv` by its header; AWS does not document the file, so a row without counts is skipped.

    Columns: fileName, totalProcessedRecordCount, acceptedRecordCount, partiallyAcceptedRecordCount,
    rejectedRecordCount. Only the last part of a file's name is kept.
    """
    found = []
    for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig", errors="replace"))):
        try:
            counts = BedrockRecords.model_validate(
                {
                    "file_name": (row.get("fileName") or "").rstrip("/").rpartition("/")[2] or "the data set",
                    "total": row.get("totalProcessedRecordCount"),
                    "accepted": row.get("acceptedRecordCount"),
                    "partially_accepted": row.get("partiallyAcceptedRecordCount") or 0,
                    "rejected": row.get("rejectedRecordCount"),
                }
            )
        except ValidationError:
            continue
        found.append(counts)
    return tuple(found)
