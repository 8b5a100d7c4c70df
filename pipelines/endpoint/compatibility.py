"""Learns from an endpoint's refusals what it does not know or names otherwise, and keeps it for the next process."""

from __future__ import annotations

import re
from typing import Any

from pipelines.endpoint.answers.error_bodies import Said
from pipelines.endpoint.spending.answer_store import Store, key_of

#: Parameters that some endpoints refuse, and that a request can do without.
OPTIONAL = ("response_format", "seed", "top_p", "temperature")
#: What OpenAI's reasoning models call `max_tokens`.
COMPLETION_LIMIT = "max_completion_tokens"
#: What every refusal of token probabilities says, in whatever case.
LOGPROBS = "logprobs"
#: Alternatives to a token that every endpoint which gives any will give; OpenAI gives up to 20.
FEW_ALTERNATIVES = 5
#: Turns thinking off where vLLM, SGLang or llama.cpp serve a model that can do without.
TEMPLATE, NO_THINKING = "chat_template_kwargs", {"enable_thinking": False}
#: By how much the limit of an answer is raised, once, for a model that thinks first.
ROOM = 4
#: What an endpoint speaks of that cannot give so many tokens.
_TOO_MUCH = re.compile(r"max_tokens|max_completion_tokens|max_new_tokens|context|length|tokens", re.I)


class Compatibility:
    """Turns a request body into one that the endpoint takes.

    Attributes:
        without: optional parameters that it refuses.
        limit_name: what it calls the limit of an answer.
        choices: choices that one request may ask for.
        alternatives: alternatives to a token that one request may ask for; None while no limit is known.
        thinking: of a model that was met thinking without an end: `trying` to turn that off, `off`, or it `stays`.
        room: by how much limits are multiplied; 0 before that was tried, 1 where it may not be.
    """

    def __init__(self, store: Store, identity: str, choices: int) -> None:
        self._store, self._key = store, key_of(identity, {"kept": "what the endpoint refuses"})
        learnt = store.answer(self._key) or {}
        self.without: set[str] = set(learnt.get("without", ()))
        self.limit_name: str = learnt.get("limit_name", "max_tokens")
        self.choices: int = min(choices, learnt.get("choices", choices))
        self.alternatives: int | None = learnt.get("alternatives")
        self.thinking: str = learnt.get("thinking", "")
        self.room: int = learnt.get("room", 0)

    def sendable(self, body: dict[str, Any]) -> dict[str, Any]:
        """The body without what this endpoint is known to refuse, and with what it is known to need."""
        sendable = {name: value for name, value in body.items() if name not in self.without}
        sendable[self.limit_name] = sendable.pop("max_tokens") * max(1, self.room)
        if "n" in sendable:
            sendable["n"] = min(sendable["n"], self.choices)
        if "top_logprobs" in sendable and self.alternatives:
            sendable["top_logprobs"] = min(sendable["top_logprobs"], self.alternatives)
        if self.thinking in ("trying", "off"):
            sendable[TEMPLATE] = NO_THINKING
        return sendable

    def most_output_tokens(self, sent: dict[str, Any]) -> int:
        """The tokens that the answer to a sendable body may have."""
        return int(sent[self.limit_name if self.limit_name in sent else "max_tokens"]) * int(sent.get("n", 1))

    def is_trying(self, sent: dict[str, Any]) -> bool:
        """Whether a request holds something of which it is not known whether the endpoint takes it."""
        return TEMPLATE in sent and self.thinking == "trying"

    def learn(self, said: Said, sent: dict[str, Any], *, sure: bool = True) -> bool:
        """Find in a refusal what to do without; whether something was learnt.

        Args:
            sure: it is about the form of the request. Else the next process learns it anew, unless an answer to another
                form teaches more.
        """
        learnt = self._learn_from(said, sent)
        return self._remember() if learnt and sure else learnt

    def learn_from_answer(self, sent: dict[str, Any], *, thought: bool) -> None:
        """Note after an answer with a text that the model can do without thinking."""
        if self.is_trying(sent) and not thought:
            self.thinking = "off"
            self._remember()

    def make_room(self, sent: dict[str, Any], *, thought: bool, may_grow: bool) -> bool:
        """Find another form after an answer that ended before its text began; whether there is one.

        Args:
            thought: the model was seen thinking.
            may_grow: the budget allows for `ROOM` times the answer.
        """
        if thought and not self.thinking:
            self.thinking = "trying"
        elif may_grow and not self.room:
            self.room = ROOM
            if thought and self.is_trying(sent):
                self.thinking = "stays"
        else:
            return False
        return self._remember()

    def _remember(self) -> bool:
        learnt = {
            "without": sorted(self.without),
            "limit_name": self.limit_name,
            "choices": self.choices,
            "alternatives": self.alternatives,
            "thinking": self.thinking,
            "room": self.room,
        }
        self._store.keep(self._key, learnt)
        return True

    def _learn_from(self, said: Said, sent: dict[str, Any]) -> bool:
        text = f"{said.param} {said.message}"
        if TEMPLATE in sent and (self.thinking == "trying" or _names(text, TEMPLATE, "enable_thinking")):
            self.thinking = "stays"
            return True
        if COMPLETION_LIMIT in text and self.limit_name == "max_tokens":
            self.limit_name = COMPLETION_LIMIT
            return True
        if "logprobs" in sent and LOGPROBS in text.lower():
            if sent.get("top_logprobs", 0) > FEW_ALTERNATIVES:
                self.alternatives = FEW_ALTERNATIVES
            else:
                self.without |= {"logprobs", "top_logprobs"}
            return True
        if refused := self._optional(said, sent):
            self.without.add(refused)
            return True
        if self.room == ROOM and _TOO_MUCH.search(text):
            self.room = 1
            return True
        if sent.get("n", 1) > 1 and self.choices > 1:
            self.choices = 1  # llama.cpp refuses more choices than it has slots; a bad request costs nothing
            return True
        quoted = ("'n'", "`n`", '"n"', " n: ", "parameter: n", "parameter n")
        if sent.get("n") == 1 and (said.param == "n" or any(one in f" {said.message} " for one in quoted)):
            self.without.add("n")  # one choice is what it gives anyway
            return True
        return False

    def _optional(self, said: Said, sent: dict[str, Any]) -> str:
        """The optional parameter that a refusal names, or empty; what it calls the culprit goes before its words."""
        candidates = [name for name in OPTIONAL if name in sent]
        for text in (said.param, said.message):
            for name in candidates:
                if _names(text, name) or (name == "response_format" and _names(text, "json_schema")):
                    return name
        return ""


def _names(text: str, *names: str) -> bool:
    """Whether a text names a parameter, in whatever grammar: 'seed', body.seed, seed는."""
    return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.ASCII) for name in names)
