"""How fast the demo is on a CPU, and how it bears many visitors.

    python -m tests.bench.space
    python -m tests.bench.space --smoke

Last line of stdout: one JSON object, its keys are explained in tests/bench/README.md. The embedded base with a LoRA;
the plain way is transformers' `pipeline("text-generation")` in float32 with the same weights, merged.
"""

from __future__ import annotations

from tests.bench.processes import started
from tests.bench.report import finish, parser_of


def main() -> None:
    args = parser_of(__doc__).parse_args()
    module = f"tests.bench.with_local_hub tests.bench.space.served{' --smoke' if args.smoke else ''}"
    with started(module, show=True) as client:
        finish(client.result())


if __name__ == "__main__":
    main()
