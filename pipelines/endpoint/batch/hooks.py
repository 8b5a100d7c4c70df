"""Mends distilabel's offline batch generation: whole bodies are sent, no batch is lost and no result of one."""

from __future__ import annotations

import json
from typing import Any

import openai
from distilabel.models import OpenAILLM

#: Under which the provider keeps our id of a batch, and how many of its latest batches are looked through for it.
TAG, RECENT = "hanjul_batch", 100
#: What a batch may come to.
ENDED = ("completed", "failed", "expired", "cancelled")


class BatchHooks(OpenAILLM):  # type: ignore[misc]
    """`OpenAILLM` with batches of whole bodies, of which none is lost."""

    def _create_jsonl_row(self, input: Any, custom_id: str, **kwargs: Any) -> bytes:
        """A line of a batch file: `input` is the whole body of a request, seed and all."""
        row = {"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions", "body": input}
        return json.dumps(row, ensure_ascii=False).encode() + b"\n"

    def _retrieve_batch_results(self, batch: Any) -> list[dict[str, Any]]:
        """The rows of both files of a batch, in the form of the Batch API; a batch that stopped early has them too.

        Raises:
            openai.OpenAIError, ValueError: a file cannot be had, or is no JSONL.
        """
        files = [file for file in (batch.error_file_id, batch.output_file_id) if file]
        contents = [self._client.files.content(file).content for file in files]
        # Not `splitlines`: JSON may hold U+2028 and its like as they are.
        return [json.loads(line) for content in contents for line in content.split(b"\n") if line.strip()]

    def create_jobs(self, files: list[Any], batch: str) -> list[str]:
        """Make jobs of the provider from input files, tagged with our id; theirs.

        Raises:
            openai.OpenAIError: not all were made, or it is not known.
        """
        client = self._client.with_options(max_retries=0)  # a retry would make a second one, and pay it
        return [
            client.batches.create(
                completion_window="24h", endpoint="/v1/chat/completions", input_file_id=file.id, metadata={TAG: batch}
            ).id
            for file in files
        ]

    def find_jobs(self, batch: str) -> list[str]:
        """The provider's jobs with our id; none where it keeps no list of them."""
        try:
            recent = self._client.batches.list(limit=RECENT).data
        except openai.NotFoundError:
            return []
        return [job.id for job in recent if (job.metadata or {}).get(TAG) == batch]

    def ended_jobs(self, jobs: list[str]) -> list[Any]:
        """The provider's jobs as they ended; none while one is under way."""
        current = [self._client.batches.retrieve(job) for job in jobs]
        return current if all(job.status in ENDED for job in current) else []
