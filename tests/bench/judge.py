"""How far the judges can be trusted, and how fast they are.

`python -m tests.bench.judge` takes about fifteen minutes on two cores; its last line on stdout is one JSON object. The
parts on reference rows need those; where they are not there it ends and says so.

    auc                 mean AUC over the kinds of spoilt line, by metric: Gemma 3 270M, trained as a judge on reference
                        rows of the train split (`train.method: judge`), calibrated on rows of the test split. The forms
                        of the scores were found on the validation split.
    kinds, paired       AUC by kind of spoilt line, paired accuracy by metric
    auc_shown           the same for the base behind eight examples, without any training
    likelihood_ratio    rows a second of the base behind examples, by how many of texts read one at a time and whole
    score_difference    between the two, at most
    geval_…             see `tests.bench.geval`
    bad_judges_…        planted judges (random, constant, the first is best) that are called unreliable in every metric
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from typing import Any

from scripts.hub.session import hub_session
from tests.bench import bad_judges, geval
from tests.bench.processes import ROOT
from tests.bench.synthesis import say

DATA = ROOT.parent / "shared" / "data" / "reference_copy.json"
#: Good rows of the test split, and of those the ones on which speed is measured: reading whole texts takes seconds.
ROWS, TIMED, SLOW = 200, 96, 4
SEED = 20261122


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--max-steps", type=int, default=-1, help="of the judge's training; -1 is one epoch")
    args = parser.parse_args()
    if not DATA.exists():
        sys.exit(f"the reference rows are not here ({DATA.name})")
    found: dict[str, Any] = bad_judges.measure() | geval.measure()
    with tempfile.TemporaryDirectory() as home:
        os.environ["HANJUL_HOME"] = home
        with hub_session(local=True) as hub:
            from tests.bench import likelihoods

            found |= likelihoods.measure(hub, DATA, args.rows, args.max_steps, SEED, TIMED, SLOW)
    say("done")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
