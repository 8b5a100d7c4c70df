"""Runs a distilabel pipeline on a Ray cluster as strictly as `pipelines.running` runs it on this machine."""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import sys
import threading
import traceback
import uuid
from collections import defaultdict
from pathlib import Path
from typing import Any

from distilabel.pipeline import Pipeline
from distilabel.pipeline.base import _STEP_UNLOADED_CODE, set_pipeline_running_env_variables
from distilabel.pipeline.ray import RayPipeline
from distilabel.pipeline.step_wrapper import _StepWrapper
from distilabel.steps import StepResources
from distilabel.utils.logging import setup_logging, stop_logging

#: Marks a step that must run where the driver runs. No node offers it, and Ray never sees it.
ON_DRIVER = "hanjul_driver"


def pin_to_driver() -> StepResources:
    """The `resources` of a step that uses files of this machine. A local pipeline takes no notice of them.

    Such a step reserves no CPU, so that it gets its place however busy the node is.
    """
    return StepResources(resources={ON_DRIVER: 1})


def on_ray(pipeline: Pipeline, address: str | None = None, **init: Any) -> StrictRayPipeline:
    """The same pipeline on a Ray cluster; run it with `pipelines.running.run`.

    Each node needs what Hanjul needs, in the same versions, but no disk in common with the others: batches go through
    Ray, and the package `pipelines` is sent along.

    Args:
        address: of a running cluster: "auto", "host:6379" or "ray://host:10001". None is what `RAY_ADDRESS` says, else
            a Ray of its own on this machine. If this process is connected already, that connection is used and kept.
        init: arguments of `ray.init` that go before ours. No key belongs into `runtime_env`: Ray logs that.

    Raises:
        ValueError: Ray is not installed.
    """
    _ray()
    strict = StrictRayPipeline(
        name=pipeline.name,
        description=pipeline.description,
        cache_dir=pipeline._cache_dir,
        enable_metadata=pipeline._enable_metadata,
        requirements=pipeline.requirements,
        ray_head_node_url=address,
        ray_init_kwargs=init,
    )
    strict.dag = pipeline.dag
    return strict


class StrictRayPipeline(RayPipeline):  # type: ignore[misc]
    """A Ray pipeline that raises what stopped it and leaves nothing behind. Make it with `on_ray`.

    distilabel's own lets go of what its actors return: one that raises leaves it waiting for ever.
    """

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Run it, and end the actors and the connection that were made for it, however it went.

        Raises:
            ValueError: no cluster answers at the address.
            RuntimeError: a step failed; the cause is what it raised, or Ray's word on how its process ended.
        """
        self._run_id = f"{self.name}-{uuid.uuid4().hex[:8]}"  # no two runs in a cluster share the name of an actor
        self._over = self._connected = self._stop_called = False
        self._over_lock = threading.Lock()
        self._actors: list[Any] = []  # that of the queues first, then those of the steps
        self._logs: Any = None  # the actor of the log's queue, which ends after them
        self._watchers: list[threading.Thread] = []
        self._output_queue_thread = self._load_steps_thread = None
        try:
            return super().run(*args, **kwargs)
        finally:
            self._end()

    def _init_ray(self) -> None:
        ray = _ray()
        if not ray.is_initialized():
            self._connect(ray)
        self._logs = _queues(f"{self._run_id}-log")
        self._actors.append(_queues(f"{self._run_id}-queues"))

    def _connect(self, ray: Any) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        # "local": left to itself, Ray joins any cluster that it finds on this machine.
        address = self._ray_head_node_url or os.environ.get("RAY_ADDRESS") or "local"
        quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": logging.ERROR}
        code = {"py_modules": [str(Path(__file__).parent)], **self._ray_init_kwargs.get("runtime_env", {})}
        try:
            ray.init(address, **{**quiet, **self._ray_init_kwargs, "runtime_env": code})
        except ConnectionError as error:
            raise ValueError(
                f"no Ray cluster answers at {address} ({error}); start one with `ray start --head`, correct the "
                "address, or leave it out to have Ray started on this machine"
            ) from error
        self._connected = True

    @property
    def QueueClass(self) -> Any:
        """Makes queues as distilabel asks for them: the log's in an actor that outlives that of the others."""
        return lambda actor_options: _Queue(
            self._logs if actor_options["name"].endswith("-log-queue") else self._actors[0], actor_options["name"]
        )

    def _handle_keyboard_interrupt(self) -> None:
        """Leave Ctrl-C to Python, as `StrictPipeline` does."""

    def _run_step(self, step: Any, input_queue: Any, replica: int) -> None:
        wrapper = _StrictStepWrapper(
            step, replica, input_queue, self._output_queue, self._load_queue, self._dry_run, ray_pipeline=True
        )
        made = _ray().remote(_StepActor).options(name=f"{self._run_id}-{step.name}-{replica}", **_placement(step))
        actor = made.remote(wrapper, self._log_queue, logging.getLogger().level)
        self._actors.append(actor)
        outcome = actor.run.remote(self.name, self.signature)
        self._watchers.append(threading.Thread(target=self._watch, args=(step.name, outcome), daemon=True))
        self._watchers[-1].start()

    def _watch(self, step: str, outcome: Any) -> None:
        """Wait for a step to end. What it raised comes as a value, the end of its process as an exception."""
        try:
            failure = _ray().get(outcome)
        except Exception as error:
            failure = error, str(error)
        if failure:
            self._fail(f"the step {step} failed", *failure)

    def _fail(self, what: str, cause: Exception, details: str) -> None:
        """Keep the first failure and end the run: what fails after it, fails of it."""
        with self._over_lock:
            if self._over:
                return
            self._over = True
            self._exception = RuntimeError(f"{what}: {cause}")
            self._exception.__cause__ = cause
        self._logger.error(f"{what}:\n{details}")
        self._kill()

    def _kill(self) -> None:
        """End the steps and their queues, and with them every wait for either."""
        self._stop_called = True  # without its lock, which distilabel holds while it waits for steps to load
        for step in self._steps_load_status:
            self._steps_load_status[step] = _STEP_UNLOADED_CODE
        for actor in self._actors:
            _ray().kill(actor)

    def _end(self) -> None:
        self._over = True
        self._kill()
        for thread in (self._output_queue_thread, self._load_steps_thread):
            if thread:
                thread.join()
        self._kill()  # the first of these threads may have started a step meanwhile
        for watcher in self._watchers:
            watcher.join()
        stop_logging()
        if self._logs:
            _ray().kill(self._logs)
        if self._connected:
            _ray().shutdown()

    def _output_queue_loop(self) -> None:
        self._to_its_end(super()._output_queue_loop)

    def _run_load_queue_loop(self) -> None:
        self._to_its_end(super()._run_load_queue_loop)

    def _to_its_end(self, loop: Any) -> None:
        """Run a loop of this process, which ends with an exception when its queue is killed."""
        try:
            loop()
        except Exception as error:
            self._fail(f"the pipeline {self.name} failed", error, traceback.format_exc())

    def _teardown(self) -> None:
        """Write the last rows, and wait for the steps' own word: one may fail after its last batch."""
        for watcher in self._watchers:
            watcher.join()
        self._write_buffer.close()
        self._batch_manager: Any = None

    def _send_batch_to_step(self, batch: Any) -> None:
        """Send it through the queue. distilabel has a global step read a file, which other nodes do not see."""
        self._batch_manager.set_last_batch_sent(batch)
        self._send_to_step(batch.step_name, batch)


def _queues(name: str) -> Any:
    """An actor that holds queues. Its class is made here so that Ray sends it whole, and its process imports nothing."""

    class Queues:
        def __init__(self) -> None:
            self.queues: dict[str, asyncio.Queue[bytes]] = defaultdict(asyncio.Queue)

        async def put(self, queue: str, item: bytes) -> None:
            self.queues[queue].put_nowait(item)

        async def get(self, queue: str) -> bytes:
            return await self.queues[queue].get()

        async def size(self, queue: str) -> int:
            return self.queues[queue].qsize()

    return _ray().remote(Queues).options(name=name, num_cpus=0).remote()


class _Queue:
    """One queue in such an actor, with the methods of `queue.Queue` that distilabel and `logging` call."""

    def __init__(self, actor: Any, name: str) -> None:
        self._actor, self._name = actor, name

    def put(self, item: Any) -> None:
        _ray().get(self._actor.put.remote(self._name, pickle.dumps(item)))

    put_nowait = put

    def get(self, block: bool = True) -> Any:
        return pickle.loads(_ray().get(self._actor.get.remote(self._name)))  # noqa: S301 - our own bytes

    def qsize(self) -> int:
        return int(_ray().get(self._actor.size.remote(self._name)))

    def empty(self) -> bool:
        return not self.qsize()


class _StrictStepWrapper(_StepWrapper):  # type: ignore[misc]
    """Fails where distilabel's own fills the outputs of a failed batch with None and goes on."""

    def _impute_step_outputs(self, batch: Any) -> Any:
        raise  # what the step raised: distilabel calls this where it has caught that

    def _send_batch(self, batch: Any) -> None:
        """Nothing of a failed batch: it might be the last, and the run be done before the failure is known."""
        if not sys.exc_info()[0]:
            super()._send_batch(batch)


class _StepActor:
    """A replica of a step, in a process on some node."""

    def __init__(self, wrapper: _StrictStepWrapper, log_queue: Any, log_level: int) -> None:
        self._wrapper, self._log_queue, self._log_level = wrapper, log_queue, log_level

    def run(self, pipeline: str, cache_id: str) -> tuple[Exception, str] | None:
        """Run the step to its end, and give what it raised and the traceback.

        Not raised here: distilabel's exception carries the step, whose clients no process can send to another.
        """
        setup_logging(log_queue=self._log_queue)
        logging.getLogger().setLevel(self._log_level)  # of the driver: a node has an environment of its own
        set_pipeline_running_env_variables(pipeline, cache_id)
        try:
            self._wrapper.run()
        except Exception as error:
            raised = getattr(error, "subprocess_exception", error)
            return _portable(raised), "".join(traceback.format_exception(raised))
        return None


def _portable(error: Exception) -> Exception:
    """The exception, or its type and text where it cannot be pickled and read again, as with most of openai's."""
    try:
        copy: Exception = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return copy


def _placement(step: Any) -> dict[str, Any]:
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
        ValueError: this machine is no node of the cluster it is connected to, which only "ray://" allows.
    """
    ray = _ray()
    if not ray.util.client.ray.is_connected():
        return str(ray.get_runtime_context().get_node_id())
    here = ray.util.get_node_ip_address()
    for node in ray.nodes():
        if node["Alive"] and node["NodeManagerAddress"] == here:
            return str(node["NodeID"])
    raise ValueError(
        f"this machine ({here}) is no node of the Ray cluster, and a step needs its files; make it one with "
        '`ray start --address=<head>:6379` and connect with the address "auto"'
    )


def _ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise ValueError(
            "the engine `ray` needs Ray, which is not installed; install it with `pip install 'hanjul[ray]'`"
        ) from error
    return ray
