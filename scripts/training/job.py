"""Keep a training job in a folder: rows and settings go in, the adapter's files and the curve come out.

job.json, rows/<split>/, preferences/<split>/    what to do
checkpoints/                                     to go on from
out/                                             what is published
curve.json                                       written last: the job is done
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.core.settings import TrainSettings

if TYPE_CHECKING:
    import datasets


@dataclass(frozen=True)
class TrainingJob:
    """What to train, and how.

    Attributes:
        base, revision: id and commit sha of the base.
        names_revision: whether the adapter's config names that sha; one of a local Hub means nothing elsewhere.
        start, start_revision: id and commit sha of the SFT adapter that DPO starts from.
    """

    base: str
    revision: str | None
    names_revision: bool
    settings: TrainSettings
    seed: int
    start: str | None = None
    start_revision: str | None = None

    def write(self, folder: Path) -> None:
        content = asdict(self) | {"settings": self.settings.model_dump()}
        (folder / "job.json").write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")

    @staticmethod
    def read(folder: Path) -> TrainingJob:
        content = json.loads((folder / "job.json").read_text(encoding="utf-8"))
        return TrainingJob(**content | {"settings": TrainSettings(**content["settings"])})


def write_rows(folder: Path, kind: str, splits: dict[str, datasets.Dataset]) -> None:
    """Leave the splits of a config in the job's folder.

    Args:
        kind: `rows` or `preferences`.
    """
    for split, rows in splits.items():
        rows.save_to_disk(folder / kind / split)


def load_rows(folder: Path, kind: str, split: str) -> datasets.Dataset | None:
    """Load the rows of a split, or None where it has none."""
    import datasets

    place = folder / kind / split
    return datasets.load_from_disk(place) if place.is_dir() else None


def read_curve(folder: Path) -> dict[str, Any]:
    curve: dict[str, Any] = json.loads((folder / "curve.json").read_text(encoding="utf-8"))
    return curve
