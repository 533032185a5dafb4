"""The proof kit: run any SSE or NDJSON reader, or a streaming route, against what the standards say."""
