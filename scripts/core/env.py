"""The process environment: where things live, which Hub is meant, who must not phone home.

Everything here runs before huggingface_hub, datasets, distilabel, gradio or deepeval is imported: they read the
environment at import.
"""

from __future__ import annotations

import os
import re
import warnings
from contextlib import suppress
from pathlib import Path

import platformdirs

#: The folder that holds the packages: a source checkout, or site-packages.
ROOT = Path(__file__).resolve().parents[2]

#: Environment variables that recipes name as those with an endpoint's key.
KEY_VARIABLES: set[str] = set()
#: What is in the names of other variables with a secret, HF_TOKEN among them.
SECRET = re.compile("(^|_)(API)?(KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS)(_|$)", re.IGNORECASE)
#: Characters; a shorter value is none.
SHORTEST_SECRET = 6

#: Port of `hanjul hub serve`.
HUB_PORT = 8710

#: Telemetry and update checks of the stack, off in one place, and how it uses this machine.
OPT_OUTS = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_UPDATE_CHECK": "1",
    "HF_UPDATE_DOWNLOAD_COUNTS": "0",
    "DEEPEVAL_TELEMETRY_OPT_OUT": "1",
    "DEEPEVAL_UPDATE_WARNING_OPT_IN": "0",
    "DEEPEVAL_FILE_SYSTEM": "READ_ONLY",
    "ERROR_REPORTING": "0",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "DISTILABEL_TELEMETRY": "0",
    "DISTILABEL_LOG_LEVEL": "WARNING",  # our own progress says what its INFO lines say
    # `pipelines.progress` shows what takes long
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "ARGILLA_ENABLE_TELEMETRY": "0",
    "TRACKIO_TELEMETRY": "0",
    "DO_NOT_TRACK": "1",
    "TOKENIZERS_PARALLELISM": "false",
    # Threads that wait give their core away after a moment: by default a second process on the machine makes training
    # eight times slower, so it is only twice; alone it costs a few percent.
    "GOMP_SPINCOUNT": "20000",
}


def is_checkout() -> bool:
    """Whether this is the source tree, not an installed wheel."""
    return (ROOT / "pyproject.toml").is_file()


def data_dir() -> Path:
    """Where the local Hub, caches and work in progress live: `HANJUL_HOME`, else the user's data folder.

    Absolute, because processes that are started from here run in a folder of their own.
    """
    return Path(os.environ.get("HANJUL_HOME") or platformdirs.user_data_dir("hanjul")).absolute()


def hub_store() -> Path:
    """The folder of the local Hub's database and blobs."""
    return data_dir() / "hub"


def answers_path() -> Path:
    """The SQLite file with every answer that was paid for, and the ledger of requests."""
    return data_dir() / "answers.sqlite"


def work_dir() -> Path:
    """The folder with a folder for each stage that is not finished."""
    return data_dir() / "work"


def logs_dir() -> Path:
    """The folder with a file for each error that was not expected, the newest of them."""
    return data_dir() / "logs"


def opt_out() -> None:
    """Set the opt-outs that the user has not set otherwise."""
    for name, value in OPT_OUTS.items():
        os.environ.setdefault(name, value)
    for name in ("NO_PROXY", "no_proxy"):  # the local Hub and llama.cpp are on loopback
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1", "localhost"]))
    # distilabel's models under pydantic 2.14, and libraries that turn on bars which we turned off: nothing to act on
    useless = ("The .default. attribute with value None", "Cannot enable progress bars", ".is_gradient_checkpointing")
    for message in useless:
        warnings.filterwarnings("ignore", message=message)


def has_token() -> bool:
    """Whether the real Hub is meant: a token in the environment or one stored by `hf auth login`."""
    return bool(os.environ.get("HF_TOKEN") or os.environ.get("HUGGING_FACE_HUB_TOKEN") or _stored_token())


def _stored_token() -> str:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = Path(os.environ.get("HF_HOME") or cache / "huggingface")
    stored = Path(os.environ.get("HF_TOKEN_PATH") or home / "token")
    return stored.read_text(encoding="utf-8").strip() if stored.is_file() else ""


def secrets() -> list[str]:
    """Keys and tokens that this process knows, for those who must not write them down; the longest first."""
    known = {value for name, value in os.environ.items() if name in KEY_VARIABLES or SECRET.search(name)}
    with suppress(OSError, UnicodeDecodeError):  # who asks tells of an error, maybe of this very file's
        known.add(_stored_token())
    return sorted((value for value in known if len(value) >= SHORTEST_SECRET), key=len)[::-1]
