"""What webhooks are told of discussions."""

from typing import Any

from scripts.local_hub.discussions.records import Event, Thread
from scripts.local_hub.repos import Repo


def payload(repo: Repo, thread: Thread, said: Event | None = None) -> dict[str, Any]:
    """What a webhook is told of a discussion, and of what was said in it."""
    path = f"{repo.web_path}/discussions/{thread.num}"
    url = {"web": path, "api": f"/api/{repo.kind}/{repo.repo_id}/discussions/{thread.num}"}
    merged = {"mergeCommitId": thread.merge_sha} if thread.merge_sha else {}
    discussion = {
        "id": f"{repo.id:012x}{thread.num:012x}",
        "num": thread.num,
        "title": thread.title,
        "author": {"id": thread.author},
        "status": thread.status,
        "isPullRequest": thread.base is not None,
        "url": url,
    } | ({"changes": {"base": thread.base} | merged} if thread.base else {})
    if said is None:
        return {"discussion": discussion}
    comment = {"id": said.id, "author": {"id": said.author}, "hidden": False, "url": {"web": f"{path}#{said.id}"}}
    return {"discussion": discussion, "comment": comment | {"content": said.data["latest"]["raw"]}}
