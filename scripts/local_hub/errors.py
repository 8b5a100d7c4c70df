"""Errors of the local Hub: of the server as a process, and of its HTTP API."""


class LocalHubError(Exception):
    """The server cannot start or go on.

    Args:
        what: what went wrong, one sentence.
        where: the file, folder or address it concerns.
        next_step: what the reader can do about it.
    """

    def __init__(self, what: str, where: str, next_step: str) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.what} ({self.where}) → {self.next_step}"


class StoreInUse(LocalHubError):
    """Another process serves this store."""


class ApiError(Exception):
    """An answer of status 4xx. The clients turn its `X-Error-Code` into an exception class.

    Args:
        code: the `X-Error-Code`.
        fields: join the JSON body.
        headers: join the headers of the answer.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        fields: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        # Messages quote what the client sent, which may hold lone surrogates.
        self.message = message.encode("utf-8", "replace").decode()
        self.fields = fields or {}
        self.headers = headers or {}


class RepoMoved(Exception):
    """The repo has another name now; the client is sent there with 307."""

    def __init__(self, old_id: str, new_id: str) -> None:
        super().__init__(f"{old_id} is now {new_id}")
        self.old_id = old_id
        self.new_id = new_id


def bad_request(message: str) -> ApiError:
    return ApiError(400, "BadRequest", message)


def repo_not_found() -> ApiError:
    return ApiError(404, "RepoNotFound", "Repository not found")


def forbidden(message: str) -> ApiError:
    return ApiError(403, "Forbidden", message)


def revision_not_found(revision: str) -> ApiError:
    return ApiError(404, "RevisionNotFound", f"Invalid rev id: {revision}")


def entry_not_found(path: str, sha: str) -> ApiError:
    """Carries the commit too: without `X-Repo-Commit` clients cannot cache that a file is absent."""
    return ApiError(404, "EntryNotFound", f"Entry not found: {path}", headers={"X-Repo-Commit": sha})


def conflict(message: str, **fields: object) -> ApiError:
    return ApiError(409, "Conflict", message, fields=fields)


def not_supported(message: str) -> ApiError:
    """What the local Hub does not do is 404, never 501: clients retry 5xx for half a minute."""
    return ApiError(404, "NotSupported", message)
