"""Look into one stream: what came and when, what it means, and which clients would break on it."""
