"""What a caller says of a conversion beside the dialect that is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .quantities import shown
from .registry import CONVERTERS

_ERRORS: Final = ("unbroken", "openai")
_MOST: Final = 1024


@dataclass(frozen=True, slots=True)
class Conversion:
    """How `convert=` writes another dialect. The name alone, `convert="openai-chat"`, stands for `Conversion()`.

    `id` and `model` are what every chunk says, in place of upstream's; each has 1 to 1,024 characters. `errors` is the
    form of an error: `"unbroken"`, whose `type` says that this library wrote it, or `"openai"`, with `message`, `type`,
    `param` and `code` as OpenAI's API writes them, for clients that know these words alone. A stream that is in the
    dialect `to` already passes as it is; an error of ours, at its end, has this form too.

    Raises `TypeError` or `ValueError` that names the field.
    """

    to: str = "openai-chat"
    id: str | None = None
    model: str | None = None
    errors: str = "unbroken"

    def __post_init__(self) -> None:
        """Check the fields."""
        for name, value, known in (("to", self.to, tuple(CONVERTERS)), ("errors", self.errors, _ERRORS)):
            if value not in known:
                raise ValueError(f"{name} must be one of {', '.join(map(repr, known))}, not {shown(value)}")
        for name, label in (("id", self.id), ("model", self.model)):
            if label is None:
                continue
            if not isinstance(label, str):
                raise TypeError(f"{name} must be a text or None, not {shown(label)}")
            if not 0 < len(label) <= _MOST:
                raise ValueError(f"{name} must have 1 to {_MOST} characters, not {len(label)}")
