"""transformers and peft against the local Hub, publisher and stranger, each in a process of its own."""

PUBLISH = """
import json, torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
torch.manual_seed(0)
words = {word: number for number, word in enumerate(["<unk>", "</s>", "상품", "가치", "향초"])}
tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", eos_token="</s>")
tokenizer.chat_template = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
config = LlamaConfig(vocab_size=8, hidden_size=16, intermediate_size=16, num_hidden_layers=1,
                     num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=32)
model = LlamaForCausalLM(config)
model.push_to_hub("base/tiny")
tokenizer.push_to_hub("base/tiny")
from peft import LoraConfig, get_peft_model
base = LlamaForCausalLM.from_pretrained("base/tiny")
adapter = get_peft_model(base, LoraConfig(r=2, target_modules="all-linear", init_lora_weights=False,
                                          task_type="CAUSAL_LM"))
adapter.push_to_hub("team/adapter")
tokenizer.push_to_hub("team/adapter")
from huggingface_hub import HfApi
pinned = HfApi().model_info("team/adapter").sha
HfApi().delete_file("adapter_model.safetensors", "team/adapter")
ids = torch.tensor([[2, 3, 4]])
print(json.dumps({"pinned": pinned, "logits": adapter.eval()(ids).logits[0, -1].tolist(),
                  "base": adapter.peft_config["default"].base_model_name_or_path}))
"""

LOAD = """
import json, os, torch
assert "HF_TOKEN" not in os.environ and "HF_HUB_DISABLE_XET" not in os.environ
from peft import AutoPeftModelForCausalLM
from transformers import AutoModelForCausalLM, AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained("team/adapter", revision="PINNED")
ids = tokenizer.apply_chat_template([{"role": "user", "content": "상품 가치 향초"}], return_tensors="pt",
                                    return_dict=True)["input_ids"]
model = AutoPeftModelForCausalLM.from_pretrained("team/adapter", revision="PINNED").eval()
plain = AutoModelForCausalLM.from_pretrained("base/tiny")
try:
    AutoModelForCausalLM.from_pretrained("base/absent")
    absent = "loaded"
except OSError as error:
    absent = "is not a" in str(error)
print(json.dumps({"ids": ids.tolist(), "logits": model(ids).logits[0, -1].tolist(),
                  "parameters": sum(p.numel() for p in plain.parameters()), "absent": absent}))
"""


def test_push_and_load(client):
    pushed = client(PUBLISH)
    assert pushed["base"] == "base/tiny"
    loaded = client(LOAD.replace("PINNED", pushed["pinned"]), publisher=False)
    assert loaded["ids"] == [[2, 3, 4]]
    assert max(abs(a - b) for a, b in zip(loaded["logits"], pushed["logits"], strict=True)) < 1e-5
    assert loaded["parameters"] > 0
    assert loaded["absent"] is True
