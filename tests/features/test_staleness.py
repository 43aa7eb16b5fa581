"""Environments never lie: a change, what is said of the environment, and what is then in it.

What is in it is asked of the environment's own Python, by the session's command and
once more from outside; what is said is checked beside. Changes to one project come
one after the other, each on top of those before it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.conftest import make_wheel
from tests.features.test_environments import library

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Folder

    Edit = Callable[[Folder], object]

# Prints what is installed, and `module=value` for what can be imported of the library.
PROBE = """
import importlib, importlib.metadata as metadata, pathlib
words = sorted({
    f"{d.metadata['Name']} {d.version}" for d in metadata.distributions()
    if d.metadata["Name"] not in ("pip", "setuptools", "wheel")
})
for name in ("mine", "mine_new", "core", "one.inner"):
    try:
        module = importlib.import_module(name)
    except ImportError:
        continue
    words.append(f"{name}={getattr(module, 'value', '')}")
    data = pathlib.Path(module.__file__).with_name(f"{name}.txt")
    if data.exists():
        words.append(data.read_text())
print(", ".join(words))
"""

REUSED, REPLACED, REBUILT = "reused", "wheel replaced", "rebuilt"

# Chains of many runs each.
pytestmark = pytest.mark.slow


class Change(NamedTuple):
    """One change and what the next run makes of it."""

    what: str
    edit: Edit
    state: str
    holds: str  # what PROBE prints
    arguments: tuple[str, ...] = ()


class Chain(NamedTuple):
    """A project and the changes that it goes through."""

    start: tuple[Edit, ...]
    holds: str
    changes: tuple[Change, ...]


# Edits. ------------------------------------------------------------------------


def session(arguments: str = "", *body: str, then: str = "") -> Edit:
    """The envfile: one session with these arguments, its first lines, and the probe."""
    lines = "".join(f"    {line}\n" for line in [*body, "session.run('python', '-c', PROBE)"])
    text = f"PROBE = {PROBE!r}\n\n@runner.session({arguments})\ndef show(session):\n{lines}{then}\n"
    return lambda folder: folder.envfile(text)


def write(name: str, text: str) -> Edit:
    return lambda folder: folder.write(name, text)


def append(name: str, text: str) -> Edit:
    def edit(folder: Folder) -> None:
        with (folder.root / name).open("a", encoding="utf-8") as stream:
            stream.write(text)

    return edit


def delete(name: str) -> Edit:
    def edit(folder: Folder) -> None:
        for path in folder.root.glob(name):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()

    return edit


def wheel(name: str, version: str = "1.0", **more: object) -> Edit:
    return lambda folder: folder.wheel(name, version, **more)


def variable(name: str, value: str | None) -> Edit:
    """A variable of the caller; `{root}` is the project's folder."""

    def edit(folder: Folder) -> None:
        if value is None:
            folder.environ.pop(name)
        else:
            folder.environ[name] = value.format(root=folder.root)

    return edit


def both(*edits: Edit) -> Edit:
    def edit(folder: Folder) -> None:
        for each in edits:
            each(folder)

    return edit


def nothing(folder: Folder) -> None:
    del folder


def touch(*names: str) -> Edit:
    def edit(folder: Folder) -> None:
        for name in names:
            os.utime(folder.root / name, (1_700_000_000, 1_700_000_000))

    return edit


def replace(name: str, old: str, new: str) -> Edit:
    def edit(folder: Folder) -> None:
        path = folder.root / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    return edit


WHEELS = (
    wheel("one", "1.0", files={"one/__init__.py": "", "one/inner.py": "value = 'in'\n"}),
    wheel("two"),
    wheel("two", "2.0"),
    wheel("three"),
)
ENV = ".runenv/show"
SITE = f"{ENV}/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
ONE = "one 1.0, one.inner=in"
TWO = "one 1.0, two 2.0, one.inner=in"

# Chains. -----------------------------------------------------------------------

DEPS = Chain(
    (*WHEELS, session("deps=['one']")),
    ONE,
    (
        Change("nothing", nothing, REUSED, ONE),
        Change("a dependency added", session("deps=['one', 'two']"), REBUILT, TWO),
        Change("their order", session("deps=['two', 'one']"), REBUILT, TWO),
        Change(
            "a dependency edited",
            session("deps=['two<2', 'one']"),
            REBUILT,
            "one 1.0, two 1.0, one.inner=in",
        ),
        Change("a dependency removed", session("deps=['one']"), REBUILT, ONE),
        Change("the case of its name", session("deps=['One']"), REBUILT, ONE),
        Change("a comment", append("envfile.py", "# more\n"), REUSED, ONE),
        Change("another session", append("envfile.py", "@runner.session(deps=['two'], default=False)\ndef other(s): ...\n"), REUSED, ONE),
        Change("times only", touch("envfile.py"), REUSED, ONE),
        Change("tags and environment variables", session("deps=['One'], tags=['x'], env={'A': 'b'}"), REUSED, ONE),
        Change("--fresh", nothing, REBUILT, ONE, ("--fresh",)),
        Change("after --fresh", nothing, REUSED, ONE),
        Change("two without a limit", session("deps=['one', 'three', 'two<2']"), REBUILT, "one 1.0, three 1.0, two 1.0, one.inner=in"),
        Change("a newer version in the index", wheel("three", "2.0"), REUSED, "one 1.0, three 1.0, two 1.0, one.inner=in"),
        Change("--upgrade", nothing, REBUILT, "one 1.0, three 2.0, two 1.0, one.inner=in", ("--upgrade",)),
        Change("after --upgrade", nothing, REUSED, "one 1.0, three 2.0, two 1.0, one.inner=in"),
        Change("reuse=False", session("deps=['one'], reuse=False"), REBUILT, ONE),
        Change("reuse=False again", nothing, REBUILT, ONE),
        Change("no dependency", session(""), REBUILT, ""),
    ),
)  # fmt: skip

FILES = Chain(
    (
        *WHEELS,
        lambda f: make_wheel(f.root / "a", "mine", files={"mine.py": "value = 'a'\n"}),
        lambda f: make_wheel(f.root / "b", "mine", files={"mine.py": "value = 'b'\n"}),
        variable("WHERE", "{root}/a"),
        write("requirements.txt", "mine @ file://${WHERE}/mine-1.0-py3-none-any.whl\n-r more.txt\n"),
        write("more.txt", "# nothing yet\n"),
        write("limits.txt", "two<2\n"),
        session("requirements=['requirements.txt'], constraints=['limits.txt']"),
    ),
    "mine 1.0, mine=a",
    (
        Change("nothing", nothing, REUSED, "mine 1.0, mine=a"),
        Change("times only", touch("requirements.txt", "more.txt", "limits.txt"), REUSED, "mine 1.0, mine=a"),
        Change("an included file edited", write("more.txt", "two\n"), REBUILT, "mine 1.0, two 1.0, mine=a"),
        Change("the constraint file", write("limits.txt", "two<3\n"), REBUILT, "mine 1.0, two 2.0, mine=a"),
        Change("a comment", append("more.txt", "# a comment\n"), REBUILT, "mine 1.0, two 2.0, mine=a"),
        Change("a byte order mark", write("more.txt", "\ufefftwo\n"), REBUILT, "mine 1.0, two 2.0, mine=a"),
        Change("other line ends", write("more.txt", "two\r\n"), REBUILT, "mine 1.0, two 2.0, mine=a"),
        Change("an include added", both(write("third.txt", "three\n"), append("more.txt", "-r third.txt\n")), REBUILT, "mine 1.0, three 1.0, two 2.0, mine=a"),
        Change("the file that was added", write("third.txt", "\n"), REBUILT, "mine 1.0, two 2.0, mine=a"),
        Change("a variable in a file", variable("WHERE", "{root}/b"), REBUILT, "mine 1.0, two 2.0, mine=b"),
        Change("the wheel that it leads to", lambda f: make_wheel(f.root / "b", "mine", files={"mine.py": "value = 'c'\n"}), REBUILT, "mine 1.0, two 2.0, mine=c"),
        Change("a variable that no file names", variable("WHAT", "three"), REUSED, "mine 1.0, two 2.0, mine=c"),
        Change("a file renamed", both(lambda f: (f.root / "requirements.txt").rename(f.root / "dev.txt"), session("requirements=['dev.txt'], constraints=['limits.txt']")), REBUILT, "mine 1.0, two 2.0, mine=c"),
        Change("a file edited", write("dev.txt", "one\n"), REBUILT, ONE),
        Change("a constraint file in a file", both(write("dev.txt", "-c limits.txt\ntwo\n"), session("requirements=['dev.txt']")), REBUILT, "two 2.0"),
        Change("what it holds", write("limits.txt", "two<2\n"), REBUILT, "two 1.0"),
    ),
)  # fmt: skip

PYPROJECT = """
[project]
name = "app"
version = "1.0"

[project.optional-dependencies]
cli = ["three"]
other = ["three"]

[dependency-groups]
base = ["one"]
test = [{include-group = "base"}]
docs = ["three"]

[tool.something]
x = 1
"""

GROUPS = Chain(
    (*WHEELS, write("pyproject.toml", PYPROJECT), session("groups=['test']")),
    ONE,
    (
        Change("nothing", nothing, REUSED, ONE),
        Change("another group", replace("pyproject.toml", 'docs = ["three"]', 'docs = ["two"]'), REUSED, ONE),
        Change("a table of a tool", replace("pyproject.toml", "x = 1", "x = 2"), REUSED, ONE),
        Change("the group", replace("pyproject.toml", 'test = [{', 'test = ["two", {'), REBUILT, TWO),
        Change("an included group", replace("pyproject.toml", 'base = ["one"]', 'base = ["three"]'), REBUILT, "three 1.0, two 2.0"),
        Change("a group more", session("groups=['test', 'docs']"), REBUILT, "three 1.0, two 2.0"),
        Change("an extra alone", session("extras=['cli']"), REBUILT, "three 1.0"),
        Change("another extra", replace("pyproject.toml", 'other = ["three"]', 'other = ["two"]'), REUSED, "three 1.0"),
        Change("the extra", replace("pyproject.toml", 'cli = ["three"]', 'cli = ["one"]'), REBUILT, ONE),
    ),
)  # fmt: skip

# `mine` of the library with all modules and data files of src/ in its wheel.
ALL_OF_SRC = both(
    library,
    replace(
        "backend.py",
        '{"mine.py": open("src/mine.py").read()}',
        "{n: open(f'src/{n}').read() for n in os.listdir('src') if n != '__pycache__'}",
    ),
    append(
        "backend.py",
        """
import io, tarfile

def build_sdist(folder, config_settings=None):
    name = f"{NAME}-{VERSION}.tar.gz"
    with tarfile.open(os.path.join(folder, name), "w:gz") as archive:
        for member in ["pyproject.toml", "backend.py", "src", *(["version.txt"] if os.path.exists("version.txt") else [])]:
            archive.add(member, f"{NAME}-{VERSION}/{member}")
        info = tarfile.TarInfo(f"{NAME}-{VERSION}/PKG-INFO")
        data = f"Metadata-Version: 2.1\\nName: {NAME}\\nVersion: {VERSION}\\n".encode()
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return name
""",
    ),
    wheel("tool"),
)


def project(mode: str) -> Chain:
    """What the project's own files change; an editable install sees code without our help."""
    code = REUSED if mode == "editable" else REPLACED
    return Chain(
        (ALL_OF_SRC, session(f"project={mode!r}")),
        "mine 1.0, mine=1",
        (
            Change("nothing", nothing, REUSED, "mine 1.0, mine=1"),
            Change("code", write("src/mine.py", "value = 2\n"), code, "mine 1.0, mine=2"),
            Change("times only", touch("src/mine.py", "pyproject.toml"), REUSED, "mine 1.0, mine=2"),
            Change("a new module", write("src/mine_new.py", "value = 3\n"), code, "mine 1.0, mine=2, mine_new=3"),
            Change("a data file", write("src/mine.txt", "some data"), code, "mine 1.0, mine=2, some data, mine_new=3"),
            Change("what is in it", write("src/mine.txt", "other data"), code, "mine 1.0, mine=2, other data, mine_new=3"),
            Change("a module less", delete("src/mine_new.py"), code, "mine 1.0, mine=2, other data"),
            Change("a data file less", delete("src/mine.txt"), code, "mine 1.0, mine=2"),
            Change("a version in a file", both(write("version.txt", "2.0\n"), append("pyproject.toml", "# version.txt\n")), REBUILT, "mine 2.0, mine=2"),
            Change("what it says", write("version.txt", "3.0\n"), REBUILT, "mine 3.0, mine=2"),
            Change("an extra", session(f"project={mode!r}, extras=['more']"), REBUILT, "mine 3.0, tool 1.0, mine=2"),
            Change("a table of a tool", append("pyproject.toml", "[tool.other]\nx = 1\n"), REBUILT, "mine 3.0, tool 1.0, mine=2"),
            Change("the envfile", append("envfile.py", "# more\n"), REUSED, "mine 3.0, tool 1.0, mine=2"),
            Change("what tools leave", write(".pytest_cache/x", ""), REUSED, "mine 3.0, tool 1.0, mine=2"),
            Change("no project", session(""), REBUILT, ""),
        ),
    )  # fmt: skip


def core(folder: Folder, value: int = 1) -> None:
    """A second project, in the folder core."""
    here, folder.root = folder.root, folder.root / "core"
    folder.root.mkdir(exist_ok=True)
    library(folder)
    for name in ("backend.py", "pyproject.toml"):
        path = folder.root / name
        path.write_text(path.read_text().replace("mine", "core"))
    (folder.root / "src/mine.py").unlink()
    folder.write("src/core.py", f"value = {value}\n")
    folder.root = here


def local_wheel(value: int) -> Edit:
    return lambda folder: make_wheel(folder.root, "mine", files={"mine.py": f"value = {value}\n"})


LOCAL = Chain(
    (core, local_wheel(1), session("deps=['./core', './mine-1.0-py3-none-any.whl']")),
    "core 1.0, mine 1.0, mine=1, core=1",
    (
        Change("nothing", nothing, REUSED, "core 1.0, mine 1.0, mine=1, core=1"),
        Change("a wheel of the same name", local_wheel(2), REBUILT, "core 1.0, mine 1.0, mine=2, core=1"),
        Change("times of a wheel", touch("mine-1.0-py3-none-any.whl"), REUSED, "core 1.0, mine 1.0, mine=2, core=1"),
        Change("code of a folder", write("core/src/core.py", "value = 2\n"), REBUILT, "core 1.0, mine 1.0, mine=2, core=2"),
        Change("metadata of a folder", write("core/version.txt", "2.0\n"), REBUILT, "core 2.0, mine 1.0, mine=2, core=2"),
        Change("a folder in a file", both(write("requirements.txt", "./core\n"), session("requirements=['requirements.txt']")), REBUILT, "core 2.0, core=2"),
        Change("code of that", write("core/src/core.py", "value = 3\n"), REBUILT, "core 2.0, core=3"),
        Change("an editable folder in a file", write("requirements.txt", "-e ./core\n"), REBUILT, "core 2.0, core=3"),
        Change("code of that", write("core/src/core.py", "value = 4\n"), REUSED, "core 2.0, core=4"),
    ),
)  # fmt: skip


def commit(value: int, tag: str) -> Edit:
    def edit(folder: Folder) -> None:
        core(folder, value)
        for words in (["init", "-q"], ["add", "."], ["-c", "user.name=n", "-c", "user.email=e@e", "commit", "-qm", tag], ["tag", tag]):  # fmt: skip
            subprocess.run(
                ["git", *words], cwd=folder.root / "core", env=folder.environ, check=True
            )

    return edit


def from_git(tag: str) -> Edit:
    return lambda folder: session(f"deps=['core @ git+{(folder.root / 'core').as_uri()}@{tag}']")(
        folder
    )


GIT = Chain(
    (commit(1, "v1"), commit(2, "v2"), from_git("v1")),
    "core 1.0, core=1",
    (
        Change("nothing", nothing, REUSED, "core 1.0, core=1"),
        Change("the revision in a URL", from_git("v2"), REBUILT, "core 1.0, core=2"),
    ),
)

A, B, C = "session.install('one')", "session.install('two')", "session.install('three')"
RUN = "session.run('python', '-c', '')"

INSTALLS = Chain(
    (*WHEELS, session("", A)),
    ONE,
    (
        Change("nothing", nothing, REUSED, ONE),
        Change("one added at the end", session("", A, B), REBUILT, TWO),
        Change("one added in the middle", session("", A, C, B), REBUILT, "one 1.0, three 1.0, two 2.0, one.inner=in"),
        Change("nothing", nothing, REUSED, "one 1.0, three 1.0, two 2.0, one.inner=in"),
        Change("one edited", session("", A, C, "session.install('two<2')"), REBUILT, "one 1.0, three 1.0, two 1.0, one.inner=in"),
        Change("one removed", session("", A, "session.install('two<2')"), REBUILT, "one 1.0, two 1.0, one.inner=in"),
        Change("a variable of one", session("", A, "session.install('two<2', env={'WHAT': 'x'})"), REBUILT, "one 1.0, two 1.0, one.inner=in"),
        Change("nothing", nothing, REUSED, "one 1.0, two 1.0, one.inner=in"),
        Change("another value of it", session("", A, "session.install('two<2', env={'WHAT': 'y'})"), REBUILT, "one 1.0, two 1.0, one.inner=in"),
        Change("a command between", session("", A, RUN, B), REBUILT, TWO),
        Change("nothing", nothing, REUSED, TWO),
        Change("one removed behind a command", session("", A, RUN), REBUILT, ONE),
        Change("one added behind a command", session("", A, RUN, B, RUN), REUSED, TWO),
        Change("its command removed", session("", A, B), REBUILT, TWO),
        Change("all removed", session("", RUN), REBUILT, ""),
        Change("a declared one before them", session("deps=['one']", B), REBUILT, TWO),
        Change("a requirement file", both(write("r.txt", "two<2"), session("deps=['one']", "session.install('-r', 'r.txt')")), REBUILT, "one 1.0, two 1.0, one.inner=in"),
        Change("what is in it", write("r.txt", "three"), REBUILT, "one 1.0, three 1.0, one.inner=in"),
    ),
)  # fmt: skip

AROUND = Chain(
    (
        *WHEELS,
        write("limits.txt", "two<2\n"),
        session("deps=['one', 'two']"),
    ),
    TWO,
    (
        Change("a variable of no installer", variable("OTHER", "1"), REUSED, TWO),
        Change("variables that change nothing", both(variable("PIP_QUIET", "0"), variable("UV_NO_PROGRESS", "1")), REUSED, TWO),
    ),
)  # fmt: skip

OLDER = "one 1.0, two 1.0, one.inner=in"

UV_AROUND = Chain(
    AROUND.start,
    TWO,
    (
        *AROUND.changes,
        Change("UV_CONSTRAINT", variable("UV_CONSTRAINT", "{root}/limits.txt"), REBUILT, OLDER),
        Change("the file that it names", write("limits.txt", "two<3\n"), REBUILT, TWO),
        Change("a relative path in it", variable("UV_CONSTRAINT", "limits.txt"), REBUILT, TWO),
        Change("the file that it names", write("limits.txt", "two<2\n"), REBUILT, OLDER),
        Change("without it", variable("UV_CONSTRAINT", None), REBUILT, TWO),
        Change("uv.toml", write("uv.toml", "constraint-dependencies = ['two<2']\n"), REBUILT, OLDER),
        Change("without it", delete("uv.toml"), REBUILT, TWO),
        Change("[tool.uv]", write("pyproject.toml", "[tool.uv]\nno-build = true\n"), REBUILT, TWO),
        Change("another tool's table", append("pyproject.toml", "[tool.other]\nx = 1\n"), REUSED, TWO),
        Change("UV_RESOLUTION", variable("UV_RESOLUTION", "lowest"), REBUILT, OLDER),
        Change("another place of wheels", both(lambda f: make_wheel(f.root / "more", "one", "3.0"), variable("UV_FIND_LINKS", "{root}/more,{root}/../wheels"), variable("UV_RESOLUTION", None)), REBUILT, "one 3.0, two 2.0"),
        Change("options of the backend", session("deps=['two'], backend_options=['--prompt', 'x']"), REBUILT, "two 2.0"),
        Change("nothing", nothing, REUSED, "two 2.0"),
        Change("another backend", variable("RUNENV_BACKEND", "venv"), REBUILT, "two 2.0"),
    ),
)  # fmt: skip

PIP_AROUND = Chain(
    (*AROUND.start, variable("PIP_CONFIG_FILE", "{root}/pip.conf")),
    TWO,
    (
        *AROUND.changes,
        Change("PIP_CONSTRAINT", variable("PIP_CONSTRAINT", "{root}/limits.txt"), REBUILT, OLDER),
        Change("the file that it names", write("limits.txt", "two<3\n"), REBUILT, TWO),
        Change("a relative path in it", variable("PIP_CONSTRAINT", "limits.txt"), REBUILT, TWO),
        Change("the file that it names", write("limits.txt", "two<2\n"), REBUILT, OLDER),
        Change("a file that this one includes", both(write("deeper.txt", "two<3\n"), write("limits.txt", "-c deeper.txt\n")), REBUILT, TWO),
        Change("what is in that", write("deeper.txt", "two<2\n"), REBUILT, OLDER),
        Change("without it", variable("PIP_CONSTRAINT", None), REBUILT, TWO),
        Change("pip.conf", write("pip.conf", "[install]\nno-compile = true\n"), REBUILT, TWO),
        Change("a constraint in it", lambda f: f.write("pip.conf", f"[install]\nconstraint = {f.root}/limits.txt\n"), REBUILT, OLDER),
        Change("the file that it names", write("limits.txt", "two<2\n# more\n"), REBUILT, OLDER),
        Change("another place of wheels", both(lambda f: make_wheel(f.root / "more", "one", "3.0"), variable("PIP_FIND_LINKS", "{root}/more {root}/../wheels")), REBUILT, "one 3.0, two 1.0"),
        Change("options of the backend", session("deps=['two'], backend_options=['--prompt', 'x']"), REBUILT, "two 1.0"),
        Change("VIRTUALENV_PROMPT", variable("VIRTUALENV_PROMPT", "y"), REBUILT, "two 1.0"),
    ),
)  # fmt: skip


def by_hand(*arguments: str) -> Edit:
    def edit(folder: Folder) -> None:
        command = [str(folder.root / ENV / "bin/python"), "-m", "pip", *arguments]
        subprocess.run(command, env=folder.environ, check=True, capture_output=True)

    return edit


def move(folder: Folder) -> None:
    moved = folder.root.with_name(f"{folder.root.name}-moved")
    folder.root.rename(moved)
    folder.root = moved


def copy(folder: Folder) -> None:
    copied = folder.root.with_name(f"{folder.root.name}-copied")
    shutil.copytree(folder.root, copied, symlinks=True)
    folder.root = copied


def journal(**changes: object) -> Edit:
    """A journal in which something else stands."""

    def edit(folder: Folder) -> None:
        path = folder.root / ENV / "runenv.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return edit


def program(name: str, text: str) -> Edit:
    def edit(folder: Folder) -> None:
        path = folder.root / ENV / "bin" / name
        path.unlink()
        path.write_text(text)

    return edit


DAMAGE = Chain(
    (*WHEELS, session("deps=['one', 'two']")),
    TWO,
    (
        Change("a folder of a package deleted", delete(f"{SITE}/one"), REBUILT, TWO),
        Change("a module deleted", delete(f"{SITE}/two.py"), REBUILT, TWO),
        Change("a module edited", append(f"{SITE}/two.py", "x = 1\n"), REBUILT, TWO),
        Change("metadata deleted", delete(f"{SITE}/two-2.0.dist-info"), REBUILT, TWO),
        Change("a module added", write(f"{SITE}/core.py", "value = 1\n"), REBUILT, TWO),
        Change("a .pth added", write(f"{SITE}/x.pth", "/nowhere\n"), REBUILT, TWO),
        Change("installed by hand", by_hand("install", "three"), REBUILT, TWO),
        Change("another version by hand", by_hand("install", "two<2"), REBUILT, TWO),
        Change("uninstalled by hand", by_hand("uninstall", "-y", "two"), REBUILT, TWO),
        Change("lib deleted", delete(f"{ENV}/lib"), REBUILT, TWO),
        Change("bin deleted", delete(f"{ENV}/bin"), REBUILT, TWO),
        Change("site-packages deleted", delete(SITE), REBUILT, TWO),
        Change("pyvenv.cfg deleted", delete(f"{ENV}/pyvenv.cfg"), REBUILT, TWO),
        Change("pyvenv.cfg empty", write(f"{ENV}/pyvenv.cfg", ""), REBUILT, TWO),
        Change("the system's packages let in", append(f"{ENV}/pyvenv.cfg", "include-system-site-packages = true\n"), REBUILT, TWO),
        Change("python deleted", delete(f"{ENV}/bin/python"), REBUILT, TWO),
        Change("python no program", program("python", "text"), REBUILT, TWO),
        Change("a program added", write(f"{ENV}/bin/more", ""), REBUILT, TWO),
        Change("nothing", nothing, REUSED, TWO),
        Change("a file beside the environment", write(".runenv/notes.txt", ""), REUSED, TWO),
        Change("bytecode", lambda f: subprocess.run([f.root / ENV / "bin/python", "-c", "import one.inner, two"], check=True), REUSED, TWO),
        Change("no journal that can be read", write(f"{ENV}/runenv.json", '{"format":1'), REBUILT, TWO),
        Change("a journal of another kind", journal(format=2), REBUILT, TWO),
        Change("a journal without ingredients", journal(ingredients=[]), REBUILT, TWO),
        Change("a journal without entries", journal(entries=[]), REBUILT, TWO),
        Change("a journal of marks", journal(entries=[None] * 9), REBUILT, TWO),
        Change("a journal of one step too many", journal(entries=[[["deps", "one\ntwo"]], [["install", "x"]]]), REBUILT, TWO),
        Change("a journal without a listing", journal(site={}), REBUILT, TWO),
        Change("a journal whose times are text", journal(site={"two.py": "x"}), REBUILT, TWO),
        Change("a journal of lists", journal(ingredients=[[["a"], ["b"]]]), REBUILT, TWO),
        Change("the key of digests gone", delete(".runenv/.key"), REUSED, TWO),  # the store has it
        Change("the key of digests gone from the store too", both(delete(".runenv/.key"), lambda f: os.unlink(os.path.join(f.environ["RUNENV_STORE"], ".key"))), REBUILT, TWO),
        Change("the project moved", move, REBUILT, TWO),
        Change("the project copied", copy, REBUILT, TWO),
        Change("the environment moved", both(lambda f: (f.root / ".runenv").rename(f.root / "elsewhere"), variable("RUNENV_ENVDIR", "elsewhere")), REBUILT, TWO),
    ),
)  # fmt: skip


def python(name: str) -> Edit:
    """A Python of its own at bin/`name`: a copy of the program that runs the tests, anew each time."""

    def edit(folder: Folder) -> None:
        real = os.path.realpath(sys._base_executable)  # type: ignore[attr-defined]  # it is there
        place = folder.root.parent / "pythons" / name
        (place / "bin").mkdir(parents=True, exist_ok=True)
        shutil.copy(real, place / "bin/python")
        if not (place / "lib").exists():
            (place / "lib").symlink_to(os.path.join(sys.base_prefix, "lib"))

    return edit


def on(name: str) -> Edit:
    return lambda folder: session(
        f"deps=['one'], python={str(folder.root.parent / 'pythons' / name / 'bin/python')!r}"
    )(folder)


PYTHONS = Chain(
    (*WHEELS, python("a"), python("b"), on("a")),
    ONE,
    (
        Change("nothing", nothing, REUSED, ONE),
        Change("the same version elsewhere", on("b"), REBUILT, ONE),
        Change("a link to it", both(lambda f: (f.root.parent / "pythons/c").symlink_to("b"), on("c")), REUSED, ONE),
        Change("another file in its place", python("b"), REBUILT, ONE),
        Change("the Python that runs us", session("deps=['one']"), REBUILT, ONE),
    ),
)  # fmt: skip

PLACES = Chain(
    (ALL_OF_SRC, variable("RUNENV_ENVDIR", "{root}-environments"), session("project='editable'")),
    "mine 1.0, mine=1",
    (
        Change("nothing", nothing, REUSED, "mine 1.0, mine=1"),
        Change("the project copied, its environments elsewhere", both(copy, write("src/mine.py", "value = 2\n")), REBUILT, "mine 1.0, mine=2"),
        Change("the project moved", move, REBUILT, "mine 1.0, mine=2"),
        Change("a wheel in its place", session("project='wheel'"), REBUILT, "mine 1.0, mine=2"),
        Change("the project moved", move, REUSED, "mine 1.0, mine=2"),
    ),
)  # fmt: skip

CHAINS = {
    "deps": DEPS,
    "files": FILES,
    "groups": GROUPS,
    "wheel": project("wheel"),
    "sdist": project("sdist"),
    "editable": project("editable"),
    "local": LOCAL,
    "git": GIT,
    "installs": INSTALLS,
    "damage": DAMAGE,
    "pythons": PYTHONS,
    "places": PLACES,
}


# What happens. -----------------------------------------------------------------


def told(err: str) -> str:
    """What a run said of its environment last: reused, wheel replaced, rebuilt."""
    lines = [line.partition("environment: ")[2] for line in err.splitlines()]
    last = [line for line in lines if line][-1]
    state = last.partition(" in ")[0].partition(" (")[0].partition(":")[0]
    return state.removesuffix(" from the store")


def held(folder: Folder) -> str:
    """What is in the environment, as its Python says when nobody of ours asks it."""
    envdir = folder.environ.get("RUNENV_ENVDIR", ".runenv")
    python = folder.root / envdir / "show/bin/python"
    done = subprocess.run(
        [python, "-I", "-B", "-c", PROBE], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def go_through(folder: Folder, chain: Chain, backend: str) -> None:
    """Every change is answered as its row says."""
    folder.environ["RUNENV_BACKEND"] = backend
    for edit in chain.start:
        edit(folder)
    assert folder.passes().out.strip() == chain.holds
    wrong: list[str] = []
    for change in chain.changes:
        change.edit(folder)
        done = folder.run(*change.arguments)
        if done.code:
            wrong.append(f"{change.what}: exit code {done.code}\n{done.out}{done.err}")
            continue
        got = (told(done.err), done.out.strip(), held(folder))
        if got != (change.state, change.holds, change.holds):
            wrong.append(f"{change.what}: {got}, not {change[2:4]}\n{done.err}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", CHAINS)
def test_each_change_is_answered_by_what_is_then_installed(folder: Folder, name: str):
    go_through(folder, CHAINS[name], "uv")


@pytest.mark.full
@pytest.mark.parametrize("name", CHAINS)
def test_each_change_is_answered_so_with_virtualenv_and_pip(folder: Folder, name: str):
    go_through(folder, CHAINS[name], "virtualenv")


def test_each_change_around_uv_is_answered(folder: Folder):
    go_through(folder, UV_AROUND, "uv")


def test_each_change_around_pip_is_answered(folder: Folder):
    go_through(folder, PIP_AROUND, "virtualenv")
