"""Peers into folders of their own, since some are here in two versions and two share a module's name.

What is installed is kept between runs, in the folder that UNBROKEN_PEERS names, else in the system's temporary one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Protocol

_DEFAULT = Path(tempfile.gettempdir()) / f"unbroken-peers-{sys.version_info[0]}.{sys.version_info[1]}"
FOLDER = Path(os.environ.get("UNBROKEN_PEERS") or _DEFAULT)


_installing = threading.Lock()


class Installable(Protocol):
    """What is installed into one folder: a package at one version, where it has one, and what else it needs."""

    @property
    def version(self) -> str: ...

    @property
    def requirement(self) -> str: ...

    @property
    def needs(self) -> tuple[str, ...]: ...


def installed(peer: Installable) -> Path:
    """Install a peer where it is not yet, and give its folder. Raises `RuntimeError` with the installer's words."""
    if not peer.version:
        return FOLDER
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    folder = FOLDER / peer.requirement
    return _once(folder, [*pip, "--target", str(folder), "--upgrade", peer.requirement, *peer.needs])


def installed_by_npm(peer: Installable) -> Path:
    """Install a package of npm where it is not yet, and give the folder that has `node_modules`. Raises the same."""
    folder = FOLDER / f"npm {peer.requirement}"
    npm = ["npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", str(folder)]
    return _once(folder, [*npm, peer.requirement.replace("==", "@"), *peer.needs])


def _once(folder: Path, command: list[str]) -> Path:
    done = folder / ".complete"
    with _installing:
        if not done.exists():
            folder.mkdir(parents=True, exist_ok=True)
            result = subprocess.run(command, capture_output=True, text=True, timeout=600)
            if result.returncode:
                raise RuntimeError(f"{folder.name} cannot be installed:\n{result.stderr}{result.stdout}")
            done.touch()
    return folder
