"""An LLM judge behind an OpenAI-compatible endpoint, as a deepeval model: every answer paid once, none guessed at."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from model_card.judging.deepeval_api import DeepEvalBaseLLM
from model_card.judging.facts import Scoring
from model_card.judging.geval_answers import (
    SCORE,
    NoAnswerError,
    NoProbabilitiesError,
    NoScoreError,
    Question,
    Weighed,
    chosen,
    distribution,
    shares,
)
from model_card.judging.geval_completions import as_completion
from model_card.judging.korean_reasons import MARK, in_korean
from model_card.judging.rubrics import probe
from pipelines.endpoint.answers.replies import Reply, Token
from pipelines.endpoint.failures import EndpointGoneError, Failure, FailureKind
from pipelines.endpoint.session import Session

#: Answers to one question that may lack a score, before it counts as unanswered. Each is asked for with its own seed.
SPARE = 2
#: Alternatives to a token that are asked for: what OpenAI gives at most. The digits of a scale are among the first.
ALTERNATIVES = 20


class EndpointModel(DeepEvalBaseLLM):  # type: ignore[misc]
    """A model at the endpoint of a session.

    How likely each score is comes from the probabilities of the score token. Where the endpoint refuses `logprobs` or
    ignores it, it comes from several answers drawn with different seeds. A first small request decides which, once.

    Attributes:
        session: whom it asks; keep it open meanwhile.
        samples: answers behind one score where there are no probabilities.
        temperature: of those answers, and of what is asked for again; a first answer with probabilities has 0.
        max_new_tokens: of an answer.
        input_tokens, output_tokens: of all answers so far, whoever paid for them.
        failures: why questions of a batch have no answer, counted.
        scored: a question of a batch was answered.
        foreign: reasons that were asked for in Korean once more and did not come.
    """

    def __init__(
        self, session: Session, *, samples: int = 5, temperature: float = 1.0, max_new_tokens: int = 400
    ) -> None:
        self.session = session
        self.samples, self.temperature, self.max_new_tokens = samples, temperature, max_new_tokens
        self.input_tokens = self.output_tokens = 0
        self.failures: Counter[Failure] = Counter()
        self.scored = False
        self.foreign = 0
        self._scoring: Scoring | None = None
        self._why = ""
        self._deciding = asyncio.Lock()
        super().__init__(session.client.options.model)

    def scoring(self) -> tuple[Scoring, str]:
        """How it comes to its scores, and why not by probabilities; asks the endpoint the first time.

        Raises:
            NoScoreError: its answers hold no score at all.
            EndpointGoneError, BudgetSpentError: see `Client.ask`.
        """
        return self.session.run(self._decided()), self._why

    async def weigh(self, prompt: str, question: Question = SCORE) -> Weighed:
        """How likely each answer to a question is. On the session's own loop: see `Session.run` and `Session.arun`.

        Raises:
            NoScoreError: there is no score, though it was asked again; or the endpoint would not answer.
            EndpointGoneError, BudgetSpentError: see `Client.ask`.
        """
        if await self._decided() == "probabilities":
            weighed = await self._weighed(prompt, question)
        else:
            weighed = shares(await self._sampled(prompt, question), question)
        if question is not SCORE:  # nobody reads why one of two lines is better
            return weighed
        reason = await in_korean(weighed.reason, self._text)
        self.foreign += reason.endswith(MARK)
        return replace(weighed, reason=reason)

    async def _text(self, prompt: str) -> str:
        return (await self._ask(prompt, 0, weighed=False)).texts[0]

    async def _weighed(self, prompt: str, question: Question) -> Weighed:
        last = NoScoreError("")
        for attempt in range(1 + SPARE):
            reply = await self._ask(prompt, attempt, weighed=True)
            try:
                digit, reason = chosen(reply.texts[0], question)
                return Weighed(distribution(_tokens(reply), digit, question), reason)
            except NoScoreError as error:
                last = error
        raise last

    async def _sampled(self, prompt: str, question: Question) -> list[tuple[int, str]]:
        """As many answers with a score as a score is made of."""
        answers: list[tuple[int, str]] = []
        sent, last = 0, NoScoreError("")
        while missing := self.samples - len(answers):
            if sent + missing > self.samples + SPARE:
                raise last
            attempts = range(sent, sent + missing)
            sent += missing
            # All are waited for: what left is paid.
            results = await asyncio.gather(
                *(self._sample(prompt, n, question) for n in attempts), return_exceptions=True
            )
            for one in results:
                if isinstance(one, tuple):
                    answers.append(one)
                elif isinstance(one, NoAnswerError) or not isinstance(one, NoScoreError):
                    raise one
                else:
                    last = one
        return answers

    async def _sample(self, prompt: str, attempt: int, question: Question) -> tuple[int, str]:
        reply = await self._ask(prompt, attempt, weighed=False)
        return chosen(reply.texts[0], question)

    async def _ask(self, prompt: str, attempt: int, *, weighed: bool) -> Reply:
        """One answer with a text.

        Raises:
            NoAnswerError: there is none, and there will be none.
        """
        body: dict[str, Any] = {
            "model": self.name,
            "messages": [{"role": "user", "content": prompt}],
            "temperature": 0.0 if weighed and not attempt else self.temperature,
            "seed": attempt + 1,
            "max_tokens": self.max_new_tokens,
        }
        if weighed:
            body |= {"logprobs": True, "top_logprobs": ALTERNATIVES}
        reply = await self.session.client.ask(body)
        self.input_tokens += reply.input_tokens
        self.output_tokens += reply.output_tokens
        if reply.failure or not reply.texts:
            raise NoAnswerError(reply.failure or Failure(FailureKind.UNUSABLE, "no answer"))
        return reply

    async def _decided(self) -> Scoring:
        if self._scoring is None:
            async with self._deciding:
                self._scoring = self._scoring or await self._probe()
        return self._scoring

    async def _probe(self) -> Scoring:
        last = NoScoreError("")
        for attempt in range(1 + SPARE):
            try:
                reply = await self._ask(probe(), attempt, weighed=True)
                distribution(_tokens(reply), chosen(reply.texts[0], SCORE)[0], SCORE)
                return "probabilities"
            except NoAnswerError as error:  # of the form or of the question? Without `logprobs` it shows
                if error.failure.kind is FailureKind.GAVE_UP:  # of neither: another hour may bring probabilities
                    raise EndpointGoneError(error.failure.message, status=error.failure.status) from error
                last = error
                break
            except NoProbabilitiesError as error:
                self._why = str(error)
                return "samples"
            except NoScoreError as error:
                last = error
        try:
            chosen((await self._ask(probe(), 0, weighed=False)).texts[0], SCORE)
        except NoScoreError:
            raise last from None
        self._why = str(last)
        return "samples"

    # What deepeval asks of a model; its own metrics may use it, too.

    def load_model(self, *args: Any, **kwargs: Any) -> Session:
        return self.session

    def get_model_name(self, *args: Any, **kwargs: Any) -> str:
        return str(self.name)

    def generate(self, prompt: str, schema: type[BaseModel] | None = None) -> str | BaseModel:
        return self.session.run(self._generated(prompt, schema))

    async def a_generate(self, prompt: str, schema: type[BaseModel] | None = None) -> str | BaseModel:
        return await self.session.arun(self._generated(prompt, schema))

    def generate_raw_response(self, prompt: str, top_logprobs: int = ALTERNATIVES) -> tuple[Any, None]:
        return self.session.run(self._raw(prompt)), None

    async def a_generate_raw_response(self, prompt: str, top_logprobs: int = ALTERNATIVES) -> tuple[Any, None]:
        return await self.session.arun(self._raw(prompt)), None

    async def _generated(self, prompt: str, schema: type[BaseModel] | None) -> str | BaseModel:
        text = await self._text(prompt)
        return schema.model_validate_json(text[text.find("{") : text.rfind("}") + 1]) if schema else text

    async def _raw(self, prompt: str) -> Any:
        """As a chat completion, for GEval itself; an error where GEval would go on with the whole score."""
        reply = await self._ask(prompt, 0, weighed=True)
        if not reply.tokens:
            raise NoProbabilitiesError("an answer without `logprobs`")
        return as_completion(reply.texts[0], reply.tokens[0])


def _tokens(reply: Reply) -> list[Token]:
    return reply.tokens[0] if reply.tokens else []
