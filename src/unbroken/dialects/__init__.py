"""The dialects of providers. Importing this package registers those that are asked first, in their order.

The others stand on a shelf, and are loaded when one is named or a payload has a mark of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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
from ..core.registry import BUILT_IN, BY_FRAMING, CONVERTERS, LATER, REGISTRY
from ..core.events import Format

if TYPE_CHECKING:
    from ..core.conversion import Conversion
    from ..core.registry import Converter, Shelf


def _chat_encoder(asked: Conversion | None) -> Converter:
    from .chat_chunks import ChatEncoder  # a tenth of the time of `import unbroken`, and needed for conversions only

    return ChatEncoder(asked)


CONVERTERS["openai-chat"] = _chat_encoder


def _shelf() -> Shelf:
    from .shelf import SHELVED  # loaded for the first payload that none of the above recognises

    return SHELVED


BY_FRAMING[Format.CODED_LINES] = "ai-sdk-data-v4"
BUILT_IN.update(REGISTRY)
LATER.append(_shelf)
