"""Write what a Space repo holds: the folder `space/`, its settings, the rules and the judge, requirements, README."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from pathlib import Path

from huggingface_hub import HfUri, SpaceCard, SpaceCardData

from pipelines.text.markdown import cell
from scripts.core.files import digest
from scripts.demo import checks, requirements
from scripts.demo.facts import JUDGE, PageFacts
from scripts.demo.hardware import PYTHON, Place
from scripts.hub.hub import Hub
from scripts.hub.patience import patiently
from scripts.judging.published_judge import write_published_judge

FOLDER = Path(__file__).parents[2] / "space"
#: Of the folder, what is not uploaded as it is: filled in, or for readers of the source.
APART = ("README.md", "examples.json", "screenshot", "requirements/")
#: Where `hanjul space run` serves; for a Hub whose Spaces have no address.
LOCAL_ADDRESS = "http://127.0.0.1:7860"
#: Files of a base model that transformers reads.
READ_OF_BASE = re.compile(
    r"(config|generation_config)\.json|.*\.safetensors(\.index\.json)?|(tokenizer|special_tokens).*"
)
MAX_DESCRIPTION = 60  # the Hub refuses more


def page_files() -> list[str]:
    """Paths of the files that are uploaded as they are, in `space/`; hidden ones and Python's own are not."""
    found = (path.relative_to(FOLDER) for path in FOLDER.rglob("*") if path.is_file())
    kept = (path.as_posix() for path in found if not any(part.startswith((".", "__")) for part in path.parent.parts))
    return sorted(path for path in kept if not path.startswith((".", *APART)))


def page_digest() -> str:
    """`sha256:<hex>` of all that a folder is made from, whatever the adapter: page, templates, locks, rules."""
    locks = [f"requirements/{name}.txt" for name in requirements.ENGINES]
    hashed = hashlib.sha256()
    with tempfile.TemporaryDirectory(prefix="hanjul-checks-") as folder:
        checks.write_checks(Path(folder))
        written = sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file())
        for root, names in ((FOLDER, [*page_files(), "README.md", "examples.json", *locks]), (Path(folder), written)):
            for name in names:
                hashed.update(f"{name} {digest(root / name)}\n".encode())
    return f"sha256:{hashed.hexdigest()}"


def render(hub: Hub, facts: PageFacts, place: Place, repo: HfUri, out: Path) -> None:
    """Write the folder of a Space.

    Args:
        place: where it is to run, which decides what is installed.
        repo: the Space it is for; the README's examples call it.
    """
    for name in page_files():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(FOLDER / name, out / name)
    checks.write_checks(out)
    write_published_judge(out / JUDGE)
    (out / "settings.json").write_text(
        json.dumps(facts.settings, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
    )
    shutil.copyfile(requirements.lock_of(place.lock(gguf=facts.reads_gguf(place))), out / "requirements.txt")
    (out / "README.md").write_text(str(card(hub, facts, place, repo)), encoding="utf-8")


def preload(hub: Hub, facts: PageFacts, place: Place) -> list[str]:
    """Lines of `preload_from_hub`, `repo file,file revision`: downloaded while the Space is built, so it starts sooner.

    A build knows no secret, so what is private or gated is left to the start.
    """
    wanted: dict[HfUri, list[str]] = {}
    for uri in facts.reads(place):
        if uri == facts.gguf:
            run = facts.settings["gguf"]
            wanted[uri] = [name for name in (run["file"], run["base_file"]) if name]
        elif uri == facts.base:
            wanted[uri] = [name for name in _files(hub, uri) if READ_OF_BASE.fullmatch(name)]
        else:
            wanted[uri] = [name for name in _files(hub, uri) if "/" not in name and not name.startswith(".")]
    return [f"{uri.id} {','.join(names)} {uri.revision}" for uri, names in wanted.items() if is_open(hub, uri)]


def _files(hub: Hub, uri: HfUri) -> list[str]:
    return sorted(patiently(lambda: hub.api.list_repo_files(uri.id, repo_type=uri.type, revision=uri.revision)))


def is_open(hub: Hub, uri: HfUri) -> bool:
    """Whether anybody may download it, without a token."""
    info = patiently(lambda: hub.api.repo_info(uri.id, repo_type=uri.type))
    return not (info.private or info.gated)


def address_of(hub: Hub, repo: HfUri) -> str:
    """The page's address, as the Hub forms it from the repo's name."""
    return LOCAL_ADDRESS if hub.is_local else f"https://{re.sub(r'[._/]', '-', repo.id.lower())}.hf.space"


def card(hub: Hub, facts: PageFacts, place: Place, repo: HfUri) -> SpaceCard:
    """The README: metadata that the place accepts, and `space/README.md` filled in."""
    settings, gguf = facts.settings, facts.settings["gguf"]
    data = SpaceCardData(
        title=settings["title"],
        emoji="✍️",
        colorFrom="gray",
        colorTo="yellow",
        sdk="gradio",
        sdk_version=requirements.gradio_version(),
        python_version=PYTHON,
        app_file="app.py",
        suggested_hardware=place.flavor,
        models=[settings["adapter"], settings["base_model"], *([gguf["repo"]] if gguf else [])],
        datasets=[settings["dataset"]] if settings["dataset"] else None,
        preload_from_hub=preload(hub, facts, place) or None,
        tags=["hanjul", "korean", "ad-copy", "text-generation", "mcp-server"],
        short_description="상품과 담을 가치를 적으면 한 줄 광고 카피를 씁니다",
        license="apache-2.0",
    )
    fields = {
        **settings,
        "title": cell(settings["title"]),
        "space": repo.id,
        "address": address_of(hub, repo),
        "on_hub": not hub.is_local,
    }
    filled: SpaceCard = SpaceCard.from_template(data, template_path=str(FOLDER / "README.md"), **fields)
    return filled
