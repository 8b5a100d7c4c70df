"""The bases that the trainers are measured on.

    python -m tests.bench.with_local_hub tests.bench.train.bases embedded
    python -m tests.bench.train.bases tiny --folder /tmp/base

Last line on stdout: {"base"}, the folder with its weights and its tokenizer.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from scripts.hub.connect import connect
from scripts.models.embedded import ensure_base
from tests.tiny import gemma


def embedded() -> Path:
    """The embedded model, dequantised, as the Hub that HF_ENDPOINT names gives it."""
    hub = connect()
    return hub.snapshot(ensure_base(hub))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", choices=("embedded", "tiny"))
    parser.add_argument("--folder", type=Path, default=None, help="of `tiny`, which is made there")
    args = parser.parse_args()
    base = embedded() if args.base == "embedded" else gemma.save_base(args.folder)
    print(json.dumps({"base": str(base)}))


if __name__ == "__main__":
    main()
