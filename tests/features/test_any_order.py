"""Whatever is edited in whatever order: a reused environment equals one made by hand of the same.

Set HYPOTHESIS_EXAMPLES to a number for more sequences than the few of every run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.conftest import Folder, make_wheel
from tests.features.test_environments import library

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="paths of POSIX"),
]

UV = shutil.which("uv", path=os.path.dirname(sys.executable)) or "uv"
EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "4"))
RUNS = 6  # of one sequence

# The declarations: what stands in the envfile, in files, in the project.
NAMES = ("one", "two<2", "two", "three", "four[more]")

state = st.fixed_dictionaries(
    {
        "deps": st.lists(st.sampled_from(NAMES), max_size=3, unique=True),
        "file": st.lists(st.sampled_from(("one", "three", "-r more.txt")), max_size=2, unique=True),
        "more": st.sampled_from(("", "one\n", "# four\nfour\n")),
        "limits": st.sampled_from(("", "two<2\n", "two<3\n")),
        "project": st.sampled_from((False, "wheel", "editable")),
        "extras": st.booleans(),
        "code": st.integers(0, 2),
        "module": st.booleans(),
        "version": st.sampled_from(("1.0", "2.0")),
        "installs": st.lists(st.sampled_from((*NAMES[:4], "./four-1.0-py3-none-any.whl")), max_size=3),
        "command": st.integers(0, 3),  # before which install a command runs
        "wheel": st.integers(0, 2),
    }
)  # fmt: skip
# Mostly one or two things change between two runs.
change = st.tuples(st.sets(st.sampled_from(["deps", "file", "more", "limits", "project", "extras", "code", "module", "version", "installs", "command", "wheel"]), min_size=1, max_size=2), state)  # fmt: skip


def write(folder: Folder, now: dict[str, object]) -> None:
    """The project is as the state says."""
    folder.write("requirements.txt", "\n".join(now["file"]) + "\n")  # type: ignore[arg-type]  # a list of strings
    folder.write("more.txt", str(now["more"]))
    folder.write("limits.txt", str(now["limits"]))
    folder.write("version.txt", str(now["version"]))
    folder.write("src/mine.py", f"value = {now['code']}\n")
    module = folder.root / "src/extra.py"
    module.write_text("") if now["module"] else module.unlink(missing_ok=True)
    make_wheel(folder.root, "four", files={"four.py": f"value = {now['wheel']}\n"})
    extras = ["more"] if now["extras"] and now["project"] else []
    body = [f"session.install({text!r})" for text in now["installs"]]  # type: ignore[attr-defined]  # a list
    body.insert(int(now["command"]), "session.run('python', '-c', 'import sys')")  # type: ignore[call-overload]  # an int
    lines = "".join(f"    {line}\n" for line in body)
    folder.envfile(
        f"@runner.session(deps={now['deps']!r}, requirements=['requirements.txt'],"
        f" constraints=['limits.txt'], project={now['project']!r}, extras={extras!r})\n"
        f"def show(session):\n{lines}    session.run('python', '-c', '')\n"
    )


def make_by_hand(folder: Folder, now: dict[str, object], place: Path) -> bool:
    """An environment of the same declarations, without us; whether that is possible."""
    steps: list[list[str]] = [
        [*now["deps"], "-r", "requirements.txt", "-c", "limits.txt"]  # type: ignore[misc]  # a list
    ]
    marks = "[more]" if now["extras"] else ""
    if now["project"]:
        steps[0] += ["-e"] * (now["project"] == "editable") + [f".{marks}"]
    steps += [[text] for text in now["installs"]]  # type: ignore[attr-defined]  # a list
    # Not the caller's file of the project that uv reads: there is none.
    commands = [[UV, "venv", "-q", "--no-project", "--python", sys._base_executable, str(place)]]  # type: ignore[attr-defined]  # it is there
    install = [UV, "pip", "install", "-q", "--python", str(place / "bin/python")]
    commands += [[*install, "--reinstall-package", "mine", *step] for step in steps]
    return all(
        subprocess.run(c, cwd=folder.root, env=folder.environ, capture_output=True, check=False).returncode == 0
        for c in commands
    )  # fmt: skip


def contents(place: Path) -> dict[str, str]:
    """All files of an environment's packages with what they hold, but those that tell of the install."""
    site = next((place / "lib").glob("*/site-packages"))
    telling = (
        "direct_url.json",
        "INSTALLER",
        "RECORD",
        "REQUESTED",
        "uv_cache.json",
        "uv_build.json",
    )
    found: dict[str, str] = {}
    for path in site.rglob("*"):
        name = str(path.relative_to(site))
        ours = name.startswith(("pip.py", "_virtualenv", "_runenv"))
        if path.is_file() and "__pycache__" not in path.parts and path.name not in telling and not ours:  # fmt: skip
            found[name] = path.read_text(encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("wheels")
    make_wheel(place, "one", requires=("three",))
    make_wheel(place, "two")
    make_wheel(place, "two", "2.0", requires=("one",))
    make_wheel(place, "three", files={"three/__init__.py": "", "three/data.txt": "data"})
    make_wheel(place, "four", requires=("three; extra == 'more'",))
    make_wheel(place, "tool")
    return place


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="HYPOTHESIS_EXAMPLES" not in os.environ,
    database=None,
    phases=[Phase.generate],  # to shrink takes minutes, and what is told is short enough
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(first=state, changes=st.lists(change, min_size=RUNS - 1, max_size=RUNS - 1))
def test_a_reused_environment_equals_one_made_by_hand(
    wheels: Path, uv_cache: Path, first: dict[str, object], changes: list[tuple[set[str], dict[str, object]]]
):  # fmt: skip
    now = dict(first)
    with tempfile.TemporaryDirectory() as place:
        root = Path(place, "project")
        root.mkdir()
        folder = Folder(root, wheels, uv_cache)
        library(folder)
        backend = folder.root / "backend.py"
        every = "{n: open(f'src/{n}').read() for n in os.listdir('src') if n.endswith('.py')}"
        text = backend.read_text().replace('{"mine.py": open("src/mine.py").read()}', every)
        backend.write_text(text)
        for number, (names, wanted) in enumerate([(set(), now), *changes]):
            now = {**now, **{name: wanted[name] for name in names}}
            write(folder, now)
            done = folder.run()
            by_hand = Path(place, f"by-hand-{number}")
            possible = make_by_hand(folder, now, by_hand)
            assert (done.code == 0) == possible, f"{now}\n{done.err}"
            if possible:
                assert contents(folder.root / ".runenv/show") == contents(by_hand), f"{now}\n{done.err}"  # fmt: skip
