"""Replayed answers in a real Redis Cluster of three nodes: spread by their ids, and each of them on one node alone."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import redis
import redis.asyncio
from redis.crc import key_slot

from tests.cuts_of_replay import blocks_of
from tests.scripted import DONE, LIMIT, TOKEN
from unbroken.replay import RedisStore, Replay
from unbroken.replay.redis import hash_of

from .redis_server import RedisServer

pytestmark = pytest.mark.e2e
SLOTS, NODES = 16384, 3
IDS = [f"ann/{number}" for number in range(30)]


@pytest.fixture(scope="module", name="nodes")
def _nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[RedisServer]]:
    """Three masters with a third of the slots each, that know each other."""
    with ExitStack() as stack:
        nodes = []
        for number in range(NODES):
            folder = tmp_path_factory.mktemp(f"node{number}")
            nodes.append(stack.enter_context(RedisServer(folder, "--cluster-enabled", "yes", durable=False)))
        clients = [node.client(socket_timeout=5.0) for node in nodes]
        for number, client in enumerate(clients):
            first, behind = SLOTS * number // NODES, SLOTS * (number + 1) // NODES
            client.execute_command("CLUSTER", "ADDSLOTS", *range(first, behind))
            client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for client in clients[1:]:
            client.execute_command("CLUSTER", "MEET", "127.0.0.1", nodes[0].port)
        until = time.monotonic() + LIMIT
        while not all(_is_whole(client) for client in clients):
            assert time.monotonic() < until, "the nodes do not find each other"
            time.sleep(0.05)
        yield nodes


def _is_whole(client: redis.Redis) -> bool:
    reply: Any = client.execute_command("CLUSTER", "INFO", NEVER_DECODE=True)
    return b"cluster_state:ok" in reply and b"cluster_known_nodes:%d" % NODES in reply


@pytest.fixture(name="cluster")
def _cluster(nodes: list[RedisServer]) -> Iterator[redis.RedisCluster]:
    client = redis.RedisCluster(host="127.0.0.1", port=nodes[0].port, socket_timeout=2.0)
    client.flushall(target_nodes=redis.RedisCluster.PRIMARIES)
    yield client
    client.close()


def keys_of(nodes: list[RedisServer]) -> list[set[str]]:
    """Return the keys that each node has."""
    return [{key.decode() for key in node.client().keys("*")} for node in nodes]


def test_answers_are_spread_over_the_nodes_and_each_is_whole_on_one(
    nodes: list[RedisServer], cluster: redis.RedisCluster
) -> None:
    writer, reader = Replay(RedisStore(cluster)), Replay(RedisStore(cluster))
    for id in IDS:
        writer.start(id, [TOKEN, TOKEN, DONE])
    wires = {id: b"".join(reader.follow(id, heartbeat=None)) for id in IDS}
    writer.close()
    assert {blocks_of(wire)[-1][2] for wire in wires.values()} == {"1-3"}
    assert {reader.status(id).state for id in IDS} == {"ended"}
    kept = keys_of(nodes)
    assert all(kept), "each node has some"
    by_answer = Counter(key.partition("}")[0] for keys in kept for key in keys)
    assert set(by_answer.values()) == {3}, "who writes, the records, the report"
    for id in IDS:
        hash = hash_of(f":{id}")
        keys = {hash, f"{hash}:log", f"{hash}:report"}
        assert sum(keys <= on_node for on_node in kept) == 1
        assert len({key_slot(key.encode()) for key in keys}) == 1


def test_a_running_answer_is_followed_and_stopped_through_a_cluster(
    nodes: list[RedisServer], cluster: redis.RedisCluster
) -> None:
    other = redis.RedisCluster(host="127.0.0.1", port=nodes[-1].port, socket_timeout=2.0)

    async def upstream() -> AsyncIterator[bytes]:
        yield TOKEN
        await asyncio.sleep(3600)

    async def main(id: str) -> float:
        client = redis.asyncio.RedisCluster(host="127.0.0.1", port=nodes[1].port, socket_timeout=2.0)
        answers = Replay(RedisStore(client))
        await answers.astart(id, upstream)
        elsewhere = Replay(RedisStore(other))
        reader = await elsewhere.afollow(id, heartbeat=None)
        first = await anext(reader)
        assert first.startswith(b"id: 1-1\n")
        began = time.monotonic()
        assert await elsewhere.astop(id)
        rest = b"".join([frames async for frames in reader])
        took = time.monotonic() - began
        assert b'"stopped"' in rest
        assert b"".join([frames async for frames in answers.afollow(id, heartbeat=None)]) == first + rest
        await answers.aclose()
        await client.aclose()
        return took

    for id in IDS[:6]:
        assert asyncio.run(main(id)) < 2.0
    other.close()
