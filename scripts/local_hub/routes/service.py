"""Answer for the server itself: health, leases, telemetry, card validation."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from pydantic import BaseModel

from scripts.local_hub import cards
from scripts.local_hub.dependencies import StoreDep
from scripts.local_hub.errors import ApiError, not_supported
from scripts.local_hub.names import KIND_OF_TYPE

router = APIRouter()


@router.get("/api/local-hub")
def health(store: StoreDep) -> dict[str, str]:
    """Which store this server serves."""
    return {"store": store.id}


@router.get("/api/local-hub/lease")
async def lease(request: Request) -> StreamingResponse:
    """An answer without an end. While one is open the server outlives the process that started it."""
    if getattr(request.app.state, "closing", False):
        raise not_supported("This server is shutting down.")
    leases: set[object] = request.app.state.leases
    held = object()
    leases.add(held)

    async def hold() -> AsyncIterator[bytes]:
        try:
            yield b"held\n"
            while not await request.is_disconnected():
                await asyncio.sleep(0.1)
        finally:
            leases.discard(held)

    return StreamingResponse(hold(), media_type="text/plain")


class Card(BaseModel):
    content: str
    repoType: str = "model"


@router.post("/api/validate-yaml")
def validate_yaml(card: Card, accept: Annotated[str, Header()] = "") -> Response:
    """What is wrong with a card: as JSON, or for `RepoCard.validate` as text."""
    kind = KIND_OF_TYPE.get(card.repoType)
    if kind is None:
        raise ApiError(400, "BadRequest", f"Unknown repo type {card.repoType!r}")
    errors, warnings = cards.problems(kind, card.content)
    body = {"errors": [{"message": text} for text in errors], "warnings": [{"message": text} for text in warnings]}
    headers = {"X-Error-Code": "InvalidCard", "X-Error-Message": "Invalid card metadata"} if errors else {}
    if accept == "text/plain":
        lines = [f"- Error: {text}" for text in errors] + [f"- Warning: {text}" for text in warnings]
        return PlainTextResponse("\n".join(lines), 400 if errors else 200, headers=headers)
    return JSONResponse(body, 400 if errors else 200, headers=headers)


@router.api_route("/api/telemetry/{topic:path}", methods=["HEAD", "GET", "POST"])
def telemetry(topic: str) -> Response:
    """Nothing is recorded."""
    return Response()


@router.get("/api/agent-harnesses")
def agent_harnesses() -> dict[str, object]:
    """Which agents the clients look for: none. They cache this answer for a day."""
    return {"standardEnvVars": [], "harnesses": {}}
