"""Learns from an endpoint's refusals what it does not know or names otherwise, and keeps it for the next process."""

from __future__ import annotations

from typing import Any

import openai

from pipelines.endpoint.answer_store import Store, key_of

#: Parameters that some endpoints refuse, and that a request can do without.
OPTIONAL = ("response_format", "seed", "top_p", "temperature")
#: What OpenAI's reasoning models call `max_tokens`.
COMPLETION_LIMIT = "max_completion_tokens"
#: What every refusal of token probabilities says, in whatever case.
LOGPROBS = "logprobs"
#: Alternatives to a token that every endpoint which gives any will give; OpenAI gives up to 20.
FEW_ALTERNATIVES = 5


class Compatibility:
    """Turns a request body into one that the endpoint takes.

    Attributes:
        without: optional parameters that it refuses.
        limit_name: what it calls the limit of an answer.
        choices: choices that one request may ask for.
        alternatives: alternatives to a token that one request may ask for; None while no limit is known.
    """

    def __init__(self, store: Store, identity: str, choices: int) -> None:
        self._store, self._key = store, key_of(identity, {"kept": "what the endpoint refuses"})
        learnt = store.answer(self._key) or {}
        self.without: set[str] = set(learnt.get("without", ()))
        self.limit_name: str = learnt.get("limit_name", "max_tokens")
        self.choices: int = min(choices, learnt.get("choices", choices))
        self.alternatives: int | None = learnt.get("alternatives")

    def sendable(self, body: dict[str, Any]) -> dict[str, Any]:
        """The body without what this endpoint is known to refuse."""
        sendable = {name: value for name, value in body.items() if name not in self.without}
        if self.limit_name != "max_tokens":
            sendable[self.limit_name] = sendable.pop("max_tokens")
        if "n" in sendable:
            sendable["n"] = min(sendable["n"], self.choices)
        if "top_logprobs" in sendable and self.alternatives:
            sendable["top_logprobs"] = min(sendable["top_logprobs"], self.alternatives)
        return sendable

    def learn(self, error: openai.APIStatusError, sent: dict[str, Any]) -> bool:
        """Find in a refusal what to do without; whether something was learnt."""
        if not self._learn_from(error.param or "", error.message, sent):
            return False
        learnt = {
            "without": sorted(self.without),
            "limit_name": self.limit_name,
            "choices": self.choices,
            "alternatives": self.alternatives,
        }
        self._store.keep(self._key, learnt)
        return True

    def _learn_from(self, param: str, message: str, sent: dict[str, Any]) -> bool:
        text = f"{param} {message}"
        if COMPLETION_LIMIT in text and self.limit_name == "max_tokens":
            self.limit_name = COMPLETION_LIMIT
            return True
        if "logprobs" in sent and LOGPROBS in text.lower():
            if sent.get("top_logprobs", 0) > FEW_ALTERNATIVES:
                self.alternatives = FEW_ALTERNATIVES
            else:
                self.without |= {"logprobs", "top_logprobs"}
            return True
        for name in OPTIONAL:
            if name in sent and (name in text or (name == "response_format" and "json_schema" in text)):
                self.without.add(name)
                return True
        if sent.get("n", 1) > 1 and self.choices > 1:
            self.choices = 1  # llama.cpp refuses more choices than it has slots; a bad request costs nothing
            return True
        if sent.get("n") == 1 and (param == "n" or any(quoted in message for quoted in ("'n'", "`n`", '"n"'))):
            self.without.add("n")  # one choice is what it gives anyway
            return True
        return False
