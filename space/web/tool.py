"""The MCP tool: ranges in its schema, each line a text of its own, our own sentences for what is wrong with a call."""

from __future__ import annotations

from typing import Any

from mcp import types
from request import Problem, clean, clean_language

from web.endpoints import RANGES


def adapt(gradio: Any) -> None:
    """Make Gradio's MCP server ours where it is too general: it checks calls as a validator does, and in English.

    Args:
        gradio: its `GradioMCPServer`.
    """
    gradio.tool_prefix = ""  # on a Space, its name: examples that call the tool would differ from place to place
    gradio.tool_to_endpoint = gradio.get_tool_to_endpoint()
    arguments = gradio.api_info["named_endpoints"]["/write_copy"]["parameters"]
    for argument in arguments:
        argument["type"] = argument["type"] | RANGES.get(argument["parameter_name"], {})
    defaults = {argument["parameter_name"]: argument.get("parameter_default") for argument in arguments}
    call = gradio.mcp_server.request_handlers[types.CallToolRequest]

    async def checked(asked: types.CallToolRequest) -> types.ServerResult:
        sent = asked.params.arguments or {}
        try:
            if asked.params.name not in gradio.tool_to_endpoint:
                raise Problem("unknown_tool", name=asked.params.name[:40], names=", ".join(gradio.tool_to_endpoint))
            asked.params.arguments = _cleaned(sent, defaults)
        except Problem as problem:
            said = problem.say("en" if sent.get("lang") == "en" else "ko")
            return types.ServerResult(types.CallToolResult(content=[_content(said)], isError=True))
        result: types.ServerResult = await call(asked)
        return result

    gradio.mcp_server.request_handlers[types.CallToolRequest] = checked
    gradio.postprocess_output_data = lambda data, root: [_content(line) for line in data[0]]


def _cleaned(sent: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a call, all of them and as the schema has them.

    Raises:
        Problem: something is wrong with them.
    """
    for name in sent:
        if name not in defaults:
            raise Problem("unknown_argument", name=name[:40], names=", ".join(defaults))
    given = defaults | sent
    lang = clean_language(given.pop("lang"))
    wanted = clean(**given, options=("device", "tone"))  # which of them the model takes, the endpoint says
    return {**vars(wanted), "values": list(wanted.values), "lang": lang}


def _content(said: str) -> types.TextContent:
    return types.TextContent(type="text", text=said)
