"""Runs a module beside a local Hub: `python -m tests.bench.with_local_hub MODULE [ARGUMENT …]`.

huggingface_hub reads the Hub's address when it is imported. Here the address is set before the module is loaded, so it
may import what it likes at its top.
"""

from __future__ import annotations

import runpy
import sys

from scripts.hub.session import hub_session


def main() -> None:
    del sys.argv[0]  # the module finds its own arguments where it looks for them
    with hub_session(local=True):
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
