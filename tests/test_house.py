"""The shape of the house: who may import whom, and what --list loads."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import runner
from runner.commands import VERBS
from runner.envs import BACKENDS
from runner.load import READER
from runner.reports import FORMS
from runner.settings import REPORTS

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "runner"

# A module imports from lines above its own, never from below. The modules of a
# folder may import each other, as long as there is no cycle; those of a line
# may not.
ORDER = [
    "typed",
    "record",
    "errors",
    "model",
    "running",
    "widths",
    "amounts colors digests handlers names",
    "settings descendants shown aside timelimit trees telling signals user_cache keyboard",
    "run_folders",
    "command_line guard",
    "process",
    "axes",
    "declare handle",
    "signature session_arguments",
    "specs",
    "pyproject ingredients surroundings history artifacts services shells consent engines shard_plans",
    "requirements cache reports executors",
    "content envs watching",
    "world",
    "installers beside dotenv",
    "picking",
    "keywords sharing unknown",
    "bench",
    "selection plan schedule perform ahead shards",
    "sharded",
    "own_options own_settings compiled",
    "finding imports version_asked",
    "below",
    "including",
    "load",
    "opening",
    "tab",
    "listing",
    "compat convert worker",
    "init",
    "on_dask",
    "several",
    "deputy",
    "runner",  # the public names
    "checks",
    "commands",
    "cli",
    "watched",
    "__main__",
]
LINE = {room: number for number, line in enumerate(ORDER) for room in line.split()}


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def room_of(module: str) -> str:
    """The room that a module belongs to: the first name below the package."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "runner"


@cache
def tree_of(path: Path) -> ast.Module:
    """A file of ours, parsed."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports_of(path: Path) -> set[str]:
    """Our modules that a file imports when it is executed, or in its functions."""
    found = set()
    for node in walk_without_type_checking(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name in KNOWN}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found |= {
                    name for name in [whole if whole in KNOWN else node.module] if name in KNOWN
                }
    return found


def walk_without_type_checking(tree: ast.AST):
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            continue
        yield node
        yield from walk_without_type_checking(node)


KNOWN = modules()


@pytest.mark.parametrize("module", sorted(KNOWN))
def test_imports_go_down_the_list_only(module: str):
    room = room_of(module)
    # The version is the package's own and stands in no room.
    upward = {
        other
        for other in imports_of(KNOWN[module])
        if room_of(other) != room and LINE[room_of(other)] >= LINE[room] and other != "runner"
    }

    assert upward == set()


def test_no_module_imports_itself_through_others():
    graph = {
        name: imports_of(path) - {"runner"} for name, path in KNOWN.items() if name != "runner"
    }
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join([*path, name])
        if name not in done:
            for other in sorted(graph.get(name, ())):
                visit(other, (*path, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def test_relative_imports_are_not_used():
    relative = [
        f"{name}:{node.lineno}"
        for name, path in KNOWN.items()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ImportFrom) and node.level
    ]

    assert relative == []


def test_every_module_says_what_it_is_for():
    silent = [name for name, path in KNOWN.items() if not ast.get_docstring(tree_of(path))]

    assert silent == []


def test_public_names_are_those_of_all_and_sorted():
    public = [name for name in vars(runner) if not name.startswith("_")]
    submodules = {room_of(name) for name in KNOWN}

    assert set(public) - submodules - {"annotations"} == set(runner.__all__)
    assert sorted(runner.__all__) == runner.__all__


def test_no_module_has_the_name_of_a_public_object():
    assert {room_of(name) for name in KNOWN} & set(runner.__all__) == set()


@pytest.mark.parametrize(
    ("table", "names"),
    [
        ("VERBS", VERBS),
        ("BACKENDS", BACKENDS),
        ("READER", [READER.rpartition(".")[2]]),
        ("FORMS", [name.rpartition(".")[2] for name in FORMS.values()]),
    ],
)
def test_all_that_is_loaded_by_name_is_type_checked(table: str, names):
    tree = ast.parse((ROOT / "tests" / "typing" / "kinds.py").read_text(encoding="utf-8"))
    checked = [
        ast.unparse(node.value).strip("()").split(", ")
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == table
    ]

    assert [sorted(each) for each in checked] == [sorted(names)]


def test_each_end_that_a_report_may_have_has_a_form_and_the_longer_come_first():
    assert sorted(FORMS) == sorted(REPORTS)
    assert next(end for end in FORMS if "run.trace.json".endswith(end)) == ".trace.json"


# What stands on the way to `runenv --list`, and no more (Python 3.11 to 3.13).
LOADED_BY_LIST = {
    "runner",
    "runner.amounts",
    "runner.cli",
    "runner.colors",
    "runner.command_line",
    "runner.commands",
    "runner.commands.list",
    "runner.declare",
    "runner.envs",
    "runner.envs.python_spec",
    "runner.envs.pythons_found",
    "runner.errors",
    "runner.finding",
    "runner.handle",
    "runner.load",
    "runner.model",
    "runner.names",
    "runner.opening",
    "runner.plan",
    "runner.pyproject",
    "runner.record",
    "runner.selection",
    "runner.session_arguments",
    "runner.settings",
    "runner.specs",
    "runner.typed",
}
KEPT_OFF = {
    "_hashlib",
    "argparse",
    "asyncio",
    "colorlog",
    "concurrent",
    "dataclasses",
    "dependency_groups",
    "difflib",
    "enum_",
    "importlib.metadata",
    "inspect",
    "logging",
    "packaging",
    "pathlib",
    "platformdirs",
    "python_discovery",
    "shutil",
    "socket",
    "subprocess",
    "tempfile",
    "threading",
    "tomllib",
    "traceback",
    "urllib",
    "uv",
    "virtualenv",
}


def loaded_by(tmp_path: Path, *arguments: str) -> set[str]:
    """The modules that a command of runenv leaves loaded."""
    (tmp_path / "envfile.py").write_text(
        "import runner\n\n@runner.session(python=['3.12'], deps=['x'], requires=[])\ndef lint(session): ...\n"
    )
    script = (
        "import sys\n"
        "from runner.cli import main\n"
        "main(sys.argv[1:])\n"
        "print(*sys.modules, sep='\\n', file=sys.stderr)\n"
    )
    # -S: what site and its .pth files load is not ours.
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-S", "-c", script, *arguments],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.split())


def test_list_loads_these_of_our_modules_and_no_others(tmp_path: Path):
    ours = {name for name in loaded_by(tmp_path, "--list") if name.split(".")[0] == "runner"}

    assert ours == LOADED_BY_LIST


def test_list_keeps_off_what_is_dear(tmp_path: Path):
    assert loaded_by(tmp_path, "--list") & KEPT_OFF == set()


def test_version_loads_only_what_the_package_itself_needs(tmp_path: Path):
    loaded = loaded_by(tmp_path, "--version")

    ours = {name for name in loaded if name.startswith("runner.")} - {"runner.commands.version"}
    assert ours <= LOADED_BY_LIST - {
        "runner.commands.list",
        "runner.load",
        "runner.envs",
        "runner.names",
        "runner.opening",
        "runner.plan",
        "runner.selection",
    }
    assert loaded & KEPT_OFF == set()


def test_annotations_of_records_are_strings():
    # Python 3.14 has no others where a class is made (PEP 649).
    plain = [
        name
        for name, path in modules().items()
        if "import Record\n" in (text := path.read_text(encoding="utf-8"))
        and "from __future__ import annotations\n" not in text
    ]

    assert plain == []


def test_only_a_model_of_conversion_imports_typing():
    """It takes 2 ms; what a run needs of it is in `typed.py`."""
    found = {
        name
        for name, path in modules().items()
        for node in tree_of(path).body
        if isinstance(node, ast.ImportFrom) and node.module == "typing"
    }

    assert found == {"runner.convert.model"}
