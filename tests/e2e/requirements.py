"""The programs these tests need, or a failure that says how to install them."""

from __future__ import annotations

import os
import shutil

PACKAGES = {
    "nginx": "nginx",
    "caddy": "caddy",
    "chromium": "chromium",
    "chromedriver": "chromium-driver",
    "npm": "npm",
    "redis-server": "redis-server",
}


def program(name: str) -> str:
    """Find a program; raises RuntimeError naming what to install."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if path is None:
        everything = " ".join(PACKAGES.values())
        raise RuntimeError(f"{name} is missing: on Debian run `apt-get install {everything}`, as .ci/run does")
    return path
