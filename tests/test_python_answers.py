"""Asking a program which Python it is: once, with the answer kept by the stamp of its file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runner.envs.python_answers import CACHE, Asker, running
from runner.running import Interpreter
from tests.fake_pythons import answer_of, bare_environ, make_fake, say, times_asked, write_program

# The real interpreter behind whatever environment the tests run in.
REAL = Path(running().path)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Where the answers are kept."""
    return tmp_path / "cache"


def asker(cache: Path, **more: float) -> Asker:
    return Asker(str(cache), bare_environ(cache), **more)


def ask(cache: Path, path: Path) -> Interpreter | None:
    """The answer of one run."""
    one = asker(cache)
    found = one.interpreter(str(path))
    one.save()
    return found


def trouble(cache: Path, path: Path) -> str:
    one = asker(cache)
    assert one.interpreter(str(path)) is None
    return one.troubles[str(path)]


# What a Python says. ----------------------------------------------------------------


def test_a_fake_is_what_it_says(tmp_path: Path, cache: Path):
    fake = make_fake(tmp_path / "python3.14", (3, 14, 0), pre=("b", 2), free_threaded=True)
    status = fake.stat()

    assert ask(cache, fake) == Interpreter(
        path=str(fake),
        real_path=os.path.realpath(fake),
        version="3.14.0b2",
        implementation="cpython",
        build="3.14.0 free-threading build (main, Jan 1 2026) [GCC 12.2.0]",
        platform="linux-x86_64",
        free_threaded=True,
        stamp=f"{status.st_size}:{status.st_mtime_ns}",
    )


def test_the_running_python_is_what_it_would_say_if_it_were_asked(tmp_path: Path, cache: Path):
    alias = tmp_path / "alias" / REAL.name
    alias.parent.mkdir()
    alias.symlink_to(REAL)

    assert ask(cache, alias) == running()._replace(path=str(alias))


def test_the_running_python_is_not_asked(cache: Path):
    one = asker(cache)

    assert one.interpreter(str(REAL)) == running()
    one.save()
    assert not cache.exists()


def test_the_running_python_is_no_virtual_environments():
    assert not (REAL.parent.parent / "pyvenv.cfg").exists()
    assert running().version.startswith(f"{sys.version_info[0]}.{sys.version_info[1]}.")


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        ("[MSC v.1942 64 bit (AMD64)]", "win-amd64"),
        ("[MSC v.1942 64 bit (ARM64)]", "win-arm64"),
        ("[MSC v.1942 32 bit (Intel)]", "win32"),
    ],
)
def test_windows_tells_its_platform_in_the_build(
    tmp_path: Path, cache: Path, build: str, expected: str
):
    path = tmp_path / "python"
    line = answer_of(path, (3, 13, 0), build=build)
    line = line.replace('"linux", "x86_64"', '"win32", ""')
    found = ask(cache, write_program(path, say(line)))

    assert found is not None
    assert found.platform == expected


# What stands behind it. -------------------------------------------------------------


def test_the_python_of_a_virtual_environment_stands_for_its_base(tmp_path: Path, cache: Path):
    venv = tmp_path / "venv"
    subprocess.run([REAL, "-m", "venv", "--without-pip", venv], check=True)

    found = ask(cache, venv / "bin/python")

    assert found is not None
    assert os.path.realpath(found.path) == os.path.realpath(REAL)
    assert not found.path.startswith(str(venv))


def test_a_base_is_found_by_its_prefix_where_the_environment_names_itself(
    tmp_path: Path, cache: Path
):
    # As every Python up to 3.10 does on POSIX.
    base = make_fake(tmp_path / "base/bin/python3", (3, 9, 1))
    path = tmp_path / "venv/bin/python"
    line = answer_of(path, (3, 9, 1), base_prefix=tmp_path / "base")
    write_program(path, say(line))
    (tmp_path / "venv/pyvenv.cfg").touch()

    found = ask(cache, path)

    assert found is not None
    assert found.path == str(base)


def test_an_environment_whose_base_is_gone_is_no_use(tmp_path: Path, cache: Path):
    path = make_fake(tmp_path / "venv/bin/python", (3, 12, 1))
    (tmp_path / "venv/bin/pyvenv.cfg").touch()

    assert trouble(cache, path) == "the Python of this virtual environment is gone"


def test_a_wrapper_stands_for_the_program_that_it_starts(tmp_path: Path, cache: Path):
    wrapper = write_program(tmp_path / "python3", f'exec {REAL} "$@"')

    found = ask(cache, wrapper)

    assert found is not None
    assert os.path.realpath(found.path) == os.path.realpath(REAL)


def test_what_stands_behind_a_wrapper_is_asked_itself(tmp_path: Path, cache: Path):
    inner = make_fake(tmp_path / "inner", (3, 12, 1))
    outer = make_fake(tmp_path / "outer", (3, 11, 0), executable=inner)

    found = ask(cache, outer)

    assert found is not None
    assert (found.path, found.version) == (str(inner), "3.12.1")


def test_what_leads_from_one_to_another_and_on_is_no_use(tmp_path: Path, cache: Path):
    one, two = tmp_path / "one", tmp_path / "two"
    make_fake(one, (3, 12, 1), executable=two)
    make_fake(two, (3, 12, 1), executable=one)

    assert trouble(cache, one) == f"it stands for {two}, and that for {one}"


# What is no Python. -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("exit 1", "it ended with 1: and said nothing"),
        ("echo first >&2; echo last >&2; exit 1", "it ended with 1: last"),
        (
            "echo 'Unknown option: -I' >&2; echo usage >&2; exit 2",
            "it ended with 2: Unknown option: -I",
        ),
        ("echo hello", "it does not answer as a Python does"),
        ("exit 0", "it does not answer as a Python does"),
        ("echo '[]'", "it does not answer as a Python does"),
        ("echo '{}'", "it does not answer as a Python does"),
        ("echo '[[3,12,1,{},0],1,2,3,4,5,6,7]'", "it does not answer as a Python does"),
        ("echo '[[3,12,1,\"final\",0],1,2,3,4,5,6,7]'", "it does not answer as a Python does"),
        ('echo \'[[3,"x",1,"final",0],1,2,3,4,5,6,7]\'', "it does not answer as a Python does"),
    ],
)
def test_what_fails_or_answers_rubbish_is_no_use(
    tmp_path: Path, cache: Path, script: str, expected: str
):
    assert trouble(cache, write_program(tmp_path / "python3", script)) == expected


def test_what_is_printed_before_the_answer_does_not_matter(tmp_path: Path, cache: Path):
    path = tmp_path / "python3"
    write_program(path, f"echo welcome\n{say(answer_of(path, (3, 12, 1)))}")

    assert ask(cache, path) is not None


def test_what_is_not_there_is_no_use(tmp_path: Path, cache: Path):
    assert trouble(cache, tmp_path / "python3") == "there is no such file"
    assert trouble(cache, tmp_path / "pyth\0on3") == "there is no such file"


def test_what_cannot_be_started_is_no_use(tmp_path: Path, cache: Path):
    path = write_program(tmp_path / "python3", "")
    path.write_text("#!/nowhere/sh\n")

    assert "python3" in trouble(cache, path)


def test_what_does_not_answer_in_time_is_ended(tmp_path: Path, cache: Path):
    # Nobody ever writes into it, so the shell hangs while it opens it.
    os.mkfifo(tmp_path / "never")
    path = write_program(tmp_path / "python3", f"read line < '{tmp_path}/never'")
    impatient = asker(cache, patience_s=0)

    assert impatient.interpreter(str(path)) is None
    assert impatient.troubles == {str(path): "it did not answer in 0 s"}


# What is kept. ----------------------------------------------------------------------


def test_a_python_is_asked_once(tmp_path: Path, cache: Path):
    fake = make_fake(tmp_path / "python3", (3, 12, 1))

    first, second = ask(cache, fake), ask(cache, fake)

    assert first == second
    assert times_asked(fake) == 1


def test_what_is_no_use_is_asked_once(tmp_path: Path, cache: Path):
    path = write_program(tmp_path / "python3", f"echo asked >> {tmp_path}/python3.asked; exit 1")

    assert ask(cache, path) is None
    assert ask(cache, path) is None
    assert times_asked(path) == 1


def test_what_was_no_use_is_asked_again_on_request(tmp_path: Path, cache: Path):
    path = write_program(tmp_path / "python3", f". {tmp_path}/behaviour")
    (tmp_path / "behaviour").write_text("exit 1")
    assert ask(cache, path) is None
    (tmp_path / "behaviour").write_text(say(answer_of(path, (3, 12, 1))))

    later = asker(cache)
    later.ask_troubled_again()

    assert later.interpreter(str(path)) is not None


def test_on_request_only_what_was_no_use_is_asked_again_and_once(tmp_path: Path, cache: Path):
    fake = make_fake(tmp_path / "good", (3, 12, 1))
    bad = write_program(tmp_path / "bad", f"echo asked >> {tmp_path}/bad.asked; exit 1")
    ask(cache, fake)
    ask(cache, bad)

    later = asker(cache)
    later.ask_troubled_again()
    for path in (fake, bad, fake, bad):
        later.interpreter(str(path))

    assert (times_asked(fake), times_asked(bad)) == (1, 2)


def test_a_changed_program_is_asked_anew(tmp_path: Path, cache: Path):
    fake = make_fake(tmp_path / "python3", (3, 12, 1))
    ask(cache, fake)
    make_fake(fake, (3, 12, 10))

    found = ask(cache, fake)

    assert found is not None
    assert found.version == "3.12.10"


def test_a_program_of_the_same_size_is_asked_anew_when_its_time_differs(
    tmp_path: Path, cache: Path
):
    fake = make_fake(tmp_path / "python3", (3, 12, 1))
    ask(cache, fake)
    make_fake(fake, (3, 12, 2))
    os.utime(fake, ns=(1, 1))

    found = ask(cache, fake)

    assert found is not None
    assert found.version == "3.12.2"


def test_a_link_that_leads_elsewhere_now_is_asked_anew(tmp_path: Path, cache: Path):
    one, two = make_fake(tmp_path / "one", (3, 12, 1)), make_fake(tmp_path / "two", (3, 12, 2))
    for path in (one, two):
        os.utime(path, ns=(1, 1))
    link = tmp_path / "python3"
    link.symlink_to(one)
    ask(cache, link)
    link.unlink()
    link.symlink_to(two)

    found = ask(cache, link)

    assert found is not None
    assert found.version == "3.12.2"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"format": 1}',
        b'{"format": 2, "answers": {}, "words": {}}',
        b'{"format": 1, "answers": null, "words": {}}',
        b'{"format": 1, "answers": {}, "words": []}',
        b"[" * 100_000,
    ],
)
def test_a_file_that_cannot_be_used_is_an_empty_one(tmp_path: Path, cache: Path, content: bytes):
    fake = make_fake(tmp_path / "python3", (3, 12, 1))
    cache.mkdir()
    (cache / CACHE).write_bytes(content)

    assert ask(cache, fake) is not None
    assert ask(cache, fake) is not None
    assert times_asked(fake) == 1


@pytest.mark.parametrize("row", [None, 3, "abcdefghi", [], ["x"] * 9, [1] * 9, {"a": 1}])
def test_a_kept_answer_of_another_shape_is_asked_anew(tmp_path: Path, cache: Path, row: object):
    fake = make_fake(tmp_path / "python3", (3, 12, 1))
    cache.mkdir()
    data = {"format": 1, "answers": {str(fake): row}, "words": {}}
    (cache / CACHE).write_text(json.dumps(data))

    assert ask(cache, fake) is not None


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path):
    fake = make_fake(tmp_path / "python3", (3, 12, 1))
    (tmp_path / "file").touch()

    assert ask(tmp_path / "file" / "cache", fake) is not None


def test_what_another_run_learnt_meanwhile_is_kept(tmp_path: Path, cache: Path):
    one, two = make_fake(tmp_path / "one", (3, 11, 1)), make_fake(tmp_path / "two", (3, 12, 1))
    early, late = asker(cache), asker(cache)
    early.interpreter(str(one))
    late.interpreter(str(two))
    early.save()
    late.save()

    ask(cache, one)
    ask(cache, two)

    assert (times_asked(one), times_asked(two)) == (1, 1)


def test_programs_that_are_gone_are_forgotten(tmp_path: Path, cache: Path):
    gone, stays = (
        make_fake(tmp_path / "gone", (3, 11, 1)),
        make_fake(tmp_path / "stays", (3, 12, 1)),
    )
    ask(cache, gone)
    gone.unlink()
    ask(cache, stays)

    assert list(json.loads((cache / CACHE).read_text())["answers"]) == [str(stays)]


def test_nothing_is_written_when_nothing_was_learnt(tmp_path: Path, cache: Path):
    fake = make_fake(tmp_path / "python3", (3, 12, 1))
    ask(cache, fake)
    os.utime(cache / CACHE, ns=(1, 1))
    ask(cache, fake)

    assert (cache / CACHE).stat().st_mtime_ns == 1


def test_a_word_leads_to_its_path_until_the_file_there_changes(tmp_path: Path, cache: Path):
    fake = make_fake(tmp_path / "python3", (3, 12, 1))
    first = asker(cache)
    first.remember_path("3.12-64", str(fake))
    first.save()

    assert asker(cache).path_of("3.12-64") == str(fake)
    assert asker(cache).path_of("3.13-64") == ""
    make_fake(fake, (3, 12, 10))
    assert asker(cache).path_of("3.12-64") == ""


def test_a_word_for_what_is_not_there_is_not_kept(tmp_path: Path, cache: Path):
    first = asker(cache)
    first.remember_path("3.12-64", str(tmp_path / "nowhere"))
    first.save()

    assert not cache.exists()
