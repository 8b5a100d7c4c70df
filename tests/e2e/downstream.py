"""What a stranger does with a release, with nothing of ours imported: run as a process with HF_ENDPOINT set.

Usage: python downstream.py NAMESPACE DATASET ADAPTER SPACE VERSION FOLDER
Prints one JSON object on the last line.
"""

import json
import sys

from datasets import load_dataset
from huggingface_hub import HfApi, ModelCard, snapshot_download
from peft import AutoPeftModelForCausalLM
from transformers import AutoTokenizer

namespace, dataset, adapter, space, version, folder = sys.argv[1:]
dataset, adapter, space = (f"{namespace}/{name}" for name in (dataset, adapter, space))

default = load_dataset(dataset)
rejected = load_dataset(dataset, "rejected")
tagged = load_dataset(dataset, revision=version)
streamed = next(iter(load_dataset(dataset, split="train", streaming=True)))

tokenizer = AutoTokenizer.from_pretrained(adapter)
model = AutoPeftModelForCausalLM.from_pretrained(adapter)
prompt = tokenizer.apply_chat_template(
    [{"role": "user", "content": "상품: 제습기\n가치: 보송한"}],
    add_generation_prompt=True,
    return_tensors="pt",
    return_dict=True,
)
output = model.generate(**prompt, max_new_tokens=24)
line = tokenizer.decode(output[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True)

card = ModelCard.load(adapter)
info = HfApi().space_info(space)
app = snapshot_download(space, repo_type="space", local_dir=folder)
ours = [name for name in sys.modules if name.split(".")[0] in ("pipelines", "dataset_card", "model_card", "scripts")]

print(
    json.dumps(
        {
            "splits": {name: split.num_rows for name, split in default.items()},
            "columns": default["train"].column_names,
            "products": {name: sorted(set(split["product"])) for name, split in default.items()},
            "rejected": rejected["train"].num_rows,
            "reasons": sorted(set(rejected["train"]["reason"])),
            "tagged": tagged["train"].num_rows,
            "streamed": streamed["ad_copy"],
            "line": line,
            "card": card.data.to_dict(),
            "card_text": card.text,
            "sdk": info.sdk,
            "app": app,
            "ours": ours,
        },
        ensure_ascii=False,
        default=str,
    )
)
