"""What is known of a discussion, and of what happened in it."""

from dataclasses import dataclass
from typing import Any, Literal

Status = Literal["draft", "open", "closed", "merged"]


@dataclass(frozen=True)
class Thread:
    """A discussion, or a pull request.

    Attributes:
        num: counted in its repo, from 1.
        base: ref that a pull request is to be merged into; None for a discussion.
        base_sha: commit of that ref where the pull request began.
        merge_sha: commit by which it was merged.
    """

    num: int
    title: str
    status: Status
    author: str
    created_at: str
    base: str | None
    base_sha: str | None
    merge_sha: str | None

    @property
    def ref(self) -> str:
        """Where the commits of a pull request stand."""
        return f"refs/pr/{self.num}"

    @property
    def is_over(self) -> bool:
        return self.status in ("closed", "merged")


@dataclass(frozen=True)
class Event:
    """`type` is comment, title-change, status-change or commit; `data` is what the API shows of it."""

    id: str
    type: str
    author: str
    created_at: str
    data: dict[str, Any]
