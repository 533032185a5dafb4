"""What Django keeps per thread, in the thread in which a stream is read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

PROGRAM = """
import sqlite3, sys, threading, zoneinfo
import django
from django.conf import settings

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": sys.argv[1]}},
    USE_I18N=True, USE_TZ=True, LANGUAGE_CODE="en",
)
django.setup()
from django.db import connection
from django.utils import timezone, translation
import unbroken

translation.activate("de")
timezone.activate(zoneinfo.ZoneInfo("Asia/Tokyo"))
with connection.cursor() as cursor:
    cursor.execute("select 1")
here = connection.connection
seen = []


def generate():
    with connection.cursor() as cursor:
        cursor.execute("select 1")
    seen.append(connection.connection)
    said = f"{translation.get_language()} {timezone.get_current_timezone()} {threading.current_thread().name}"
    yield f"data: {said}\\n\\n".encode()


print(b"".join(unbroken.repair(generate())).decode().strip())
for thread in threading.enumerate():
    if thread.name == "unbroken reader":
        thread.join(10)
try:
    seen[0].execute("select 1")
    print("open")
except sqlite3.ProgrammingError:
    print("closed")
here.execute("select 1")
print(b"".join(unbroken.repair(generate(), heartbeat=None, timeouts=None)).decode().strip())
assert seen[1] is here
"""


def test_locale_and_time_zone_are_carried_and_connections_closed(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", PROGRAM, str(tmp_path / "data")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == [
        "data: de Asia/Tokyo unbroken reader", "closed", "data: de Asia/Tokyo MainThread",
    ]  # fmt: skip


def test_without_settings_nothing_is_touched() -> None:
    code = "import django.db, django.utils.translation, unbroken; print(list(unbroken.repair([b'data: 1\\n\\n'])))"
    ran = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60)
    assert (ran.stdout, ran.stderr) == ("[b'data: 1\\n\\n']\n", "")
