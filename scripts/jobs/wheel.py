"""Hanjul as a wheel, for machines that install it from a URL.

A source checkout is built by its own build backend, an installed Hanjul is packed from its installed files. Equal
content gives equal bytes, so that one wheel is uploaded once.
"""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from importlib import metadata
from pathlib import Path

from pipelines.errors import HanjulError
from scripts.core import env

#: Seconds of the oldest date that a zip can hold: files in the wheel carry no date of their own.
EPOCH = 315532800

#: What an installer adds to `*.dist-info`.
INSTALLER_FILES = {"INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_build.json", "uv_cache.json"}

_BUILD = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"


def make(folder: Path) -> Path:
    """Write the wheel of the Hanjul that runs here into a folder.

    Raises:
        HanjulError: the checkout cannot be built, or the installation names no files.
    """
    if env.is_checkout():
        return build(env.ROOT, folder)
    return pack(metadata.distribution("hanjul"), folder)


def build(source: Path, folder: Path) -> Path:
    """Build a source checkout, without a trace in it and without its old `build/`, whose modules may be gone."""
    with tempfile.TemporaryDirectory() as scratch:
        config = Path(scratch) / "distutils.cfg"
        config.write_text(f"[build]\nbuild_base = {scratch}\n[egg_info]\negg_base = {scratch}\n", encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-c", _BUILD, str(folder)],
            cwd=source,
            env=os.environ | {"DIST_EXTRA_CONFIG": str(config), "SOURCE_DATE_EPOCH": str(EPOCH)},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise HanjulError(f"The wheel cannot be built: {reason}", str(source), "run `pip install 'setuptools>=80'`")
    return folder / done.stdout.splitlines()[-1]


def pack(installed: metadata.Distribution, folder: Path) -> Path:
    """Zip the files that an installed wheel consisted of."""
    files = [path for path in installed.files or [] if _is_in_wheel(path)]
    if not files:
        raise HanjulError("The installed Hanjul does not say which files it has", "RECORD", "install it with pip or uv")
    [info] = {path.parts[0] for path in files if path.parts[0].endswith(".dist-info")}
    contents = {path.as_posix(): path.read_binary() for path in sorted(files)}
    rows = [f"{name},{_digest(content)},{len(content)}" for name, content in contents.items()]
    contents[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""]).encode()
    wheel = folder / f"{info.removesuffix('.dist-info')}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return wheel


def _is_in_wheel(path: metadata.PackagePath) -> bool:
    """False for what the installer made: scripts outside the folder, byte code, notes of its own."""
    if path.is_absolute() or path.parts[0] == ".." or "__pycache__" in path.parts:
        return False
    return not (path.parts[0].endswith(".dist-info") and path.name in INSTALLER_FILES)


def _digest(content: bytes) -> str:
    """A file's digest as RECORD has it."""
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
