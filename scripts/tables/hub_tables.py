"""Tables on the Hub: one file of a repo, or the splits of one config of a dataset."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import quote, urlencode

from huggingface_hub import HfUri, parse_hf_uri

from pipelines.errors import HanjulError
from scripts.core.faults import hub_fault, raised_by
from scripts.core.log import log
from scripts.hub.hub import Hub
from scripts.hub.names import without_query
from scripts.tables.arrow_columns import arrow_table
from scripts.tables.delimited import SEPARATORS
from scripts.tables.files import KINDS, check_kind, ending, read_file
from scripts.tables.table import Names, Table

#: Files that are read here, so that words stay words; `datasets` would guess their types.
GUESSED = ("csv", "json")


@dataclass(frozen=True)
class HubSource:
    """What `hf://datasets/NS/name@rev/file.csv` names, or `hf://datasets/NS/name@rev?config=…&split=…`, pinned.

    Attributes:
        config, split: those named; "" for the only or default config, and for all splits.
    """

    uri: HfUri
    config: str = ""
    split: str = ""

    def __str__(self) -> str:
        asked = {"config": self.config, "split": self.split}
        query = urlencode({name: said for name, said in asked.items() if said}, quote_via=quote)
        return self.uri.to_uri() + (f"?{query}" if query else "")


def find_on_hub(hub: Hub, source: str) -> HubSource:
    """A source by its URI, with its revision as a full commit sha.

    Raises:
        HanjulError: there is none, or no table can be in it.
    """
    named, asked = without_query(source)
    uri = hub.resolve(named, file=True)
    if uri.path_in_repo:
        if asked:
            raise HanjulError("A file has no configs or splits", source, f"give {named}")
        check_kind(uri.path_in_repo)
        return HubSource(uri)
    if uri.type != "dataset":
        raise HanjulError(f"This is a {uri.type}, not a dataset", source, "give hf://datasets/namespace/name")
    return HubSource(uri, **asked)


def read_hub(hub: Hub, source: HubSource, names: Names) -> list[Table]:
    """The table of a file, or of each split.

    Raises:
        HanjulError: there is no such file, config or split, or it is no table.
    """
    if source.uri.path_in_repo:
        return [_read_file(hub, source.uri, names)]
    from datasets import load_dataset, load_dataset_builder
    from datasets.exceptions import DatasetsError

    uri = source.uri
    try:
        config = _config(source)
        builder = load_dataset_builder(uri.id, config, revision=uri.revision)
        if _is_guessed(builder):
            files = builder.config.data_files
            chosen = _splits(source, config, list(map(str, files)))
            return [_read_file(hub, parse_hf_uri(path), names) for split in chosen for path in files[split]]
        found = load_dataset(uri.id, config, revision=uri.revision)
    except (DatasetsError, ValueError, FileNotFoundError, RuntimeError) as error:  # RuntimeError: a loading script
        if fault := hub_fault(error, absent=False):
            raise fault from error
        if not isinstance(error, DatasetsError) and not raised_by(error, "datasets", "pyarrow"):
            raise
        what = f"The input is not a table: {error.__cause__ or error}"
        raise HanjulError(what, str(source), "give rows of product, values, ad_copy") from error
    return [_of_split(found[split], source, split, names) for split in _splits(source, config, list(found))]


def _is_guessed(builder: Any) -> bool:
    """Whether `datasets` would guess what the files hold, and nothing but their names says how they are read."""
    from datasets import BuilderConfig

    config = builder.config
    if builder.info.builder_name not in GUESSED or builder.info.features is not None:
        return False
    usual, common = type(config)(), {field.name for field in fields(BuilderConfig)}
    options = {field.name: getattr(config, field.name) for field in fields(config) if field.name not in common}
    if options.get("sep") in SEPARATORS:  # found here as well; of .tsv it is none that somebody named
        options = {name: option for name, option in options.items() if name not in ("sep", "delimiter")}
    if any(option != getattr(usual, name) for name, option in options.items()):
        return False
    return all(ending(path) in KINDS for paths in config.data_files.values() for path in paths)


def _read_file(hub: Hub, uri: HfUri, names: Names) -> Table:
    path = hub.file(uri, uri.path_in_repo)
    if path is None:
        raise HanjulError("There is no such file in the repository", uri.to_uri(), "check its name and the revision")
    return read_file(path, names, uri.to_uri())


def _of_split(dataset: Any, source: HubSource, split: str, names: Names) -> Table:
    where = str(HubSource(source.uri, source.config, split))
    return arrow_table(dataset.with_format("arrow")[:], dataset.features, names, where, f"split {split}")


def _config(source: HubSource) -> str:
    """The config that is named, or the only one, or the default; what is passed over is said."""
    from datasets import get_dataset_config_names, get_dataset_default_config_name

    uri = source.uri
    configs = get_dataset_config_names(uri.id, revision=uri.revision)
    chosen = source.config or get_dataset_default_config_name(uri.id, revision=uri.revision)
    if chosen not in configs:
        what = f"There is no config {chosen}" if chosen else "The dataset has several configs"
        raise HanjulError(
            f"{what}: {', '.join(configs)}", str(source), f"name one: {HubSource(uri, configs[0], source.split)}"
        )
    if others := [name for name in configs if name != chosen]:
        log(f"{uri.to_uri()}: config {chosen}; passed over: {', '.join(others)}")
    return str(chosen)


def _splits(source: HubSource, config: str, splits: list[str]) -> list[str]:
    """The split that is named, or all."""
    if not source.split:
        return splits
    if source.split not in splits:
        what = f"Config {config} has no split {source.split}: {', '.join(splits)}"
        raise HanjulError(what, str(source), "name one of these, or none for all")
    if others := [split for split in splits if split != source.split]:
        log(f"{source.uri.to_uri()}: split {source.split}; passed over: {', '.join(others)}")
    return [source.split]
