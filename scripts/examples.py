"""Where the examples come from that a teacher is shown: a file, a dataset, or real slogans and the people's rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import HfUri

from pipelines.briefs import usable_examples
from pipelines.examples import EXAMPLES, load_examples
from scripts.faults import refused
from scripts.hub import Hub
from scripts.import_rows import identify, read, to_rows
from scripts.stage import digest


@dataclass(frozen=True)
class Examples:
    """Where the examples of a teacher that is not tuned come from.

    Attributes:
        source: a file or a pinned dataset; None for the slogans that ship with Hanjul and the rows that people wrote.
        identity: pins it.
    """

    source: Path | HfUri | None
    identity: str

    @classmethod
    def find(cls, hub: Hub, named: str | None) -> Examples:
        """Those that `--examples` names, or ours.

        Raises:
            HanjulError: it cannot be read.
        """
        if named is None:
            return cls(None, digest(EXAMPLES))
        return cls(*identify(hub, named))

    def pools(self, hub: Hub, people: Sequence[Any]) -> tuple[tuple[Any, ...], ...]:
        """Rows to draw from, in turn.

        Args:
            people: rows of the dataset that people wrote.
        """
        if self.source is None:
            return tuple(load_examples()), usable_examples(people)
        if isinstance(self.source, Path) and self.source.suffix == ".jsonl":
            with refused(str(self.source)):
                return (tuple(load_examples(self.source)),)
        return (tuple(to_rows(read(hub, self.source), "imported", str(self.source))),)
