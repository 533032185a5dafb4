"""llama.cpp's own completions, and those of its fork KoboldCpp. Their chat APIs are read as OpenAI's.

https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md (`/completion`), and `to_json_non_oaicompat` in
tools/server/server-task.cpp. KoboldCpp: https://lite.koboldai.net/koboldcpp_api, and `send_kai_sse_event` in
`LostRuins/koboldcpp`, koboldcpp.py.
"""

from __future__ import annotations

from .declared import declare

LlamaCppCompletion = declare(
    "llamacpp-completion",
    recognised_by=["[id_slot:number][content:text][stop:bool]", "[slot_id:number][content:text][stop:bool]"],
    text="content",
    usage={"input_tokens": "tokens_evaluated", "output_tokens": "tokens_predicted"},
    model="[stop=true].model",
    finish="[stop=true].stop_type",
    ends="[stop=true]",
    progress="prompt_progress",
    error_frame={"data": {"error": "$error"}},
)


class KoboldCpp(
    declare(  # type: ignore[misc]  # a base that is made by a call
        "koboldcpp",
        recognised_by="[token:text]",
        text="token",
        finish="finish_reason",
        finish_ends=True,
        keys=["finish_reason"],
    )
):
    """Tokens, ended by one with a finish reason.

    Old versions send no finish reason and just close: their streams, and those of applications that write nothing but
    a token, are not recognised, since no end of theirs can be told from a cut.
    """

    name = "koboldcpp"

    @classmethod
    def recognises(cls, event: str, payload: object) -> bool:
        """Whether it is a text as `token` beside a finish reason, which may be null, and nothing else."""
        is_alone = isinstance(payload, dict) and payload.keys() == {"token", "finish_reason"}
        return is_alone and event == "message" and super().recognises(event, payload)
