"""Who writes: the endpoint that a recipe names, or the embedded model with an adapter."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from huggingface_hub import HfUri

from scripts.core import env
from scripts.core.errors import HanjulError
from scripts.core.settings import AskingSettings, EndpointSettings, JudgeSettings, TeacherSettings
from scripts.hub.hub import Hub

if TYPE_CHECKING:
    from pipelines.endpoint.prices import Price
    from pipelines.endpoint.teacher_llm import Teacher

#: Where a recipe names the teacher.
PLACE = "synthesize.teacher"
#: Tokens that one request to the embedded teacher may fill: a short prompt and a line.
CONTEXT = 512


@dataclass(frozen=True)
class Voice:
    """A teacher that can be asked now.

    Attributes:
        name: what stands in the column `teacher`.
        identity: names it in the cache of answers; the embedded one has another port each time.
        tuned: it was trained on our prompt.
    """

    base_url: str
    model: str
    key: str
    name: str
    identity: str
    tuned: bool


@contextmanager
def opened(hub: Hub, teacher: TeacherSettings, adapter: HfUri | None, slots: int, folder: Path) -> Iterator[Voice]:
    """The teacher of a recipe. The embedded one runs for as long as the block does.

    Args:
        adapter: pinned adapter that writes, when the recipe names no endpoint.
        slots: requests that the embedded teacher answers at a time.
        folder: for files that are needed meanwhile.

    Raises:
        HanjulError: neither endpoint nor adapter, no model named, a key that is missing.
    """
    if teacher.base_url:
        model = named_model(teacher)
        yield Voice(teacher.base_url, model, key_for(hub, teacher), model, identity_of(teacher), False)
        return
    if adapter is None:
        raise HanjulError("There is no teacher", PLACE, "name an endpoint (`base_url`, `model`), or give --teacher")
    from scripts.models.embedded import gguf_path
    from scripts.models.llama_server import serve
    from scripts.models.lora_gguf import convert

    snapshot = hub.snapshot(adapter)
    lora = convert(snapshot, folder / "teacher.gguf")
    with serve(gguf_path(), lora, template_of(snapshot), slots, CONTEXT) as base_url:
        yield Voice(base_url, adapter.id, "none", adapter.to_uri(), adapter.to_uri(), True)


def llm_of(voice: Voice, settings: AskingSettings, *, run_id: str, seed: int) -> Teacher:
    """The distilabel LLM of a voice, with the answers that are kept in the user's data folder.

    Raises:
        HanjulError: a limit in USD, and no price is known.
    """
    from pipelines.endpoint.budget import Caps
    from pipelines.endpoint.teacher_llm import teacher_llm

    budget, price = settings.budget, price_within_limits(settings)
    return teacher_llm(
        voice.base_url,
        voice.model,
        voice.key,
        identity=voice.identity,
        store=answers_path(),
        run_id=run_id,
        temperature=settings.temperature,
        top_p=settings.top_p,
        max_new_tokens=settings.max_new_tokens,
        concurrency=settings.concurrency,
        seed=seed,
        timeout=budget.timeout,
        choices=1,  # llama.cpp: a line per slot, tokens counted once; others give all lines in one answer
        caps=Caps(budget.max_requests, budget.max_tokens, budget.max_usd),
        price=price,
        batch_poll_s=budget.batch_poll if budget.batch else None,
    )


def raise_if_gone(voice: Voice, failures: Iterable[str]) -> None:
    """Stop where the endpoint could not answer: what it did answer is kept.

    Raises:
        HanjulError: it is not there (any more).
    """
    from pipelines.endpoint.teacher_llm import GONE

    gone = next((failure for failure in failures if failure.startswith(GONE)), None)
    if gone:
        raise HanjulError(gone.removeprefix(GONE), voice.base_url, "run it again: what was answered is not asked again")


def kind_of(failure: str) -> str:
    """What a manifest may say of a failure: not the endpoint's words, which may name accounts."""
    kind = failure.partition(":")[0]
    status = re.search(r"Error code: (\d{3})", failure)
    return f"{kind} {status[1]}" if status else kind


def usage_of(
    settings: AskingSettings | JudgeSettings, run_id: str, input_tokens: int, output_tokens: int
) -> dict[str, Any]:
    """For the manifest: what the answers took, whoever paid for them, and what was sent for this plan.

    `usd_sent` counts what had no answer (time-outs, kills) at its most.
    """
    from pipelines.endpoint.answer_store import Store

    store = Store(answers_path())
    spent = store.spent(run_id)
    store.close()
    price = price_of(settings)
    return {
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "usd": price.usd(input_tokens, output_tokens) if price else None,
        "requests_sent": spent.requests,
        "usd_sent": spent.usd,
    }


def price_of(settings: AskingSettings | JudgeSettings) -> Price | None:
    """USD per million tokens: the recipe's word, else the provider's list price, else None. On this machine: free."""
    from pipelines.endpoint import prices

    endpoint = settings if isinstance(settings, JudgeSettings) else settings.teacher
    if endpoint.price:
        price: Price | None = prices.Price(endpoint.price.input, endpoint.price.output)
    elif endpoint.base_url is None or is_loopback(endpoint.base_url):
        price = prices.Price(0.0, 0.0)
    else:
        price = prices.price_of(endpoint.model or "", endpoint.base_url)
    return price.halved() if price and settings.budget.batch else price


def price_within_limits(settings: AskingSettings | JudgeSettings, place: str = PLACE) -> Price | None:
    """`price_of`, for who is about to send something.

    Args:
        place: where a recipe names the endpoint.

    Raises:
        HanjulError: a limit in USD, and no price is known.
    """
    price = price_of(settings)
    if price is None and settings.budget.max_usd is not None:
        model = settings.model if isinstance(settings, JudgeSettings) else settings.teacher.model
        raise HanjulError(
            f"No price is known for {model}, and max_usd limits the cost",
            f"{place}.price",
            "give it: {input: USD, output: USD}, each per million tokens; or use max_tokens",
        )
    return price


def answers_path() -> Path:
    """The file with every answer that was paid for, and the ledger of requests."""
    return env.data_dir() / "answers.sqlite"


def named_model(teacher: TeacherSettings) -> str:
    """The model at the endpoint.

    Raises:
        HanjulError: it is not named.
    """
    if not teacher.model:
        raise HanjulError("The teacher's model is not named", f"{PLACE}.model", "name it in the recipe")
    return teacher.model


def template_of(snapshot: Path) -> str:
    """The chat template that an adapter repo ships."""
    from transformers import AutoTokenizer

    return str(AutoTokenizer.from_pretrained(snapshot).chat_template)


def identity_of(endpoint: EndpointSettings) -> str:
    """What names a model at an endpoint among the kept answers: the recipe's word, else address and model."""
    parts = urlsplit(endpoint.base_url or "")
    return endpoint.identity or f"{parts.netloc}{parts.path.rstrip('/')} {endpoint.model}"


def is_loopback(base_url: str) -> bool:
    """Whether an endpoint is on this machine, or looks so through a tunnel."""
    return urlsplit(base_url).hostname in ("127.0.0.1", "localhost", "::1")


def key_for(hub: Hub, endpoint: EndpointSettings, place: str = PLACE) -> str:
    """The key from the environment. It goes to nobody but the endpoint that it was named for.

    Args:
        place: where a recipe names the endpoint; its last word says who that is.

    Raises:
        HanjulError: it is not named, not there, or meant for another.
    """
    named, url, who = endpoint.api_key_env, str(endpoint.base_url), place.rpartition(".")[2]
    if named is None:
        named = "OPENAI_API_KEY" if urlsplit(url).hostname == "api.openai.com" else None
    if named == "none" or (named is None and is_loopback(url)):
        return "none"
    if named is None:
        raise HanjulError(
            f"The {who}'s key is not named",
            f"{place}.api_key_env",
            "name the environment variable that holds it, or `none` where the endpoint asks for no key",
        )
    if hub.is_local and named == "HF_TOKEN":
        raise HanjulError(
            "HF_TOKEN holds the local Hub's token here, which is for nobody else",
            f"{place}.api_key_env",
            f"export the {who}'s key under another name and name that",
        )
    key = os.environ.get(named)
    if key:
        return key
    raise HanjulError(f"The {who}'s key is not in the environment", named, f"run `export {named}=…`")
