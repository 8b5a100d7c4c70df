"""Names of repos and URIs where they come in: a recipe, a flag, an argument, an adapter's config."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

from huggingface_hub import HfUri, parse_hf_uri
from huggingface_hub.errors import HfUriError

from pipelines.errors import HanjulError
from scripts.core.settings import Recipe

KINDS = ("dataset", "model", "space")
#: `?config=…&split=…` at the end of a URI of a table, each at most once, in whatever order.
QUERY = re.compile(r"\?(config|split)=[^&?]+(?:&(?!\1=)(?:config|split)=[^&?]+)?$")


def parse(uri: str | HfUri, kind: str | None = None, key: str = "") -> HfUri:
    """A URI, or a page's address on huggingface.co, in its parts.

    Args:
        kind: dataset, model or space, where only one of them will do.
        key: of the recipe, where it stands there.

    Raises:
        HanjulError: it is none, or of another kind.
    """
    where = f"{key}: {uri}" if key else str(uri)
    try:
        parsed = parse_hf_uri(uri) if isinstance(uri, str) else uri
    except HfUriError as error:
        raise HanjulError(
            f"Not a Hub URI: {_reason(error)}",
            where,
            f"write it like hf://{kind or 'dataset'}s/namespace/name or hf://{kind or 'model'}s/namespace/name@v1",
        ) from error
    if parsed.type != kind if kind else parsed.type not in KINDS:
        wanted = kind or ", ".join(KINDS)
        raise HanjulError(
            f"This is a {parsed.type}, not a {wanted}", where, f"give hf://{kind or 'model'}s/namespace/name"
        )
    return parsed


def without_query(uri: str) -> tuple[str, dict[str, str]]:
    """The URI of a table without `?config=…&split=…` at its end, and what that names."""
    query = QUERY.search(uri)
    if not query:
        return uri, {}
    pairs = (pair.partition("=") for pair in query[0][1:].split("&"))
    return uri[: query.start()], {name: unquote(said) for name, _, said in pairs}


def repo_uri(kind: str, name: str, revision: str | None = None, key: str = "") -> HfUri:
    """URI of a repo that is named by namespace and name.

    Args:
        key: of the recipe, or the flag that names it.

    Raises:
        HanjulError: no repo can have this name.
    """
    try:
        return HfUri(type=kind, id=name, revision=revision)  # type: ignore[arg-type]
    except HfUriError as error:
        raise HanjulError(
            f"This cannot be the name of a {kind} repo: {_reason(error)}",
            f"{key}: {name}" if key else name,
            "write it as namespace/name",
        ) from error


def base_uri(name: str, revision: str | None, key: str) -> HfUri:
    """URI of a base model. A folder on this machine is none: nobody else would find it.

    Raises:
        HanjulError: it is a folder, or no repo can have this name.
    """
    if name.startswith((".", "/", "~")) or Path(name).is_dir():  # transformers would take the folder, not the repo
        raise HanjulError(
            "A base must be a model on the Hub, and this is a folder on this machine",
            f"{key}: {name}",
            "upload it with `hf upload namespace/name FOLDER` and give namespace/name, or work in another folder",
        )
    return repo_uri("model", name, revision, key)


def check(recipe: Recipe, namespace: str) -> None:
    """Look at every name in a recipe, before any stage begins.

    Args:
        namespace: ours, for repos that are named without one.

    Raises:
        HanjulError: of the first that cannot be a repo's.
    """
    repos = (
        ("dataset", "dataset", recipe.dataset),
        ("train.repo", "model", recipe.train.repo),
        ("calibrate.repo", "dataset", recipe.calibrate.repo),
        ("space.repo", "space", recipe.space.repo),
        *([("space.feedback", "dataset", recipe.space.feedback)] if recipe.space.feedback else []),
    )
    for key, kind, name in repos:
        repo_uri(kind, with_namespace(name, namespace), key=key)
    base_uri(recipe.train.base_model, recipe.train.base_revision, "train.base_model")
    if recipe.filter.semantic:
        repo_uri("model", recipe.filter.semantic.model, recipe.filter.semantic.revision, "filter.semantic.model")
    uris = (
        ("train.start", "model", recipe.train.start),
        ("evaluate.scorer", "model", recipe.evaluate.scorer),
        ("evaluate.votes", "dataset", recipe.evaluate.votes),
    )
    tables = (
        ("import.source", "dataset", recipe.import_.source),
        ("import.feedback", "dataset", recipe.import_.feedback),
        ("synthesize.examples_from", "dataset", recipe.synthesize.examples_from if recipe.synthesize else None),
        ("filter.slogans", "dataset", recipe.filter.slogans),
        ("filter.eval_lines", "dataset", recipe.filter.eval_lines),
    )
    for key, kind, uri in uris:
        if uri is not None:
            parse(uri, kind, key)
    for key, kind, source in tables:
        if source and source.strip().casefold().startswith("hf:"):
            parse(without_query(source)[0], kind, key)


def with_namespace(name: str, namespace: str) -> str:
    """The name of a repo of ours, unless it names a namespace of its own."""
    return name if "/" in name else f"{namespace}/{name}"


def _reason(error: HfUriError) -> str:
    """The client's words for it, without a stop at the end."""
    return error.msg.strip().rstrip(".")
