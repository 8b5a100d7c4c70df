"""Likes, dislikes and edits, kept in a private dataset that the next one is made from.

A vote is a line of JSON in a file of this process, on the disk when `keep` returns. huggingface_hub's scheduler commits
the file every few minutes; what a commit that failed left out, the next one has, or one of the next process. Nothing in
a vote says who the visitor is: no address, no browser, and of the time only the day.
"""

from __future__ import annotations

import atexit
import json
import os
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import feedback_repo
from huggingface_hub import HfApi, constants, get_token
from plain_text import plain
from request import MAX_PRODUCT, MAX_VALUE, MAX_VALUES, Problem

KINDS = ("like", "dislike", "edit")
LANGUAGES = ("ko", "en")
MAX_LINE = 120  # characters, of a line or an edit
MAX_OTHERS = 24  # lines shown beside, as many as the writer writes
EVERY = 5  # minutes between two commits
PAUSES = (0, 1, 3)  # seconds before each try of the last commit
PATIENCE = 20  # seconds that all of them may take when a Space is stopped
PERSISTENT = Path("/data")  # the disk of a Space that outlives it, where one is paid for


class Feedback:
    """The votes of one process of the page. Opening it asks nobody: the Hub may be down.

    Args:
        repo: dataset to keep votes in, made private where there is none; "" keeps none.
        adapter, revision, engine: who wrote the lines.
        personal: whether a text holds an e-mail address, a phone number or the like.
        page: version of the page.
        token: that may write to the repo; by default the Space's secret HF_TOKEN, or the one logged in with.
        folder: of the files; by default on the disk that outlives the Space, or in the cache of the Hub's client.
        every: minutes between two commits.

    Attributes:
        off: no votes are kept: no repo is named, there is no token, the repo is public, or the page ends.
    """

    def __init__(
        self,
        repo: str,
        adapter: str,
        revision: str | None,
        engine: str,
        *,
        personal: Callable[[str], bool],
        page: str = "",
        token: str | None = None,
        folder: Path | None = None,
        every: float = EVERY,
    ) -> None:
        self._repo, self._personal, self._every = repo, personal, every
        self._facts = {"adapter": adapter, "revision": revision or "", "engine": engine}
        self._page = page
        token = token or get_token()
        self.off = not (repo and token)
        self._file = (folder or _folder()) / repo.replace("/", "--") / f"{secrets.token_hex(16)}.jsonl"
        self._writing, self._opening = threading.Lock(), threading.Lock()
        self._closed = threading.Event()
        self._process = os.getpid()
        self._api = HfApi(token=token)
        self._scheduler: feedback_repo.Scheduler | None = None
        if self.off:
            return
        threading.Thread(target=self._connect, daemon=True, name="feedback").start()
        atexit.register(self.close)
        if threading.current_thread() is threading.main_thread():  # no other may handle signals
            self._before = signal.signal(signal.SIGTERM, self._on_sigterm)

    def keep(
        self,
        kind: Any,
        product: Any,
        values: Any,
        line: Any,
        edited: Any = "",
        others: Any = (),
        lang: Any = "ko",
    ) -> None:
        """Keep a vote, from fields that may be anything that JSON can say.

        Args:
            kind: one of `KINDS`; of an edit, `edited` is what became of `line`.
            others: lines shown beside it.

        Raises:
            Problem: feedback_off, feedback_kind, feedback_text (something is missing or no text), feedback_long,
                feedback_same (an edit that changes nothing), feedback_personal, feedback_failed (the disk).
        """
        if self.off:
            raise Problem("feedback_off")
        if kind not in KINDS:
            raise Problem("feedback_kind")
        if not isinstance(values, list | tuple) or not isinstance(others, list | tuple):
            raise Problem("feedback_text")
        vote = {
            "id": secrets.token_hex(16),
            "day": f"{datetime.now(timezone.utc):%Y-%m-%d}",
            "kind": kind,
            "product": _text(product, MAX_PRODUCT),
            "values": [_text(value, MAX_VALUE) for value in _few(values, MAX_VALUES)],
            "line": _text(line, MAX_LINE),
            "edited": _text(edited, MAX_LINE) if kind == "edit" else "",
            "others": [_text(other, MAX_LINE) for other in _few(others, MAX_OTHERS)],
            **self._facts,
            "lang": lang if lang in LANGUAGES else "",
            "page": self._page,
        }
        if not vote["values"]:
            raise Problem("feedback_text")
        if vote["edited"] == vote["line"]:
            raise Problem("feedback_same")
        if any(map(self._personal, [vote["product"], *vote["values"], vote["line"], vote["edited"], *vote["others"]])):
            raise Problem("feedback_personal")
        self._write(json.dumps(vote, ensure_ascii=False).encode() + b"\n")

    def close(self) -> None:
        """Take no more votes, and commit those that are there."""
        if os.getpid() != self._process:  # see `_on_sigterm`
            return
        with self._writing:
            if self._closed.is_set():
                return
            self.off = True
            self._closed.set()
        if not self._content():
            return
        for pause in PAUSES:
            time.sleep(pause)
            try:
                scheduler = self._open()
                if scheduler is None:
                    return
                scheduler.push_to_hub()
                if not scheduler.behind:
                    scheduler.stop()
                    return
            except Exception as error:  # the process ends, whatever it is
                self._say(error)

    def _write(self, line: bytes) -> None:
        """Add a line to the file, or nothing."""
        try:
            with self._writing:
                if self.off:  # since `keep` looked
                    raise Problem("feedback_off")
                self._file.parent.mkdir(parents=True, exist_ok=True)
                with self._file.open("ab", buffering=0) as file:
                    end = file.tell()
                    if file.write(line) < len(line):  # the disk is full
                        file.truncate(end)
                        raise Problem("feedback_failed")
        except OSError as error:
            print(f"feedback: {error}", file=sys.stderr)
            raise Problem("feedback_failed") from error

    def _content(self) -> bytes:
        with self._writing:
            return self._file.read_bytes() if self._file.exists() else b""

    def _connect(self) -> None:
        """Begin to commit as soon as the Hub lets us."""
        while not self._closed.is_set():
            try:
                if self._open():
                    feedback_repo.push_left(self._api, self._repo, self._file)
                return
            except Exception as error:  # whatever it is, the page goes on, and the votes are on the disk
                self._say(error)
            self._closed.wait(self._every * 60)

    def _open(self) -> feedback_repo.Scheduler | None:
        """What commits the votes; None where anybody could read them."""
        with self._opening:
            if self._scheduler is None:
                self._api.create_repo(self._repo, repo_type="dataset", private=True, exist_ok=True)
                if not self._api.repo_info(self._repo, repo_type="dataset").private:
                    self.off = True
                    print(f"feedback: {self._repo} is public, so no votes are kept: make it private", file=sys.stderr)
                    return None
                self._scheduler = feedback_repo.Scheduler(
                    self._repo, self._file, self._content, self._say, self._every, self._api
                )
            return self._scheduler

    def _say(self, error: Exception) -> None:
        print(f"feedback: not committed yet, the votes stay in {self._file.parent}: {error}", file=sys.stderr)

    def _on_sigterm(self, number: int, frame: Any) -> None:
        """Commit what is there, then do what would have been done without us."""
        if os.getpid() == self._process:  # ZeroGPU's workers are forks, and the votes not theirs to commit
            # In a thread: the one that the signal interrupts may hold a lock, and the Hub may not answer.
            last = threading.Thread(target=self.close, daemon=True)
            last.start()
            last.join(PATIENCE)
        if callable(self._before):
            self._before(number, frame)
        elif self._before is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)


def _folder() -> Path:
    return (PERSISTENT if os.access(PERSISTENT, os.W_OK) else Path(constants.HF_HOME)) / "hanjul-feedback"


def _few(texts: Sequence[Any], most: int) -> Sequence[Any]:
    """
    Raises:
        Problem: there are more.
    """
    if len(texts) > most:
        raise Problem("feedback_long", most=most)
    return texts


def _text(text: Any, most: int) -> str:
    """One line of text.

    Raises:
        Problem: it is none, empty, or longer.
    """
    line = plain(text) if isinstance(text, str) else ""
    if not line:
        raise Problem("feedback_text")
    if len(line) > most:
        raise Problem("feedback_long", most=most)
    return line
