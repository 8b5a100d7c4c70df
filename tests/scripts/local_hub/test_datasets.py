"""datasets against the local Hub, publisher and stranger, each in a process of its own."""

PUBLISH = """
import json
from datasets import Dataset, DatasetDict
rows = {"product": ["향초", "소파", "책"], "ad_copy": ["불을 켜면 쉼이 온다", "앉으면 집", "넘기면 길"]}
train = Dataset.from_dict(rows)
first = DatasetDict(train=train, test=train.select([0])).push_to_hub("data/copy")
Dataset.from_dict({"product": ["향초"], "reason": ["too_long"]}).push_to_hub("data/copy", "rejected")
from huggingface_hub import HfApi
api = HfApi()
api.create_tag("data/copy", tag="v1", repo_type="dataset")
print(json.dumps({"files": api.list_repo_files("data/copy", repo_type="dataset"),
                  "configs": [c["config_name"] for c in api.dataset_info("data/copy").card_data["configs"]],
                  "lfs": [f.lfs is not None for f in api.get_paths_info(
                      "data/copy", ["data/train-00000-of-00001.parquet"], repo_type="dataset")]}))
"""

LOAD = """
import json, os
assert "HF_TOKEN" not in os.environ and "HF_HUB_DISABLE_XET" not in os.environ
from datasets import get_dataset_config_names, load_dataset
both = load_dataset("data/copy", revision="v1")
rejected = load_dataset("data/copy", "rejected", split="train")
streamed = load_dataset("data/copy", split="train", streaming=True)
direct = load_dataset("parquet", data_files="hf://datasets/data/copy@v1/rejected/*.parquet", split="train")
try:
    load_dataset("data/absent")
    absent = "loaded"
except Exception as error:
    absent = type(error).__name__
print(json.dumps({"rows": {name: len(split) for name, split in both.items()}, "copy": both["train"]["ad_copy"][0],
                  "rejected": rejected["reason"][:], "streamed": [row["product"] for row in streamed],
                  "direct": len(direct), "configs": get_dataset_config_names("data/copy"), "absent": absent}))
"""


def test_push_and_load(client):
    assert client(PUBLISH) == {
        "files": [
            ".gitattributes",
            "README.md",
            "data/test-00000-of-00001.parquet",
            "data/train-00000-of-00001.parquet",
            "rejected/train-00000-of-00001.parquet",
        ],
        "configs": ["default", "rejected"],
        "lfs": [True],
    }
    assert client(LOAD, publisher=False) == {
        "rows": {"train": 3, "test": 1},
        "copy": "불을 켜면 쉼이 온다",
        "rejected": ["too_long"],
        "streamed": ["향초", "소파", "책"],
        "direct": 1,
        "configs": ["default", "rejected"],
        "absent": "DatasetNotFoundError",
    }
