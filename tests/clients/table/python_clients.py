"""The clients for Python: each reads one streamed answer as its documentation shows.

A client is imported when it is first run, since some take seconds.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from tests.clients.table.seen import Seen
from tests.clients.table.streams import ONE_CALL, SAID, TOOL

Read = Callable[[str, Seen], None]
"""Reads from a base URL."""
MESSAGES: Any = [{"role": "user", "content": "Hi"}]

# No key is real, and no client may look for one, or report to anybody.
SETTINGS = {
    **dict.fromkeys(("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY"), "none"),
    "OPENAI_AGENTS_DISABLE_TRACING": "1",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "LANGSMITH_TRACING": "false",
    "PYDANTIC_DISABLE_PLUGINS": "1",
}


@dataclass(frozen=True)
class Client:
    """One entry point of a package."""

    name: str
    package: str
    dialect: str
    read: Read
    reads: str = SAID

    @property
    def version(self) -> str:
        """The version that is installed; raises `PackageNotFoundError`."""
        return version(self.package)


CLIENTS: dict[str, Client] = {}


def client(name: str, package: str, dialect: str, reads: str = SAID) -> Callable[[Read], Read]:
    """Add a function that reads as one client."""

    def add(read: Read) -> Read:
        CLIENTS[name] = Client(name, package, dialect, read, reads)
        return read

    return add


def _chunk(seen: Seen, chunk: Any) -> None:
    """Take a chat completion chunk, tool calls by their index."""
    for choice in chunk.choices or ():
        seen.say(choice.delta.content)
        for call in choice.delta.tool_calls or ():
            seen.piece(call.index, call.function.name, call.function.arguments)


# openai


@client("openai", "openai", "openai-chat")
def _(url: str, seen: Seen) -> None:
    import openai

    create = openai.OpenAI(base_url=f"{url}/v1").chat.completions.create
    for chunk in create(model="gpt-x", messages=MESSAGES, stream=True):
        _chunk(seen, chunk)


@client("openai async", "openai", "openai-chat")
def _(url: str, seen: Seen) -> None:
    import openai

    async def main() -> None:
        create = openai.AsyncOpenAI(base_url=f"{url}/v1").chat.completions.create
        async for chunk in await create(model="gpt-x", messages=MESSAGES, stream=True):
            _chunk(seen, chunk)

    asyncio.run(main())


@client("openai stream helper", "openai", "openai-chat")
def _(url: str, seen: Seen) -> None:
    import openai

    chat = openai.OpenAI(base_url=f"{url}/v1").chat.completions
    with chat.stream(model="gpt-x", messages=MESSAGES) as stream:
        for event in stream:
            if event.type == "content.delta":
                seen.say(event.delta)
        for call in stream.get_final_completion().choices[0].message.tool_calls or ():
            seen.call(call.function.name, call.function.arguments)


@client("openai responses", "openai", "openai-responses")
def _(url: str, seen: Seen) -> None:
    import openai

    create = openai.OpenAI(base_url=f"{url}/v1").responses.create
    names: dict[str, str] = {}
    for event in create(model="gpt-x", input="Hi", stream=True):
        if event.type == "response.output_text.delta":
            seen.say(event.delta)
        elif event.type == "response.output_item.added" and event.item.type == "function_call":
            names[event.item.id or ""] = event.item.name
        elif event.type == "response.function_call_arguments.done":
            seen.call(names[event.item_id], event.arguments)


@client("openai responses helper", "openai", "openai-responses")
def _(url: str, seen: Seen) -> None:
    import openai

    with openai.OpenAI(base_url=f"{url}/v1").responses.stream(model="gpt-x", input="Hi") as stream:
        for event in stream:
            if event.type == "response.output_text.delta":
                seen.say(event.delta)
        for item in stream.get_final_response().output:
            if item.type == "function_call":
                seen.call(item.name, item.arguments)


# anthropic


@client("anthropic", "anthropic", "anthropic")
def _(url: str, seen: Seen) -> None:
    import anthropic

    create = anthropic.Anthropic(base_url=url).messages.create
    blocks = 0
    for event in create(model="claude-x", max_tokens=9, messages=MESSAGES, stream=True):
        if event.type == "content_block_start":
            blocks += 1
            if event.content_block.type == "tool_use":
                seen.piece(blocks, event.content_block.name, "")
        elif event.type == "content_block_delta":
            if event.delta.type == "text_delta":
                seen.say(event.delta.text)
            elif event.delta.type == "input_json_delta":
                seen.piece(blocks, None, event.delta.partial_json)


@client("anthropic stream helper", "anthropic", "anthropic")
def _(url: str, seen: Seen) -> None:
    import anthropic

    stream = anthropic.Anthropic(base_url=url).messages.stream
    with stream(model="claude-x", max_tokens=9, messages=MESSAGES) as answer:
        for text in answer.text_stream:
            seen.say(text)
        for block in answer.get_final_message().content:
            if block.type == "tool_use":
                seen.call(block.name, block.input)


# google-genai


def _google(url: str) -> Any:
    from google import genai

    return genai.Client(api_key="none", http_options=genai.types.HttpOptions(base_url=url))


def _response(seen: Seen, response: Any) -> None:
    for candidate in response.candidates or ():
        for part in (candidate.content.parts if candidate.content else None) or ():
            seen.say(part.text)
            if part.function_call:
                seen.call(part.function_call.name, part.function_call.args)


@client("google-genai", "google-genai", "gemini")
def _(url: str, seen: Seen) -> None:
    google = _google(url)  # it closes its connections when it is collected
    for response in google.models.generate_content_stream(model="gemini-x", contents="Hi"):
        _response(seen, response)


@client("google-genai async", "google-genai", "gemini")
def _(url: str, seen: Seen) -> None:
    async def main() -> None:
        google = _google(url)
        async for response in await google.aio.models.generate_content_stream(model="gemini-x", contents="Hi"):
            _response(seen, response)

    asyncio.run(main())


# ollama


def _part(seen: Seen, part: Any) -> None:
    seen.say(part.message.content)
    for call in part.message.tool_calls or ():
        seen.call(call.function.name, dict(call.function.arguments))


@client("ollama", "ollama", "ollama")
def _(url: str, seen: Seen) -> None:
    import ollama

    for part in ollama.Client(host=url).chat(model="llama-x", messages=MESSAGES, stream=True):
        _part(seen, part)


@client("ollama async", "ollama", "ollama")
def _(url: str, seen: Seen) -> None:
    import ollama

    async def main() -> None:
        async for part in await ollama.AsyncClient(host=url).chat(model="llama-x", messages=MESSAGES, stream=True):
            _part(seen, part)

    asyncio.run(main())


# litellm


def _litellm(seen: Seen, **arguments: Any) -> None:
    import litellm

    litellm.suppress_debug_info = True
    calls: dict[int, str | None] = {}
    for chunk in litellm.completion(messages=MESSAGES, stream=True, **arguments):
        for choice in chunk.choices or ():
            seen.say(choice.delta.content)
            for call in choice.delta.tool_calls or ():
                calls[call.index] = call.id or calls.get(call.index)
                seen.piece(call.index, call.function.name, call.function.arguments)


@client("litellm openai", "litellm", "openai-chat")
def _(url: str, seen: Seen) -> None:
    _litellm(seen, model="openai/gpt-x", api_base=f"{url}/v1", api_key="none")


@client("litellm anthropic", "litellm", "anthropic")
def _(url: str, seen: Seen) -> None:
    _litellm(seen, model="anthropic/claude-x", api_base=url, api_key="none")


@client("litellm gemini", "litellm", "gemini")
def _(url: str, seen: Seen) -> None:
    endpoint = f"{url}/v1beta/models/gemini-x:streamGenerateContent"
    _litellm(seen, model="gemini/gemini-x", api_base=endpoint, api_key="none")


@client("litellm ollama", "litellm", "ollama")
def _(url: str, seen: Seen) -> None:
    _litellm(seen, model="ollama_chat/llama-x", api_base=url)


# langchain


def _langchain(model: Any, seen: Seen) -> None:
    whole = None
    for chunk in model.stream("Hi"):
        seen.say(chunk.text)
        whole = chunk if whole is None else whole + chunk
    for call in whole.tool_calls if whole is not None else ():
        seen.call(call["name"], call["args"])
    for call in whole.invalid_tool_calls if whole is not None else ():
        seen.call(call["name"], call["args"])


@client("langchain openai", "langchain-openai", "openai-chat")
def _(url: str, seen: Seen) -> None:
    from langchain_openai import ChatOpenAI

    _langchain(ChatOpenAI(model="gpt-x", base_url=f"{url}/v1", api_key="none", use_responses_api=False), seen)


@client("langchain openai responses", "langchain-openai", "openai-responses")
def _(url: str, seen: Seen) -> None:
    from langchain_openai import ChatOpenAI

    _langchain(ChatOpenAI(model="gpt-x", base_url=f"{url}/v1", api_key="none", use_responses_api=True), seen)


@client("langchain anthropic", "langchain-anthropic", "anthropic")
def _(url: str, seen: Seen) -> None:
    from langchain_anthropic import ChatAnthropic

    _langchain(ChatAnthropic(model="claude-x", base_url=url, api_key="none"), seen)


# pydantic-ai


def _pydantic_ai(model: Any, seen: Seen) -> None:
    from pydantic_ai import Agent

    async def main() -> None:
        agent = Agent(model)

        @agent.tool_plain(name=TOOL)
        def tool(city: str) -> str:
            seen.call(TOOL, {"city": city})
            return "sunny"

        async with agent.run_stream("Hi") as run:
            async for text in run.stream_text(delta=True):
                seen.say(text)

    asyncio.run(main())


def _openai_provider(url: str) -> Any:
    from pydantic_ai.providers.openai import OpenAIProvider

    return OpenAIProvider(base_url=f"{url}/v1", api_key="none")


@client("pydantic-ai openai", "pydantic-ai-slim", "openai-chat")
def _(url: str, seen: Seen) -> None:
    from pydantic_ai.models.openai import OpenAIChatModel

    _pydantic_ai(OpenAIChatModel("gpt-x", provider=_openai_provider(url)), seen)


@client("pydantic-ai responses", "pydantic-ai-slim", "openai-responses")
def _(url: str, seen: Seen) -> None:
    from pydantic_ai.models.openai import OpenAIResponsesModel

    _pydantic_ai(OpenAIResponsesModel("gpt-x", provider=_openai_provider(url)), seen)


@client("pydantic-ai anthropic", "pydantic-ai-slim", "anthropic")
def _(url: str, seen: Seen) -> None:
    import anthropic
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    provider = AnthropicProvider(anthropic_client=anthropic.AsyncAnthropic(base_url=url, api_key="none"))
    _pydantic_ai(AnthropicModel("claude-x", provider=provider), seen)


@client("pydantic-ai google", "pydantic-ai-slim", "gemini")
def _(url: str, seen: Seen) -> None:
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers.google import GoogleProvider

    _pydantic_ai(GoogleModel("gemini-x", provider=GoogleProvider(api_key="none", base_url=url)), seen)


# The others


@client("llama-index openai", "llama-index-llms-openai", "openai-chat")
def _(url: str, seen: Seen) -> None:
    from llama_index.core.llms import ChatMessage
    from llama_index.llms.openai import OpenAI

    last = None
    for last in OpenAI(model="gpt-4o", api_base=f"{url}/v1", api_key="none").stream_chat([ChatMessage("Hi")]):
        seen.say(last.delta)
    for call in (last.message.additional_kwargs.get("tool_calls") or ()) if last is not None else ():
        seen.call(call.function.name, call.function.arguments)


@client("instructor partial", "instructor", "openai-chat", ONE_CALL)
def _(url: str, seen: Seen) -> None:
    import instructor
    import openai
    from pydantic import create_model

    model = create_model(TOOL, city=(str, ...))
    create = instructor.from_openai(openai.OpenAI(base_url=f"{url}/v1"), mode=instructor.Mode.TOOLS).create_partial
    for answer in create(model="gpt-x", messages=MESSAGES, response_model=model):
        seen.text = answer.city or ""


@client("openai-agents chat", "openai-agents", "openai-chat")
def _(url: str, seen: Seen) -> None:
    import agents

    _agent(agents.OpenAIChatCompletionsModel, url, seen)


@client("openai-agents responses", "openai-agents", "openai-responses")
def _(url: str, seen: Seen) -> None:
    import agents

    _agent(agents.OpenAIResponsesModel, url, seen)


def _agent(make: Any, url: str, seen: Seen) -> None:
    import agents
    import openai

    async def main() -> None:
        @agents.function_tool(name_override=TOOL)
        def tool(city: str) -> str:
            seen.call(TOOL, {"city": city})
            return "sunny"

        model = make(model="gpt-x", openai_client=openai.AsyncOpenAI(base_url=f"{url}/v1"))
        agent = agents.Agent(name="a", model=model, tools=[tool])
        async for event in agents.Runner.run_streamed(agent, "Hi", max_turns=2).stream_events():
            if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
                seen.say(event.data.delta)

    asyncio.run(main())


@client("llm", "llm", "openai-chat")
def _(url: str, seen: Seen) -> None:
    from llm.default_plugins.openai_models import Chat

    model = Chat("gpt-x", model_name="gpt-x", api_base=f"{url}/v1", key="none")
    model.key = "none"
    response = model.prompt("Hi", stream=True, key="none")
    for text in response:
        seen.say(text)
    for call in response.tool_calls():
        seen.call(call.name, call.arguments)


@client("smolagents", "smolagents", "openai-chat")
def _(url: str, seen: Seen) -> None:
    from smolagents import OpenAIServerModel

    model = OpenAIServerModel(model_id="gpt-x", api_base=f"{url}/v1", api_key="none")
    for delta in model.generate_stream([{"role": "user", "content": "Hi"}]):
        seen.say(delta.content)
        for call in delta.tool_calls or ():
            function = call.function
            seen.piece(call.index, function and function.name, function and function.arguments)


@client("haystack", "haystack-ai", "openai-chat")
def _(url: str, seen: Seen) -> None:
    from haystack.components.generators.chat import OpenAIChatGenerator
    from haystack.dataclasses import ChatMessage
    from haystack.utils import Secret

    generator = OpenAIChatGenerator(
        api_key=Secret.from_token("none"),
        api_base_url=f"{url}/v1",
        model="gpt-x",
        streaming_callback=lambda chunk: seen.say(chunk.content),
    )
    for call in generator.run([ChatMessage.from_user("Hi")])["replies"][0].tool_calls:
        seen.call(call.tool_name, call.arguments)


def prepare(folder: str) -> None:
    """Let no client use a real key, tell anybody of its use, or write outside of `folder`."""
    os.environ.update(SETTINGS, LLM_USER_PATH=folder)


# One process that runs them: a line of JSON in, one out, as node_clients.mjs does it


def _run(order: dict[str, Any]) -> dict[str, Any]:
    seen = Seen()
    try:
        CLIENTS[order["client"]].read(order["url"], seen)
    except BaseException as error:  # some clients raise `SystemExit` or a group
        seen.fail(error)
    return {"id": order["id"], **vars(seen)}


def main() -> None:
    """Read orders from stdin, each in a thread of its own, until it ends."""
    told = sys.stdout
    sys.stdout = sys.stderr  # some clients print
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    lock = threading.Lock()

    def work(order: dict[str, Any]) -> None:
        line = json.dumps(_run(order))
        with lock:
            print(line, file=told, flush=True)

    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(SETTINGS, LLM_USER_PATH=folder)
        for line in sys.stdin:
            threading.Thread(target=work, args=[json.loads(line)], daemon=True).start()
    os._exit(0)  # clients leave threads and connections behind


if __name__ == "__main__":
    main()
