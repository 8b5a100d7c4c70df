"""Pin what a Space installs: a lock file for each kind of place, in `space/requirements`, by pip's own resolver.

python -m scripts.demo.requirements --python python3.12
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pipelines.errors import HanjulError
from scripts.core.log import log

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "space" / "requirements"
#: What a Space's builder adds to the page's own requirements, in the same `pip install`; of Gradio the card's version.
BUILDER = ("gradio[oauth,mcp]", "uvicorn>=0.14.0", "websockets>=10.4", "spaces")
#: What the page itself needs, and the rules and the judge that lie beside it.
PAGE = ("huggingface_hub", "kiwipiepy", "numpy", "phonenumbers", "pydantic", "python-stdnum", "pyyaml")
TRANSFORMERS = ("transformers", "peft")
#: Lock -> what writes the lines. ZeroGPU runs PyTorch up to 2.11; that of the package index runs without a GPU, too.
ENGINES = {
    "llama": ("xllamacpp",),
    "torch": ("torch==2.13.0", *TRANSFORMERS),
    "zero": ("torch==2.11.0", *TRANSFORMERS),
}
#: Of the versions that are run together elsewhere, those that a Space cannot have: gradio[mcp] wants an older pydantic,
#: and a place has a PyTorch of its own.
ELSEWHERE = ("pydantic", "pydantic-core", "torch")
HEADER = """\
# {roots}
# and what these need, beside what a Space's builder installs, for Python {python} on Linux x86-64.
# Made by python -m scripts.demo.requirements; versions are those of constraints.txt where a Space can have them.
"""


def lock_of(name: str) -> Path:
    return FOLDER / f"{name}.txt"


def pins(path: Path) -> dict[str, str]:
    """Package -> version, of a lock file or of `constraints.txt`; names as package indexes compare them."""
    lines = path.read_text(encoding="utf-8").splitlines()
    parts = [line.partition("==") for line in lines if "==" in line and not line.startswith("#")]
    return {canonical(name): version for name, _, version in parts}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def gradio_version() -> str:
    """The version of Gradio in every lock, which the card of a Space names as its SDK's."""
    return pins(lock_of("zero"))["gradio"]


def resolve(python: str, wanted: Sequence[str], constraints: Sequence[str] = ()) -> tuple[str, dict[str, str]]:
    """What pip would install into an empty environment, without installing it.

    Args:
        python: interpreter of the version that is resolved for.
        wanted: requirements, or pip's options with them.

    Returns:
        The interpreter's version, and package -> version.

    Raises:
        HanjulError: there is no such interpreter, or the requirements contradict each other.
    """
    with tempfile.TemporaryDirectory(prefix="hanjul-requirements-") as folder:
        report, limits = Path(folder) / "report.json", Path(folder) / "constraints.txt"
        limits.write_text("\n".join(constraints), encoding="utf-8")
        options = ["--dry-run", "--quiet", "--ignore-installed", "-c", str(limits), "--report", str(report)]
        try:
            done = subprocess.run(
                [python, "-m", "pip", "install", *options, *wanted], capture_output=True, text=True, check=False
            )
        except FileNotFoundError as error:
            raise HanjulError("There is no such Python", python, "name another with --python") from error
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
            raise HanjulError(
                f"pip finds no versions that go together: {' '.join(said) or done.stderr.strip()}",
                " ".join(wanted),
                "change the requirements in scripts/demo/requirements.py",
            )
        found = json.loads(report.read_text(encoding="utf-8"))
    chosen = [install["metadata"] for install in found["install"]]
    versions = {canonical(one["name"]): one["version"].partition("+")[0] for one in chosen}
    return found["environment"]["python_version"], dict(sorted(versions.items()))


def write_lock(name: str, python: str) -> None:
    """Resolve what one kind of place needs and write its lock file."""
    known = {
        package: version for package, version in pins(ROOT / "constraints.txt").items() if package not in ELSEWHERE
    }
    version, chosen = resolve(
        python, [*BUILDER, *PAGE, *ENGINES[name]], [f"{package}=={version}" for package, version in known.items()]
    )
    lines = "".join(f"{package}=={number}\n" for package, number in chosen.items())
    roots = ", ".join((*PAGE, *ENGINES[name]))
    lock_of(name).write_text(HEADER.format(roots=roots, python=version) + lines, encoding="utf-8")
    log(f"{lock_of(name).relative_to(ROOT)}: {len(chosen)} packages for Python {version}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default="python3.12", help="of the version that Spaces run")
    arguments = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    for name in ENGINES:
        write_lock(name, arguments.python)


if __name__ == "__main__":
    main()
