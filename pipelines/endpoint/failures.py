"""Why an endpoint gave no answer, or none that can be used: a value with a kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, ClassVar


class FailureKind(StrEnum):
    """What went wrong, as far as it matters to what happens next."""

    #: The request might have passed a limit of the budget, and was not sent.
    LIMIT = "limit"
    #: No request can succeed: the key, the model or the address is wrong, or the endpoint is down.
    GONE = "gone"
    #: The model, or its provider's content filter, would not write.
    REFUSED = "refused"
    #: The endpoint does not take this request; others may pass.
    REJECTED = "rejected"
    #: Every attempt failed; another run may succeed.
    GAVE_UP = "gave up"
    #: The batch that held the request brought no answer to it.
    UNANSWERED = "unanswered"
    #: There were answers, and nothing in them that can be used.
    UNUSABLE = "unusable"


#: Kinds that a message does not show by itself: what a model said, which limit, what is wrong with the endpoint.
NAMED = (FailureKind.LIMIT, FailureKind.GONE, FailureKind.REFUSED)


@dataclass(frozen=True)
class Failure:
    """Why a request has no answer, or too little of one.

    Attributes:
        message: one sentence for people, or what the model said where it refused; may hold words of the endpoint.
        status: of HTTP, where the endpoint answered with an error.
        next_step: what the reader can do about it; empty where that is to run it again.
        sample: of what the endpoint answered, where nothing of it could be used; two failures that differ in it alone
            are the same.
    """

    kind: FailureKind
    message: str = ""
    status: int | None = None
    next_step: str = ""
    sample: str = field(default="", compare=False)

    def __str__(self) -> str:
        """In words for people: the message, after the kind where it does not show that by itself."""
        words = f"{self.kind}: {self.message}" if self.kind in NAMED else self.message
        return f"{words} → {self.next_step}" if self.next_step else words

    @property
    def ends_all(self) -> bool:
        """Whether nothing is asked any more."""
        return self.kind in (FailureKind.LIMIT, FailureKind.GONE)

    @property
    def label(self) -> str:
        """What may be published: not the endpoint's words, which may name accounts."""
        return f"{self.kind} {self.status}" if self.status else str(self.kind)

    def to_json(self) -> dict[str, Any]:
        """A JSON object, which `from_json` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> Failure | None:
        """The failure that `to_json` wrote; None for null."""
        return cls(**{**value, "kind": FailureKind(value["kind"])}) if value else None


class EndpointError(Exception):
    """Nothing more can be asked for now.

    Attributes:
        status: of HTTP, where the endpoint answered with an error.
        next_step: what the reader can do about it; empty where that is to run it again.
    """

    kind: ClassVar[FailureKind]

    def __init__(self, message: str, *, status: int | None = None, next_step: str = "") -> None:
        super().__init__(message)
        self.status, self.next_step = status, next_step

    @property
    def failure(self) -> Failure:
        """The same as a value."""
        return Failure(self.kind, str(self), self.status, self.next_step)


class BudgetSpentError(EndpointError):
    """The next request might pass a limit. The message says which, and what was spent."""

    kind = FailureKind.LIMIT


class EndpointGoneError(EndpointError):
    """The endpoint refuses the key or every request, lacks the model or does not work: no request can succeed."""

    kind = FailureKind.GONE


class TransientError(Exception):
    """One attempt failed, and another may succeed."""


class ThrottledError(TransientError):
    """Another attempt will succeed once the endpoint has time, or in another form.

    Attributes:
        wait: seconds that the endpoint asks this request to wait.
    """

    def __init__(self, message: str, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait
