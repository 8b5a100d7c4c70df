"""Opens the teacher of a recipe: the endpoint that it names, or the embedded model with an adapter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from huggingface_hub import HfUri

from pipelines.endpoint.failures import Failure, FailureKind
from pipelines.endpoint.next_steps import AGAIN
from pipelines.endpoint.teacher_llm import Teacher, teacher_llm
from pipelines.errors import HanjulError
from pipelines.execution.deaths import raise_if_dead
from scripts.core import endpoints
from scripts.core.log import log
from scripts.core.settings import AskingSettings, Recipe, TeacherSettings
from scripts.hub.hub import Hub
from scripts.models import models
from scripts.models.embedded import gguf_path
from scripts.models.llama_server import serve
from scripts.models.lora_gguf import convert

#: Where a recipe names the teacher.
PLACE = "synthesize.teacher"
#: What to do without one.
NAME_ONE = "name an endpoint (`base_url`, `model`), run `hanjul train` or give --teacher"
#: Tokens that one request to the embedded teacher may fill: a short prompt and a line.
CONTEXT = 512


@dataclass(frozen=True)
class TeacherEndpoint:
    """A teacher that can be asked now.

    Attributes:
        name: what stands in the column `teacher`.
        identity: names it in the cache of answers; the embedded one has another port each time.
        tuned: it was trained on our prompt.
        place: where a recipe names it.
    """

    base_url: str
    model: str
    key: str = field(repr=False)
    name: str
    identity: str
    tuned: bool
    place: str = PLACE

    @property
    def asked(self) -> str:
        """The model's name where another might answer; the embedded one is ours."""
        return "" if self.tuned else self.model


def adapter_of(hub: Hub, recipe: Recipe) -> HfUri | None:
    """The adapter of `train.repo`, pinned as it was trained; None where an endpoint writes or there is no such repo."""

    repo = hub.repo("model", recipe.train.repo)
    if (recipe.synthesize and recipe.synthesize.teacher.base_url) or not hub.head(repo):
        return None
    return models.origin(hub, hub.resolve(repo))


@contextmanager
def open_teacher(
    hub: Hub, teacher: TeacherSettings, adapter: HfUri | None, slots: int, folder: Path, place: str = PLACE
) -> Iterator[TeacherEndpoint]:
    """Open the teacher of a recipe. The embedded one runs for as long as the block does.

    Args:
        adapter: pinned adapter that writes, when the recipe names no endpoint.
        slots: requests that the embedded teacher answers at a time.
        folder: for files that are needed meanwhile.
        place: where the recipe names it.

    Raises:
        HanjulError: neither endpoint nor adapter, no model named, a key that is missing.
    """
    if teacher.base_url:
        model, key = _named_model(teacher, place), endpoints.key_for(teacher, place, local_hub=hub.is_local)
        identity = endpoints.identity_of(teacher)
        yield TeacherEndpoint(teacher.base_url, model, key, model, identity, False, place)
        return
    if adapter is None:
        raise HanjulError("There is no teacher", place, NAME_ONE)

    snapshot = hub.snapshot(adapter)
    lora = convert(snapshot, folder / "teacher.gguf")
    with serve(gguf_path(), lora, template_of(snapshot), slots, CONTEXT) as base_url:
        yield TeacherEndpoint(base_url, adapter.id, "none", adapter.to_uri(), adapter.to_uri(), True)


def llm_of(endpoint: TeacherEndpoint, settings: AskingSettings, *, run_id: str, seed: int) -> Teacher:
    """The distilabel LLM of a teacher's endpoint, with the answers that are kept in the user's data folder.

    Raises:
        HanjulError: a limit in USD, and no price is known.
    """

    options = endpoints.options_of(
        settings,
        endpoint.place,
        base_url=endpoint.base_url,
        model=endpoint.model,
        identity=endpoint.identity,
        run_id=run_id,
    )
    return teacher_llm(
        options,
        endpoint.key,
        temperature=settings.temperature,
        top_p=settings.top_p,
        max_new_tokens=settings.max_new_tokens,
        seed=seed,
    )


def raise_if_gone(endpoint: TeacherEndpoint, failures: Iterable[Failure | None]) -> None:
    """Stop where one of the failures is that the endpoint is gone: what it did answer is kept.

    Raises:
        HanjulError: it is not there (any more), or is a process of ours that died.
    """

    gone = [failure for failure in failures if failure and failure.kind is FailureKind.GONE]
    if gone:
        raise_if_dead()  # which says how the embedded one ended
        raise HanjulError(gone[0].message, endpoint.base_url, gone[0].next_step or AGAIN)


def tell_who_answered(what: str, endpoint: TeacherEndpoint, served: Mapping[str, int]) -> None:
    """Say on stderr which models answered that are not the one that was asked.

    Args:
        what: who says so, and what came of them, e.g. `synthesize: lines`.
        served: their names, with how much they gave.
    """
    for name, count in served.items():
        log(f"{what}: {endpoint.model} was asked, and {name} answered ({count})")


def _named_model(teacher: TeacherSettings, place: str) -> str:
    if not teacher.model:
        raise HanjulError("The teacher's model is not named", f"{place}.model", "name it in the recipe")
    return teacher.model


def template_of(snapshot: Path) -> str:
    """The chat template that an adapter repo ships."""
    from transformers import AutoTokenizer

    return str(AutoTokenizer.from_pretrained(snapshot).chat_template)
