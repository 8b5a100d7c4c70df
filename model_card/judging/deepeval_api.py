"""What is used of deepeval, imported without the warning that it prints on stdout.

deepeval reads its telemetry opt-outs at import: set them before (`scripts.core.env.opt_out`).
"""

import contextlib
import io

with contextlib.redirect_stdout(io.StringIO()):  # that it will write no test runs: it is told not to
    from deepeval.metrics import BaseMetric, GEval
    from deepeval.metrics.g_eval import Rubric
    from deepeval.models import DeepEvalBaseLLM
    from deepeval.test_case import LLMTestCase, SingleTurnParams

__all__ = ["BaseMetric", "DeepEvalBaseLLM", "GEval", "LLMTestCase", "Rubric", "SingleTurnParams"]
