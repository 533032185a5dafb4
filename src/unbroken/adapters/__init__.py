"""The adapters: the only places with threads or tasks; all else is the core's."""
