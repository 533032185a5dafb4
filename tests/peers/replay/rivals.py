"""The libraries that are compared, each with its version and what is installed for it."""

from __future__ import annotations

from dataclasses import dataclass

REDIS = "redis==8.1.0"


@dataclass(frozen=True, slots=True)
class Rival:
    """One library at one version; `program` is a module of this package, `argument` what it is told."""

    name: str
    version: str
    program: str
    argument: str = ""
    needs: tuple[str, ...] = ()
    extra: str = ""
    is_npm: bool = False
    left_to_callers: tuple[str, ...] = ()
    """Faults that its own server, or another caller, is to deal with."""
    is_quick: bool = True
    """Whether it is installed in seconds: the tests run these."""

    @property
    def requirement(self) -> str:
        return f"{self.name}{self.extra}=={self.version}"

    @property
    def title(self) -> str:
        title = f"{self.name} {self.version}" if self.version else self.name
        return f"{title}, {self.argument}" if self.argument else title

    @property
    def is_alone(self) -> bool:
        """Return whether another process cannot have a part in its answers."""
        return self.argument == "memory"

    @property
    def is_in_redis(self) -> bool:
        return self.argument not in ("memory", "SQLite")


OURS = (
    Rival("unbroken", "", "ours", "SQLite"),
    Rival("unbroken", "", "ours", "Redis"),
)
SERVERS_PART = ("upstream raises", "stop, while upstream is silent", "two processes start one id at once")
RIVALS = (
    Rival("resumable-stream", "2.2.13", "resumable_stream.mjs", "npm", ("redis@4.7.0",), is_npm=True),
    Rival("resumable-stream", "0.2.0", "resumable_stream", "PyPI", needs=(REDIS,)),
    Rival("fastapi-resumable-stream", "0.2.1", "fastapi_resumable_stream_", needs=(REDIS,)),
    Rival("assistant-stream", "0.0.36", "assistant_stream_", needs=(REDIS,)),
    Rival("agno", "3.1.10", "agno_", "memory", (REDIS,), "[os]", left_to_callers=SERVERS_PART, is_quick=False),
    Rival("agno", "3.1.10", "agno_", "Redis", (REDIS,), "[os]", left_to_callers=SERVERS_PART, is_quick=False),
)
