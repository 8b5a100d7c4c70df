"""Tables on a Hub: one file, one config, one split; and no more than what was named."""

from __future__ import annotations

import bz2
import io
import json
import zipfile

import pytest

from scripts.core.settings import FilterSettings, ImportSettings
from scripts.filtering.references import References
from scripts.hub.hub import Hub
from scripts.stages import import_rows
from scripts.tables.hub_tables import HubSource
from scripts.tables.sources import identify
from scripts.teaching.examples import Examples
from tests.scripts.tables.given import CSV, ROW, rows_of, sentence

pytestmark = pytest.mark.field
OTHER = CSV.replace("우산", "장갑")
CONFIGS = """---
configs:
- config_name: old
  data_files: old.csv
- config_name: new
  data_files:
  - {split: train, path: new/train.csv}
  - {split: test, path: new/test.csv}
---
"""


def repo(hub: Hub, name: str, files: dict[str, str | bytes]) -> str:
    """A dataset repo with these files; its URI."""
    hub.api.create_repo(f"local/{name}", repo_type="dataset", exist_ok=True)
    for path, content in files.items():
        content = content.encode() if isinstance(content, str) else content
        hub.api.upload_file(path_or_fileobj=content, path_in_repo=path, repo_id=f"local/{name}", repo_type="dataset")
    return f"hf://datasets/local/{name}"


def products(hub: Hub, source: str) -> list[str]:
    return [row[0] for row in rows_of(hub, source)]


@pytest.mark.parametrize("name", ["a.csv", "rows[1].csv", "한 줄/카피 (최종)*.csv", "a%20b.csv", "q?.csv", "#1.CSV"])
def test_one_file_of_a_repo(hub: Hub, name: str) -> None:
    uri = repo(hub, "one-file", {"rows1.csv": OTHER, "b.csv": OTHER, "a b.csv": OTHER, name: CSV})
    assert rows_of(hub, f"{uri}/{name}") == [ROW]
    pinned, identity = identify(hub, f"{uri}@main/{name}")
    assert identity == str(pinned) == f"{hub.resolve(uri).to_uri()}/{name}"


def test_a_file_for_every_flag_that_takes_a_table(hub: Hub) -> None:
    uri = repo(hub, "flags", {"a.csv": CSV, "b.csv": OTHER}) + "/a.csv"
    done = import_rows.run(hub, hub.repo("dataset", "from-file"), ImportSettings(source=uri), seed=0)
    assert hub.rows(done, "raw")["product"][:] == ["우산"]
    assert hub.manifest(done)["inputs"]["source"] == hub.resolve(uri, file=True).to_uri()
    ((example,),) = Examples.find(hub, uri).pools(hub, [])
    assert example["product"] == "우산"
    chosen = FilterSettings(judge="none", eval_lines=uri)
    assert References.resolve(hub, chosen).limits(hub, chosen).reserved.lines == (ROW[2],)


def test_a_repo_of_files_is_read_as_the_files_are(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    files = {"train.csv": CSV.replace("우산", "007").encode("cp949"), "test.csv": OTHER.replace("장갑", "None")}
    assert products(hub, repo(hub, "csv-files", files)) == ["007", "None"]
    assert "/train.csv: CSV in CP949" in capsys.readouterr().err
    mixed = '{"상품": 2080, "가치": ["든든한"], "카피": "가"}\n{"상품": "우산", "가치": "든든한", "비고": [1]}\n'
    assert products(hub, repo(hub, "jsonl-files", {"rows.jsonl": mixed})) == ["2080", "우산"]


def test_configs_and_splits(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    third = CSV.replace("우산", "모자")
    files = {"README.md": CONFIGS, "old.csv": CSV, "new/train.csv": OTHER, "new/test.csv": third}
    uri = repo(hub, "configs", files)
    assert "has several configs: old, new" in sentence(hub, uri)
    assert f"{hub.resolve(uri).to_uri()}?config=old" in sentence(hub, uri)
    assert products(hub, f"{uri}?config=old") == ["우산"]
    assert products(hub, f"{uri}@main?config=new") == ["장갑", "모자"]
    assert capsys.readouterr().err.count("passed over: old") == 1
    assert products(hub, f"{uri}?config=new&split=test") == products(hub, f"{uri}?split=test&config=new") == ["모자"]
    assert "split test; passed over: train" in capsys.readouterr().err
    _, identity = identify(hub, f"{uri}?config=new&split=test")
    assert identity == f"{hub.resolve(uri).to_uri()}?config=new&split=test"
    assert "There is no config newer: old, new" in sentence(hub, f"{uri}?config=newer")
    assert "Config new has no split dev: train, test" in sentence(hub, f"{uri}?config=new&split=dev")


def test_a_default_config_is_taken_and_the_others_are_said(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    from datasets import Dataset

    for config, product in (("default", "우산"), ("rejected", "장갑")):
        Dataset.from_list([{"상품": product, "가치": "든든한", "카피": "가", "비고": 1}]).push_to_hub(
            "local/default", config
        )
    assert products(hub, "hf://datasets/local/default") == ["우산"]
    said = capsys.readouterr().err
    assert "config default; passed over: rejected" in said and "split train, 1 row; columns passed over: 비고" in said
    assert products(hub, "hf://datasets/local/default?config=rejected") == ["장갑"]


def test_columns_of_every_type(hub: Hub) -> None:
    from datasets import ClassLabel, Dataset, Features, Image, LargeList, List, Value

    features = Features(
        {
            "상품": ClassLabel(names=["우산", "장갑"]),
            "가치": List({"name": Value("string")}),
            "value": LargeList(ClassLabel(names=["든든한", "가벼운"])),
            "카피": {"en": Value("string"), "ko": Value("large_string")},
            "사진": Image(),
            "무게": Value("decimal128(9, 2)"),
        }
    )
    row = {
        "상품": 1,
        "가치": [{"name": "고운"}],
        "value": [1, 0],
        "카피": {"en": "a", "ko": "가"},
        "사진": None,
        "무게": None,
    }
    Dataset.from_list([row], features).push_to_hub("local/types")
    assert rows_of(hub, "hf://datasets/local/types") == [("장갑", ["고운", "가벼운", "든든한"], "가")]
    features["카피"] = Image()
    Dataset.from_list([row | {"카피": None}], features).push_to_hub("local/pictures")
    assert rows_of(hub, "hf://datasets/local/pictures") == [("장갑", ["고운", "가벼운", "든든한"], "")]
    picture = {"bytes": b"\x89PNG", "path": None}
    Dataset.from_list([row | {"카피": picture}], features).push_to_hub("local/pictures", embed_external_files=False)
    assert "The column 카피: text is expected, and there is Image" in sentence(hub, "hf://datasets/local/pictures")


def test_what_names_no_table(hub: Hub) -> None:
    uri = repo(hub, "nothing", {"a.csv": CSV, "data/b.csv": CSV, "note.md": "a"})
    pinned = hub.resolve(uri).to_uri()
    assert "no such file" in sentence(hub, f"{uri}/c.csv") and f"{pinned}/c.csv" in sentence(hub, f"{uri}/c.csv")
    assert "cannot be imported" in sentence(hub, f"{uri}/data")
    assert "cannot be imported" in sentence(hub, f"{uri}/note.md")
    assert "A file has no configs" in sentence(hub, f"{uri}/a.csv?config=default")
    assert "Not a Hub URI" in sentence(hub, f"{uri}?subset=a")
    assert "No such repository" in sentence(hub, "hf://datasets/local/absent?config=a")
    hub.api.create_repo("local/a-model", exist_ok=True)
    assert "This is a model, not a dataset" in sentence(hub, "hf://models/local/a-model")
    assert "not a table" in sentence(hub, repo(hub, "no-data", {"note.md": "a"}))


def test_a_source_is_written_as_it_is_named(hub: Hub) -> None:
    uri = hub.resolve(repo(hub, "named", {"a.csv": CSV}))
    assert str(HubSource(uri)) == uri.to_uri()
    assert str(HubSource(uri, split="train")) == f"{uri.to_uri()}?split=train"
    assert identify(hub, f"{uri.to_uri()}?split=train")[0] == HubSource(uri, split="train")
    spaced = HubSource(uri, "내 config+1", "a&b")
    assert " " not in str(spaced) and "?config=%EB%82%B4%20config%2B1&split=a%26b" in str(spaced)
    assert identify(hub, str(spaced))[0] == spaced


def test_what_only_datasets_can_read_is_left_to_it(hub: Hub) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("data.csv", CSV)
    assert products(hub, repo(hub, "zipped", {"data.csv.zip": packed.getvalue()})) == ["우산"]
    row = {"상품": "우산", "가치": "든든한", "카피": "가"}
    lines = bz2.compress(f"{json.dumps(row)}\n".encode())
    assert products(hub, repo(hub, "bzipped", {"d.jsonl.bz2": lines})) == ["우산"]
    readme = "---\nconfigs:\n- config_name: default\n  data_files: {}\n  {}\n---\n"
    headless = {"README.md": readme.format("a.csv", "names: [상품, 가치, 카피]"), "a.csv": "우산,든든한,가\n"}
    assert products(hub, repo(hub, "headless", headless)) == ["우산"]
    inside = {"README.md": readme.format("a.json", "field: data"), "a.json": json.dumps({"v": 1, "data": [row]})}
    assert products(hub, repo(hub, "field", inside)) == ["우산"]
    parted = {"README.md": readme.format("a.csv", 'sep: ";"'), "a.csv": CSV.replace(",", ";").replace("우산", "007")}
    assert products(hub, repo(hub, "parted", parted)) == ["007"]
    assert products(hub, repo(hub, "tabs", {"a.tsv": "상품\t가치\t카피\n007\t든든한\t가\n"})) == ["007"]


def test_a_dataset_with_a_loading_script(hub: Hub) -> None:
    uri = repo(hub, "scripted", {"scripted.py": "import datasets\n"})
    assert "The input is not a table: Dataset scripts are no longer supported" in sentence(hub, uri)
