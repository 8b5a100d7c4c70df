"""Tells people how a command failed: by its own words where it was raised on purpose, else with a log file for us."""

from __future__ import annotations

import contextlib
import platform
import re
import shlex
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path

from pipelines.errors import HanjulError
from scripts.core import env
from scripts.core.installed import git_commit, package_versions

#: Exit code of a bug, by sysexits.h `EX_SOFTWARE`. Errors raised on purpose have their own, usage errors are 2.
BUG = 70
#: Log files that are kept, the newest.
KEPT_LOGS = 20
#: The longest first line of a bug's message that is shown, in characters.
LONGEST = 300
#: Keys by their form, wherever they come from, and what follows the `?` of an address, which may be a signature.
KEY_FORM, QUERY = re.compile(r"\b(hf_|sk-)[\w-]{16,}"), re.compile(r"(https?://[^\s?'\"]+\?)[^\s'\"]+")


def report_known(error: HanjulError, *, debug: bool) -> int:
    """Print an error raised on purpose, and give the exit code.

    Args:
        debug: print the traceback before it.
    """
    lines = [f"error: {error.what}"]
    lines += [f"  where: {error.where}"] if error.where else []
    lines += [f"  next:  {error.next_step}"] if error.next_step else []
    _print(error, lines, debug)
    return error.exit_code


def report_bug(error: Exception, command: str, *, debug: bool) -> int:
    """Print in at most four lines that Hanjul has a bug, leave the rest in a log file, and give the exit code.

    Args:
        command: name of the command that failed.
        debug: print the traceback before it.
    """
    message = next(iter(redact(str(error)).splitlines()), "")[:LONGEST]  # a key that is cut is not known any more
    lines = [f"unexpected error: {type(error).__name__}: {message}"]
    notes = [note.splitlines()[0] for note in getattr(error, "__notes__", []) if note]
    lines += [f"  where: {'; '.join(notes)}"] if notes else []
    try:
        lines.append(f"  log:   {write_log(error, command)}")
    except OSError as fault:  # must not stand in place of the error
        lines.append(f"  log:   none, {env.logs_dir()} cannot be written: {fault.strerror or fault}")
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    again = shlex.join(["hanjul", "--debug", *arguments])
    lines.append(f"  next:  this is a bug, please report it with the log; `{again}` shows more")
    _print(error, lines, debug)
    return BUG


def write_log(error: BaseException, command: str) -> Path:
    """Write versions, command line and traceback of an error into the logs folder; of old files only the newest stay.

    Raises:
        OSError: it cannot be written.
    """
    folder, now = env.logs_dir(), datetime.now(UTC)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{now:%Y%m%dT%H%M%S.%fZ}-{command}.log"
    packages = ", ".join(f"{name} {version}" for name, version in package_versions().items())
    head = [
        f"time: {now.isoformat(timespec='seconds')}",
        f"command: {shlex.join(['hanjul', *sys.argv[1:]])}",
        f"system: {platform.platform()}, Python {platform.python_version()}",
        f"packages: {packages}",
        f"commit: {git_commit() or 'an installed wheel'}",
    ]
    trace = "".join(traceback.format_exception(error))
    path.write_text(redact("\n".join([*head, "", trace])), encoding="utf-8", errors="backslashreplace")
    for old in sorted(folder.glob("*.log"))[:-KEPT_LOGS]:
        with contextlib.suppress(OSError):
            old.unlink()
    return path


def redact(text: str) -> str:
    """The text without the keys and tokens that this process knows or that look like one."""
    for secret in env.secrets():
        text = text.replace(secret, "…")
    return QUERY.sub(r"\1…", KEY_FORM.sub("…", text))


def _print(error: BaseException, lines: list[str], debug: bool) -> None:
    if debug:
        print(redact("".join(traceback.format_exception(error))), file=sys.stderr)
    print(redact("\n".join(lines)), file=sys.stderr, flush=True)
