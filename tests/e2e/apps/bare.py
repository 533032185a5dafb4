"""What the routes of the middleware's tests send beside the how-to page's own."""

import gzip
import json

SECRET = "s3cr3t"
TOKEN = {"id": "1", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "a"}}]}
EVENT = f"data: {json.dumps(TOKEN)}\n\n".encode()
LINES = b'{"a": 1}\r\n\r\n{"a": 2}'
"""What a repair would change."""
PACKED = gzip.compress(LINES, mtime=0)
SSE = "text/event-stream"
NDJSON = "application/x-ndjson"
