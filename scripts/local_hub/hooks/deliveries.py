"""Deliver what webhooks are to be told, again and again until it is heard."""

import http.client
import json
import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from scripts.local_hub.store import Store

_TIMEOUT_S = 5.0
#: Seconds until the next attempt; after the last one a delivery is given up.
_DELAYS_S = (1, 5, 30, 300)


@dataclass(frozen=True)
class Delivery:
    """What to send where; `attempts` have failed so far."""

    id: int
    payload: dict[str, Any]
    attempts: int
    url: str
    secret: str | None


def start(store: Store, address: str) -> None:
    """Deliver in the background for as long as the process lives; what is left waits in the store.

    Args:
        address: of this server, before the paths in payloads.
    """
    threading.Thread(target=_run, args=(store, address), name="webhooks", daemon=True).start()


def _run(store: Store, address: str) -> None:
    while True:
        store.changed.clear()
        waiting = _first(store)
        if isinstance(waiting, Delivery):
            _settle(store, waiting, heard=_send(waiting, address))
        else:
            store.changed.wait(waiting)


def _first(store: Store) -> Delivery | float | None:
    """The delivery that is due; else the seconds until one is; None where there is none at all."""
    with store.reading() as db:
        row = db.execute(
            "SELECT deliveries.id, payload, attempts, due, url, secret FROM deliveries "
            "JOIN webhooks ON webhooks.id = webhook ORDER BY due, deliveries.id LIMIT 1"
        ).fetchone()
    if row is None:
        return None
    wait: float = row["due"] - time.time()
    if wait > 0:
        return wait
    return Delivery(row["id"], json.loads(row["payload"]), row["attempts"], row["url"], row["secret"])


def _send(delivery: Delivery, address: str) -> bool:
    """Post it as the Hub does, with the secret in a header. Whoever answers 2xx, or is gone (410), has heard it."""
    target = urlsplit(delivery.url)
    connect = http.client.HTTPSConnection if target.scheme == "https" else http.client.HTTPConnection
    headers = {"Content-Type": "application/json", "User-Agent": "Hanjul-local-hub"}
    if delivery.secret:
        headers["X-Webhook-Secret"] = delivery.secret
    body = json.dumps(_absolute(delivery.payload, address)).encode()
    try:
        connection = connect(target.hostname or "", target.port, timeout=_TIMEOUT_S)
        try:
            path = f"{target.path or '/'}{'?' if target.query else ''}{target.query}"
            connection.request("POST", path, body, headers)
            status = connection.getresponse().status
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError):
        return False
    return 200 <= status < 300 or status == 410


def _settle(store: Store, delivery: Delivery, *, heard: bool) -> None:
    with store.writing() as db:
        if heard or delivery.attempts >= len(_DELAYS_S):
            db.execute("DELETE FROM deliveries WHERE id = ?", (delivery.id,))
        else:
            db.execute(
                "UPDATE deliveries SET attempts = attempts + 1, due = ? WHERE id = ?",
                (time.time() + _DELAYS_S[delivery.attempts], delivery.id),
            )


def _absolute(value: Any, address: str, *, inside: bool = False) -> Any:
    """The payload with the server's address before the paths of every `url`."""
    if isinstance(value, dict):
        return {key: _absolute(item, address, inside=inside or key == "url") for key, item in value.items()}
    return f"{address}{value}" if inside and isinstance(value, str) else value
