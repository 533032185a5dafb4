"""The completions of Sourcegraph's Cody.

`sourcegraph/cody`, lib/shared/src/sourcegraph-api/completions. Version 1 of the API sends the whole text so far as
`completion`, version 2 pieces as `deltaText`. A `done` event follows errors, too.
"""

from __future__ import annotations

from .declared import declare

CodyCompletions = declare(
    "cody-completions",
    recognised_by=["[@event=completion][deltaText:text]", "[@event=completion][completion:text][stopReason:text]"],
    kind="@event",
    text={"completion": "deltaText"},
    text_whole={"completion": "completion"},
    finish={"completion": "stopReason"},
    ends="done",
    error={"error": "error"},
    error_frame={"event": "error", "data": {"error": "$message", "code": "$code", "type": "unbroken_error"}},
)
