"""The dialects this library knows; importing this package registers them, in the order of recognition."""

from . import (
    openai_chat,
    openai_responses,
    anthropic,
    gemini,
    ollama,
    cohere,
    vocabulary,
    text,
    chat_chunks,
)

__all__ = [
    "anthropic",
    "chat_chunks",
    "cohere",
    "gemini",
    "ollama",
    "openai_chat",
    "openai_responses",
    "text",
    "vocabulary",
]
