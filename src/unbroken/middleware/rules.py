"""Which responses of an application are streams, with what options each is read, and what headers it then has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from ..core.events import Format
from ..core.options import RepairOptions, check_options, refuse_unknown
from ..core.quantities import shown
from ..core.sniffer import is_lines, media_type
from ..http import NDJSON_HEADERS, SSE_HEADERS
from ..observe.log import warn

Headers = list[tuple[str, str]]

_BODYLESS_OR_PARTIAL: Final = (204, 205, 206)
_OF_THE_BYTES: Final = (
    "accept-ranges",
    "content-digest",
    "content-length",
    "content-md5",
    "digest",
    "etag",
    "repr-digest",
)
"""What describes the bytes that the application sends: a repaired body may have others (RFC 9110, 8.6 and 8.8)."""
_MEANT: Final = dict.fromkeys(
    ("exclude", "exclude_paths", "excluded_paths", "ignore", "ignore_paths", "skip", "skip_paths"), "paths={'/x': None}"
)
"""What leaves responses alone, by the names that other middleware has for it."""
_ADDED: Final = ("Cache-Control", "X-Accel-Buffering", "X-Content-Type-Options")


def is_stream(content_type: str) -> bool:
    """Return whether a Content-Type is that of a stream: SSE, or one JSON text per line."""
    kind = media_type(content_type)
    # Texts of application/json-seq begin with a control character, and no reader of ours takes that.
    return kind == "text/event-stream" or (is_lines(kind) and not kind.endswith("json-seq"))


class Rules:
    """The options of a middleware, general ones and those by path, checked when the application starts.

    `arguments` are what the middleware takes by name besides options.
    """

    def __init__(self, middleware: str, paths: Any, options: Mapping[str, Any], arguments: tuple[str, ...]) -> None:
        self._middleware = middleware
        self._general = self._checked(options, middleware, arguments)
        # The longest prefix first: the first one that matches counts.
        self._by_path = sorted(self._checked_paths(paths), key=lambda rule: len(rule[0]), reverse=True)
        self._warned: set[str] = set()

    def options_for(self, path: str) -> RepairOptions | None:
        """Return the options for the responses of a path, or None if they pass untouched."""
        for prefix, options in self._by_path:
            if path == prefix or path.startswith(f"{prefix}/"):
                return options
        return self._general

    def headers_for(self, status: int, headers: Headers, options: RepairOptions) -> Headers | None:
        """Return the headers of a response that is to be served, or None if the response passes untouched.

        It passes if it is no stream, is compressed, or is not a success with a whole body: to clients, an answer with
        another status is none, whatever its type says.
        """
        fields = {name.lower(): value for name, value in headers}
        content_type = fields.get("content-type", "")
        if not is_stream(content_type) or status // 100 != 2 or status in _BODYLESS_OR_PARTIAL:
            return None
        if fields.get("content-encoding", "identity").strip().lower() not in ("identity", ""):
            self.warn_once(
                "a stream that is compressed passes as it is: let the middleware that compresses leave streams alone, "
                "or put it outside of this one"
            )
            return None
        kept = [(name, value) for name, value in headers if name.lower() not in _OF_THE_BYTES]
        added = [(name, SSE_HEADERS[name]) for name in _ADDED if name.lower() not in fields]
        if other := _type_of_output(content_type, options):
            kept = [(name, other if name.lower() == "content-type" else value) for name, value in kept]
        return kept + added

    def warn_once(self, text: str) -> None:
        """Log a warning, once for each text."""
        if text not in self._warned:
            self._warned.add(text)
            warn("%s: %s", self._middleware, text)

    def _checked_paths(self, paths: Any) -> list[tuple[str, RepairOptions | None]]:
        if paths is None:
            return []
        name = f"{self._middleware}(paths=...)"
        if not isinstance(paths, Mapping):
            raise TypeError(f"{name} takes a mapping of paths to options, not {shown(paths)}; write {{'/chat': {{}}}}")
        rules: list[tuple[str, RepairOptions | None]] = []
        for path, own in paths.items():
            if not isinstance(path, str):
                raise TypeError(f"{name} takes paths as str, not {shown(path)}")
            if not path.startswith("/"):
                raise ValueError(f"{name} takes paths that begin with '/', not {shown(path)}")
            if own is not None and not isinstance(own, Mapping):
                raise TypeError(f"{name} takes for {shown(path)} a mapping of options, or None to leave it alone")
            options = None if own is None else self._checked({**self._general, **own}, f"{name}[{path!r}]")
            rules.append((path.rstrip("/"), options))
        return rules

    def _checked(self, options: Mapping[str, Any], where: str, arguments: tuple[str, ...] = ()) -> RepairOptions:
        """Return a copy of the options. Raises `TypeError` or `ValueError` that names the option and the fix."""
        refuse_unknown(where, options, writes=True, also=arguments, means=_MEANT if arguments else None)
        checked = check_options(**cast("RepairOptions", options))
        if checked.observers:
            from ..observe.recorder import FlightRecorder

            if any(isinstance(observer, FlightRecorder) for observer in checked.observers):
                raise TypeError("a FlightRecorder is for one stream; pass it to `repair` or `arepair` in a route")
        # What can be read once is kept as it was read here: it is for many streams.
        kept = {"observers": checked.observers, "repairs": checked.repairs}
        return cast("RepairOptions", {**options, **kept})


def _type_of_output(content_type: str, options: RepairOptions) -> str | None:
    """Return the Content-Type of a body that is written in another framing, or None if it keeps its own."""
    to = options.get("to")
    if to is None or (Format(to) is Format.NDJSON) == is_lines(content_type):
        return None
    return (NDJSON_HEADERS if Format(to) is Format.NDJSON else SSE_HEADERS)["Content-Type"]
