"""`hanjul release`: the stages in order, then tags and a collection. A release is complete or invisible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from huggingface_hub import HfUri

from pipelines.errors import HanjulError
from scripts.core import env
from scripts.core.log import log
from scripts.core.settings import PairsSettings, Recipe
from scripts.demo.hardware import place_of
from scripts.exporting import exports
from scripts.hub import ownership
from scripts.hub.hub import Hub
from scripts.hub.patience import patiently
from scripts.judging import judges
from scripts.models import models
from scripts.stages import evaluate, filter, import_feedback, import_rows, pairs, space, synthesize, train


@dataclass(frozen=True)
class Released:
    """What a release published, all pinned.

    Attributes:
        uris: dataset, adapter, space (and the merged model, its GGUFs where they were made).
        collection: its slug.
        version: the tag that stands on every repo.
        asked: what a teacher was asked for on the way, pairs and lines; a limit may have ended that. Empty where the
            version was released before: it is as it is.
    """

    uris: dict[str, HfUri]
    collection: str
    version: str
    asked: tuple[HfUri, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        uris = {name: uri.to_uri() for name, uri in self.uris.items()}
        return {"version": self.version, **uris, "collection": self.collection}

    def table(self, hub: Hub) -> str:
        """Names and pinned URIs in columns, then how to reach them."""
        endpoint = f"http://127.0.0.1:{env.HUB_PORT}" if hub.is_local else str(hub.api.endpoint)
        facts = self.as_dict() | {"collection": f"{endpoint}/collections/{self.collection}"}
        lines = [f"{name:<11}{value}" for name, value in facts.items()]
        if hub.is_local:
            lines += ["", f"To load them: `hanjul hub serve`, and HF_ENDPOINT={endpoint} in the other process"]
        return "\n".join(lines)


def run(hub: Hub, recipe: Recipe) -> Released:
    """Run every stage that is not done yet, then tag every repo and put them into one collection."""
    judges.check_installed()
    dataset = hub.repo("dataset", recipe.dataset, "dataset")
    sealed = recipe.version if hub.tagged(dataset, recipe.version) else None
    if not sealed:
        _check_repos(hub, recipe, dataset)
    log(f"releasing {recipe.version} to {hub.api.endpoint}")
    asked: list[HfUri] = []
    uris = _stages(hub, recipe, dataset, sealed, asked)
    for uri in uris.values():
        _tag(hub, uri, recipe.version)
    return Released(uris, _collect(hub, recipe, uris), recipe.version, () if sealed else tuple(asked))


def _check_repos(hub: Hub, recipe: Recipe, dataset: HfUri) -> None:
    """
    Raises:
        HanjulError: others have filled a repo that one of the stages would write to, hours from now, or Spaces have no
            hardware of this name.
    """
    ownership.check(hub, dataset, "import")
    adapter = hub.repo("model", recipe.train.repo, "train.repo")
    ownership.check(hub, adapter, "train")
    exports.check(hub, adapter, recipe.train)
    ownership.check(hub, hub.repo("space", recipe.space.repo, "space.repo"), "space")
    place_of(recipe.space.hardware)


def _stages(hub: Hub, recipe: Recipe, dataset: HfUri, sealed: str | None, asked: list[HfUri]) -> dict[str, HfUri]:
    """Run the stages. Offline the adapter is trained first, then writes; an endpoint writes before it is trained.

    Args:
        asked: is given what a teacher was asked for.
    """

    base = models.resolve_base(hub, recipe.train)
    scorer = models.scorer_of(hub, [base])

    def filtered(raw: HfUri) -> HfUri:
        return filter.run(hub, raw, scorer, recipe, sealed)

    def trained(rows: HfUri, sources: Sequence[str] | None = None) -> HfUri:
        return train.run(hub, rows, base, recipe.train, recipe.seed, sources, sealed)

    def written(rows: HfUri, settings: PairsSettings, adapter: HfUri | None) -> HfUri:
        planned = pairs.run(hub, dataset, rows, settings, recipe.seed, sealed, base)
        lines = synthesize.run(hub, planned, adapter, scorer, recipe, sealed)
        asked.extend((planned, lines))
        return lines

    rows = import_rows.run(hub, dataset, recipe.import_, recipe.seed, sealed)
    if recipe.import_.feedback:
        rows = import_feedback.run_named(hub, dataset, recipe.import_.feedback, rows, sealed)
    if not (recipe.pairs and recipe.synthesize):
        rows = filtered(rows)
        adapter = trained(rows)
    elif recipe.synthesize.teacher.base_url:
        rows = filtered(written(rows, recipe.pairs, None))
        adapter = trained(rows)
    else:
        rows = filtered(rows)
        adapter = trained(rows, train.PEOPLE)  # `raw` may hold what an adapter of an earlier version wrote
        rows = filtered(written(rows, recipe.pairs, adapter))
    [adapter] = evaluate.run(hub, [adapter], rows, recipe, sealed=sealed)
    made = exports.run(hub, adapter, rows, recipe.train, sealed)
    demo = space.deploy(hub, adapter, recipe, sealed, gguf=made.get("gguf"))
    return {"dataset": rows, "adapter": adapter, **made, "space": demo}


def _tag(hub: Hub, uri: HfUri, version: str) -> None:
    standing = hub.tagged(uri, version)
    if standing is None:
        patiently(lambda: hub.api.create_tag(uri.id, tag=version, revision=uri.revision, repo_type=uri.type))
    elif standing != uri.revision:
        raise HanjulError(f"The tag {version} stands on another commit", uri.to_uri(), "raise `version` in the recipe")


def _collect(hub: Hub, recipe: Recipe, uris: dict[str, HfUri]) -> str:
    api = hub.api
    collection = patiently(lambda: api.create_collection(recipe.title, namespace=hub.namespace, exists_ok=True))
    for uri in uris.values():
        add = partial(api.add_collection_item, collection.slug, uri.id, uri.type, exists_ok=True)  # type: ignore[arg-type]
        patiently(add)
    return str(collection.slug)
