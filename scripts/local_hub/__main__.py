"""Serve a local Hub: `python -m scripts.local_hub --store ~/.local/share/hanjul/hub --port 8710`."""

import argparse
import json
import sys
from pathlib import Path

from scripts.local_hub.errors import LocalHubError, StoreInUse
from scripts.local_hub.lifecycle import IN_USE
from scripts.local_hub.server import HOST, serve


def main(args: argparse.Namespace) -> int:
    try:
        serve(args.store, args.port, args.host, die_with_parent=args.die_with_parent)
    except LocalHubError as error:
        if args.die_with_parent:  # the parent raises it again
            print(json.dumps([error.what, error.where, error.next_step]), flush=True)
        else:
            print(error, file=sys.stderr)
        return IN_USE if isinstance(error, StoreInUse) else 1
    return 0


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scripts.local_hub", description="Serve a local Hub.")
    parser.add_argument("--store", type=Path, required=True, help="folder that holds the repos")
    parser.add_argument("--port", type=int, default=8710, help="0 picks a free one")
    parser.add_argument("--host", default=HOST, help="address to listen on, e.g. 0.0.0.0 for a team")
    parser.add_argument("--die-with-parent", action="store_true", help="end when stdin ends")
    return parser


if __name__ == "__main__":
    sys.exit(main(make_parser().parse_args()))
