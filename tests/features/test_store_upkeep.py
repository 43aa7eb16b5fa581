"""The store as the user keeps it: what is in it, what leaves it, whether it is whole."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import zipfile
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path

import pytest

from runner.checks import Finding
from tests.conftest import Folder

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="images are for POSIX's paths"),
    pytest.mark.measured,
]

HOUR_S = 60 * 60
DAY_S = 24 * HOUR_S

TWO = """
    @runner.session(deps=["tool"])
    def a(session): session.run("python", "-V")

    @runner.session(deps=["other"])
    def b(session): session.run("python", "-V")
    """


@pytest.fixture
def two(folder: Folder) -> Folder:
    """Two environments, each with an image."""
    folder.wheel("tool", files={"tool_data.txt": "x" * 3_000_000})
    folder.wheel("other")
    folder.envfile(TWO)
    folder.passes()
    return folder


def store_of(folder: Folder) -> Path:
    return folder.root.parent / "store"


def images(folder: Folder) -> dict[str, Path]:
    """The folders of the images, by what is in them."""
    rows = json.loads(folder.passes("--explain", "--store", "--json").out)["images"]
    return {"".join(row["holds"]): Path(row["path"]) for row in rows}


def used(image: Path, ago_s: float) -> None:
    """The image was last used so long ago."""
    then = time.time() - ago_s
    os.utime(image / "used", (then, then))


def long_ago(folder: Folder) -> None:
    """The size of the store was not looked at in the last minutes."""
    Path(folder.environ["RUNENV_STORE"], ".limited").unlink(missing_ok=True)


def record_digests(wheel: Path) -> None:
    """The wheel's RECORD has digests, as those of real wheels have."""
    with zipfile.ZipFile(wheel) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    record = next(name for name in content if name.endswith("/RECORD"))
    lines = [f"{record},,"]
    for name, data in content.items():
        digest = urlsafe_b64encode(sha256(data).digest()).rstrip(b"=").decode()
        if name != record:
            lines.append(f"{name},sha256={digest},{len(data)}")
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, "\n".join(lines) if name == record else data)


# --explain --store. -----------------------------------------------------------------------


def test_the_store_is_listed_with_what_is_in_it_and_for_whom(two: Folder):
    used(images(two)["tool"], HOUR_S)
    out = two.passes("--explain", "--store").out

    moment = r"\d{4}-\d\d-\d\d \d\d:\d\d"
    row = rf"[0-9a-f]{{8}} +[\d.]+ [kM]B +[\d.]+ [kM]B +\d+ +\d+  cpython [\d.]+  uv +{moment}  {moment}"
    head = r"image +size +its own +inodes +its own  python +backend  made +last used"
    here = re.escape(str(two.root))
    assert re.fullmatch(
        rf"{head}\n"
        rf"{row}\n  other\n  for {here}/\.runenv/b\n"
        rf"{row}\n  tool\n  for {here}/\.runenv/a\n"
        rf"\n{re.escape(str(store_of(two)))}: 2 images, 3\.\d MB of 10GB\n",
        out,
    )


def test_what_two_images_hold_counts_once(folder: Folder):
    folder.wheel("tool", files={"tool_data.txt": "x" * 3_000_000})
    folder.wheel("other")
    folder.envfile(
        "@runner.session(deps=['tool'])\ndef a(session): session.run('python', '-V')\n"
        "@runner.session(deps=['tool', 'other'])\ndef b(session): session.run('python', '-V')\n"
    )
    folder.passes()

    store = json.loads(folder.passes("--explain", "--store", "--json").out)

    assert [row["size_bytes"] > 3_000_000 for row in store["images"]] == [True, True]
    assert [row["own_bytes"] < 500_000 for row in store["images"]] == [True, True]
    assert store["size_bytes"] < 4_000_000


def test_the_store_is_told_outside_of_projects(two: Folder, tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    out = two.passes("--directory", str(elsewhere), "--explain", "--store").out

    assert ": 2 images, " in out


def test_a_store_is_named_behind_an_equals_sign(two: Folder, tmp_path: Path):
    out = two.passes("--explain", f"--store={tmp_path}/mine").out

    assert out == f"{tmp_path}/mine: 0 images, 0 B of 10GB\n"


def test_an_environment_that_became_another_is_no_user_of_its_first_image(two: Folder):
    two.wheel("third")
    two.envfile(TWO.replace('"tool"', '"third"'))
    two.passes()

    rows = json.loads(two.passes("--explain", "--store", "--json").out)["images"]

    users = {"".join(row["holds"]): row["environments"] for row in rows}
    envdir = two.root / ".runenv"
    assert users == {"tool": [], "other": [f"{envdir}/b"], "third": [f"{envdir}/a"]}


# --clean --store. -------------------------------------------------------------------------


def test_images_that_no_environment_is_linked_from_are_deleted(two: Folder):
    two.passes("--clean", "a")

    out = two.passes("--clean", "--store").out

    assert re.fullmatch(
        r"deleted the image of tool \([0-9a-f]{8}\): 3\.\d MB\n"
        r"[\d.]+ kB freed; 3\.\d MB more is linked from elsewhere, such as uv's cache\n",
        out,
    )
    assert [*images(two)] == ["other"]


def test_images_that_are_needed_stay(two: Folder):
    out = two.passes("--clean", "--store").out

    assert out == f"nothing to delete in {store_of(two)}\n"
    assert len(images(two)) == 2


def test_with_stale_images_go_that_were_not_used_for_so_many_days(two: Folder):
    used(images(two)["other"], 8.5 * DAY_S)
    used(images(two)["tool"], 6.5 * DAY_S)

    two.passes("--clean", "--store", "--stale=7")

    assert [*images(two)] == ["tool"]


def test_all_images_are_deleted_and_environments_stay_as_they_are(two: Folder):
    two.passes("--clean", "--store=all")

    store = store_of(two)
    assert [*(store / "images").iterdir(), *(store / "known").iterdir()] == []
    assert (store / ".key").exists()
    assert "reused" in two.passes().err


def test_what_a_killed_run_has_left_in_the_store_is_deleted(two: Folder):
    gone = two.start("--version")
    gone.communicate()
    for name in (f".new-{'0' * 32}-{gone.pid}-1", f".gone-{'1' * 32}-{gone.pid}-1"):
        two.write(f"../store/images/{name}/tree/file", "x")
    two.write(f"../store/images/.new-{'2' * 32}-{os.getpid()}-1/tree/file", "x")

    out = two.passes("--clean", "--store").out

    assert re.match(
        r"deleted \.gone-1+-\d+-1, removed earlier: .*\n"
        r"deleted \.new-0+-\d+-1, left by a run that was killed: .*\n",
        out,
    )
    left = [p.name for p in (store_of(two) / "images").iterdir() if p.name.startswith(".")]
    assert left == [f".new-{'2' * 32}-{os.getpid()}-1"]


def test_an_image_that_cannot_be_read_is_deleted(two: Folder):
    (images(two)["tool"] / "image.json").write_text("{", encoding="utf-8")

    out = two.passes("--clean", "--store").out

    assert re.match(r"deleted an image of no use \([0-9a-f]{8}\): 3\.\d MB\n", out)


# The cap. ---------------------------------------------------------------------------------


def test_the_least_recently_used_leave_where_the_store_is_too_large(two: Folder):
    used(images(two)["tool"], 3 * HOUR_S)
    used(images(two)["other"], 2 * HOUR_S)
    two.wheel("third")
    two.envfile(TWO.replace('"tool"', '"third"'))

    long_ago(two)
    two.passes(env={"RUNENV_STORE_SIZE": "3MB"})

    assert {*images(two)} == {"other", "third"}


def test_what_was_used_just_now_stays_however_small_the_store(two: Folder):
    used(images(two)["tool"], 2 * HOUR_S)
    two.wheel("third")
    two.write("pyproject.toml", "[tool.runenv]\nstore_size = '0'\n")
    two.envfile(TWO.replace('"tool"', '"third"'))

    long_ago(two)
    two.passes()

    assert {*images(two)} == {"other", "third"}


def test_what_is_known_outlives_its_image(two: Folder):
    known = len([*(store_of(two) / "known").iterdir()])
    two.passes("--clean")
    two.passes("--clean", "--store")

    assert len([*(store_of(two) / "known").iterdir()]) == known
    assert "created" in two.passes().err


# --doctor. --------------------------------------------------------------------------------


def found(folder: Folder, *options: str, **env: str) -> list[Finding]:
    done = folder.run("--doctor", "--store", "--json", *options, env=env)
    rows = [Finding(**row) for row in json.loads(done.out)["findings"]]
    assert done.code == (1 if any(f.state == "broken" for f in rows) else 0)
    return [row for row in rows if row.check != "envfile"]


def test_the_doctor_tells_where_the_store_is_and_how_large(two: Folder):
    (store,) = found(two)

    assert (store.check, store.state) == ("store", "good")
    assert re.fullmatch(rf"{re.escape(str(store_of(two)))}: 2 images, 3\.\d MB of 10GB", store.what)


def test_the_doctor_tells_that_no_store_is_used(two: Folder):
    assert found(two, RUNENV_STORE="none") == [
        Finding("store", "good", "none is used, as the setting says")
    ]


@pytest.mark.skipif(
    not os.path.isdir("/dev/shm")
    or os.stat("/dev/shm").st_dev == os.stat(os.path.expanduser("~")).st_dev,
    reason="there is no other file system",
)
def test_the_doctor_tells_that_the_store_is_on_another_file_system(two: Folder):
    _, apart = found(two, RUNENV_STORE="/dev/shm/runenv-of-nobody")

    envdir = two.root / ".runenv"
    assert apart == Finding(
        "store",
        "warning",
        f"/dev/shm/runenv-of-nobody is on another file system: {envdir} has a store of its own",
        f"name one on that of {envdir} for all its projects: RUNENV_STORE",
    )


def test_deep_finds_nothing_in_a_store_that_is_whole(two: Folder):
    two.passes("a", env={"PYTHONDONTWRITEBYTECODE": ""})

    assert found(two, "--deep")[1:] == [
        Finding("images", "good", "each file is what was installed")
    ]


def damage(path: Path, content: bytes) -> None:
    """Write into a file in place, and put its time back."""
    before = path.stat()
    with path.open("r+b") as stream:
        stream.write(content)
        stream.truncate()
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_deep_finds_content_that_was_changed_whose_time_was_put_back(two: Folder):
    record_digests(two.wheel("third"))
    two.envfile(TWO.replace('"tool"', '"third"'))
    two.passes()
    image = images(two)["third"]
    (module,) = image.glob("tree/lib/*/site-packages/third.py")
    damage(module, b"version = '2.0'\n")

    broken = found(two, "--deep")[1]

    name = module.relative_to(image / "tree")
    assert (broken.check, broken.state) == ("images", "broken")
    assert broken.what == (
        f"the image of third ({image.name[:8]}) is damaged\n"
        f"  {name}: its content is not what RECORD says"
    )
    assert broken.mend == (
        f"delete {image}\nuv cache clean third\nrunenv --clean in {two.root / '.runenv'}"
    )
    assert found(two)[1:] == []


def test_deep_finds_what_was_deleted_and_what_has_another_time(two: Folder):
    image = images(two)["tool"]
    (site,) = image.glob("tree/lib/*/site-packages")
    (site / "tool_data.txt").unlink()
    os.utime(site / "tool.py", (0, 0))

    broken = found(two, "--deep")[1]

    above = site.relative_to(image / "tree")
    assert broken.what.splitlines()[1:] == [
        f"  {above}/tool.py: its size or time is another",
        f"  {above}/tool_data.txt: it is gone",
    ]


def test_deep_finds_bytecode_that_is_not_of_its_source(folder: Folder):
    folder.wheel("tool")
    folder.envfile(
        "@runner.session(deps=['tool'])\ndef a(session): session.run('python', '-c', 'import tool')\n"
    )
    folder.passes(env={"PYTHONDONTWRITEBYTECODE": ""})
    image = images(folder)["tool"]
    (compiled,) = image.glob("tree/lib/*/site-packages/__pycache__/tool.*.pyc")
    content = compiled.read_bytes()
    damage(compiled, content[:8] + b"\0\0\0\1" + content[12:])

    broken = found(folder, "--deep")[1]

    name = compiled.relative_to(image / "tree")
    assert broken.what.splitlines()[1:] == [f"  {name}: it is not of the source beside it"]


# --explain of a job. ----------------------------------------------------------------------


def explained(folder: Folder, job: str, *options: str) -> dict[str, object]:
    (row,) = json.loads(folder.passes("--explain", "--json", job, *options).out)["jobs"]
    return {name: row[name] for name in ("environment", "linked_from", "packages")}


def test_explain_says_that_an_environment_would_be_linked_from_the_store(two: Folder):
    image = images(two)["tool"]
    two.passes("--clean", "a")

    out = two.passes("--explain", "a").out

    assert "  environment  would be created from the store\n" in out
    assert re.search(r"^  resolved     1 package on \d{4}-\d\d-\d\d \d\d:\d\d$", out, re.M)
    assert explained(two, "a") == {
        "environment": "created",
        "linked_from": image.name,
        "packages": 1,
    }


def test_explain_says_from_when_the_versions_of_a_reused_environment_are(two: Folder):
    assert explained(two, "a") == {"environment": "reused", "linked_from": "", "packages": 1}


def test_explain_says_which_versions_are_remembered_where_there_is_no_image(two: Folder):
    two.passes("--clean")
    two.passes("--clean", "--store")

    assert explained(two, "a") == {"environment": "created", "linked_from": "", "packages": 1}


def test_explain_says_that_upgrade_asks_anew(two: Folder):
    assert explained(two, "a", "--upgrade") == {
        "environment": "rebuilt",
        "linked_from": "",
        "packages": 0,
    }


def test_its_size_is_looked_at_now_and_then(two: Folder):
    used(images(two)["tool"], 3 * HOUR_S)
    two.wheel("third")
    two.envfile(TWO.replace('"tool"', '"third"'))

    two.passes(env={"RUNENV_STORE_SIZE": "0"})  # a moment after the images of `two` were kept

    assert {*images(two)} == {"tool", "other", "third"}


def dead_process() -> int:
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    child.wait()
    return child.pid


@pytest.mark.parametrize("name", ["known/x.json.{}-7", "images/*/size.json.{}-7", "images/*/compiled-{}-0.txt", ".limited.{}-7"])  # fmt: skip
def test_what_a_killed_run_was_writing_is_gone_after_cleaning(two: Folder, name: str):
    (place, *_) = store_of(two).parent.glob(f"store/{Path(name).parent}")
    half, other = (place / Path(name).name.format(pid) for pid in (dead_process(), os.getpid()))
    for path in (half, other):
        path.write_text("{")

    two.passes("--clean", "--store")

    assert not half.exists()
    assert other.exists()  # somebody writes it at this moment
