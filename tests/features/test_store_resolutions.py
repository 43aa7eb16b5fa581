"""What a step resolved to is remembered: a rebuild changes nothing that nobody asked to change.

An index of the test's own, on this machine, has newer versions as it goes on.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import FULL, Folder
from tests.features.test_environments import PRINT_INSTALLED
from tests.stores import Index, images, project, serve, told, write_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="paths of POSIX")

BACKENDS = pytest.mark.parametrize("backend", ["uv", pytest.param("virtualenv", marks=FULL)])


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    """An index with a package `one` that needs `two`."""
    with serve(tmp_path / "index") as served:
        yield served


@pytest.fixture
def folder(tmp_path: Path, uv_cache: Path, index: Index) -> Folder:
    """A project with a session that needs `one` and prints what is installed."""
    folder = project(tmp_path, uv_cache)
    folder.environ["UV_CACHE_DIR"] = str(tmp_path / "uv-cache")
    folder.environ["PIP_CACHE_DIR"] = str(tmp_path / "pip-cache")
    index.used_by(folder)
    index.put("one", "1.0")
    index.put("two", "1.0")
    declare(folder)
    return folder


def declare(folder: Folder, needs: str = "deps=['one', 'two']", then: str = "") -> None:
    folder.envfile(f"{then}\n@runner.session({needs})\ndef show(session):\n    {PRINT_INSTALLED}\n")


def newer(index: Index) -> None:
    """Both packages have a newer version."""
    index.put("one", "2.0")
    index.put("two", "2.0")


def forget_images(folder: Folder) -> None:
    """All finished environments are gone, and what they resolved to is not."""
    shutil.rmtree(folder.root / ".runenv/show", ignore_errors=True)
    shutil.rmtree(folder.root / ".runenv/.checkpoints", ignore_errors=True)
    store = Path(folder.environ["RUNENV_STORE"])
    for image in images(store):
        shutil.rmtree(image)


OLD, NEW = "one1.0 two1.0\n", "one2.0 two2.0\n"


@BACKENDS
def test_a_rebuild_installs_what_was_installed(folder: Folder, index: Index, backend: str):
    declare(folder, f"deps=['one', 'two'], backend={backend!r}")
    assert folder.passes().out == OLD
    newer(index)

    forget_images(folder)
    done = folder.passes()

    assert done.out == OLD
    assert told(done.err)[0].startswith("created in ")


@BACKENDS
def test_a_rebuild_for_a_damage_installs_what_was_installed(
    folder: Folder, index: Index, backend: str
):
    declare(folder, f"deps=['one', 'two'], backend={backend!r}")
    folder.passes()
    newer(index)
    forget_images(folder)
    folder.passes()
    (folder.root / ".runenv/show/pyvenv.cfg").unlink()

    done = folder.passes()

    assert done.out == OLD
    assert told(done.err)[0].startswith("rebuilt")


def test_without_a_store_a_rebuild_installs_what_was_installed(folder: Folder, index: Index):
    folder.environ["RUNENV_STORE"] = "none"
    folder.passes()
    newer(index)
    (folder.root / ".runenv/show/pyvenv.cfg").unlink()

    assert folder.passes().out == OLD


def test_a_rebuild_asks_nobody(folder: Folder, index: Index):
    folder.passes()
    index.asked.clear()

    forget_images(folder)
    done = folder.passes()

    assert done.out == OLD
    assert index.asked == []


def test_a_rebuild_works_while_the_index_is_gone(folder: Folder):
    folder.passes()
    shutil.rmtree(folder.root.parent / "index")

    forget_images(folder)

    assert folder.passes().out == OLD


@BACKENDS
def test_a_rebuild_asks_where_the_cache_is_empty(folder: Folder, index: Index, backend: str):
    declare(folder, f"deps=['one', 'two'], backend={backend!r}")
    folder.passes()
    newer(index)

    forget_images(folder)
    for cache in ("uv-cache", "pip-cache"):
        shutil.rmtree(folder.root.parent / cache, ignore_errors=True)

    assert folder.passes().out == OLD


def test_a_version_that_was_withdrawn_gives_way_and_is_told(folder: Folder, index: Index):
    folder.passes()
    newer(index)
    forget_images(folder)
    shutil.rmtree(folder.root.parent / "uv-cache")
    for name in ("one", "two"):
        (folder.root.parent / f"index/{name}/{name}-1.0-py3-none-any.whl").unlink()
        index.put(name, "2.0")

    done = folder.passes()

    assert done.out == NEW
    assert "what one two resolved to before cannot be installed any more: asked anew" in done.err


def test_another_project_of_equal_needs_gets_what_the_first_got(
    folder: Folder, index: Index, tmp_path: Path, uv_cache: Path
):
    folder.passes()
    newer(index)
    other = project(tmp_path, uv_cache, "q")
    other.environ = folder.environ
    declare(other)

    assert other.passes().out == OLD


def test_another_need_keeps_what_was_installed_of_the_rest(folder: Folder, index: Index):
    """A dependency that is added is no reason to change the others: --upgrade is."""
    folder.passes()
    newer(index)
    index.put("three", "1.0")
    declare(folder, "deps=['one', 'two', 'three']")

    # What is new has no resolution of its own: it is asked for as it is declared.
    assert folder.passes().out in ("one1.0 three1.0 two1.0\n", "one2.0 three1.0 two2.0\n")


def test_a_limit_that_excludes_what_was_installed_is_followed(folder: Folder, index: Index):
    folder.passes()
    newer(index)
    declare(folder, "deps=['one>=2', 'two']")

    assert folder.passes().out.startswith("one2.0 ")


@BACKENDS
def test_upgrade_takes_the_new_ones_and_they_stay(folder: Folder, index: Index, backend: str):
    declare(folder, f"deps=['one', 'two'], backend={backend!r}")
    folder.passes()
    newer(index)

    assert folder.passes("--upgrade").out == NEW
    assert folder.passes().out == NEW
    forget_images(folder)
    assert folder.passes().out == NEW


def test_upgrade_of_one_package_leaves_the_rest(folder: Folder, index: Index):
    folder.passes()
    newer(index)

    assert folder.passes("--upgrade=two").out == "one1.0 two2.0\n"
    assert folder.passes().out == "one1.0 two2.0\n"
    forget_images(folder)
    assert folder.passes().out == "one1.0 two2.0\n"


def test_upgrade_in_one_session_is_what_a_second_one_gets(folder: Folder, index: Index):
    folder.envfile(
        "\n".join(
            f"@runner.session(deps=['one', 'two'])\ndef {name}(session):\n    {PRINT_INSTALLED}\n"
            for name in ("first", "second")
        )
    )
    folder.passes("first")
    newer(index)
    folder.passes("first", "--upgrade")

    assert folder.passes("second").out == NEW


def test_fresh_installs_what_was_installed(folder: Folder, index: Index):
    folder.passes()
    newer(index)

    assert folder.passes("--fresh").out == OLD


def test_installs_of_a_session_are_remembered_too(folder: Folder, index: Index):
    folder.envfile(
        f"@runner.session\ndef show(session):\n    session.install('one')\n    session.install('two')\n    {PRINT_INSTALLED}\n"
    )
    folder.passes()
    newer(index)
    forget_images(folder)

    assert folder.passes().out == OLD


@pytest.mark.parametrize("option", ["-U", "--upgrade", "--pre"])
def test_an_install_that_asks_for_the_newest_is_never_remembered(
    folder: Folder, index: Index, option: str
):
    folder.envfile(
        f"@runner.session\ndef show(session):\n    session.install({option!r}, 'one', 'two')\n    {PRINT_INSTALLED}\n"
    )
    if option == "--pre":
        folder.environ["RUNENV_BACKEND"] = "virtualenv"
    folder.passes()
    newer(index)
    forget_images(folder)

    assert folder.passes().out.endswith(NEW)


def test_a_file_that_is_named_is_what_it_is_now(folder: Folder, index: Index):
    write_wheel(folder.root, "three", members={"three.py": ""})
    declare(folder, "deps=['one', './three-1.0-py3-none-any.whl']")
    assert folder.passes().out == "one1.0 three1.0\n"
    index.put("one", "2.0")
    write_wheel(folder.root, "three", members={"three.py": "value = 'new'\n"})
    folder.envfile(
        "@runner.session(deps=['one', './three-1.0-py3-none-any.whl'])\n"
        "def show(session): session.run('python', '-c', 'import three; print(three.value)')\n"
    )

    assert folder.passes().out == "new\n"


# Age. -----------------------------------------------------------------------------------


def age(folder: Folder, days: float) -> None:
    """All that was resolved was resolved so many days before."""
    changed = 0
    places = [*Path(folder.environ["RUNENV_STORE"]).glob("known/*.json"), *(folder.root / ".runenv").glob("*/*.json")]  # fmt: skip
    for path in places:
        text = path.read_text()
        # Seconds since 1970, wherever they stand: 17… and 18… are this decade.
        older = re.sub(r"\b1[78]\d{8}(\.\d+)?\b", lambda m: str(float(m[0]) - days * 86400), text)
        changed += older != text
        path.write_text(older)
    assert changed, "no time was found in what is known"


@pytest.mark.parametrize("how", ["option", "variable", "envfile"])
def test_a_resolution_is_asked_anew_when_it_is_too_old(folder: Folder, index: Index, how: str):
    arguments = ["--max-age", "7d"] if how == "option" else []
    if how == "variable":
        folder.environ["RUNENV_MAX_AGE"] = "7d"
    if how == "envfile":
        declare(folder, then="runner.options.max_age = '7d'\n")
    folder.passes(*arguments)
    newer(index)
    forget_images(folder)

    age(folder, 6)
    assert folder.passes(*arguments).out == OLD
    forget_images(folder)
    age(folder, 2)
    assert folder.passes(*arguments).out == NEW


def test_without_an_age_it_is_remembered_for_years(folder: Folder, index: Index):
    folder.passes()
    newer(index)
    forget_images(folder)
    age(folder, 1000)

    assert folder.passes().out == OLD


def test_an_age_of_nothing_asks_each_time_that_something_is_made(folder: Folder, index: Index):
    folder.passes()
    newer(index)
    forget_images(folder)

    assert folder.passes("--max-age", "0").out == NEW


def test_in_ci_without_a_store_it_is_asked_anew(folder: Folder, index: Index, tmp_path: Path):
    del folder.environ["RUNENV_STORE"]
    folder.environ |= {"CI": "true", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    folder.passes()
    newer(index)
    shutil.rmtree(folder.root / ".runenv")

    assert folder.passes().out == NEW


def test_in_ci_with_a_store_that_was_restored_it_is_remembered(folder: Folder, index: Index):
    folder.environ["CI"] = "true"
    folder.passes()
    newer(index)
    shutil.rmtree(folder.root / ".runenv")

    assert folder.passes().out == OLD


# What is said. ----------------------------------------------------------------------------


def test_explain_says_from_when_a_resolution_is(folder: Folder, index: Index):
    folder.passes()
    newer(index)
    forget_images(folder)

    out = folder.passes("--explain").out

    assert re.search(r"^  resolved     2 packages on \d{4}-\d\d-\d\d \d\d:\d\d$", out, re.M), out


def test_explain_changes_nothing_and_asks_nobody(folder: Folder, index: Index):
    folder.passes()
    forget_images(folder)
    index.asked.clear()

    folder.passes("--explain")
    folder.passes("--explain", "--store")

    assert index.asked == []
    assert not (folder.root / ".runenv/show").exists()


def test_explain_as_json_says_from_when_a_resolution_is(folder: Folder):
    began_s = time.time()
    folder.passes()
    ended_s = time.time()
    forget_images(folder)

    (job,) = json.loads(folder.passes("--explain", "--json").out)["jobs"]

    assert began_s <= job["resolved_s"] <= ended_s
    assert job["packages"] == 2


def test_what_a_resolution_names_is_checked_by_its_digest(folder: Folder, index: Index):
    """The same version with another content is not what was installed."""
    folder.passes()
    forget_images(folder)
    for cache in ("uv-cache", "pip-cache"):
        shutil.rmtree(folder.root.parent / cache, ignore_errors=True)
    index.put("two", "1.0", **{"more.py": "value = 'other'\n"})

    done = folder.run()

    # Either it is refused, or it is asked anew and told; it is never taken unnoticed.
    assert done.code == 1 or "two" in done.err


def test_a_secret_of_the_index_is_nowhere_in_the_store(folder: Folder, index: Index):
    url = index.url.replace("http://", "http://user:pass-word-1@")
    folder.environ["UV_DEFAULT_INDEX"] = url
    folder.passes()

    store = Path(folder.environ["RUNENV_STORE"])
    holding = [str(p) for p in store.rglob("*") if p.is_file() and b"pass-word-1" in p.read_bytes()]
    assert holding == []
