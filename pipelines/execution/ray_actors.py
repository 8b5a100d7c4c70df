"""What of a Ray pipeline runs on the nodes: queues, steps and where they are placed."""

from __future__ import annotations

import asyncio
import io
import logging
import pickle
import traceback
from collections import defaultdict
from typing import Any

from distilabel.pipeline.base import set_pipeline_running_env_variables
from distilabel.steps import StepResources
from distilabel.utils.logging import setup_logging

from pipelines import progress
from pipelines.errors import HanjulError
from pipelines.execution.local_pipeline import StrictStepWrapper
from pipelines.execution.step_processes import portable


def queues_of(name: str) -> Any:
    """An actor that holds queues. Its class is made here: Ray sends it whole, and its process imports nothing."""

    class Queues:
        def __init__(self) -> None:
            self.queues: dict[str, asyncio.Queue[bytes]] = defaultdict(asyncio.Queue)

        async def put(self, queue: str, item: bytes) -> None:
            self.queues[queue].put_nowait(item)

        async def get(self, queue: str) -> bytes:
            return await self.queues[queue].get()

        async def size(self, queue: str) -> int:
            return self.queues[queue].qsize()

    return ray_of().remote(Queues).options(name=name, num_cpus=0).remote()


class Queue:
    """One queue in such an actor, with the methods of `queue.Queue` that distilabel and `logging` call."""

    def __init__(self, actor: Any, name: str) -> None:
        self._actor, self._name = actor, name

    def put(self, item: Any) -> None:
        ray_of().get(self._actor.put.remote(self._name, pickle.dumps(item)))

    put_nowait = put

    def get(self, block: bool = True) -> Any:
        return pickle.loads(ray_of().get(self._actor.get.remote(self._name)))  # noqa: S301 - our own bytes

    def qsize(self) -> int:
        return int(ray_of().get(self._actor.size.remote(self._name)))

    def empty(self) -> bool:
        return not self.qsize()


class LinesToDriver(io.StringIO):
    """Sends lines to the driver with the log of its steps."""

    def __init__(self) -> None:
        super().__init__()
        self._logger = logging.getLogger("hanjul")
        self._logger.setLevel(logging.INFO)  # the driver's own level is for distilabel

    def write(self, text: str, /) -> int:
        if text.strip():
            self._logger.info(text.strip())
        return len(text)


class StepActor:
    """A replica of a step, in a process on some node.

    Args:
        log_level, quiet: of the driver: a node has an environment of its own.
    """

    def __init__(self, wrapper: StrictStepWrapper, log_queue: Any, log_level: int, quiet: bool) -> None:
        self._wrapper, self._log_queue, self._log_level, self._quiet = wrapper, log_queue, log_level, quiet

    def run(self, pipeline: str, cache_id: str) -> tuple[Exception, str] | None:
        """Run the step to its end, and give what it raised and the traceback.

        Not raised here: distilabel's exception carries the step, whose clients no process can send to another.
        """
        setup_logging(log_queue=self._log_queue)
        logging.getLogger().setLevel(self._log_level)
        progress.STREAM = LinesToDriver()
        if self._quiet:
            progress.be_quiet()
        set_pipeline_running_env_variables(pipeline, cache_id)
        try:
            self._wrapper.run()
        except Exception as error:
            raised = getattr(error, "subprocess_exception", error)
            return portable(raised), "".join(traceback.format_exception(raised))
        return None


#: Marks a step that must run where the driver runs. No node offers it, and Ray never sees it.
ON_DRIVER = "hanjul_driver"


def pin_to_driver() -> StepResources:
    """The `resources` of a step that uses files of this machine. A local pipeline takes no notice of them.

    Such a step reserves no CPU, so that it gets its place however busy the node is.
    """
    return StepResources(resources={ON_DRIVER: 1})


def placement_of(step: Any) -> dict[str, Any]:
    """Options of the actor of a step. What its `resources` leave open is left to Ray."""
    asked = {"num_cpus": step.resources.cpus, "num_gpus": step.resources.gpus, "memory": step.resources.memory}
    options = {name: amount for name, amount in asked.items() if amount is not None}
    custom = dict(step.resources.resources or {})
    if custom.pop(ON_DRIVER, None):
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        options.setdefault("num_cpus", 0)
        options["scheduling_strategy"] = NodeAffinitySchedulingStrategy(_driver_node(), soft=False)
    return {**options, "resources": custom}


def _driver_node() -> str:
    """The id of the node on this machine.

    Raises:
        HanjulError: this machine is no node of the cluster it is connected to, which only "ray://" allows.
    """
    ray = ray_of()
    if not ray.util.client.ray.is_connected():
        return str(ray.get_runtime_context().get_node_id())
    here = ray.util.get_node_ip_address()
    for node in ray.nodes():
        if node["Alive"] and node["NodeManagerAddress"] == here:
            return str(node["NodeID"])
    raise HanjulError(
        "This machine is no node of the Ray cluster, and a step needs its files",
        here,
        'make it one with `ray start --address=<head>:6379` and connect with the address "auto"',
    )


def ray_of() -> Any:
    try:
        import ray
    except ImportError:
        raise HanjulError(
            "The engine `ray` needs Ray, which is not installed", next_step="run `pip install 'hanjul[ray]'`"
        ) from None
    return ray
