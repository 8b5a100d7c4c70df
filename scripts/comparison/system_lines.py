"""Has the systems that are compared write their lines, each once: models on this machine and a teacher's endpoint."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from huggingface_hub import HfUri

from model_card.comparison.evaluation import Candidate
from pipelines.endpoint.failures import Failure, FailureKind
from pipelines.endpoint.next_steps import AGAIN
from pipelines.endpoint.spending.answer_store import Store, key_of
from pipelines.endpoint.streaming import Request, stream_answers
from pipelines.errors import HanjulError
from pipelines.likelihood.generation import generate_lines
from pipelines.progress import Progress
from pipelines.rows import CHAT_TEMPLATE
from pipelines.synthesis.checking import who_wrote
from pipelines.text.counted import counted
from pipelines.text.plain_answers import lines_in
from scripts.comparison.eval_prompts import EvalPrompts, few_shot_chat
from scripts.core import endpoints, env
from scripts.core.fingerprint import code_digest
from scripts.core.settings import Sampling, SynthesizeSettings
from scripts.hub.hub import Hub
from scripts.teaching import limits, teachers


def lines_of_model(
    name: str,
    uri: HfUri,
    load: Callable[[], tuple[Any, Any]],
    prompts: EvalPrompts,
    *,
    base: HfUri | None = None,
    with_shots: bool = False,
) -> Candidate:
    """Have a model on this machine write. Lines that it wrote for the same questions before are taken from the store.

    Args:
        load: gives model and tokenizer; called only where there is something to write.
        base: pinned, of an adapter.
        with_shots: it is shown the examples.
    """

    settings, chats = prompts.settings, prompts.chats(with_shots)
    sampling = settings.model_dump(include=set(Sampling.model_fields))
    system = " ".join(part.to_uri() for part in (uri, base) if part)
    code = code_digest("pipelines.likelihood.generation")
    key = key_of(
        f"lines {code} {system}", {"template": CHAT_TEMPLATE, "chats": chats, **sampling, "seed": prompts.seed}
    )
    store = Store(env.answers_path())
    kept = store.answer(key)
    if kept is None:
        model, tokenizer = load()
        tokenizer.chat_template = tokenizer.chat_template or CHAT_TEMPLATE
        with Progress(f"evaluate: {name}", len(chats), unit="lines") as progress:
            started = time.monotonic()
            lines = generate_lines(model, tokenizer, chats, seed=prompts.seed, progress=progress.reach, **sampling)
            seconds = time.monotonic() - started
        tokens = sum(len(tokenizer(line, add_special_tokens=False).input_ids) + 1 for line in lines)
        kept = {"lines": lines, "tokens_per_second": round(tokens / seconds, 1)}
        store.keep(key, kept)
    store.close()
    return prompts.candidate(name, uri.id, str(uri.revision), kept["lines"], kept["tokens_per_second"])


def lines_of_teacher(
    hub: Hub, name: str, settings: SynthesizeSettings, prompts: EvalPrompts, run_id: str, folder: Path
) -> tuple[Candidate, dict[str, Any]]:
    """Have the teacher of a recipe, behind an endpoint, write after the same examples; its lines, and what it has used.

    It is paid once, within its budget. A pair that it refused has empty lines, which count as broken.

    Raises:
        HanjulError: a limit, or the endpoint, left pairs without an answer; see also `teachers.open_teacher`.
    """

    wanted = prompts.settings.candidates
    requests = (
        Request(few_shot_chat(prompts.shots, *pair), 0, {"place": place}) for place, pair in enumerate(prompts.pairs)
    )
    with teachers.open_teacher(hub, settings.teacher, None, 1, folder) as endpoint:
        llm = teachers.llm_of(endpoint, settings, run_id=run_id, seed=prompts.seed)
        llm.load()  # as distilabel does before a step
        responses = stream_answers(llm, requests, lambda: len(prompts.pairs), wanted)
        by_place = {response.about["place"]: response.completion for response in chain.from_iterable(responses)}
        completions = [by_place[place] for place in range(len(prompts.pairs))]
        tokens = sum(one.input_tokens for one in completions), sum(one.output_tokens for one in completions)
        usage = endpoints.usage_of(settings, run_id, *tokens)
        _raise_if_unanswered(endpoint, [one.failure for one in completions if len(one.texts) < wanted], usage)
        texts = [text for one in completions for text in (one.texts + [""] * wanted)[:wanted]]
        lines = [next(iter(lines_in(text)), text.strip().split("\n")[0]) for text in texts]
        served = Counter(who_wrote(endpoint.name, endpoint.asked, one.model) for one in completions)
        others = {model: count for model, count in served.items() if model != endpoint.name}
        teachers.tell_who_answered("evaluate: pairs", endpoint, others)
        candidate = prompts.candidate(name, ", ".join(served), "", lines, None)
        return candidate, usage


def _raise_if_unanswered(
    endpoint: teachers.TeacherEndpoint, failures: Sequence[Failure | None], usage: Mapping[str, Any]
) -> None:
    """Stop where a limit or the network took lines from a teacher: no report shows them as its broken lines.

    Args:
        usage: what the others took.

    Raises:
        HanjulError: it did.
    """

    teachers.raise_if_gone(endpoint, failures)
    limited, given_up = (
        [failure for failure in failures if failure and failure.kind is kind]
        for kind in (FailureKind.LIMIT, FailureKind.GAVE_UP)
    )
    short = f"the teacher left {counted(len(limited) + len(given_up), 'pair')} of the evaluation short of lines"
    if limited:
        raise limits.reached(limited[0].message, "synthesize", short, usage)
    if given_up:
        step = given_up[0].next_step or AGAIN
        raise HanjulError(f"{short[0].upper()}{short[1:]}: {given_up[0].message}", endpoint.base_url, step)
