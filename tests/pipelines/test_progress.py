"""Long work says where it is: a bar that leaves nothing behind on a terminal, lines now and then elsewhere."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pipelines import progress
from pipelines.progress import Progress, duration

ROOT = Path(__file__).parents[2]


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def lines(stream: io.StringIO) -> list[str]:
    """What was written, without the times of day."""
    written = stream.getvalue().splitlines()
    assert all(re.match(r"\d\d:\d\d:\d\d ", line) for line in written)
    return [line[9:] for line in written]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setattr(progress, "WATCH_S", 3600)  # the thread goes by the true time
    return Clock()


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


def test_a_line_every_twentieth(clock: Clock, stream: io.StringIO) -> None:
    with Progress("judge", 2000, unit="lines", stream=stream, clock=clock) as shown:
        for _ in range(2000):
            clock.now += 0.1
            shown.advance()
    written = lines(stream)
    assert written[0] == "judge: 100/2,000 lines (5%), 10.0/s, 3:10 left"
    assert written[1] == "judge: 200/2,000 lines (10%), 10.0/s, 3:00 left"
    assert written[-1] == "judge: 2,000/2,000 lines (100%), 10.0/s, took 3:20"
    assert len(written) == 20


def test_a_line_a_minute_where_a_twentieth_takes_longer(clock: Clock, stream: io.StringIO) -> None:
    with Progress("train", 100, unit="steps", start=40, stream=stream, clock=clock) as shown:
        for step in range(41, 47):
            clock.now += 31
            shown.reach(step)
        clock.now += 200
    assert lines(stream) == [
        "train: 42/100 steps (42%), 31.0 s each, 29:58 left",
        "train: 44/100 steps (44%), 31.0 s each, 28:56 left",
        "train: 46/100 steps (46%), 31.0 s each, 27:54 left",
    ]


def test_fast_work_has_a_line_every_five_seconds_at_most(clock: Clock, stream: io.StringIO) -> None:
    with Progress("checking", 1000, stream=stream, clock=clock) as shown:
        for _ in range(1000):
            clock.now += 0.012
            shown.advance()
    assert [re.search(r"\((.*)\)", line)[1] for line in lines(stream)] == ["42%", "83%", "100%"]


def test_short_work_has_no_line(clock: Clock, stream: io.StringIO) -> None:
    with Progress("checking", 10, stream=stream, clock=clock) as shown:
        for _ in range(10):
            clock.now += 0.4
            shown.advance()
    assert lines(stream) == []


def test_work_without_a_known_end(clock: Clock, stream: io.StringIO) -> None:
    shown = Progress("downloading a/b", stream=stream, clock=clock)
    for _ in range(130):
        clock.now += 1
        shown.advance(0)
    shown.close()
    assert lines(stream) == ["downloading a/b: 1:00", "downloading a/b: 2:00", "downloading a/b: 2:10"]


def test_what_else_there_is_to_say_and_an_end_that_moves(clock: Clock, stream: io.StringIO) -> None:
    flight = iter(["5 of 50 in flight", ""])
    with Progress("writing", 100, state=lambda: next(flight), stream=stream, clock=clock) as shown:
        clock.now += 60
        shown.total = 200
        shown.reach(50)
        clock.now += 60
        shown.reach(200)
    assert lines(stream) == [
        "writing: 50/200 (25%), 1.2 s each, 3:00 left, 5 of 50 in flight",
        "writing: 200/200 (100%), 1.7/s, took 2:00",
    ]


def test_work_that_gets_nowhere_is_told_of_by_the_clock_alone(
    stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "WATCH_S", 0.01)
    monkeypatch.setattr(progress, "LONGEST_S", 0.05)
    with Progress("writing", 100, stream=stream) as shown:
        deadline = time.monotonic() + 10
        while len(lines(stream)) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert shown.done == 0
    assert lines(stream)[:2] == ["writing: 0/100 (0%), 0:00"] * 2
    assert not [thread for thread in threading.enumerate() if thread.name == "progress" and thread.is_alive()]


def test_failed_work_leaves_the_last_word_to_the_error(clock: Clock, stream: io.StringIO) -> None:
    with pytest.raises(KeyError), Progress("judge", 100, stream=stream, clock=clock) as shown:
        clock.now += 10
        shown.reach(50)
        clock.now += 10
        shown.done = 70
        raise KeyError
    assert lines(stream) == ["judge: 50/100 (50%), 5.0/s, 0:10 left"]


def test_quiet_says_nothing(clock: Clock, stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(progress.QUIET, "1")
    with Progress("judge", 100, stream=stream, clock=clock) as shown:
        clock.now += 100
        shown.reach(100)
    assert (stream.getvalue(), shown.done) == ("", 100)


@pytest.mark.parametrize(("seconds", "said"), [(0, "0:00"), (59.6, "1:00"), (3599, "59:59"), (3723, "1:02:03")])
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said


TERMINAL = """
import sys, time
from pipelines.progress import Progress, write_line
with Progress("판단", 30, unit="lines", state=lambda: "0.12 USD") as shown:
    for step in range(30):
        time.sleep(0.02)
        shown.advance()
        if step == 20:
            write_line("a line in between", sys.stderr)
with Progress("waiting"):
    time.sleep(0.3)
print("done", file=sys.stderr)
"""


def screen(text: str, width: int = 80) -> list[str]:
    """What a terminal shows in the end: carriage returns go back, `ESC[K` clears to the end of the line."""
    rows, column = [""], 0
    for part in re.findall(r"\x1b\[[0-9;]*[A-Za-z]|.|\n", text):
        if part == "\n":
            rows.append("")
            column = 0
        elif part == "\r":
            column = 0
        elif part == "\x1b[K":
            rows[-1] = rows[-1][:column]
        elif not part.startswith("\x1b"):
            rows[-1] = rows[-1][:column].ljust(column) + part + rows[-1][column + 1 :]
            column += 1
    return [row.rstrip() for row in rows]


def on_a_terminal(program: str, **environment: str) -> str:
    """Everything that a program writes to a terminal of its own."""
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=child,
        stdout=child,
        stderr=child,
        cwd=ROOT,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "80", **environment},
    )
    os.close(child)
    written = b""
    try:
        while read := os.read(parent, 65536):
            written += read
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(parent)
    assert process.wait() == 0
    return written.decode().replace("\r\n", "\n")


def test_a_terminal_has_a_bar_that_leaves_nothing_behind() -> None:
    written = on_a_terminal(TERMINAL)
    assert "판단: 30/30 |" in written and "0.12 USD" in written and "waiting: 00:00" in written
    assert not re.search(r"\x1b\[[0-9;]*m", written)  # no colour: tests, and whoever sets NO_COLOR, want none
    between, *rest = [row for row in screen(written) if row]
    assert re.fullmatch(r"\d\d:\d\d:\d\d a line in between", between)
    assert rest == ["done"]


def test_a_dumb_terminal_has_lines() -> None:
    assert on_a_terminal(TERMINAL, TERM="dumb").splitlines()[-1] == "done"
    assert "\r" not in on_a_terminal(TERMINAL, TERM="dumb")
