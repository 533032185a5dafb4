"""Event streams of an ASGI application, compressed with gzip event by event: each leaves when it is written."""

import zlib


class CompressStreams:
    """Stands outside of `unbroken.middleware`, whose output it compresses. `new` makes a compressor of zlib's kind."""

    def __init__(self, app, encoding="gzip", new=lambda: zlib.compressobj(6, zlib.DEFLATED, 31)):
        self.app = app
        self.encoding = encoding
        self.new = new

    async def __call__(self, scope, receive, send):
        accepted = dict(scope.get("headers", ())).get(b"accept-encoding", b"").decode("latin-1")
        names = [name.partition(";")[0].strip() for name in accepted.split(",")]
        if scope["type"] != "http" or self.encoding not in names:
            await self.app(scope, receive, send)
            return
        compressor = None

        async def compress(message):
            nonlocal compressor
            if message["type"] == "http.response.start":
                told = {name.lower(): value for name, value in message.get("headers", ())}
                if told.get(b"content-type", b"").startswith(b"text/event-stream") and b"content-encoding" not in told:
                    compressor = self.new()
                    kept = [pair for pair in message["headers"] if pair[0].lower() != b"content-length"]
                    ours = [(b"content-encoding", self.encoding.encode()), (b"vary", b"accept-encoding")]
                    message = {**message, "headers": [*kept, *ours]}
            elif message["type"] == "http.response.body" and compressor is not None:
                # A flush writes all that the compressor holds, so that the browser can read the event at once.
                more = message.get("more_body", False)
                body = compressor.compress(message.get("body", b""))
                message = {**message, "body": body + compressor.flush(zlib.Z_SYNC_FLUSH if more else zlib.Z_FINISH)}
            await send(message)

        await self.app(scope, receive, compress)
