"""The parsers that are compared, each with its version and the requirement it is installed from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Peer:
    """One parser at one version; `contract` is a class of `tests.peers.parsers`."""

    name: str
    version: str
    contract: str
    needs: tuple[str, ...] = ()

    @property
    def requirement(self) -> str:
        return f"{self.name}=={self.version}"

    @property
    def title(self) -> str:
        return f"{self.name} {self.version}".strip()


OURS = Peer("unbroken", "", "Ours")
OUR_LINES = Peer("unbroken", "", "OurLines")

SSE_PEERS = (
    Peer("httpx-sse", "0.4.0", "HttpxSSE", ("httpx==0.28.1",)),
    Peer("httpx-sse", "0.4.3", "HttpxSSE", ("httpx==0.28.1",)),
    Peer("httpx2", "2.16.2", "HTTPX2"),
    Peer("sseclient-py", "1.7.2", "SSEClientPy"),
    Peer("sseclient-py", "1.9.0", "SSEClientPy"),
    Peer("sseclient", "0.0.27", "SSEClient"),
    Peer("aiohttp-sse-client", "0.2.1", "AiohttpSSEClient"),
    Peer("requests-sse", "0.5.3", "RequestsSSE"),
    Peer("launchdarkly-eventsource", "1.7.4", "LaunchDarkly"),
    Peer("openai", "1.0.0", "OpenAI"),
    Peer("openai", "3.52.0", "OpenAI"),
    Peer("anthropic", "1.0.0", "Anthropic"),
    Peer("anthropic", "2.11.0", "Anthropic"),
    Peer("cohere", "7.3.1", "Cohere"),
    Peer("requests", "2.34.2", "RequestsLines"),
)
NDJSON_PEERS = (
    Peer("jsonlines", "4.0.0", "JSONLines"),
    Peer("ndjson", "0.3.1", "NDJSON"),
)
