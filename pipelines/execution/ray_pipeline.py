"""Runs a distilabel pipeline on a Ray cluster as strictly as `pipelines.execution.running` runs it on this machine."""

from __future__ import annotations

import logging
import os
import threading
import traceback
import uuid
from pathlib import Path
from typing import Any

from distilabel.pipeline import Pipeline
from distilabel.pipeline.base import _STEP_UNLOADED_CODE
from distilabel.pipeline.ray import RayPipeline
from distilabel.utils.logging import stop_logging

from pipelines.errors import HanjulError
from pipelines.execution.deaths import raise_if_dead
from pipelines.execution.interrupts import leave_interrupts
from pipelines.execution.local_pipeline import StrictStepWrapper
from pipelines.execution.ray_actors import Queue, StepActor, placement_of, queues_of, ray_of
from pipelines.progress import is_quiet

#: Seconds between two looks at whether all processes live.
_LOOK_S = 1.0


def on_ray(pipeline: Pipeline, address: str | None = None, **init: Any) -> StrictRayPipeline:
    """The same pipeline on a Ray cluster; run it with `pipelines.execution.running.run`.

    Each node needs what Hanjul needs, in the same versions, but no disk in common with the others: batches go through
    Ray, and the package `pipelines` is sent along.

    Args:
        address: of a running cluster: "auto", "host:6379" or "ray://host:10001". None is what `RAY_ADDRESS` says, else
            a Ray of its own on this machine. If this process is connected already, that connection is used and kept.
        init: arguments of `ray.init` that go before ours. No key belongs into `runtime_env`: Ray logs that.

    Raises:
        HanjulError: Ray is not installed.
    """
    ray_of()
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
    """A Ray pipeline that raises what stopped it and leaves nothing behind.

    distilabel's own lets go of what its actors return: one that raises leaves it waiting for ever.
    """

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Run it, and end the actors and the connection that were made for it, however it went.

        Raises:
            HanjulError: no cluster answers at the address.
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
        ray = ray_of()
        if not ray.is_initialized():
            self._connect(ray)
        self._logs = queues_of(f"{self._run_id}-log")
        self._actors.append(queues_of(f"{self._run_id}-queues"))

    def _connect(self, ray: Any) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        # "local": left to itself, Ray joins any cluster that it finds on this machine.
        address = self._ray_head_node_url or os.environ.get("RAY_ADDRESS") or "local"
        quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": logging.ERROR}
        code = {"py_modules": [str(Path(__file__).parents[1])], **self._ray_init_kwargs.get("runtime_env", {})}
        try:
            ray.init(address, **{**quiet, **self._ray_init_kwargs, "runtime_env": code})
        except ConnectionError as error:
            raise HanjulError(
                f"No Ray cluster answers: {error}",
                address,
                "start one with `ray start --head`, correct RAY_ADDRESS, or leave it out to have Ray started here",
            ) from None  # `pipelines.execution.running.run` says the cause where there is one
        self._connected = True

    @property
    def QueueClass(self) -> Any:
        """Makes queues as distilabel asks for them: the log's in an actor that outlives that of the others."""
        return lambda actor_options: Queue(
            self._logs if actor_options["name"].endswith("-log-queue") else self._actors[0], actor_options["name"]
        )

    def _cache(self) -> None:
        """Write no state down, as `StrictPipeline` does not."""

    def _handle_keyboard_interrupt(self) -> None:
        """Leave Ctrl-C to Python: distilabel's own handler would stop threads that are then waited for."""
        leave_interrupts()

    def _run_step(self, step: Any, input_queue: Any, replica: int) -> None:
        wrapper = StrictStepWrapper(
            step, replica, input_queue, self._output_queue, self._load_queue, self._dry_run, ray_pipeline=True
        )
        made = ray_of().remote(StepActor).options(name=f"{self._run_id}-{step.name}-{replica}", **placement_of(step))
        actor = made.remote(wrapper, self._log_queue, logging.getLogger().level, is_quiet())
        self._actors.append(actor)
        outcome = actor.run.remote(self.name, self.signature)
        self._watchers.append(threading.Thread(target=self._watch, args=(step.name, outcome), daemon=True))
        self._watchers[-1].start()

    def _watch(self, step: str, outcome: Any) -> None:
        """Wait for a step to end. What it raised comes as a value, the end of its process as an exception.

        What else the run depends on is looked at meanwhile: a server on this machine, for instance.
        """
        try:
            while not ray_of().wait([outcome], timeout=_LOOK_S)[0]:
                raise_if_dead()
            failure = ray_of().get(outcome)
        except Exception as error:
            failure = _died(f"The step {step}", error) or error, str(error)
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
            cause.add_note(f"in the step's process:\n{details}")
        self._logger.error(f"{what}:\n{details}")
        self._kill()

    def _kill(self) -> None:
        """End the steps and their queues, and with them every wait for either."""
        self._stop_called = True  # without its lock, which distilabel holds while it waits for steps to load
        for step in self._steps_load_status:
            self._steps_load_status[step] = _STEP_UNLOADED_CODE
        for actor in self._actors:
            ray_of().kill(actor)

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
            ray_of().kill(self._logs)
        if self._connected:
            ray_of().shutdown()

    def _output_queue_loop(self) -> None:
        self._to_its_end(super()._output_queue_loop)

    def _run_load_queue_loop(self) -> None:
        self._to_its_end(super()._run_load_queue_loop)

    def _to_its_end(self, loop: Any) -> None:
        """Run a loop of this process, which ends with an exception when its queue is killed."""
        try:
            loop()
        except Exception as error:
            cause = _died("The process that holds the queues", error) or error
            self._fail(f"the pipeline {self.name} failed", cause, traceback.format_exc())

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


def _died(who: str, error: Exception) -> HanjulError | None:
    """That a process on the cluster is gone, in Ray's words; None where the error is another matter."""
    if not isinstance(error, ray_of().exceptions.RayActorError):
        return None
    said = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return HanjulError(
        f"{who} died on the cluster: {said}",
        next_step="see the memory of its nodes, and run the same command to go on: what was answered is kept",
    )
