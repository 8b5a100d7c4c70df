"""The API: what the page calls, and what everybody may call, agents too."""

# No `from __future__ import annotations`: Gradio reads the types of what is returned, and takes no strings for them.

import ipaddress
from collections.abc import AsyncIterator, Callable
from typing import Any

import request as requests
from gradio import Error, Request, Server
from messages import Language
from request import Problem, clean, clean_language, clean_name
from writer import Writer

#: What JSON Schema says of the arguments of `write_copy` beyond their types.
RANGES: dict[str, dict[str, Any]] = {
    "product": {"minLength": 1, "maxLength": requests.MAX_PRODUCT},
    "count": {"minimum": 1, "maximum": requests.MAX_LINES},
    "temperature": {"minimum": requests.TEMPERATURES[0], "maximum": requests.TEMPERATURES[1]},
    "like": {"maxLength": requests.MAX_LIKE},
    "device": {"maxLength": requests.MAX_OPTION},
    "tone": {"maxLength": requests.MAX_OPTION},
}


def add_endpoints(server: Server, writer: Writer) -> dict[str, Callable[..., Any]]:
    """Register `/write` for the page and `/write_copy` for everybody.

    Returns:
        Name -> function.
    """
    options = requests.options(writer.prompt_format)

    @server.api(name="write", api_visibility="private", concurrency_limit=None)
    async def write(
        product: Any,
        values: Any,
        count: Any,
        temperature: Any,
        device: Any = "",
        tone: Any = "",
        base: Any = False,
        like: Any = "",
        lang: Any = "ko",
        visit: Any = "",
        job: Any = "",
        asked: Request = None,  # Gradio fills it in
    ) -> AsyncIterator[dict[str, Any]]:
        """Stream what has become of a press of the button, a whole snapshot a time."""
        language: Language = "ko"
        try:
            language = clean_language(lang)
            wanted = clean(
                product, values, count, temperature,
                base=base, like=like, device=device, tone=tone, options=options,
            )  # fmt: skip
            visitor = clean_name(visit) or address_of(asked) or asked.session_hash
            placed = writer.submit(wanted, visitor, address_of(asked), clean_name(job))
        except Problem as problem:
            yield refused(problem, language, base)
            return
        async for event in writer.follow(placed, language):
            yield event

    @server.api(name="write_copy", concurrency_limit=None)
    async def write_copy(
        product: str,
        values: list[str] | str,
        count: int = 5,
        temperature: float = 0.3,
        like: str = "",
        base: bool = False,
        device: str = "",
        tone: str = "",
        lang: Language = "ko",
        asked: Request = None,  # Gradio fills it in
    ) -> list[str]:
        """상품과 담을 가치로 한 줄 광고 카피를 씁니다. Write lines of Korean ad copy that convey values of a product.

        About three candidates are written for each line; those that break a rule are dropped, the best of the rest are
        returned, the best first. There may be fewer than asked for.

        Args:
            product: What is advertised, best in Korean, up to 40 characters, for example 제습기 (dehumidifier).
            values: One to five values to convey, as a list or parted by commas, for example ["뽀송함", "여유"].
            count: Number of lines, 1 to 8.
            temperature: Variety, 0.1 (calm) to 1.5 (daring).
            like: A line to write more like, or empty.
            base: Let the base model write instead of the adapter, to compare them, where the server can.
            device: Rhetorical device, for adapters that were trained with devices; otherwise empty.
            tone: Tone, for adapters that were trained with tones; otherwise empty.
            lang: Language of error messages, ko or en. The lines are Korean.

        Returns:
            The lines.
        """
        language: Language = "ko"
        try:
            language = clean_language(lang)
            wanted = clean(
                product, values, count, temperature,
                base=base, like=like, device=device, tone=tone, options=options,
            )  # fmt: skip
            address = address_of(asked)
            placed = writer.submit(wanted, address or asked.session_hash, address)
            async for _ in writer.follow(placed, language):
                pass
            if placed.problem:
                raise placed.problem
        except Problem as problem:
            raise Error(problem.say(language), title="", duration=None, print_exception=False) from problem
        return placed.lines

    return {"write": write, "write_copy": write_copy}


def refused(problem: Problem, lang: Language, base: Any) -> dict[str, Any]:
    """The event of a request that got no place in line."""
    return {
        "state": "problem",
        "message": problem.say(lang),
        "ahead": 0,
        "lines": [],
        "asked": 0,
        "written": 0,
        "dropped": {},
        "base": base is True,
    }


def address_of(asked: Request) -> str:
    """The last public address that a request came through, "" where there is none.

    Proxies add at the end; what stands before may be the visitor's own invention.
    """
    chain: list[str] = [*asked.headers.get("x-forwarded-for", "").split(","), asked.client.host if asked.client else ""]
    for hop in reversed(chain):
        try:
            if ipaddress.ip_address(hop.strip()).is_global:
                return hop.strip()
        except ValueError:  # no address at all
            continue
    return ""
