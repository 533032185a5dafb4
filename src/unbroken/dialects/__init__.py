"""The dialects of providers. Importing this package registers them, in the order in which they are tried."""

# ruff: noqa: I001 - the order of these imports is the order in which dialects are tried.
from . import openai_chat as openai_chat
from . import openai_responses as openai_responses
from . import anthropic as anthropic
from . import gemini as gemini
from . import ollama as ollama
from . import cohere as cohere
from . import tgi as tgi
from . import vocabulary as vocabulary
from . import text as text
from ..core.dialect import CONVERTERS, Converter


def _chat_encoder() -> Converter:
    from .chat_chunks import ChatEncoder  # a tenth of the time of `import unbroken`, and needed for conversions only

    return ChatEncoder()


CONVERTERS["openai-chat"] = _chat_encoder
