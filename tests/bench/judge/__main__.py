"""How far the judges can be trusted, and how fast they are.

    python -m tests.bench.judge
    python -m tests.bench.judge --smoke

Last line of stdout: one JSON object, its keys are explained in tests/bench/README.md. The likelihood judge is trained
and calibrated on rows of the written corpus.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.judge import geval, uninformed
from tests.bench.processes import run
from tests.bench.report import finish, parser_of

LIKELIHOODS = "tests.bench.with_local_hub tests.bench.judge.likelihoods"


@dataclass(frozen=True)
class Size:
    """How much of each part.

    Attributes:
        imported: rows of the written corpus that are imported.
        rows: held-out rows that the likelihood judge is calibrated on.
        max_steps: of its training; -1 is one epoch.
        timed, whole: rows that it reads against the clock, and of those the ones read whole, which takes seconds each.
        uninformed: judges that know nothing.
        geval: see `tests.bench.judge.geval`.
    """

    imported: int
    rows: int
    max_steps: int
    timed: int
    whole: int
    uninformed: int
    geval: geval.Size


FULL = Size(imported=5000, rows=200, max_steps=-1, timed=96, whole=4, uninformed=20, geval=geval.FULL)
SMOKE = Size(imported=400, rows=24, max_steps=4, timed=16, whole=2, uninformed=3, geval=geval.SMOKE)


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--rows", type=int, default=None, help="held-out rows of the calibration")
    parser.add_argument("--max-steps", type=int, default=None, help="of the judge's training; -1 is one epoch")
    args = parser.parse_args()
    size = SMOKE if args.smoke else FULL
    figures: dict[str, Any] = uninformed.measure(size.uninformed) | geval.measure(size.geval)
    with tempfile.TemporaryDirectory() as folder:
        figures |= run(
            f"{LIKELIHOODS} --smoke" if args.smoke else LIKELIHOODS,
            home=Path(folder),
            show=True,
            imported=size.imported,
            rows=args.rows or size.rows,
            max_steps=args.max_steps or size.max_steps,
            timed=size.timed,
            whole=size.whole,
        )
    finish(figures)


if __name__ == "__main__":
    main()
