"""Peers into folders of their own, since some are here in two versions and two share a module's name.

What is installed is kept between runs, in the folder that UNBROKEN_PEERS names, else in the system's temporary one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.peers.peers import Peer

_DEFAULT = Path(tempfile.gettempdir()) / f"unbroken-peers-{sys.version_info[0]}.{sys.version_info[1]}"
FOLDER = Path(os.environ.get("UNBROKEN_PEERS") or _DEFAULT)


def installed(peer: Peer) -> Path:
    """Install a peer where it is not yet, and give its folder. Raises `RuntimeError` with pip's words."""
    if not peer.version:
        return FOLDER
    folder = FOLDER / peer.requirement
    done = folder / ".complete"
    if not done.exists():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
        command = [*pip, "--target", str(folder), "--upgrade", peer.requirement, *peer.needs]
        result = subprocess.run(command, capture_output=True, text=True, timeout=600)
        if result.returncode:
            raise RuntimeError(f"{peer.requirement} cannot be installed:\n{result.stderr}")
        done.touch()
    return folder
