import contextlib
import importlib.util
import io
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from distilabel.models import OpenAILLM
from distilabel.pipeline import base
from distilabel.steps import StepResources

from pipelines.errors import HanjulError
from pipelines.execution.deaths import watched
from pipelines.execution.local_pipeline import StrictPipeline
from pipelines.execution.ray_actors import pin_to_driver
from pipelines.execution.ray_pipeline import on_ray
from pipelines.execution.running import run
from pipelines.progress import QUIET
from tests.pipelines.execution import toy_steps as toy

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not importlib.util.find_spec("ray"), reason="needs the extra `ray`"),
]

ROOT = Path(__file__).parents[3]
CODE = {"py_modules": [str(ROOT / "pipelines"), str(ROOT / "tests")]}
PROMPT = 30  # seconds
LEFT, RIGHT = StepResources(resources={"left": 1}), StepResources(resources={"right": 1})


@pytest.fixture(scope="module")
def child():
    """One process for all that touches Ray: its threads would make the local pipelines of other tests hang."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield lambda function, *args: pool.submit(function, *args).result(timeout=120)


@pytest.fixture(scope="module")
def local_rows(child, tmp_path_factory):
    return child(run_locally, tmp_path_factory.mktemp("local"))


@pytest.fixture(scope="module")
def cluster(child, local_rows):
    """(address, folder of Ray's files, {resource: node id}) of two nodes with one CPU each."""
    folder = tempfile.mkdtemp(prefix="ray-")
    address, nodes = child(start_cluster, folder)
    yield address, Path(folder), nodes
    child(stop_cluster)
    shutil.rmtree(folder)


# What follows up to the tests runs in the child.


def start_cluster(folder):
    global running
    os.environ["RAY_AUTH_MODE"] = "disabled"  # otherwise Ray writes a token to the user's home
    os.environ["RAY_TMPDIR"] = folder
    import ray
    from ray.cluster_utils import Cluster

    small = {"num_cpus": 1, "object_store_memory": 80 << 20, "include_dashboard": False}
    running = Cluster(initialize_head=True, head_node_args={**small, "resources": {"left": 1}})
    running.add_node(**small, resources={"right": 1})
    with ray.init(running.address, log_to_driver=False):
        nodes = {
            name: node["NodeID"] for node in ray.nodes() for name in ("left", "right") if name in node["Resources"]
        }
    return running.address, nodes


def stop_cluster():
    running.shutdown()


def toy_pipeline(folder, on_numbers, on_double):
    with StrictPipeline("toy", cache_dir=folder) as built:
        numbers = toy.Numbers(count=7, batch_size=2, resources=on_numbers)
        numbers >> toy.Double(input_batch_size=3, resources=on_double) >> toy.Total()
    return built


def broken_pipeline(folder, step, **fields):
    with StrictPipeline("toy", cache_dir=folder) as built:
        if issubclass(step, toy.Numbers):
            step(name="culprit", count=7, batch_size=2)
        else:
            toy.Numbers(count=7, batch_size=2) >> step(name="culprit", input_batch_size=2, **fields)
    return built


def run_locally(folder):
    base.time = SimpleNamespace(
        sleep=lambda _: time.sleep(0.2)
    )  # distilabel looks every 2.5 s whether steps are loaded
    return run(toy_pipeline(folder, LEFT, RIGHT))


def run_on_ray(address, folder):
    """Rows, and what is left of the run."""
    import ray

    rows = run(on_ray(toy_pipeline(folder, LEFT, RIGHT), address, runtime_env=CODE))
    threads = [thread.name for thread in threading.enumerate() if not thread.daemon]
    return rows, threads, ray.is_initialized()


def run_telling(address, folder, quiet):
    """What the driver says on stderr of a step that shows progress."""
    with StrictPipeline("toy", cache_dir=folder) as built:
        toy.Tells(count=7, batch_size=7) >> toy.Double(input_batch_size=7) >> toy.Total()
    os.environ.update({QUIET: "1"} if quiet else {})
    multiprocessing.current_process().name = "MainProcess"  # distilabel hands on the log of steps in no other
    with contextlib.redirect_stderr(io.StringIO()) as said:
        run(on_ray(built, address, runtime_env=CODE))
    os.environ.pop(QUIET, None)
    return said.getvalue()


def run_pinned(address, folder):
    """Rows of a run in a connection that is there, the driver's node, whose CPU is taken, and named actors left."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    with ray.init(address, runtime_env=CODE, log_to_driver=False):
        here = ray.get_runtime_context().get_node_id()
        taking = ray.remote(threading.Event).options(
            num_cpus=1, scheduling_strategy=NodeAffinitySchedulingStrategy(here, soft=False)
        )
        event = taking.remote()
        ray.get(event.is_set.remote())
        rows = run(on_ray(toy_pipeline(folder, StepResources(), pin_to_driver())))
        assert ray.is_initialized()
        return rows, here, ray.util.list_named_actors(all_namespaces=True)


def run_broken(address, folder, step, fields):
    """(message, the same of its cause, type and message of the cause of that, seconds)."""
    started = time.monotonic()
    with pytest.raises(RuntimeError, match="the pipeline toy stopped") as caught:
        run(on_ray(broken_pipeline(folder, step, **fields), address, runtime_env=CODE))
    failed = caught.value.__cause__
    cause = failed.__cause__
    return str(caught.value), str(failed), type(cause).__name__, str(cause), time.monotonic() - started


def run_dying(address, folder):
    """The words of the error, and seconds."""
    started = time.monotonic()
    with pytest.raises(HanjulError) as caught:
        run(on_ray(broken_pipeline(folder, toy.Dies), address, runtime_env=CODE))
    return caught.value.what, caught.value.next_step, time.monotonic() - started


def run_asking(address, folder, key):
    llm = OpenAILLM(base_url="http://127.0.0.1:9/v1", model="m", api_key=key)
    return run_broken(address, folder, toy.Asks, {"llm": llm})


def run_interrupted(address, folder):
    """(seconds, threads left, actors left)"""
    import ray

    def interrupt():
        while not (folder / "begun").exists():
            time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGINT)

    user = threading.Thread(target=interrupt, daemon=True)
    user.start()
    with pytest.raises(KeyboardInterrupt):
        run(on_ray(broken_pipeline(folder, toy.Sleeps, begun=str(folder / "begun")), address, runtime_env=CODE))
    begun = (folder / "begun").stat().st_mtime
    seconds = time.time() - begun
    threads = [thread.name for thread in threading.enumerate() if not thread.daemon]
    with ray.init(address, log_to_driver=False):
        return seconds, threads, ray.util.list_named_actors(all_namespaces=True)


def run_beside_a_server(address, folder):
    """The words of the error where a server that the run depends on is killed, and seconds since."""

    def kill():
        while not (folder / "begun").exists():
            time.sleep(0.1)
        server.kill()

    with (
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"]) as server,
        watched("The server", server.poll),
        pytest.raises(HanjulError) as caught,
    ):
        threading.Thread(target=kill, daemon=True).start()
        run(on_ray(broken_pipeline(folder, toy.Sleeps, begun=str(folder / "begun")), address, runtime_env=CODE))
    return caught.value.what, time.time() - (folder / "begun").stat().st_mtime


def run_copies(address, folder):
    """What the teacher wrote for four pairs on the cluster, and then again, with the requests sent in all."""
    from pipelines.synthesis.prompts import PromptBuilder
    from pipelines.synthesis.write_lines import Writing, build_writing_pipeline, read_leaf
    from tests.limits import limits
    from tests.pipelines.endpoint.teacher_server import serve
    from tests.pipelines.endpoint.teachers import teacher_at

    rules = limits(gated=False)
    pairs = [
        {"id": str(n), "product": f"우산 {n}", "category": "잡화", "values": ["든든한"], "device": "", "tone": ""}
        for n in range(4)
    ]
    os.environ["RAY_ADDRESS"] = address
    found = []
    with serve(lambda body, choice: '{"copies": ["비보다 먼저 펴는 마음"]}') as endpoint:
        for turn in range(2):
            llm = teacher_at(endpoint.url, folder, concurrency=2)
            writing = Writing(pairs, PromptBuilder(1), "t", 1, rules)
            pipeline = build_writing_pipeline(writing, llm, cache_dir=folder / str(turn), engine="ray")
            found.append(read_leaf(run(pipeline)))
    del os.environ["RAY_ADDRESS"]
    return found, len(endpoint.log.requests)


def values(rows):
    return [(row["number"], row["double"], row["total"]) for row in rows]


def test_gives_the_rows_of_a_local_run_made_on_both_nodes(child, cluster, local_rows, tmp_path):
    address, _, nodes = cluster
    rows, threads, connected = child(run_on_ray, address, tmp_path)
    assert values(rows) == values(local_rows) == [(number, number * 2, 42) for number in range(7)]
    assert {row["made_on"] for row in rows} == {nodes["left"]}
    assert {row["doubled_on"] for row in rows} == {nodes["right"]}
    assert threads == ["MainThread"]
    assert not connected


def test_a_step_says_through_the_driver_how_far_it_is(child, cluster, tmp_path):
    assert "counting: 7/7 (100%)" in child(run_telling, cluster[0], tmp_path, False)
    assert "counting" not in child(run_telling, cluster[0], tmp_path, True)


def test_a_pinned_step_runs_where_the_driver_does_and_a_connection_that_was_there_is_kept(child, cluster, tmp_path):
    address, _, nodes = cluster
    rows, here, actors = child(run_pinned, address, tmp_path)
    assert {row["doubled_on"] for row in rows} == {here}
    assert {row["made_on"] for row in rows} == set(nodes.values()) - {here}
    assert len(rows) == 7
    assert actors == []


@pytest.mark.parametrize(
    ("step", "kind", "message"),
    [
        (toy.BreaksMaking, "LookupError", "no more numbers"),
        (toy.BreaksLoading, "OSError", "no such model"),
        (toy.BreaksTotalling, "ArithmeticError", "too much"),
    ],
)
def test_what_a_step_raises_ends_the_run_at_once(child, cluster, tmp_path, step, kind, message):
    said, failed, cause, why, seconds = child(run_broken, cluster[0], tmp_path, step, {})
    assert said.startswith("the pipeline toy stopped: ")
    assert message in said
    assert failed.startswith("the step culprit failed: ")
    assert cause == kind
    assert message in why
    assert seconds < PROMPT


def test_a_step_that_dies_ends_the_run_at_once_and_is_named(child, cluster, tmp_path):
    what, step, seconds = child(run_dying, cluster[0], tmp_path)
    assert what.startswith("The step culprit died on the cluster: The actor died unexpectedly")
    assert step == "see the memory of its nodes, and run the same command to go on: what was answered is kept"
    assert seconds < PROMPT


def test_the_teacher_writes_on_a_cluster_and_its_answers_stay_with_the_driver(child, cluster, tmp_path):
    (first, again), requests = child(run_copies, cluster[0], tmp_path)
    assert [result.rows[0]["ad_copy"] for result in first] == ["비보다 먼저 펴는 마음"] * 4
    assert [result.rows[0]["reason"] for result in first] == [""] * 4
    assert again == first
    assert requests == 4


def test_a_key_in_a_step_reaches_it_and_no_file_of_ray(child, cluster, tmp_path):
    """The step is a normal one, whose failed batch distilabel would fill up, and raises what pickle cannot carry."""
    address, folder, _ = cluster
    key = f"sk-{uuid.uuid4().hex}"  # in no file, as this one is sent to Ray
    _, _, cause, why, _ = child(run_asking, address, tmp_path, key)
    assert (cause, why) == ("RuntimeError", f"Unpicklable: refused the key of digest {toy.digest(key)}")
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(b"asking" in path.read_bytes() for path in files)
    assert [path for path in files if key.encode() in path.read_bytes()] == []


def test_a_run_ends_when_a_process_dies_that_it_depends_on(child, cluster, tmp_path):
    what, seconds = child(run_beside_a_server, cluster[0], tmp_path)
    assert what == "The server died: it was ended by SIGKILL (out of memory?)"
    assert seconds < PROMPT


def test_interrupt_ends_it_at_once(child, cluster, tmp_path):
    seconds, threads, actors = child(run_interrupted, cluster[0], tmp_path)
    assert seconds < PROMPT
    assert threads == ["MainThread"]
    assert actors == []
