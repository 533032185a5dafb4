"""How the dialects of model servers and clouds that the library declares spell an answer.

The form follows the providers' documentation, not the tables that read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .spelling import Spelling


def _call(id: str, name: str, arguments: str) -> dict[str, Any]:
    """Return a piece of OpenAI's form of a call; the later pieces have neither id nor name."""
    head = {"index": "$index", "type": "function"}
    if not id:
        return {**head, "function": {"arguments": arguments}}
    return {**head, "id": id, "function": {"name": name, "arguments": arguments}}


def _dashscope(message: dict[str, Any], finish: str = "null") -> tuple[str, Any]:
    output = {"choices": [{"message": message, "finish_reason": finish}]}
    return "result", {"output": output, "usage": {"input_tokens": "$in", "output_tokens": "$out"}, "request_id": "q"}


def _step_delta(step: str, call: dict[str, Any]) -> dict[str, Any]:
    details = {"type": "tool_calls", "tool_calls": [call]}
    return {"id": step, "object": "thread.run.step.delta", "delta": {"step_details": details}}


def _orchestrated(delta: dict[str, Any], finish: str = "", **more: Any) -> dict[str, Any]:
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", **more}
    chunk["choices"] = [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {"request_id": "q", "intermediate_results": {"llm": chunk}, "final_result": chunk}


def _generated(text: str, tokens_in: str | int, reason: str, tokens_out: str | int = 0) -> tuple[str, Any]:
    result = {"generated_text": text, "input_token_count": tokens_in, "generated_token_count": tokens_out}
    head = {"model_id": "ibm/granite", "created_at": "2025-06-24T15:30:13.552Z"}
    return "message", {**head, "results": [{**result, "stop_reason": reason}]}


SPELLINGS_OF_SERVERS: Mapping[str, Spelling] = {
    "cody-completions": Spelling(
        text=("completion", {"deltaText": "$piece"}),
        ends=(("completion", {"deltaText": "", "stopReason": "end_turn"}), ("done", {})),
        reason="end_turn",
    ),
    "cortex-agents": Spelling(
        begins=(("response.status", {"message": "Planning the next steps", "status": "planning"}),),
        reasoning=("response.thinking.delta", {"content_index": 0, "text": "$piece"}),
        text=("response.text.delta", {"content_index": 1, "text": "$piece"}),
        tool=(
            (
                "response.tool_use",
                {
                    "content_index": 2,
                    "tool_use_id": "$id",
                    "type": "generic",
                    "name": "$name",
                    "input": "$input",
                    "client_side_execute": True,
                },
            ),
        ),
        ends=(
            ("response.thinking", {"content_index": 0, "text": "$reasoning"}),
            ("response.text", {"content_index": 1, "text": "$text"}),
            ("response", {"role": "assistant", "content": [{"type": "text", "text": "$text"}]}),
        ),
        says=("reasoning", "tools"),
    ),
    "dashscope": Spelling(
        reasoning=_dashscope({"content": "", "reasoning_content": "$piece", "role": "assistant"}),
        text=_dashscope({"content": "$piece", "reasoning_content": "", "role": "assistant"}),
        tool=(
            _dashscope({"content": "", "role": "assistant", "tool_calls": [_call("$id", "$name", "$first")]}),
            _dashscope({"content": "", "role": "assistant", "tool_calls": [_call("", "", "$second")]}),
        ),
        ends=(_dashscope({"content": "", "role": "assistant"}, "stop"),),
        reason="stop",
        says=("reasoning", "tools", "input", "output"),
    ),
    "koboldcpp": Spelling(
        text=("message", {"token": "$piece", "finish_reason": None}),
        ends=(("message", {"token": "", "finish_reason": "stop"}),),
        reason="stop",
    ),
    "llamacpp-completion": Spelling(
        text={"index": 0, "content": "$piece", "tokens": [5], "stop": False, "id_slot": 0, "tokens_predicted": 0},
        ends=(
            {
                "index": 0,
                "content": "",
                "tokens": [],
                "id_slot": 0,
                "stop": True,
                "model": "m",
                "tokens_predicted": "$out",
                "tokens_evaluated": "$in",
                "generation_settings": {},
                "prompt": "",
                "truncated": False,
                "stop_type": "eos",
                "stopping_word": "",
                "timings": {"prompt_n": 1},
            },
        ),
        reason="eos",
        says=("input", "output"),
    ),
    "openai-assistants": Spelling(
        begins=(
            ("thread.run.created", {"id": "run_1", "object": "thread.run", "status": "queued", "last_error": None}),
            ("thread.message.created", {"id": "msg_1", "object": "thread.message", "role": "assistant", "content": []}),
        ),
        text=(
            "thread.message.delta",
            {
                "id": "msg_1",
                "object": "thread.message.delta",
                "delta": {"content": [{"index": 0, "type": "text", "text": {"value": "$piece", "annotations": []}}]},
            },
        ),
        tool=(
            ("thread.run.step.created", {"id": "$id", "object": "thread.run.step", "type": "tool_calls"}),
            ("thread.run.step.delta", _step_delta("$id", _call("$id", "$name", "$first"))),
            ("thread.run.step.delta", _step_delta("$id", _call("", "", "$second"))),
        ),
        ends=(
            (
                "thread.run.completed",
                {
                    "id": "run_1",
                    "object": "thread.run",
                    "status": "completed",
                    "last_error": None,
                    "usage": {"prompt_tokens": "$in", "completion_tokens": "$out", "total_tokens": "$total"},
                },
            ),
            ("done", "[DONE]"),
        ),
        reason="completed",
        says=("tools", "input", "output"),
    ),
    "openai-transcription": Spelling(
        text={"type": "transcript.text.delta", "delta": "$piece"},
        ends=(
            {
                "type": "transcript.text.done",
                "text": "$text",
                "usage": {
                    "type": "tokens",
                    "input_tokens": "$in",
                    "output_tokens": "$out",
                    "total_tokens": "$total",
                },
            },
        ),
        says=("input", "output"),
    ),
    "replicate": Spelling(
        text=("output", "$piece", "1690776907000:0"),
        ends=(("done", {}),),
        is_prose=True,
    ),
    "sap-orchestration": Spelling(
        begins=(_orchestrated({"role": "", "content": ""}),),
        text=_orchestrated({"role": "assistant", "content": "$piece"}),
        tool=(
            _orchestrated({"role": "assistant", "content": "", "tool_calls": [_call("$id", "$name", "$first")]}),
            _orchestrated({"role": "assistant", "content": "", "tool_calls": [_call("", "", "$second")]}),
        ),
        ends=(
            _orchestrated(
                {"role": "assistant", "content": ""},
                "stop",
                usage={"prompt_tokens": "$in", "completion_tokens": "$out", "total_tokens": "$total"},
            ),
            "[DONE]",
        ),
        reason="stop",
        says=("tools", "input", "output"),
    ),
    "sglang-generate": Spelling(
        text={"text": "$whole", "output_ids": [7], "meta_info": {"id": "r", "finish_reason": None}},
        ends=(
            {
                "text": "$text",
                "output_ids": [2],
                "meta_info": {
                    "id": "r",
                    "finish_reason": {"type": "stop", "matched": 2},
                    "prompt_tokens": "$in",
                    "completion_tokens": "$out",
                },
            },
            "[DONE]",
        ),
        reason="stop",
        says=("input", "output"),
    ),
    "watsonx-generation": Spelling(
        begins=(_generated("", "$in", "not_finished"),),
        text=_generated("$piece", 0, "not_finished"),
        ends=(_generated("", "$in", "eos_token", "$out"),),
        reason="eos_token",
        says=("input", "output"),
    ),
    "workers-ai": Spelling(
        text={"response": "$piece", "p": "abc"},
        tool=({"response": "", "tool_calls": [{"name": "$name", "arguments": "$input"}], "p": "abc"},),
        ends=(
            {
                "response": "",
                "p": "abc",
                "usage": {"prompt_tokens": "$in", "completion_tokens": "$out", "total_tokens": "$total"},
            },
            "[DONE]",
        ),
        says=("tools", "input", "output"),
    ),
}
