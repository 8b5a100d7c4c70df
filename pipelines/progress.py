"""Shows how far long work is, on stderr: a bar on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self, TextIO

from tqdm import tqdm

#: Environment variable that silences progress and log, also in the processes that are started from here.
QUIET = "HANJUL_QUIET"
#: Off a terminal a line comes after this share of the work or so many seconds more, whichever is first, …
SHARE, LONGEST_S = 0.05, 60.0
#: … but never so soon after the one before, or after the start.
SHORTEST_S = 5.0
#: Seconds between two looks at the clock while nothing gets done.
WATCH_S = 1.0
#: Where to, if not to stderr: in a process whose stderr nobody reads.
STREAM: TextIO | None = None


@dataclass(frozen=True)
class _Work:
    """What is shown, where, and by which clock: see `Progress`."""

    label: str
    unit: str
    start: int
    state: Callable[[], str]
    stream: TextIO
    clock: Callable[[], float]


class Progress:
    """How far work is, shown for as long as a `with` block runs.

    On a terminal it is a bar, which is gone when the work ends. Elsewhere (a file, a pipe, `TERM=dumb`) it is a line
    with the time of day after every twentieth of the work or every minute, also while nothing gets done. Work of less
    than five seconds has no line.

    Every process may show its own, forked ones too, and any thread may call the methods.

    Args:
        label: what is being done, e.g. `evaluate: adapter`.
        total: steps in all; None where it is not known, and only the time that has passed is shown.
        unit: what a step is, in the plural.
        start: steps that were done before.
        state: what else to say; called whenever something is shown.
        stream: where to, by default `STREAM` or else stderr.
        clock: seconds, as `time.monotonic`.

    Attributes:
        done: steps that are done.
        total: may be changed.
    """

    def __init__(
        self,
        label: str,
        total: int | None = None,
        *,
        unit: str = "",
        start: int = 0,
        state: Callable[[], str] = lambda: "",
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.done, self.total = start, total
        work = _Work(label, unit, start, state, stream or STREAM or sys.stderr, clock)
        self._shown: _Bar | _Lines | None = None
        if not is_quiet():
            self._shown = _Bar(work, total) if on_terminal(work.stream) else _Lines(work)
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def advance(self, steps: int = 1) -> None:
        """Count steps that were done since the last call."""
        with self._lock:  # one lock for both: threads that count at the same time must not lose a step
            self.done += steps
            self._show()

    def reach(self, done: int) -> None:
        """Set how many steps are done in all."""
        with self._lock:
            self.done = done
            self._show()

    def close(self, *, failed: bool = False) -> None:
        """Take the bar away, or write the last line.

        Args:
            failed: the error that follows is the last line.
        """
        self._ended.set()
        if self._thread:
            self._thread.join()
        with self._lock:
            if self._shown:
                self._shown.close(self.done, self.total, failed)
            self._shown = None

    def __enter__(self) -> Self:
        if self._shown:
            self._thread = threading.Thread(target=self._watch, name="progress", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *about: object) -> None:
        self.close(failed=kind is not None)

    def _show(self) -> None:
        if self._shown:
            self._shown.show(self.done, self.total)

    def _watch(self) -> None:
        while not self._ended.wait(WATCH_S):
            with self._lock:
                self._show()


class _TqdmBar(tqdm):  # type: ignore[misc]
    monitor_interval = 0  # no thread beside ours


class _Bar:
    """The bar of a terminal, drawn by tqdm."""

    def __init__(self, work: _Work, total: int | None) -> None:
        self._work = work
        columns, rows = _size(work.stream)
        counted = "{desc}: {n_fmt}/{total_fmt} |{bar}| {elapsed}<{remaining}{postfix}"
        self._bar: Any = _TqdmBar(
            desc=work.label,
            total=total,
            initial=work.start,
            bar_format=counted if total else "{desc}: {elapsed}{postfix}",
            file=work.stream,
            leave=False,
            ncols=columns,
            nrows=rows,
        )
        self._bar.dynamic_ncols = _size  # where a terminal does not know its size, tqdm's own shows nothing

    def show(self, done: int, total: int | None) -> None:
        self._bar.total = total
        self._bar.set_postfix_str(self._work.state(), refresh=False)
        if not self._bar.update(done - self._bar.n) and time.time() - self._bar.last_print_t > WATCH_S / 2:
            self._bar.refresh()

    def close(self, done: int, total: int | None, failed: bool) -> None:
        self._bar.close()


def _size(stream: TextIO) -> tuple[int, int]:
    """Columns and rows of a terminal."""
    columns, rows = os.get_terminal_size(stream.fileno())
    return columns or 80, rows or 24


class _Lines:
    """Lines for a file or a pipe."""

    def __init__(self, work: _Work) -> None:
        self._work = work
        self._began = self._last = work.clock()
        self._written: int | None = None

    def show(self, done: int, total: int | None) -> None:
        since = self._work.clock() - self._last
        before = self._work.start if self._written is None else self._written
        further = total and done - before >= SHARE * total
        if since >= LONGEST_S or (further and since >= SHORTEST_S):
            self._write(done, total)

    def close(self, done: int, total: int | None, failed: bool) -> None:
        long = self._written is not None or self._work.clock() - self._began >= SHORTEST_S
        if long and not failed and (total is None or done != self._written):
            self._write(done, total)

    def _write(self, done: int, total: int | None) -> None:
        self._last, self._written = self._work.clock(), done
        said = _counted(self._work, done, total, self._last - self._began)
        write_line(f"{self._work.label}: {', '.join(filter(None, [*said, self._work.state()]))}", self._work.stream)


def _counted(work: _Work, done: int, total: int | None, seconds: float) -> list[str]:
    """Steps and share, pace, and the time that is left at this pace."""
    if not total:
        return [duration(seconds)]
    said = [f"{done:,}/{total:,} {work.unit}".rstrip() + f" ({done / total:.0%})"]
    pace = (done - work.start) / seconds if seconds else 0
    if not pace:
        return [*said, duration(seconds)]
    said.append(f"{pace:.1f}/s" if pace >= 1 else f"{1 / pace:.1f} s each")
    left = (total - done) / pace
    return [*said, f"{duration(left)} left" if left > 0 else f"took {duration(seconds)}"]


def duration(seconds: float) -> str:
    """Hours, minutes and seconds, as `1:02:03` or `2:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def on_terminal(stream: TextIO) -> bool:
    """Whether what stands in the last line of a stream can be written over."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def write_line(text: str, stream: TextIO) -> None:
    """Write a line with the time of day; on a terminal over a bar that may stand there, which comes back below."""
    clear = "\r\x1b[K" if on_terminal(stream) else ""
    print(f"{clear}{time.strftime('%H:%M:%S')} {text}", file=stream, flush=True)


def is_quiet() -> bool:
    """Whether neither progress nor log is wanted."""
    return bool(os.environ.get(QUIET))


def be_quiet() -> None:
    """Want neither, here and in the processes that are started from here."""
    os.environ[QUIET] = "1"
