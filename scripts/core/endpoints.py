"""Makes an endpoint of a recipe ready to use: its options and its key, its name among kept answers, its price."""

from __future__ import annotations

import os
import re
from typing import Any
from urllib.parse import urlsplit

from pipelines.endpoint.options import EndpointOptions
from pipelines.endpoint.origin import OPENAI, is_loopback, origin_of
from pipelines.endpoint.spending import prices
from pipelines.endpoint.spending.answer_store import Store
from pipelines.endpoint.spending.budget import Caps
from pipelines.errors import HanjulError
from scripts.core import env
from scripts.core.settings import AskingSettings, EndpointSettings, JudgeSettings

#: What a key may be made of: visible ASCII. A header cannot hold the rest, and errors of that would tell of the key.
OF_A_KEY = re.compile("[!-~]+")


def identity_of(endpoint: EndpointSettings) -> str:
    """The name of a model at an endpoint among the kept answers: the recipe's word, else address and model."""
    parts = urlsplit(endpoint.base_url or "")
    return endpoint.identity or f"{parts.netloc}{parts.path.rstrip('/')} {endpoint.model}"


def key_variable(endpoint: EndpointSettings) -> str | None:
    """The name of the environment variable that holds an endpoint's key; None where nobody has named one."""
    if endpoint.api_key_env is None and origin_of(str(endpoint.base_url)) == OPENAI:
        return "OPENAI_API_KEY"
    return endpoint.api_key_env


def key_for(endpoint: EndpointSettings, place: str, *, local_hub: bool) -> str:
    """The key from the environment. It goes to nobody but the endpoint that it was named for.

    Args:
        place: where a recipe names the endpoint; its last word says who that is.
        local_hub: the command works on the local Hub, whose token stands in HF_TOKEN.

    Raises:
        HanjulError: it is not named, not there, meant for another, or no header can hold it.
    """
    named, url, who = key_variable(endpoint), str(endpoint.base_url), place.rpartition(".")[2]
    if named == "none" or (named is None and is_loopback(url)):
        return "none"
    if named is None:
        raise HanjulError(
            f"The {who}'s key is not named",
            f"{place}.api_key_env",
            f"name the environment variable with the key of {urlsplit(url).hostname}, or `none` if it asks for none",
        )
    if local_hub and named == "HF_TOKEN":
        raise HanjulError(
            "HF_TOKEN holds the local Hub's token here, which is for nobody else",
            f"{place}.api_key_env",
            f"export the {who}'s key under another name and name that",
        )
    env.KEY_VARIABLES.add(named)
    key = os.environ.get(named)
    if not key:
        raise HanjulError(f"The {who}'s key is not in the environment", named, f"run `export {named}=…`")
    if not OF_A_KEY.fullmatch(key):
        raise HanjulError(
            f"The {who}'s key holds a blank, the end of a line or another character that no key has",
            named,
            f"export {named} anew, the key alone: a file or a clipboard often adds the end of a line",
        )
    return key


def options_of(
    settings: AskingSettings | JudgeSettings, place: str, *, base_url: str, model: str, identity: str, run_id: str
) -> EndpointOptions:
    """The options of an endpoint, with the answers that are kept in the user's data folder.

    Args:
        place: where a recipe names the endpoint.
        base_url, model, identity: of the model that is asked; the embedded one stands in no recipe.
        run_id: whose limits the settings' budget are.

    Raises:
        HanjulError: a limit in USD, and no price is known.
    """
    budget = settings.budget
    variable = key_variable(settings if isinstance(settings, JudgeSettings) else settings.teacher) or ""
    return EndpointOptions(
        base_url=base_url,
        model=model,
        identity=identity,
        store=env.answers_path(),
        run_id=run_id,
        concurrency=settings.concurrency,
        timeout=budget.timeout,
        caps=Caps(budget.max_requests, budget.max_tokens, budget.max_usd),
        price=price_within_limits(settings, place),
        batch_poll_s=budget.batch_poll if budget.batch else None,
        place=place,
        key_variable="" if variable == "none" else variable,
    )


def price_of(settings: AskingSettings | JudgeSettings) -> prices.Price | None:
    """USD per million tokens: the recipe's word, else the provider's list price, else None. On this machine: free."""
    endpoint = settings if isinstance(settings, JudgeSettings) else settings.teacher
    if endpoint.price:
        price: prices.Price | None = prices.Price(endpoint.price.input, endpoint.price.output)
    elif endpoint.base_url is None or is_loopback(endpoint.base_url):
        price = prices.Price(0.0, 0.0)
    else:
        price = prices.price_of(endpoint.model or "", endpoint.base_url)
    return price.halved() if price and settings.budget.batch else price


def price_within_limits(settings: AskingSettings | JudgeSettings, place: str) -> prices.Price | None:
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


def missing(settings: AskingSettings | JudgeSettings, place: str, *, local_hub: bool) -> tuple[str, ...]:
    """What an endpoint of a recipe lacks before it can be asked, each with its next step; empty where all is there.

    Args:
        place, local_hub: see `key_for`.
    """
    endpoint = settings if isinstance(settings, JudgeSettings) else settings.teacher
    found = []
    if endpoint.base_url and not endpoint.model:
        found.append(f"The model is not named ({place}.model) → name it in the recipe")
    try:
        if endpoint.base_url:
            key_for(endpoint, place, local_hub=local_hub)
    except HanjulError as error:
        found.append(str(error))
    try:
        price_within_limits(settings, place)
    except HanjulError as error:
        found.append(str(error))
    return tuple(found)


def limits_of(settings: AskingSettings | JudgeSettings) -> dict[str, Any]:
    """The limits that a recipe sets, by the names that they have there."""
    budget = settings.budget.model_dump()
    return {name: value for name, value in budget.items() if name.startswith("max_") and value is not None}


def usage_of(
    settings: AskingSettings | JudgeSettings, run_id: str, input_tokens: int, output_tokens: int
) -> dict[str, Any]:
    """For the manifest: what the answers took, whoever paid for them, and what was sent for this plan.

    `usd_sent` counts what had no answer (time-outs, kills) at its most.
    """
    store = Store(env.answers_path())
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
