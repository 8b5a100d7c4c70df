"""Read rows of other people's tables: JSON, JSONL, CSV, Parquet, or a dataset on the Hub."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast, get_args

from huggingface_hub import HfUri

from pipelines import corpus
from pipelines.errors import HanjulError
from pipelines.rows import Merit, Row, make_row
from pipelines.text.tidy import clean_value, tidy
from scripts.core.faults import raised_by
from scripts.core.files import digest
from scripts.hub.hub import Hub

#: How a recipe names the rows that ship with Hanjul.
STARTER = "starter"
#: Our column -> the names it goes by elsewhere. The Korean ones are the reference project's.
COLUMNS = {
    "product": ("product", "상품", "제품"),
    "values": ("values", "value", "담고자 하는 가치", "가치"),
    "ad_copy": ("ad_copy", "copy", "line", "카피라이팅", "카피"),
}
OPTIONAL = ("category", "device", "tone", "merit")
MERITS = get_args(Merit)
READERS = {".json": "json", ".jsonl": "json", ".csv": "csv", ".parquet": "parquet"}


def to_rows(records: Iterable[Mapping[str, Any]], source: str, where: str) -> list[Row]:
    """`raw` rows from records with our column names, English or Korean.

    Raises:
        HanjulError: no records, or one without product, values or ad_copy, or of no merit that there is; the message
            names the line.
    """

    rows = []
    for number, record in enumerate(records, 1):
        missing = [
            f"{column} ({' / '.join(names)})" for column, names in COLUMNS.items() if not set(names) & set(record)
        ]
        if missing:
            raise HanjulError(
                f"Row {number} has no {', '.join(missing)}", where, f"rename the columns; found: {', '.join(record)}"
            )
        found = {column: _column(record, names) for column, names in COLUMNS.items()}
        values = found["values"] if isinstance(found["values"], list) else str(found["values"]).split(",")
        cleaned = [value for value in (clean_value(str(value)) for value in values) if value]
        optional = {name: str(record.get(name) or "") for name in OPTIONAL}
        if optional["merit"] not in MERITS:
            known = ", ".join(filter(None, MERITS))
            raise HanjulError(f"Row {number} has merit {optional['merit']}", where, f"give one of {known}, or none")
        rows.append(make_row(str(found["product"]), cleaned, tidy(str(found["ad_copy"])), source=source, **optional))
    if not rows:
        raise HanjulError("There are no rows to import", where, "give a file with at least one row")
    return rows


def _column(record: Mapping[str, Any], names: Iterable[str]) -> Any:
    """The first name that the record fills; empty where none does: such a row is for the filters to reject."""
    return next((record[name] for name in names if record.get(name)), "")


def identify(hub: Hub, source: str) -> tuple[Path | HfUri, str]:
    """The source and what pins it: a sha of the Hub, or the hash of the file's content."""
    if source.startswith("hf://"):
        pinned = hub.resolve(source)
        return pinned, pinned.to_uri()
    if source == STARTER:
        return corpus.FOLDER, corpus.corpus_digest()
    path = Path(source)
    if path.suffix not in READERS:
        raise HanjulError(
            "This kind of file cannot be imported", source, f"give one of {', '.join(READERS)}, or hf://…"
        )
    try:
        identity, empty = digest(path), not path.read_bytes().strip()
    except OSError as error:
        raise HanjulError("The input cannot be read", source, f"check the path and its permissions: {error}") from error
    if empty:
        raise HanjulError("The input is empty", source, "give a file with at least one row")
    return path, identity


def read(hub: Hub, source: Path | HfUri) -> Iterable[Mapping[str, Any]]:
    """The records of a table.

    Raises:
        HanjulError: it is none.
    """
    if source == corpus.FOLDER:
        return corpus.load_corpus()
    from datasets import concatenate_datasets, load_dataset
    from datasets.exceptions import DatasetsError

    try:
        if isinstance(source, HfUri):
            splits = load_dataset(source.id, revision=source.revision)
            records = concatenate_datasets(list(splits.values()))
        else:
            cache = str(hub.cache("import"))
            records = load_dataset(READERS[source.suffix], data_files=str(source), split="train", cache_dir=cache)
    except (DatasetsError, ValueError) as error:
        if not isinstance(error, DatasetsError) and not raised_by(error, "datasets", "pyarrow"):
            raise
        raise HanjulError(
            f"The input is not a table: {error.__cause__ or error}",
            str(source),
            "give rows of product, values, ad_copy",
        ) from error
    return cast(Iterable[Mapping[str, Any]], records)
