"""Errors of the HTTP API, each with the `X-Error-Code` that the clients turn into an exception class."""


class HubError(Exception):
    """An answer of status 4xx. `fields` join the JSON body, `headers` join the reply."""

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


def bad_request(message: str) -> HubError:
    return HubError(400, "BadRequest", message)


def repo_not_found(repo_id: str) -> HubError:
    return HubError(404, "RepoNotFound", f"Repository not found: {repo_id}")


def revision_not_found(revision: str) -> HubError:
    return HubError(404, "RevisionNotFound", f"Invalid rev id: {revision}")


def entry_not_found(path: str, sha: str) -> HubError:
    """Carries the commit too: without `X-Repo-Commit` clients cannot cache that a file is absent."""
    return HubError(404, "EntryNotFound", f"Entry not found: {path}", headers={"X-Repo-Commit": sha})


def conflict(message: str, **fields: object) -> HubError:
    return HubError(409, "Conflict", message, fields=fields)


def not_supported(message: str) -> HubError:
    """What the local Hub does not do is 404, never 501: clients retry 5xx for half a minute."""
    return HubError(404, "NotSupported", message)
