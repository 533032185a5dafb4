"""Everything that watches streams: the log, metrics, the flight recorder and the failure window."""
