"""Judge `pyright --verifytypes unbroken --outputjson`: the type of every flat public name is known, without guessing.

Modules behind the flat names are not held to it: there pyright asks for annotations that mypy --strict infers.
"""

import json
import sys
from typing import Any


def unknown(symbols: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Give the flat names whose type pyright cannot tell, each with what it says of the members."""
    flat = [symbol for symbol in symbols if symbol["name"].count(".") == 1 and symbol["isExported"]]
    assert flat, "pyright saw no public name: is unbroken installed from a wheel, and that environment active?"
    return {symbol["name"]: reasons(symbol["name"], symbols) for symbol in flat if not symbol["isTypeKnown"]}


def reasons(name: str, symbols: list[dict[str, Any]]) -> list[str]:
    homes = [symbol["name"] for symbol in symbols if name in symbol.get("alternateNames", [])]
    members = [s for s in symbols if s["name"].rpartition(".")[0] in homes or s["name"] in homes]
    return [f"{s['name']}: {diagnostic['message']}" for s in members for diagnostic in s["diagnostics"]]


if __name__ == "__main__":
    found = unknown(json.load(sys.stdin)["typeCompleteness"]["symbols"])
    for name, said in found.items():
        print(name, *said, sep="\n    ")
    sys.exit(bool(found))
