"""Plain readers of the dialects of model servers and clouds that the library declares in tables.

They share no code with `unbroken.core` or `unbroken.dialects`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .plain_answer import (
    PlainAnswer,
    add_arguments,
    add_piece,
    add_whole,
    arguments_of,
    call_at,
    object_of,
    objects_of,
    text_of,
)

PROSE = ("replicate",)
"""Dialects whose readers are given the text of a payload."""


def _add_openai_calls(answer: PlainAnswer, of: Any, calls: Any) -> None:
    """Add pieces of calls in OpenAI's form: the first of a call has an id and a name, all have an index."""
    for call in objects_of(calls):
        function, place = object_of(call.get("function")), ("call", of, call.get("index"))
        known = answer.places.get(place)
        if known is not None and not (known.name or known.id):
            known.name, known.id = text_of(function.get("name")), call.get("id")
        elif known is None or (call.get("id") and call["id"] != known.id):
            known = answer.call(place, name=text_of(function.get("name")), id=call.get("id"))
        add_arguments(answer, known, text_of(function.get("arguments")))


def _finish(answer: PlainAnswer, word: Any, *, failing: tuple[str, ...] = ()) -> bool:
    """Note a word for the end, if it is one; return whether it is."""
    word = text_of(word)
    if word.lower() in ("", "null", "none", "not_finished"):
        return False
    answer.finish = word
    answer.error = answer.error or word.lower() in ("error", "abort", "cancelled", "canceled", "failed", *failing)
    return True


def _cody_completions(answer: PlainAnswer, name: str, payload: Any) -> None:
    payload = object_of(payload)
    if name == "completion":
        whole = text_of(payload.get("completion"))
        answer.add(text_of(payload.get("deltaText")) or whole.removeprefix(answer.text))
        _finish(answer, payload.get("stopReason"))
    answer.ended = answer.ended or name == "done"
    answer.error = answer.error or name == "error"


def _cortex_agents(answer: PlainAnswer, name: str, payload: Any) -> None:
    payload = object_of(payload)
    part, text = payload.get("content_index"), text_of(payload.get("text"))
    match name:
        case "response.text.delta":
            add_piece(answer, part, text)
        case "response.text":
            add_whole(answer, part, text)
        case "response.thinking.delta":
            add_piece(answer, part, text, "reasoning")
        case "response.thinking":
            add_whole(answer, part, text, "reasoning")
        case "response.tool_use":
            id, hosted = payload.get("tool_use_id"), payload.get("client_side_execute") is not True
            call = call_at(answer, id, name=text_of(payload.get("name")), id=id, hosted=hosted)
            call.arguments = arguments_of(payload.get("input"))
        case "response" | "done":
            answer.ended = True
        case "error":
            answer.error = True
        case _:
            pass


def _dashscope(answer: PlainAnswer, name: str, payload: Any) -> None:
    """Read pieces: with `incremental_output`."""
    payload = object_of(payload)
    output = object_of(payload.get("output"))
    choice = next(iter(objects_of(output.get("choices"))), {})
    message = object_of(choice.get("message"))
    content = message.get("content")
    parts = "".join(text_of(part.get("text")) for part in objects_of(content))
    text = parts or text_of(content) or text_of(output.get("text"))
    reasoning = text_of(message.get("reasoning_content"))
    for said, before in ((text, answer.text), (reasoning, answer.reasoning)):
        answer.ambiguous = answer.ambiguous or bool(before and said.startswith(before))
    answer.add(text, reasoning)
    _add_openai_calls(answer, None, message.get("tool_calls"))
    answer.ended = _finish(answer, choice.get("finish_reason") or output.get("finish_reason")) or answer.ended
    answer.error = answer.error or name == "error"


def _koboldcpp(answer: PlainAnswer, name: str, payload: Any) -> None:
    payload = object_of(payload)
    answer.add(text_of(payload.get("token")))
    answer.ended = _finish(answer, payload.get("finish_reason")) or answer.ended
    answer.error = answer.error or name == "error"


def _llamacpp_completion(answer: PlainAnswer, name: str, payload: Any) -> None:
    payload = object_of(payload)
    answer.add(text_of(payload.get("content")))
    if payload.get("stop") is True:
        answer.ended = True
        _finish(answer, payload.get("stop_type"))
    answer.error = answer.error or name == "error" or bool(payload.get("error"))


def _openai_assistants(answer: PlainAnswer, name: str, payload: Any) -> None:
    payload = object_of(payload)
    delta, status = object_of(payload.get("delta")), payload.get("status")
    match payload.get("object"):
        case "thread.message.delta":
            parts = [object_of(part.get("text")) for part in objects_of(delta.get("content"))]
            answer.add("".join(text_of(part.get("value")) for part in parts))
        case "thread.run.step.delta":
            calls = object_of(delta.get("step_details")).get("tool_calls")
            functions = [call for call in objects_of(calls) if call.get("type") == "function"]
            _add_openai_calls(answer, None, functions)
        case "thread.run" if status in ("completed", "incomplete", "requires_action", "failed", "cancelled", "expired"):
            reason = object_of(payload.get("incomplete_details")).get("reason")
            _finish(answer, (status == "incomplete" and reason) or status, failing=("expired",))
            answer.ended = answer.ended or not answer.error
        case _:
            answer.error = answer.error or name == "error"


def _openai_transcription(answer: PlainAnswer, name: str, payload: Any) -> None:
    payload = object_of(payload)
    if payload.get("type") == "transcript.text.delta":
        add_piece(answer, None, text_of(payload.get("delta")))
    elif payload.get("type") == "transcript.text.done":
        add_whole(answer, None, text_of(payload.get("text")))
        answer.ended = True
    answer.error = answer.error or name == "error" or bool(payload.get("error"))


def _replicate(answer: PlainAnswer, name: str, data: Any) -> None:
    if name == "output":
        answer.add(data)
    elif name == "done":
        answer.ended = True
        answer.error = answer.error or '"reason"' in data
    answer.error = answer.error or name == "error"


def _sap_orchestration(answer: PlainAnswer, name: str, payload: Any) -> None:
    payload = object_of(payload)
    for choice in objects_of(object_of(payload.get("final_result")).get("choices")):
        delta = object_of(choice.get("delta"))
        answer.add(text_of(delta.get("content")))
        _add_openai_calls(answer, choice.get("index"), delta.get("tool_calls"))
        _finish(answer, choice.get("finish_reason"))
    answer.error = answer.error or name == "error" or bool(payload.get("error"))


def _sglang_generate(answer: PlainAnswer, name: str, payload: Any) -> None:
    """Read wholes: without `incremental_streaming_output`."""
    payload = object_of(payload)
    text = text_of(payload.get("text"))
    answer.ambiguous = answer.ambiguous or text == answer.text != ""
    answer.add(text.removeprefix(answer.text))
    reason = object_of(object_of(payload.get("meta_info")).get("finish_reason")).get("type")
    answer.ended = _finish(answer, reason) or answer.ended
    answer.error = answer.error or name == "error" or bool(payload.get("error"))


def _watsonx_generation(answer: PlainAnswer, name: str, payload: Any) -> None:
    result = next(iter(objects_of(object_of(payload).get("results"))), {})
    answer.add(text_of(result.get("generated_text")))
    answer.ended = _finish(answer, result.get("stop_reason"), failing=("time_limit",)) or answer.ended
    answer.error = answer.error or name == "error"


def _workers_ai(answer: PlainAnswer, name: str, payload: Any) -> None:
    payload = object_of(payload)
    answer.add(text_of(payload.get("response")))
    for call in objects_of(payload.get("tool_calls")):
        arguments = arguments_of(call.get("arguments"))
        answer.call(("call", len(answer.calls)), name=text_of(call.get("name")), arguments=arguments)
    answer.error = answer.error or name == "error" or bool(payload.get("errors"))


READERS_OF_SERVERS: dict[str, Callable[[PlainAnswer, str, Any], None]] = {
    "cody-completions": _cody_completions,
    "cortex-agents": _cortex_agents,
    "dashscope": _dashscope,
    "koboldcpp": _koboldcpp,
    "llamacpp-completion": _llamacpp_completion,
    "openai-assistants": _openai_assistants,
    "openai-transcription": _openai_transcription,
    "replicate": _replicate,
    "sap-orchestration": _sap_orchestration,
    "sglang-generate": _sglang_generate,
    "watsonx-generation": _watsonx_generation,
    "workers-ai": _workers_ai,
}
