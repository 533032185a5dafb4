"""OpenAI's transcriptions of audio, streamed.

https://platform.openai.com/docs/api-reference/audio/transcript-text-delta-event. Speakers come in segments, whose text
the last event repeats.
"""

from __future__ import annotations

from .declared import declare

OpenAITranscription = declare(
    "openai-transcription",
    recognised_by=[
        "[type=transcript.text.delta][delta:text]",
        "[type=transcript.text.done|transcript.text.segment][text:text]",
    ],
    kind="type",
    text={"transcript.text.delta": "delta"},
    text_whole={"transcript.text.done": "text"},
    progress="transcript.text.segment",
    usage={"transcript.text.done": "usage"},
    ends="transcript.text.done",
    sentinel="[DONE]",
    sentinel_completes=False,
    error_frame={"event": "error", "data": {"error": "$error"}},
)
