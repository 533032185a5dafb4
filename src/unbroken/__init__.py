"""Repairs SSE and NDJSON streams, and says what it mended and how the stream ended."""
