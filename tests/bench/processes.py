"""Runs what a bench measures as a process of its own, and takes its figures from the last line of stdout."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[2]
#: Seconds after which a client counts as hanging.
PATIENCE = 3600


@dataclass(frozen=True)
class Run:
    """A running client, leader of a process group of its own. `err` is None where its stderr goes to ours."""

    process: subprocess.Popen[str]
    out: IO[str]
    err: IO[str] | None

    def result(self) -> dict[str, Any]:
        """Wait, and give the JSON object on the last line of stdout.

        Raises:
            RuntimeError: it failed or printed none; with the end of its stderr.
            TimeoutExpired: it hangs.
        """
        code = self.process.wait(PATIENCE)
        lines = _text(self.out).splitlines()
        if code or not lines:
            end = _text(self.err)[-3000:] if self.err else "see above"
            raise RuntimeError(f"{self.process.args!r} ended with {code} and {len(lines)} lines on stdout:\n{end}")
        result: dict[str, Any] = json.loads(lines[-1])
        return result


@contextmanager
def started(module: str, *, home: Path | None = None, show: bool = False, **options: object) -> Iterator[Run]:
    """Start `python -m module --name value …`; an option that is None is left out. Nothing of it outlives the block.

    Args:
        module: with arguments that are no options, if there are any.
        home: the data folder of Hanjul, in place of the user's.
        show: let its stderr be seen as it comes, not only when it fails.
    """
    flags = [
        part
        for name, value in options.items()
        if value is not None
        for part in (f"--{name.replace('_', '-')}", str(value))
    ]
    command = [sys.executable, "-m", *module.split(), *flags]
    environment = os.environ | ({"HANJUL_HOME": str(home)} if home else {})
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as caught:
        err = None if show else caught
        process = subprocess.Popen(
            command, stdout=out, stderr=err, text=True, cwd=ROOT, env=environment, start_new_session=True
        )
        try:
            yield Run(process, out, err)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def run(module: str, *, home: Path | None = None, show: bool = False, **options: object) -> dict[str, Any]:
    """Run a client to its end; see `started` and `Run.result`."""
    with started(module, home=home, show=show, **options) as client:
        return client.result()


def _text(file: IO[str]) -> str:
    file.seek(0)
    return file.read()
