"""Server-sent events (WHATWG HTML, section 9.2): a strict framer, the rules that repair, and the writer after them."""

from .reader import SSEReader as SSEReader
