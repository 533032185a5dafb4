"""Everything that retries: which failures are retryable, the retry policy, the retry loop and its connections.

Two parts of it lie deeper, where what was delivered is known: `core/resume.py` recognises events that an earlier
connection delivered, and the engine asks for another connection before it reports a failure.
"""
