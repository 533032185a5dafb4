"""A store in Redis or Valkey, for many machines.

An answer is three keys that share a hash tag: a hash of who may write and how it ended, a list of its records, and its
report. Ids are dense, so that the place of a record in the list says which one it is. Each method is one script: it
sees one moment of the server, takes the time from the server, and changes all or nothing. A command that was sent twice
finds what it would write at the top, and writes nothing.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from hashlib import sha1
from inspect import iscoroutinefunction
from typing import Any, ClassVar, Final
from urllib.parse import quote

from .ids import START, Id
from .redis_hints import Hints, TaskHints, ThreadHints
from .shared_reads import SharedReads, SharedTaskReads
from .store import MOST_RECORDS, Ending, Fenced, Slice, State

_SAFE: Final = ":/@!$&'()*+,;=."
"""What stands in a key as it is, beside letters, digits, `_`, `-` and `~`: no brace, which would end a hash tag."""
_LONGEST: Final = 10**14
"""Milliseconds that are as good as for ever; Redis refuses what runs over."""
_AT_ONCE: Final = 32
"""Calls of one process that are under way at the same time. A client makes a connection for each, and redis-py refuses
the 101st: a hint that wakes a thousand readers must not fail them."""
_PATIENCE: Final = 1.0
"""Seconds for which a call waits for its turn."""

_BEGIN: Final = """
local hash, log, report = KEYS[1], KEYS[2], KEYS[3]
local now = tonumber(ARGV[1])
if now < 0 then
    local time = redis.call('TIME')
    now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local got = redis.call('HMGET', hash, 'owner', 'seq', 'first', 'lease', 'began', 'deadline', 'verdict', 'writer',
    'outside', 'expires', 'stop', 'form', 'ended')
local owner, verdict, writer, outside, stop, form = got[1], got[7], got[8], got[9], got[11], got[12]
local seq, first, lease, began = tonumber(got[2]), tonumber(got[3]), tonumber(got[4]), tonumber(got[5])
local deadline, expires, ended = tonumber(got[6] or 0), tonumber(got[10] or 0), tonumber(got[13] or 0)
local known = owner and now < deadline
"""
_WRITE: Final = """
local function cut(lengths, joined)
    local records, at = {}, 1
    for length in string.gmatch(lengths, '%d+') do
        records[#records + 1] = string.sub(joined, at, at + length - 1)
        at = at + length
    end
    return records
end
local function push(records)
    for at = 1, #records, 1000 do
        redis.call('RPUSH', log, unpack(records, at, math.min(at + 999, #records)))
    end
end
local function trim(to)
    if to > first then
        redis.call('LTRIM', log, to - first, -1)
        redis.call('HSET', hash, 'first', to)
    end
end
"""


class _Script:
    """A script, and the name under which a server knows it once it has run it."""

    __slots__ = ("name", "text")

    def __init__(self, *parts: str) -> None:
        self.text = "".join(parts)
        self.name = sha1(self.text.encode(), usedforsecurity=False).hexdigest()


_OPEN: Final = _Script(
    _BEGIN,
    """
if known then return (owner == ARGV[2] and not verdict) and 1 or 0 end
redis.call('DEL', hash, log, report)
redis.call('HSET', hash, 'owner', ARGV[2], 'seq', 0, 'first', 1, 'lease', now + ARGV[3], 'began', now,
    'deadline', now + ARGV[4], 'form', ARGV[5])
redis.call('PEXPIRE', hash, ARGV[4])
return 1
""",
)
_APPEND: Final = _Script(
    _BEGIN,
    _WRITE,
    """
if not known or owner ~= ARGV[2] or verdict then return -1 end
local at, records = tonumber(ARGV[3]), cut(ARGV[7], ARGV[8])
local count = #records
if count > 0 and at == seq + 1 then
    if redis.call('LLEN', log) ~= seq - first + 1 then return -1 end -- evicted
    push(records)
    if seq == 0 then redis.call('PEXPIRE', log, math.max(redis.call('PTTL', hash), 1)) end
    redis.call('HSET', hash, 'seq', seq + count, 'lease', now + ARGV[5])
    trim(tonumber(ARGV[4]))
    redis.call('PUBLISH', hash, '')
elseif count > 0 and not (seq == at + count - 1 and redis.call('LINDEX', log, -1) == records[count]) then
    return -1
else
    redis.call('HSET', hash, 'lease', now + ARGV[5])
end
if ARGV[6] ~= '' then redis.call('HSET', hash, 'form', ARGV[6]) end
return stop and 1 or 0
""",
)
_END: Final = _Script(
    _BEGIN,
    _WRITE,
    """
if not known then return 0 end
if verdict then return writer == ARGV[2] and 1 or 0 end
local epoch, at, ttl, remember = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[9]), tonumber(ARGV[10])
local from_outside = epoch == 2 and at == 0
if not from_outside and not (epoch == 1 and at == seq + 1 and owner == ARGV[2]) then return 0 end
local records = cut(ARGV[11], ARGV[12])
push(records)
trim(tonumber(ARGV[5]))
if from_outside then redis.call('HSET', hash, 'outside', 1)
else redis.call('HSET', hash, 'seq', seq + #records) end
if ARGV[6] ~= '' then redis.call('HSET', hash, 'form', ARGV[6]) end
redis.call('HSET', hash, 'verdict', ARGV[7], 'writer', ARGV[2], 'ended', now, 'expires', now + ttl,
    'deadline', now + remember)
redis.call('PEXPIRE', hash, remember)
redis.call('PEXPIRE', log, ttl + 1000) -- `expires` decides; this frees the memory
if ARGV[8] ~= '' then redis.call('SET', report, ARGV[8], 'PX', ttl + 1000) end
redis.call('PUBLISH', hash, '')
return 1
""",
)
_READ: Final = _Script(
    _BEGIN,
    """
if not known then return false end
local producers = seq - first + 1
local expired = (verdict and now >= expires) or redis.call('LLEN', log) ~= producers + (outside and 1 or 0)
local out = {seq, first, lease - now, now - began, began, ended, verdict, form, stop and 1 or 0, expired and 1 or 0,
    outside and 1 or 0, 0}
local epoch, after, limit, most = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
if limit == 0 or expired or epoch > 1 then return out end
local at = math.max(0, math.min(after + 1 - first, producers))
out[12] = at
local count, size, step, records, lengths = 0, 0, 8, {}, {}
local function whole()
    out[13], out[14] = table.concat(lengths, ','), table.concat(records)
    return out
end
while true do
    local part = redis.call('LRANGE', log, at + count, at + count + step - 1)
    for _, record in ipairs(part) do
        size = size + #record
        if count == most or (count > 0 and size > limit) then return whole() end
        count = count + 1
        records[count], lengths[count] = record, #record
    end
    if #part < step then return whole() end
    step = math.min(step * 2, 128)
end
""",
)
_REPORT: Final = _Script(_BEGIN, "return known and verdict and now < expires and redis.call('GET', report)")
_ASK_STOP: Final = _Script(
    _BEGIN,
    """
if not known or verdict then return 0 end
redis.call('HSET', hash, 'stop', 1)
redis.call('PUBLISH', hash, '')
return 1
""",
)

_Call = tuple[_Script, tuple[Any, ...]]


class _Commands:
    """What is sent for each method, and what the replies mean: the same for both kinds of clients."""

    instant: ClassVar[bool] = False

    def __init__(self, client: Any, *, clock: Callable[[], float] | None = None) -> None:
        if not callable(getattr(client, "execute_command", None)) or isinstance(client, type):
            raise TypeError(f"RedisStore(client) takes a redis.Redis, not {type(client).__name__}")
        self._client = client
        self._clock = clock
        self._hints = self._hints_of(client)

    def _hints_of(self, client: Any) -> Hints:
        raise NotImplementedError

    def watch(self, key: str, wake: Callable[[], object]) -> Callable[[], object]:
        """Call `wake` when the answer changes, until the function that is returned is called."""
        return self._hints.watch(hash_of(key), wake)

    def _args(self, key: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the keys and arguments of a script; all scripts begin alike."""
        now = -1 if self._clock is None else int(self._clock() * 1000)
        hash = hash_of(key)
        return 3, hash, f"{hash}:log", f"{hash}:report", now, *args


def hash_of(key: str) -> str:
    """Return the key of the hash of an answer: ASCII, in which nothing that is in `key` can end the tag."""
    return f"unbroken:{{{quote(key, _SAFE, errors='surrogatepass')}}}"


def _milliseconds(seconds: float) -> int:
    return max(1, round(min(seconds * 1000, _LONGEST)))


def _joined(records: Sequence[bytes]) -> tuple[str, bytes]:
    """Return the lengths of records, and all of them: one argument costs a client less than a hundred."""
    return ",".join([str(len(record)) for record in records]), b"".join(records)


def _cut(lengths: bytes, joined: bytes) -> list[bytes]:
    """Return records that a script has joined."""
    records, at = [], 0
    for length in map(int, lengths.split(b",")):
        records.append(joined[at : at + length])
        at += length
    return records


def _open(owner: str, lease: float, keep: float, form: str | None) -> _Call:
    return _OPEN, (owner, _milliseconds(lease), _milliseconds(keep), form or "")


def _append(owner: str, at: Id, records: Sequence[bytes], first: Id, lease: float, form: str | None) -> _Call:
    seq = at.seq if at.epoch == START.epoch else -1  # refused where there are records
    return _APPEND, (owner, seq, first.seq, _milliseconds(lease), form or "", *_joined(records))


def _end(owner: str, at: Id, records: Sequence[bytes], ending: Ending, first: Id, form: str | None) -> _Call:
    ttl, remember = _milliseconds(ending.ttl), _milliseconds(max(ending.ttl, ending.remember))
    facts = (ending.verdict, ending.report or "", ttl, remember)
    return _END, (owner, at.epoch, at.seq, first.seq, form or "", *facts, *_joined(records))


def _read(after: Id, limit: int) -> _Call:
    return _READ, (after.epoch, after.seq, limit, MOST_RECORDS)


def _stop_asked(reply: Any, key: str) -> bool:
    if reply < 0:
        raise Fenced(key)
    return bool(reply)


def _slice(reply: Any) -> Slice | None:
    """Return what the script that reads has returned."""
    if not reply:
        return None
    seq, first, lease_left, age, began, ended, verdict, form, stop, expired, outside, at = reply[:12]
    last = START.outside if outside else Id(START.epoch, seq)
    state = State(
        last, Id(START.epoch, first), lease_left / 1000, age / 1000, began / 1000,
        None if verdict is None else ended / 1000, _text(verdict), _text(form) or None, bool(stop), bool(expired),
    )  # fmt: skip
    if len(reply) == 12 or not reply[12]:
        return Slice(state)
    records = _cut(*reply[12:])
    begins, ends = (_id_at(first + number, seq) for number in (at, at + len(records) - 1))
    return Slice(state, records, begins, ends)


def _id_at(number: int, seq: int) -> Id:
    """Return the id of a record: behind those of the producer there is at most an end from outside."""
    return Id(START.epoch, number) if number <= seq else START.outside


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()


def _is_unknown_script(error: Exception) -> bool:
    return type(error).__name__ == "NoScriptError"


class RedisStore(_Commands):
    """Keeps answers in Redis 6.2 or later, Valkey, or a cluster of them, for any number of processes and machines.

    `client` is a `redis.Redis` or `redis.RedisCluster`, which serves all functions, or one of `redis.asyncio`, which
    serves the a-functions alone; its options bound how long a call can take. `clock` returns seconds, and is for tests:
    the times are those of the server. Raises `TypeError` for what is no client.
    """

    def __new__(cls, client: Any, *, clock: Callable[[], float] | None = None) -> Any:
        """Return the store for this kind of client."""
        is_async = hasattr(client, "__aenter__") or iscoroutinefunction(getattr(client, "execute_command", None))
        return _AsyncRedisStore(client, clock=clock) if is_async else super().__new__(cls)

    def _hints_of(self, client: Any) -> Hints:
        self._turns = threading.BoundedSemaphore(_AT_ONCE)
        self._reads = SharedReads()
        return ThreadHints(client)

    def open(self, key: str, owner: str, *, lease: float, keep: float, form: str | None = None) -> bool:
        """Elect a producer, see `Store`."""
        return bool(self._run(key, _open(owner, lease, keep, form)))

    def append(
        self, key: str, owner: str, at: Id, records: Sequence[bytes], *, first: Id, lease: float, form: str | None
    ) -> bool:
        """Add records and renew the lease, see `Store`."""
        return _stop_asked(self._run(key, _append(owner, at, records, first, lease, form)), key)

    def end(
        self, key: str, owner: str, at: Id, records: Sequence[bytes], ending: Ending, *, first: Id, form: str | None
    ) -> bool:
        """Add the last records and the end, see `Store`."""
        return bool(self._run(key, _end(owner, at, records, ending, first, form)))

    def read(self, key: str, after: Id, limit: int) -> Slice | None:
        """Return records and state, see `Store`."""
        return self._reads.read((key, after, limit), lambda: _slice(self._run(key, _read(after, limit))))  # type: ignore[no-any-return]

    def report(self, key: str) -> str | None:
        """Return the report of an answer that has ended, or None."""
        return _text(self._run(key, (_REPORT, ())))

    def ask_stop(self, key: str) -> bool:
        """Note that the producer is to stop; return whether the answer runs."""
        return bool(self._run(key, (_ASK_STOP, ())))

    def _run(self, key: str, call: _Call) -> Any:
        script, args = call
        sent = self._args(key, args)
        if not self._turns.acquire(timeout=_PATIENCE):
            raise TimeoutError("all connections of the store are in use")
        try:
            return self._client.execute_command("EVALSHA", script.name, *sent, NEVER_DECODE=True)
        except Exception as error:
            if not _is_unknown_script(error):
                raise
            return self._client.execute_command("EVAL", script.text, *sent, NEVER_DECODE=True)
        finally:
            self._turns.release()


class _AsyncRedisStore(_Commands):
    """The same for a client of `redis.asyncio`."""

    _loop: asyncio.AbstractEventLoop | None = None

    def _hints_of(self, client: Any) -> Hints:
        return TaskHints(client)

    def _enter_loop(self) -> None:
        """Begin with what belongs to one event loop, where this is another one."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._turns, self._reads = loop, asyncio.Semaphore(_AT_ONCE), SharedTaskReads()

    async def open(self, key: str, owner: str, *, lease: float, keep: float, form: str | None = None) -> bool:
        """Elect a producer, see `Store`."""
        return bool(await self._run(key, _open(owner, lease, keep, form)))

    async def append(
        self, key: str, owner: str, at: Id, records: Sequence[bytes], *, first: Id, lease: float, form: str | None
    ) -> bool:
        """Add records and renew the lease, see `Store`."""
        return _stop_asked(await self._run(key, _append(owner, at, records, first, lease, form)), key)

    async def end(
        self, key: str, owner: str, at: Id, records: Sequence[bytes], ending: Ending, *, first: Id, form: str | None
    ) -> bool:
        """Add the last records and the end, see `Store`."""
        return bool(await self._run(key, _end(owner, at, records, ending, first, form)))

    async def read(self, key: str, after: Id, limit: int) -> Slice | None:
        """Return records and state, see `Store`."""
        self._enter_loop()

        async def read() -> Slice | None:
            return _slice(await self._run(key, _read(after, limit)))

        return await self._reads.read((key, after, limit), read)  # type: ignore[no-any-return]

    async def report(self, key: str) -> str | None:
        """Return the report of an answer that has ended, or None."""
        return _text(await self._run(key, (_REPORT, ())))

    async def ask_stop(self, key: str) -> bool:
        """Note that the producer is to stop; return whether the answer runs."""
        return bool(await self._run(key, (_ASK_STOP, ())))

    async def _run(self, key: str, call: _Call) -> Any:
        script, args = call
        sent = self._args(key, args)
        self._enter_loop()
        async with self._turns:
            try:
                return await self._client.execute_command("EVALSHA", script.name, *sent, NEVER_DECODE=True)
            except Exception as error:
                if not _is_unknown_script(error):
                    raise
                return await self._client.execute_command("EVAL", script.text, *sent, NEVER_DECODE=True)
