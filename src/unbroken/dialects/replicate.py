"""Replicate's predictions: the text as it is, in events named `output`.

https://replicate.com/docs/topics/predictions/streaming, and the reader in `replicate/replicate-python`,
replicate/stream.py, which raises at an `error` event. Ids are milliseconds and a number.
"""

from __future__ import annotations

import re

from .declared import declare


class Replicate(
    declare(  # type: ignore[misc]  # a base that is made by a call
        "replicate",
        recognised_by="[@event=output][id:text]",
        kind="@event",
        prose="output",
        finish={"done": "reason"},  # `error` or `canceled`, where it has not succeeded
        ends="done",
        error={"error": {"message": "detail"}},
        error_frame={"event": "error", "data": {"detail": "$message", "code": "$code", "type": "unbroken_error"}},
    )
):
    """Prose, ended by a `done` event."""

    name = "replicate"

    @classmethod
    def recognises_prose(cls, event: str, text: str, id: str) -> bool:
        """Whether it is an `output` event with an id of Replicate's form."""
        return super().recognises_prose(event, text, id) and re.fullmatch(r"[0-9]{4,16}:[0-9]{1,9}", id) is not None
