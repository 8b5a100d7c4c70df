"""Lines of the systems that are compared: of models on this machine and of a teacher's endpoint, each written once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import HfUri
from tqdm import tqdm

from model_card.comparison.evaluation import Answer, Candidate
from pipelines.endpoint.answer_store import Store, key_of
from pipelines.endpoint.failures import Failure, FailureKind
from pipelines.endpoint.streaming import Request, stream_answers
from pipelines.likelihood.generation import generate_lines
from pipelines.rows import CHAT_TEMPLATE, Message, Row, user_message
from scripts.core import endpoints, env, log
from scripts.core.errors import HanjulError
from scripts.core.fingerprint import code_digest
from scripts.core.settings import EvaluateSettings, Sampling, SynthesizeSettings
from scripts.hub.hub import Hub
from scripts.teaching import teachers

Pair = tuple[str, tuple[str, ...]]


@dataclass(frozen=True)
class Sitting:
    """What all systems are asked.

    Attributes:
        pairs: product and values.
        shots: rows shown to a system that has not learnt the task.
        settings: candidates (lines a pair) and sampling.
    """

    pairs: tuple[Pair, ...]
    shots: tuple[Row, ...]
    settings: EvaluateSettings
    seed: int

    def chats(self, shown: bool) -> list[list[Message]]:
        """A chat for each line wanted, pair by pair."""
        shots = self.shots if shown else ()
        return [few_shot(shots, *pair) for pair in self.pairs for _ in range(self.settings.candidates)]

    def candidate(self, name: str, model: str, revision: str, lines: Sequence[str], pace: float | None) -> Candidate:
        asked = [pair for pair in self.pairs for _ in range(self.settings.candidates)]
        answers = (Answer(product, values, line) for (product, values), line in zip(asked, lines, strict=True))
        return Candidate(name, model, revision, tuple(answers), pace)


def few_shot(shots: Sequence[Row], product: str, values: Sequence[str]) -> list[Message]:
    """The examples as turns already taken, then the question."""
    turns: list[Message] = []
    for row in shots:
        turns += [user_message(row["product"], row["values"]), {"role": "assistant", "content": row["ad_copy"]}]
    return [*turns, user_message(product, values)]


def of_model(
    name: str,
    uri: HfUri,
    load: Callable[[], tuple[Any, Any]],
    sitting: Sitting,
    *,
    base: HfUri | None = None,
    shown: bool = False,
) -> Candidate:
    """What a model on this machine writes. Lines that it wrote for the same questions before are taken from the store.

    Args:
        load: gives model and tokenizer; called only where there is something to write.
        base: pinned, of an adapter.
        shown: it is shown the examples.
    """

    settings, chats = sitting.settings, sitting.chats(shown)
    sampling = settings.model_dump(include=set(Sampling.model_fields))
    who = " ".join(one.to_uri() for one in (uri, base) if one)
    how = code_digest("pipelines.likelihood.generation")
    key = key_of(f"lines {how} {who}", {"template": CHAT_TEMPLATE, "chats": chats, **sampling, "seed": sitting.seed})
    store = Store(env.answers_path())
    kept = store.answer(key)
    if kept is None:
        model, tokenizer = load()
        tokenizer.chat_template = tokenizer.chat_template or CHAT_TEMPLATE
        with tqdm(total=len(chats), desc=f"evaluate: {name}", unit="line", disable=log.QUIET) as bar:
            started = time.monotonic()
            lines = generate_lines(
                model, tokenizer, chats, seed=sitting.seed, progress=lambda done: bar.update(done - bar.n), **sampling
            )
            seconds = time.monotonic() - started
        tokens = sum(len(tokenizer(line, add_special_tokens=False).input_ids) + 1 for line in lines)
        kept = {"lines": lines, "tokens_per_second": round(tokens / seconds, 1)}
        store.keep(key, kept)
    store.close()
    return sitting.candidate(name, uri.id, str(uri.revision), kept["lines"], kept["tokens_per_second"])


def of_endpoint(
    hub: Hub, name: str, asking: SynthesizeSettings, sitting: Sitting, run_id: str, folder: Path
) -> tuple[Candidate, dict[str, Any]]:
    """What the teacher of a recipe, behind an endpoint, writes after the same examples, and what it has used.

    It is paid once, within its budget. A pair that it refused has empty lines, which count as broken.

    Raises:
        HanjulError: a limit, or the endpoint, left pairs without an answer; see also `teachers.open_teacher`.
    """

    wanted = sitting.settings.candidates
    asked = (Request(few_shot(sitting.shots, *pair), 0, {"place": place}) for place, pair in enumerate(sitting.pairs))
    with teachers.open_teacher(hub, asking.teacher, None, 1, folder) as endpoint:
        llm = teachers.llm_of(endpoint, asking, run_id=run_id, seed=sitting.seed)
        llm.load()  # as distilabel does before a step
        responses = stream_answers(llm, asked, lambda: len(sitting.pairs), wanted)
        found = {response.about["place"]: response.completion for response in responses}
        _raise_if_unanswered(endpoint, [one.failure for one in found.values() if len(one.texts) < wanted])
        tokens = [sum(getattr(one, side) for one in found.values()) for side in ("input_tokens", "output_tokens")]
        lines = [line for place in range(len(sitting.pairs)) for line in (found[place].texts + [""] * wanted)[:wanted]]
        candidate = sitting.candidate(name, endpoint.model, "", [line.strip().split("\n")[0] for line in lines], None)
        return candidate, endpoints.usage_of(asking, run_id, *tokens)


def _raise_if_unanswered(endpoint: teachers.TeacherEndpoint, failures: Sequence[Failure | None]) -> None:
    """What a limit or the network took from a teacher is not its fault: no report shows it as broken lines."""

    teachers.raise_if_gone(endpoint, failures)
    kept_back = [
        failure for failure in failures if failure and failure.kind in (FailureKind.LIMIT, FailureKind.GAVE_UP)
    ]
    if kept_back:
        raise HanjulError(
            f"The teacher left {len(kept_back)} pairs short of lines: {kept_back[0].label}",
            "synthesize.teacher, synthesize.budget",
            "raise the limit or run it again: what was answered is not asked again",
        )
