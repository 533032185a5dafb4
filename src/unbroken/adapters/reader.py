"""Reads a synchronous upstream: in a thread that fills a bounded queue, or in the caller's thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar, cast

from .source import Source, as_bytes, close_quietly, closers_of

if TYPE_CHECKING:
    from contextvars import Context

    from .engine import Engine

T = TypeVar("T")
MAX_CHUNKS: Final = 16
MAX_BYTES: Final = 2**20
GRACE: Final = 0.1
"""Seconds that an ended stream waits for upstream's own end. Servers send it right after the terminator, and a
connection can be reused only if the body was read to its end."""


class End:
    """Upstream ended: cleanly, or with what it raised."""

    __slots__ = ("error",)

    def __init__(self, error: BaseException | None = None) -> None:
        self.error: BaseException | None = error


if TYPE_CHECKING:

    class Reader(Protocol):
        """Where a stream takes its chunks from."""

        def start(self) -> bool:
            """Begin to read. Return False if that is not possible."""

        def take(self, timeout: float = 0) -> bytes | End | None:
            """Return the next chunk, or the end, or None if neither came within `timeout` seconds."""

        def take_more(self) -> bytes | None:
            """Return the next chunk if it has arrived; the end is left to `take`."""

        def wake(self) -> None:
            """Have `take` return at once. Any thread may call it."""

        def interrupt(self, error: Exception) -> bool:
            """End with this error, behind what has arrived. Return whether that is possible. Any thread may call it."""

        def stop(self, grace: float = 0) -> None:
            """Release upstream, after waiting for its own end for `grace` seconds at most.

            Any thread may call this at any time, and again.
            """

        def following(self, source: Source) -> Reader:
            """Return a reader of the same kind for the source that replaces this one."""


class CallerReader:
    """Reads in the caller's thread. It waits for as long as upstream takes: `timeout` and `grace` are ignored."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._chunks: Any = None
        self._end: End | None = None  # for `take`, once `items` met it
        self._reading = False
        self._stopped = False
        self._open = True
        self._abort = source.abort  # None once it was called, or upstream has ended
        self.wanted = True  # false: `items` ends instead of reading or giving anything more

    def start(self) -> bool:
        """Do nothing: the first `take` begins."""
        return True

    def take(self, timeout: float = 0) -> bytes | End | None:
        """Read one chunk."""
        if self._end is not None:
            return self._end
        self._reading = True
        try:
            chunk = next(self._begin())
            return chunk if type(chunk) is bytes else as_bytes(chunk)
        except StopIteration:
            return self._ended(None)
        except Exception as error:
            return self._ended(error)
        finally:
            self._leave()

    def take_more(self) -> bytes | None:
        """Return None: nothing is there before it is asked for."""
        return None

    def items(self, engine: Engine[T], clock: Callable[[], float], *, joined: bool) -> Generator[T, None, None]:
        """Read on and on, and yield what the engine makes of each chunk; `joined` makes one item of a chunk's bytes.

        It ends with the engine, or where upstream ends, which `take` returns then. Whatever the engine raises passes.
        """
        feed = engine.feed
        waits = True  # for upstream, whose exceptions are its end
        self._reading = True
        try:
            for chunk in self._begin():
                if type(chunk) is not bytes:
                    chunk = as_bytes(chunk)
                waits = False
                if self._stopped:  # what came is not wanted any more
                    return
                items = feed(chunk, clock())
                if items and self.wanted:
                    self._reading = False
                    if len(items) == 1:
                        yield items[0]
                    elif joined:
                        yield b"".join(items)  # type: ignore[arg-type, misc]
                    else:
                        yield from items
                    self._reading = True
                if engine.finished or not self.wanted:
                    return
                waits = True
            self._end = self._ended(None)
        except Exception as error:
            if not waits:
                raise
            self._end = self._ended(error)
        finally:
            self._leave()

    def wake(self) -> None:
        """Do nothing: the thread waits for upstream itself."""

    def interrupt(self, error: Exception) -> bool:
        """Return False: nothing can be done while the thread waits for upstream."""
        return False

    def stop(self, grace: float = 0) -> None:
        """Close upstream, or have it closed by the thread that is reading it."""
        if self._stopped:
            return
        self._stopped = True
        if self._reading:
            abort, self._abort = self._abort, None
            close_quietly(abort)
        else:
            self._close()

    def following(self, source: Source) -> Reader:
        """Return a reader for the source that replaces this one."""
        return CallerReader(source)

    def in_thread(self) -> ThreadReader:
        """Return a reader that reads the rest of upstream in a thread."""
        chunks = self._source.chunks if self._chunks is None else self._chunks
        return ThreadReader(self._source.with_chunks(chunks))

    def _begin(self) -> Iterator[Any]:
        if self._chunks is None:
            self._chunks = iter(cast("Iterable[Any]", self._source.chunks))
        return cast("Iterator[Any]", self._chunks)

    def _ended(self, error: Exception | None) -> End:
        self._abort = None  # nothing is left to interrupt
        return End(error)

    def _leave(self) -> None:
        """Note that a read is over, and close upstream if `stop` was called during it."""
        was_reading, self._reading = self._reading, False
        if self._stopped and was_reading:
            self._close()

    def _close(self) -> None:
        if self._open:
            self._open = False
            close_quietly(*closers_of(self._source, self._chunks, abort=self._abort))


class ThreadReader:
    """Reads in a daemon thread, in the context of its creator, and closes upstream there.

    `notify` is called in that thread when the queue is no longer empty, and at the end.
    """

    def __init__(
        self, source: Source, notify: Callable[[], object] | None = None, context: Context | None = None
    ) -> None:
        import threading  # streams without heartbeats and timeouts never need it
        from contextvars import copy_context

        from .thread_care import carried

        self._source = source
        self._notify = notify
        self._context = context or copy_context()
        self._carry = carried()
        # Reentrant: while it is held, a garbage collection may close this very stream.
        self._lock = threading.RLock()
        # The consumer waits only while the queue is empty, the reader only while it is full: never both.
        self._changed = threading.Condition(self._lock)
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._end: End | None = None
        self._interruption: End | None = None  # an end that is not upstream's, which is still being read
        self._started = False
        self._wanted = True  # false: what still comes is read and dropped
        self._stopped = False
        self._released = False

    def start(self) -> bool:
        """Start the thread. Return False if the process cannot start one."""
        import threading

        thread = threading.Thread(target=self._context.run, args=(self._run,), name="unbroken reader", daemon=True)
        self._started = True  # before it runs: whoever stops it meanwhile must interrupt its read
        try:
            thread.start()
        except RuntimeError:
            self._started = False
        return self._started

    def take(self, timeout: float = 0) -> bytes | End | None:
        """Return the next chunk or the end; wait for it for `timeout` seconds at most."""
        with self._lock:
            if timeout and not self._chunks and self._any_end() is None and not self._stopped:
                self._changed.wait(timeout)
            return self._pop() if self._chunks else self._any_end()

    def _any_end(self) -> End | None:
        return self._interruption or self._end

    def wake(self) -> None:
        """Have `take` return at once."""
        with self._lock:
            self._changed.notify_all()

    def interrupt(self, error: Exception) -> bool:
        """End behind what has arrived, whatever upstream does."""
        with self._lock:
            if self._stopped or self._any_end() is not None:
                return False
            self._interruption = End(error)
            self._wanted = False
            self._changed.notify_all()
        self._ring()
        return True

    def take_more(self) -> bytes | None:
        """Return the next chunk if it has arrived."""
        with self._lock:
            return self._pop() if self._chunks else None

    def _pop(self) -> bytes:
        chunk = self._chunks.popleft()
        self._size -= len(chunk)
        if not self._chunks:  # earlier, a full queue would cost a change of threads per chunk
            self._changed.notify()
        return chunk

    def stop(self, grace: float = 0) -> None:
        """Wake the thread, wherever it waits, so that it closes upstream and ends."""
        with self._lock:
            if self._stopped:
                return
            self._wanted = False
            self._chunks.clear()
            self._changed.notify_all()
            if grace:
                self._changed.wait_for(lambda: self._released or self._stopped, grace)
            self._stopped = True
            self._changed.notify_all()
            reading = self._started and self._end is None
        if reading:
            close_quietly(self._source.abort)
        elif not self._started:
            close_quietly(*closers_of(self._source, abort=self._source.abort))

    def following(self, source: Source) -> Reader:
        """Return a reader for the source that replaces this one, in the context of the first one's creator."""
        return ThreadReader(source, self._notify, self._context.copy())

    def _run(self) -> None:
        chunks: Any = None
        error: BaseException | None = None
        try:
            if self._carry is not None:
                self._carry()
            chunks = iter(cast("Iterable[Any]", self._source.chunks))
            for chunk in chunks:
                if not self._put(chunk if type(chunk) is bytes else as_bytes(chunk)):
                    break
        except BaseException as raised:
            error = raised
        with self._lock:
            self._end = End(error)
            self._changed.notify_all()
        self._ring()
        error = None  # its traceback refers to this frame: a cycle, if this frame referred to it
        close_quietly(getattr(chunks, "close", None), self._source.close)
        from .thread_care import close_connections

        close_connections()
        with self._lock:
            self._released = True
            self._changed.notify_all()

    def _put(self, chunk: bytes) -> bool:
        """Queue a chunk as soon as there is room. Return False once upstream is to be closed."""
        with self._lock:
            while self._wanted and self._is_full(len(chunk)):
                self._changed.wait()
            if not self._wanted:
                return not self._stopped
            self._chunks.append(chunk)
            self._size += len(chunk)
            was_empty = len(self._chunks) == 1
            if was_empty:
                self._changed.notify()
        if was_empty:
            self._ring()
        return True

    def _is_full(self, more: int) -> bool:
        return bool(self._chunks) and (len(self._chunks) >= MAX_CHUNKS or self._size + more > MAX_BYTES)

    def _ring(self) -> None:
        if self._notify is not None:
            self._notify()
