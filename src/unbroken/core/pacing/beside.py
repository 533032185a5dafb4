"""What a frame says beside its text, and whether that may be said twice, or once for two frames.

Labels may: they say of whom or what the text is, and each frame of an answer has them. What adds something, such as a
citation, a piece of sound or the number of a token, may not: clients append it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any, Final, NamedTuple

# Names are compared in lower case, without underlines.
_LABELS: Final = frozenset((
    "artifactid", "author", "botid", "chatid", "contentblockindex", "contentindex", "contenttype", "contextid",
    "conversationid", "created", "createdat", "createtime", "event", "eventtype", "format", "id", "idslot", "index",
    "invocationid", "itemid", "jsonrpc", "kind", "logid", "messageid", "model", "modelid", "modelversion",
    "obfuscation", "object", "outputindex", "p", "partial", "provider", "requestid", "responseid", "role", "runid",
    "servicetier", "sessionid", "slotid", "summaryindex", "systemfingerprint", "taskid", "thought", "threadid",
    "timestamp", "traceid", "type", "updatedat",
))  # fmt: skip
_STATEMENTS: Final = frozenset((
    "content_filter_results", "from_variable_selector", "generated_token_count", "input_token_count", "promptFeedback",
    "prompt_filter_results", "safetyRatings", "stream_options", "tokens_evaluated", "tokens_predicted",
    "usageMetadata",
))  # fmt: skip
"""Totals so far, judgements of the text, and what was asked for, spelt so: clients replace the last one. LangChain's
`usage_metadata` is added up."""
_OF_THE_TEXT: Final = frozenset((
    "created", "createdat", "createtime", "itemid", "obfuscation", "p", "timestamp", "updatedat",
))  # fmt: skip
"""What may vary from frame to frame and is none of the frame's own names or numbers: times, padding, ids of texts."""
_ADDS: Final = re.compile(
    "annotation|attachment|audio|bytes$|citation|cost|(?<!ac)count(?!r)|encrypt|ground|ids$|image|prob|reference|"
    "sequence|signature|token|usage|video"
)
"""Names of what is added up or appended, whatever other frames say."""
_WHOLE: Final = re.compile(
    r"(?:^|[._-])(?:completed?|done|final|finished|start(?:ed)?|begin|beg[au]n|added|created|opened)$", re.IGNORECASE
)
"""Words by which an event says that its text is all of it, or that something begins, which clients open once."""
_KINDS: Final = frozenset(("event", "eventtype", "kind", "type"))
_EXTENDS: Final = {"artifact": "append"}
"""What replaces the one before it, unless the flag beside it is true (Agent2Agent, TaskArtifactUpdateEvent)."""


class Beside(IntEnum):
    """What stands beside a text."""

    ADDS = 0
    """Something that two frames say twice, or may say: none of it is said again, and nothing is left out."""
    UNKNOWN = 1
    """Names that are not known: labels if frames with other texts have the same."""
    LABELS = 2
    """Labels, and what is empty."""

    def beside_another(self, differs: bool) -> Beside:
        """Return what it is where the same stood beside another text, which `differs`: a label."""
        return Beside.LABELS if differs and self is Beside.UNKNOWN else self


def beside(event: str, value: Any, text: str, varying: Sequence[str]) -> Beside:
    """Return what an event of this name says beside its text; `varying` are keys of no meaning."""
    if _WHOLE.search(event):
        return Beside.ADDS
    if not isinstance(value, (dict, list)):
        return Beside.LABELS
    return _around(value, text, frozenset(map(_plain, varying))).found


def own_keys(varying: Sequence[str]) -> tuple[str, ...]:
    """Return which of the keys that vary may be a name or a number of the frame's own."""
    return tuple(key for key in varying if _plain(key) not in _OF_THE_TEXT)


class _Said(NamedTuple):
    found: Beside
    holds: bool
    """Whether the text is in it."""
    is_empty: bool
    varies: bool
    """Whether a key of those that vary is in it, other than a time."""


def _around(value: Mapping[str, Any] | list[Any], text: str, varying: frozenset[str]) -> _Said:
    """Return what stands in an object or a list."""
    found, holds, is_empty, varies = Beside.LABELS, False, True, False
    has_list = False  # beside what holds the text: its elements are appended, whatever its name
    for key, each in value.items() if isinstance(value, dict) else [("", each) for each in value]:
        name = _plain(key)
        if each is None or each is False or each == "":
            continue
        if name in varying or key in _STATEMENTS:
            is_empty, varies = False, varies or (name in varying and name not in _OF_THE_TEXT)
            continue
        if isinstance(each, (dict, list)):
            said = _around(each, text, varying)
            if said.is_empty:
                continue
            holds, varies = holds or said.holds, varies or said.varies
            has_list = has_list or (isinstance(each, list) and not said.holds)
            kind = _of_container(name, said, isinstance(value, dict) and value.get(_EXTENDS.get(name, "")) is True)
        else:
            holds = holds or each == text
            kind = Beside.LABELS if each == text else _of_scalar(name, each)
        found, is_empty = min(found, kind), False
    return _Said(Beside.ADDS if holds and has_list else found, holds, is_empty, varies)


def _of_container(name: str, said: _Said, extends: bool) -> Beside:
    """Return what an object or a list is that is not empty; `extends`: the flag beside it says so."""
    if _adds(name) or (said.holds and name in _EXTENDS and not extends):
        return Beside.ADDS
    if said.varies and not said.holds:
        return Beside.ADDS  # the keys that vary say nothing around the text; elsewhere they are anybody's
    return said.found if said.holds else min(said.found, Beside.UNKNOWN)


def _of_scalar(name: str, value: Any) -> Beside:
    if name in _KINDS and isinstance(value, str) and _WHOLE.search(value):
        return Beside.ADDS
    if name in _LABELS:
        return Beside.LABELS
    if _adds(name) or name == "data":
        return Beside.LABELS if value == 0 and "count" in name else Beside.ADDS
    return Beside.LABELS if value == 0 else Beside.UNKNOWN


def _plain(key: str) -> str:
    return key.replace("_", "").lower()


def _adds(name: str) -> bool:
    return _ADDS.search(name) is not None
