"""The architecture, held: what may import what, what an import loads and costs, and what the tree must not name."""

import ast
import inspect
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import unbroken

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "unbroken"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

# Lower layers know nothing of higher ones; on one floor no module imports itself by a detour. `Source` is what clients
# and retries make and the adapters read, so it stands below them. Modules that are not named here stand above the
# adapters, on the floor of the features.
FLOORS = {
    "core": 0,
    "dialects": 1,
    "adapters.source": 2,
    "answers": 2,
    "opening": 2,
    "http": 2,
    "clients": 2,
    "observe": 2,
    "retry": 2,
    "adapters": 3,
    "testing": 5,
    "cli": 5,
    "__init__": 6,
}
FEATURES = 4

# What the core must do without: its callers bring the bytes and the time.
WORLD = {
    "asyncio",
    "socket",
    "threading",
    "select",
    "selectors",
    "time",
    "logging",
    "ssl",
    "subprocess",
    "multiprocessing",
}

# Modules that fill in a package which the user of that module has; it is imported when the module is used.
USERS_OWN = {"unbroken.observe.prometheus": {"prometheus_client"}}

DRAWERS = {"util", "utils", "helper", "helpers", "common", "base", "misc"}


def modules(folder: str = "") -> list[Path]:
    return sorted((PACKAGE / folder).rglob("*.py"))


def dotted(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, *, at_run_time: bool = False) -> Iterator[str]:
    """Name every module that a file imports, at its top or anywhere inside, with relative names resolved."""
    package = dotted(path) if path.name == "__init__.py" else dotted(path).rpartition(".")[0]
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(without_annotations(tree) if at_run_time else tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*above, *filter(None, [node.module])])
            yield from (submodule(f"{module}.{alias.name}") or module for alias in node.names)


def without_annotations(tree: ast.Module) -> ast.Module:
    """Leave out what stands under `if TYPE_CHECKING:` at the top of a module."""
    tree.body = [
        node for node in tree.body if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
    ]
    return tree


def submodule(name: str) -> str | None:
    """Return the name if it is a module of ours, since `from unbroken.core import sse` imports a file too."""
    path = PACKAGE.parent.joinpath(*name.split("."))
    return name if path.with_suffix(".py").exists() or (path / "__init__.py").exists() else None


def ours(path: Path, *, at_run_time: bool = False) -> set[str]:
    return {name for name in imports(path, at_run_time=at_run_time) if name.partition(".")[0] == "unbroken"}


def floor(name: str) -> int:
    """Return how high a module of ours stands; `unbroken` itself, with all public names, stands on top."""
    path = name.removeprefix("unbroken").removeprefix(".") or "__init__"
    return FLOORS.get(path, FLOORS.get(path.partition(".")[0], FEATURES))


def python(code: str, *flags: str) -> str:
    """Run code in an interpreter of its own that finds this checkout first, and give what it prints."""
    command = [sys.executable, "-I", *flags, "-c", f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r})\n{code}"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def files() -> Iterator[Path]:
    """Yield the files of the tree: what git tracks, or would on the next commit."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return (path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_imports_point_downwards(path: Path) -> None:
    name = dotted(path)
    upwards = sorted(target for target in ours(path) if floor(target) > floor(name))
    assert not upwards, f"{name} stands below {upwards}"


def test_no_module_imports_itself_by_a_detour() -> None:
    below = [path for path in modules() if path != PACKAGE / "__init__.py"]
    for at_run_time in (True, False):
        # Annotations of the core count; those of the features above it may look back.
        parts = below if at_run_time else [path for path in below if "core" in path.parts]
        graph = {dotted(path): ours(path, at_run_time=at_run_time) - {"unbroken"} for path in parts}
        TopologicalSorter(graph).prepare()  # raises CycleError with the cycle in its text


@pytest.mark.parametrize("path", [*modules("core"), *modules("dialects")], ids=dotted)
def test_the_core_and_the_dialects_import_nothing_that_touches_the_world(path: Path) -> None:
    assert not {name.partition(".")[0] for name in imports(path)} & WORLD


@pytest.mark.parametrize("path", [path for path in modules() if "testing" not in path.parts], ids=dotted)
def test_only_the_standard_library_and_typing_extensions_are_imported(path: Path) -> None:
    foreign = {name.partition(".")[0] for name in imports(path)} - sys.stdlib_module_names
    assert foreign <= {"unbroken", "typing_extensions", *USERS_OWN.get(dotted(path), ())}


def test_what_a_user_may_have_installed_is_imported_only_when_it_is_asked_for() -> None:
    names = set().union(*USERS_OWN.values())
    code = f"import sys, unbroken; unbroken.PrometheusMetrics; print(*{names!r} & {{*sys.modules}})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_nothing_reads_hostile_bytes_with_a_tool_that_runs_code(path: Path) -> None:
    assert not {name.partition(".")[0] for name in imports(path)} & {"ast", "pickle", "marshal", "shelve"}


def test_no_module_is_a_drawer() -> None:
    assert not [dotted(path) for path in modules() if path.stem in DRAWERS]


def test_the_design_page_names_every_folder_and_every_module_beside_them() -> None:
    page = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    table = page.partition("## The house")[2].partition("\n\n|")[2].partition("\n\n")[0]
    named = {name.rstrip("/") for row in table.splitlines() for name in re.findall(r"`([\w./]+)`", row.split("|")[1])}
    there = {path.name for path in PACKAGE.iterdir() if path.is_dir() or path.suffix == ".py"}
    assert named == there - {"__init__.py", "__pycache__"}


def test_a_bare_interpreter_that_imports_the_core_loads_nothing_that_touches_the_world() -> None:
    # The package's own __init__ brings the adapters, so an empty package stands in for it. typing_extensions is given
    # its folder, since -S leaves site-packages out; what it loads is not our doing. CPython itself has `time` loaded
    # before the first line runs: that the core does not ask for it is seen in its imports, above.
    import typing_extensions

    code = f"""
import sys, types
sys.path[:0] = [{str(Path(typing_extensions.__file__).parent)!r}]
import typing_extensions
before = set(sys.modules)
unbroken = sys.modules["unbroken"] = types.ModuleType("unbroken")
unbroken.__path__ = [{str(PACKAGE)!r}]
for name in {[dotted(path) for path in modules("core")]!r}:
    __import__(name)
print(*sorted(set(sys.modules) - before))
"""
    loaded = set(python(code, "-S").split())
    assert {dotted(path) for path in modules("core")} <= loaded
    assert not loaded & WORLD


def test_import_unbroken_loads_no_asyncio() -> None:
    loaded = python("import sys, unbroken; print(*sys.modules)").split()
    assert "unbroken" in loaded
    assert not {name for name in loaded if name.partition(".")[0] in {"asyncio", "hypothesis", "pytest", "unittest"}}


def test_import_unbroken_takes_at_most_twice_the_time_of_the_modules_it_cannot_do_without() -> None:
    # Processor time, interleaved, the minimum of each: a busy machine only ever adds to it, and takes more rounds.
    ours, yardstick = [], []
    for _ in range(40):
        ours.append(import_seconds("unbroken"))
        yardstick.append(import_seconds("json, dataclasses, enum, typing, codecs, re"))
        if min(ours) <= 2 * min(yardstick):
            break
    assert min(ours) <= 2 * min(yardstick)


def import_seconds(names: str) -> float:
    return float(python(f"from time import process_time as now; start = now(); import {names}; print(now() - start)"))


def test_typing_extensions_is_the_only_dependency_at_run_time() -> None:
    assert [re.match(r"[\w-]+", dependency)[0] for dependency in PROJECT["dependencies"]] == ["typing-extensions"]  # type: ignore[index]


def test_the_version_is_the_same_wherever_it_stands() -> None:
    assert getattr(unbroken, "__version__", PROJECT["version"]) == PROJECT["version"]


def test_the_package_says_that_it_is_typed() -> None:
    assert (PACKAGE / "py.typed").read_bytes() == b""


def test_every_public_name_exists_once() -> None:
    public = unbroken.__all__
    assert len(public) == len(set(public))
    assert not [name for name in public if not hasattr(unbroken, name)]


def test_every_public_name_is_documented() -> None:
    assert not [name for name, value in documented() if not docstring(value)]


def documented() -> Iterator[tuple[str, object]]:
    """Yield the public classes and functions, and the public methods and properties that the classes define."""
    for name in unbroken.__all__:
        value = getattr(unbroken, name)
        if inspect.isclass(value):
            yield name, value
            for method, member in vars(value).items():
                if not method.startswith("_") and isinstance(member, property | staticmethod | classmethod | FUNCTION):
                    yield f"{name}.{method}", member
        elif inspect.isroutine(value):
            yield name, value


FUNCTION = type(lambda: None)


def docstring(value: object) -> str:
    """Return what somebody wrote: a dataclass without a docstring writes its signature there by itself."""
    text = vars(value).get("__doc__") if inspect.isclass(value) else value.__doc__
    return "" if text and inspect.isclass(value) and text.startswith(f"{value.__name__}(") else text or ""


def test_every_module_of_these_folders_has_a_test_file_of_its_name() -> None:
    """A module of a package inside of the core may share the package's."""
    tests = {path.stem.removeprefix("test_") for path in (ROOT / "tests").rglob("test_*.py")}
    missing = []
    for path in [path for folder in ("core", "observe", "retry") for path in modules(folder)]:
        package = path.parent.name if path.parent.parent.name == "core" else ""
        names = {path.stem, package, f"{package}_{path.stem}"} - {""}
        if not tests & names and path.stem != "__init__":
            missing.append(dotted(path))
    assert not missing


def test_the_design_page_names_every_module_of_the_core() -> None:
    page = (ROOT / "docs" / "design.md").read_text()
    house = page[page.index("### The two roads of a byte") : page.index("## The state changes")]
    named = set(re.findall(r"`(\w+)/?`", house))
    for path in modules("core"):
        name = path.stem if path.stem != "__init__" else path.parent.name
        if path.parent.name != "fast_path" or path.stem == "__init__":
            assert name in named | {"core"}, f"{dotted(path)} is in no table"


def test_no_file_is_too_long_to_read_at_once() -> None:
    lines = {dotted(path): path.read_text().count("\n") for path in modules()}
    assert not {name: count for name, count in lines.items() if count > (420 if ".core." in name else 500)}


def test_no_class_of_the_core_has_more_than_one_can_keep_in_mind() -> None:
    """Records are left out: a report, and the options of one call."""
    too_large = {}
    for path in modules("core"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.ClassDef) and node.name not in ("StreamReport", "Options"):
                methods = [item for item in node.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)]
                attributes = attributes_of(node)
                if len(methods) > 32 or len(attributes) > 14:
                    too_large[node.name] = len(methods), sorted(attributes)
    assert not too_large


def attributes_of(node: ast.ClassDef) -> set[str]:
    """Return the names that methods of a class assign to `self`, however often."""
    targets = [
        target
        for item in ast.walk(node)
        if isinstance(item, ast.Assign | ast.AnnAssign | ast.AugAssign)
        for target in (item.targets if isinstance(item, ast.Assign) else [item.target])
    ]
    names = {leaf for target in targets for leaf in ast.walk(target) if isinstance(leaf, ast.Attribute)}
    return {leaf.attr for leaf in names if isinstance(leaf.value, ast.Name) and leaf.value.id == "self"}


def test_the_fast_path_is_a_room_of_its_own() -> None:
    known = {dotted(path) for path in modules() if "fast_path" in path.read_text() and path.parent.name != "fast_path"}
    assert known <= {"unbroken.core.pipeline", "unbroken.core.engine", "unbroken.core.event_reader"}


def test_no_file_names_a_path_of_one_machine_or_the_host_of_a_package_registry() -> None:
    # Spelt in pieces, so that this file passes too.
    home = rb"(?<![\w.:/-])/(?:ro" + rb"ot|ho" + rb"me|wo" + rb"rk|Us" + rb"ers)/"
    registries = [b"pypi" + b".org", b"python" + b"hosted", b"registry." + b"npmjs", b"deb." + b"debian.org"]
    named = re.compile(b"|".join([home, *map(re.escape, registries)]))
    found = {str(path.relative_to(ROOT)): hit.group() for path in files() if (hit := named.search(path.read_bytes()))}
    assert not found


def test_every_json_file_parses() -> None:
    for path in files():
        if path.suffix == ".json":
            json.loads(path.read_bytes())


def test_import_paths_that_were_documented_once_still_work() -> None:
    from unbroken.metrics import Collector
    from unbroken.recorder import FlightError, FlightRecorder, read_flight

    assert (Collector, FlightRecorder) == (unbroken.Collector, unbroken.FlightRecorder)
    with pytest.raises(FlightError):
        read_flight([])
