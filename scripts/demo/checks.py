"""The rules and the code of the judge as a package that stands alone: `checks/`, in the folder of a Space.

What is copied is what `ROOTS` import, so that nothing has to be listed. What rules learn from lines goes along fitted,
in a file beside the module that reads it: the lines and the corpus stay here.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterable, Iterator
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from types import ModuleType

from model_card.judging.sense.fit_published import VERSION as JUDGE_VERSION
from pipelines.corpus import corpus_digest
from pipelines.filters.filter_rows import VERSION as RULES_VERSION
from pipelines.filters.rules.claims import wording as claims
from pipelines.filters.rules.cliches import wording as cliches
from pipelines.filters.wording import write_wording
from pipelines.locks import locked
from scripts.core import env
from scripts.core.files import digest
from scripts.core.fingerprint import ROOT, code_digest, modules_behind
from scripts.filtering.references import rules_identity

PACKAGE = "checks"
#: What a Space asks: which rules a line breaks, what nobody may advertise, how good a line is.
ROOTS = (
    "pipelines.filters.apply_rules",
    "pipelines.filters.rules.forbidden",
    "model_card.judging.sense.published",
)
#: Modules with a learnt wording, which they read from `FITTED` where that is there.
LEARNT = (claims, cliches)
#: What a rule learns from: not copied.
LINES = "lines.jsonl"
DATA = (".yaml", ".jsonl", ".jinja")
#: An import of ours, up to the name of its package.
OURS = re.compile(r"^(\s*from )(?:pipelines|model_card)(?=[. ])", re.M)
HEADER = '''"""Hanjul's rules and the code of its judge, copied by `hanjul space` so that this folder stands alone.

Hanjul {version} (Apache-2.0), rules {rules}, judge {judge}. Change them there: a deployment writes this package anew.
"""
'''


def write_checks(out: Path) -> None:
    """Write the package `checks` into a folder."""
    package = out / PACKAGE
    copied = modules_behind(*ROOTS)
    for path in sorted({*copied.values(), *_parents(copied.values())}):
        place = _place(package, path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(OURS.sub(rf"\1{PACKAGE}", path.read_text(encoding="utf-8")), encoding="utf-8")
        for data in _data_of(path):
            (place.parent / data.name).write_bytes(data.read_bytes())
    for module in LEARNT:
        _place(package, module.FITTED).write_bytes(_fitted(module).read_bytes())
    header = HEADER.format(version=metadata.version("hanjul"), rules=RULES_VERSION, judge=JUDGE_VERSION)
    (package / "__init__.py").write_text(header, encoding="utf-8")


def _place(package: Path, path: Path) -> Path:
    """Where a file of ours stands in the copy: without the name of our package."""
    return package.joinpath(*path.relative_to(ROOT).parts[1:])


def _parents(paths: Iterable[Path]) -> Iterator[Path]:
    """What makes packages of the folders of modules."""
    for path in paths:
        folder = path.parent
        while folder != ROOT:
            yield folder / "__init__.py"
            folder = folder.parent


def _data_of(module: Path) -> Iterator[Path]:
    """The files beside a module that it names, with or without their ending."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    named = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    for path in sorted(module.parent.iterdir()):
        if path.suffix in DATA and path.name != LINES and named & {path.name, path.stem}:
            yield path


def _fitted(module: ModuleType) -> Path:
    """The wording of a rule, fitted once on this machine."""
    how = code_digest(module.__name__, "pipelines.filters.wording")
    key = sha256(f"{how} {digest(module.LINES)} {corpus_digest()} {rules_identity()}".encode()).hexdigest()[:16]
    kept = env.data_dir() / "cache" / "wordings" / f"{key}.json.gz"
    kept.parent.mkdir(parents=True, exist_ok=True)
    with locked(kept.with_suffix(".lock"), "wording of a rule"):
        if not kept.exists():
            half = kept.with_suffix(f".{os.getpid()}")
            write_wording(module.wording(), half)
            half.replace(kept)  # a file that is there is whole
    return kept
