"""What Django keeps per thread, for the thread in which a stream is read: locale and time zone, database connections.

Django is not imported: where the process has not loaded it, there is nothing to do. Context variables, and so the
locals of Flask and Starlette, are carried by the reader itself.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress


def carried() -> Callable[[], object] | None:
    """Return what makes another thread see this one's locale and time zone; None if there is nothing to carry."""
    conf, translation = sys.modules.get("django.conf"), sys.modules.get("django.utils.translation")
    timezone = sys.modules.get("django.utils.timezone")
    if conf is None or translation is None or timezone is None or not conf.settings.configured:
        return None
    language, zone = translation.get_language(), timezone.get_current_timezone()

    def carry() -> None:
        translation.deactivate_all() if language is None else translation.activate(language)
        timezone.activate(zone)

    return carry


def close_connections() -> None:
    """Close the database connections that Django opened in this thread; nothing else would, but a collection."""
    database = sys.modules.get("django.db")
    if database is not None:
        with suppress(Exception):  # of settings that hold no database, for example
            database.connections.close_all()
