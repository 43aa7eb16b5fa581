"""What a session function may ask of its Session, and what is handed on of it."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from runner.errors import SessionFailed, SessionSkipped, UsageError
from runner.handle import Session, checked_argv
from runner.model import Job, Needs, SessionSpec
from runner.running import Environment, Finished, Interpreter

INTERPRETER = Interpreter(
    path="/usr/bin/python3",
    real_path="/usr/bin/python3.13",
    version="3.13.0",
    implementation="cpython",
    build="3.13.0",
    platform="linux-x86_64",
    free_threaded=False,
    stamp="1:2",
)
WITH = Environment("/p/.runenv/lint", "/p/.runenv/lint/bin", "/p/.runenv/lint/bin/python", INTERPRETER, "uv")  # fmt: skip
WITHOUT = Environment("", "", "/usr/bin/python3", INTERPRETER, "none")


class FakeHands:
    """Remembers what it was asked to do."""

    def __init__(
        self, *, may_run: bool = True, may_install: bool = True, cache_dir: str = ""
    ) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self._may_run, self._may_install = may_run, may_install
        self._cache_dir = cache_dir

    def run(self, argv, options, capture, *, check):
        self.asked.append(("run", argv, dict(options), capture, check))
        return Finished(returncode=3, stdout="out", stderr="err", duration_s=1.0)

    def install(self, arguments, variables, *, shown):
        self.asked.append(("install", arguments, variables, shown))

    def conda_install(self, specs, channels):
        self.asked.append(("conda", specs, channels))

    def install_script(self, script):
        self.asked.append(("script", script))

    def may_run(self):
        return self._may_run

    def may_install(self):
        return self._may_install

    def make_cache_dir(self):
        return self._cache_dir

    def say(self, level, text):
        self.asked.append(("say", level, text))

    def notify(self, target, posargs):
        self.asked.append(("notify", target, posargs))


def session_with(hands: FakeHands, environment: Environment = WITH) -> Session:
    needs = Needs(None, (), (), (), (), (), (), "", True)
    spec = SessionSpec("lint", print, "envfile.py:3", "", (), False, (), needs, (), (), (), True)
    job = Job("lint-3.13", "lint-3.13", spec, "3.13", (), (), ())
    return Session(
        job=job,
        posargs=("a", "b"),
        environment=environment,
        env={},
        interactive=False,
        hands=hands,
    )


# Commands. ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "capture", "check", "returned"),
    [
        ({}, "no", True, True),
        ({"silent": True}, "merged", True, "out"),
        ({"capture": True}, "apart", True, Finished(3, "out", "err", 1.0)),
        ({"check": False}, "no", False, Finished(3, "out", "err", 1.0)),
        ({"check": False, "silent": True}, "merged", False, Finished(3, "out", "err", 1.0)),
    ],
)
def test_what_run_returns_is_what_was_asked_for(how, capture, check, returned):
    hands = FakeHands()

    assert session_with(hands).run("python", PurePosixPath("a b"), timeout=5, **how) == returned
    assert hands.asked == [("run", ("python", "a b"), {"timeout": 5}, capture, check)]


@pytest.mark.parametrize(
    ("how", "returned"),
    [
        ({}, True),
        ({"silent": True}, ""),
        ({"capture": True}, Finished(0, "", "", 0.0)),
        ({"check": False}, Finished(0, "", "", 0.0)),
    ],
)
def test_where_nothing_may_run_it_returns_what_success_would(how, returned):
    hands = FakeHands(may_run=False)

    assert session_with(hands).run("rm", "-rf", **how) == returned
    assert hands.asked == [("say", "debug", "not run (--install-only): rm -rf")]


def test_a_function_in_place_of_a_program_is_called():
    hands = FakeHands()

    def add(one, two, *, three):
        return one + two + three

    assert session_with(hands).run(add, 1, 2, three=3) == 6
    assert hands.asked == []


def test_a_function_gets_arguments_that_have_the_names_of_our_options():
    def told(*, check, silent, capture, timeout):
        return check, silent, capture, timeout

    session = session_with(FakeHands())

    assert session.run(told, check=1, silent=2, capture=3, timeout="4") == (1, 2, 3, "4")


def test_an_install_hands_its_arguments_on():
    hands = FakeHands()

    session_with(hands).install("-r", Path("requirements.txt"))

    assert hands.asked == [("install", ("-r", "requirements.txt"), {}, False)]


@pytest.mark.parametrize(
    ("channel", "handed_on"),
    [((), ()), ("bioconda", ("bioconda",)), (["a", "b"], ("a", "b"))],
)
def test_a_conda_install_hands_its_packages_and_channels_on(channel, handed_on):
    hands = FakeHands()

    session_with(hands).conda_install("gdal>=3.9", "r-base", channel=channel)

    assert hands.asked == [("conda", ("gdal>=3.9", "r-base"), handed_on)]


def test_run_install_runs_unless_nothing_may_be_installed():
    may, may_not = FakeHands(may_run=False), FakeHands(may_install=False)

    session_with(may).run_install("python", "-V")
    session_with(may_not).run_always("python", "-V")

    assert may.asked == [("run", ("python", "-V"), {}, "no", True)]
    assert may_not.asked == []


def test_a_script_is_run_after_what_it_asks_for_is_installed():
    hands = FakeHands()

    session_with(hands).install_and_run_script(Path("tool.py"), "-v", env={"A": "1"})

    assert hands.asked == [
        ("script", "tool.py"),
        ("run", ("python", "tool.py", "-v"), {"env": {"A": "1"}}, "no", True),
    ]


def test_an_unknown_option_of_an_install_is_told_with_the_near_one():
    with pytest.raises(UsageError) as caught:
        session_with(FakeHands()).install("pytest", envs={})

    assert caught.value.what == "session.install has no option 'envs'"
    assert caught.value.mend == "did you mean 'env'?"


def test_an_install_hands_its_variables_on():
    hands = FakeHands()

    session_with(hands).install("lib", env={"CC": "gcc"}, silent=False)

    assert hands.asked == [("install", ("lib",), {"CC": "gcc"}, True)]


def test_variables_of_an_install_that_are_no_dict_are_an_error():
    with pytest.raises(UsageError, match=r"session\.install: env cannot be 'CC=gcc'"):
        session_with(FakeHands()).install("lib", env="CC=gcc")


@pytest.mark.parametrize("method", ["run", "run_install"])
def test_an_unknown_option_is_told_with_the_near_one(method: str):
    hands = FakeHands()

    with pytest.raises(UsageError) as caught:
        getattr(session_with(hands), method)("pytest", timeuot=5)

    assert caught.value.what == "session.run has no option 'timeuot'"
    assert caught.value.mend == "did you mean 'timeout'?"
    assert hands.asked == []


def test_an_unknown_option_with_no_near_one_is_told_with_all():
    with pytest.raises(UsageError) as caught:
        session_with(FakeHands()).run("pytest", zzz=5)

    assert caught.value.mend == (
        "there are cwd, env, external, include_outer_env, input, log, retries, success_codes,"
        " timeout, capture, check, silent"
    )


# The words of a command. ----------------------------------------------------------------


def test_the_words_of_a_command_are_strings_and_paths():
    assert checked_argv("session.run", ("a", Path("b") / "c")) == ("a", f"b{os.sep}c")


@pytest.mark.parametrize(
    ("words", "what", "mend"),
    [
        (("a", ["b", "c"]), "argument 2 is a list", "unpack it: session.run(*['b', 'c'])"),
        ((("a",),), "argument 1 is a tuple", "unpack it: session.run(*['a'])"),
        (("a", 5), "argument 2 is 5, which is not a string", 'write "5"'),
        (("a", None), "argument 2 is None, which is not a string", 'write "None"'),
        (("a", b"b"), "argument 2 is b'b', which is not a string", None),
        (("a", "b\0"), "argument 2 holds a null byte", "no program can be given one"),
        (("a", "-v", ""), None, None),
    ],
)
def test_what_cannot_be_a_word_is_told_with_its_place(words, what, mend):
    if what is None:
        assert checked_argv("session.run", words) == words
        return
    with pytest.raises(UsageError) as caught:
        checked_argv("session.run", words)

    assert caught.value.what == f"session.run: {what}"
    assert mend in (None, caught.value.mend)


def test_a_call_without_arguments_is_an_error():
    with pytest.raises(UsageError) as caught:
        session_with(FakeHands()).install()

    assert caught.value.what == "session.install was called without arguments"


# What it tells and knows. -----------------------------------------------------------------


def test_words_of_any_kind_are_told_on_their_level():
    hands = FakeHands()
    session = session_with(hands)

    session.log("one", 2)
    session.warn(None)
    session.debug()

    assert hands.asked == [
        ("say", "info", "one 2"),
        ("say", "warning", "None"),
        ("say", "debug", ""),
    ]


def test_skip_and_error_end_the_function_with_their_reason():
    session = session_with(FakeHands())

    with pytest.raises(SessionSkipped, match=r"^no 5$"):
        session.skip("no", 5)
    with pytest.raises(SessionSkipped, match=r"^it skipped itself$"):
        session.skip()
    with pytest.raises(SessionFailed, match=r"^ugly$"):
        session.error("ugly")
    with pytest.raises(SessionFailed, match=r"^it reported an error$"):
        session.error()


def test_notify_takes_a_name_or_the_function():
    hands = FakeHands()

    def late(session):
        pass

    session_with(hands).notify("late", iter(["x"]))
    session_with(hands).notify(late)

    assert hands.asked == [("notify", "late", ("x",)), ("notify", "late", None)]


def test_a_session_knows_its_environment():
    session = session_with(FakeHands())

    assert (session.name, session.python, session.python_version) == ("lint-3.13", "3.13", "3.13.0")
    assert (session.env_dir, session.bin) == ("/p/.runenv/lint", "/p/.runenv/lint/bin")
    assert (session.bin_paths, session.venv_backend) == (["/p/.runenv/lint/bin"], "uv")
    assert (session.posargs, repr(session)) == (["a", "b"], "<runner.Session lint-3.13>")


def test_without_an_environment_there_are_no_folders_of_programs():
    session = session_with(FakeHands(), WITHOUT)

    assert (session.env_dir, session.bin, session.bin_paths) == ("", "", [])


# Folders. -----------------------------------------------------------------------------------


def test_chdir_goes_back_at_the_end_of_a_with(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    session = session_with(FakeHands())

    with session.chdir("sub"):
        assert os.getcwd() == str(tmp_path / "sub")
    assert os.getcwd() == str(tmp_path)


def test_chdir_goes_back_after_an_exception_too(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()

    with pytest.raises(ZeroDivisionError), session_with(FakeHands()).cd(Path("sub")):
        raise ZeroDivisionError

    assert os.getcwd() == str(tmp_path)


def test_chdir_without_with_stays(tmp_path: Path, monkeypatch):
    monkeypatch.chdir("/")

    session_with(FakeHands()).chdir(tmp_path)

    assert os.getcwd() == str(tmp_path)


def test_chdir_to_what_is_no_folder_fails_the_job(tmp_path: Path):
    session = session_with(FakeHands())

    with pytest.raises(
        SessionFailed, match=r"^session\.chdir: /nowhere: No such file or directory"
    ):
        session.chdir("/nowhere")


def test_the_temporary_folder_is_in_the_environment(tmp_path: Path):
    session = session_with(FakeHands(), WITH._replace(path=str(tmp_path)))

    assert session.create_tmp() == session.create_tmp() == str(tmp_path / "tmp")
    assert os.path.isdir(tmp_path / "tmp")
    assert session.env == {"TMPDIR": str(tmp_path / "tmp")}


def test_without_an_environment_the_temporary_folder_is_in_the_shared_one(tmp_path: Path):
    session = session_with(FakeHands(cache_dir=str(tmp_path / ".cache")), WITHOUT)

    assert session.create_tmp() == str(tmp_path / ".cache/tmp")
    assert os.path.isdir(tmp_path / ".cache/tmp")
