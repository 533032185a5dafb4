"""Inspection of one stream: what arrived and when, what that means, and which clients would fail on it."""
