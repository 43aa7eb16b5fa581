"""Completion as bash, zsh and fish ask for it."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from tests.conftest import Folder

ENVFILE = """
    import pathlib
    pathlib.Path("executed").open("a").write("x")
    print("an envfile may print")

    @runner.session(python=["3.10", "3.13"], tags=["slow", "unit"])
    def tests(session):
        "Run the tests."

    @runner.session
    def lint(session):
        "Check the style."
    """


def shell_run(folder: Folder, shell: str, script: str) -> str:
    """What a shell prints, with `runenv` on its PATH."""
    program = folder.root.parent / "bin" / "runenv"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m runner "$@"\n')
    program.chmod(0o755)
    environ = {
        **folder.environ,
        "PATH": f"{program.parent}:{folder.environ['PATH']}",
        "XDG_CACHE_HOME": str(folder.root.parent / "cache"),
        "HOME": str(folder.root.parent),
    }
    done = subprocess.run(
        [shell, "-c", script],
        cwd=folder.root,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr == ""
    return done.stdout


def bash_offers(folder: Folder, typed: str) -> list[str]:
    """What a TAB in bash offers behind what was typed."""
    script = (
        'eval "$(runenv --completion bash)"\n'
        f"COMP_LINE='{typed}' COMP_POINT={len(typed)} COMP_TYPE=9\n"
        "COMP_WORDBREAKS=$' \\t\\n\"'\"'\"'><=;|&(:'\n"
        "_python_argcomplete runenv\n"
        "printf '%s\\n' \"${COMPREPLY[@]}\"\n"
    )
    return shell_run(folder, "bash", script).split()


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("runenv ", ["tests", "lint"]),
        ("runenv te", ["tests", "tests-3.10", "tests-3.13"]),
        ("runenv tests-3.1", ["tests-3.10", "tests-3.13"]),
        ("runenv lint te", ["tests", "tests-3.10", "tests-3.13"]),
        ("runenv -s l", ["lint"]),
        ("runenv --usage l", ["lint"]),
        ("runenv -t ", ["slow", "unit"]),
        ("runenv -t s", ["slow"]),
        ("runenv -p ", ["3.10", "3.13"]),
        ("runenv --fr", ["--fresh"]),
        ("runenv --color a", ["auto", "always"]),
        ("runenv --completion ", ["bash", "zsh", "fish"]),
        ("runenv --backend v", ["virtualenv", "venv"]),
        ("runenv -k t", []),
        ("runenv --merge r", ["r1.json"]),
        ("runenv --shard ", ["auto"]),
        ("runenv lint -- en", ["envfile.py"]),
        ("runenv lint -- --fr", []),
    ],
)
def test_bash_is_offered(folder: Folder, typed: str, expected: list[str]):
    folder.envfile(ENVFILE)
    folder.write("r1.json", "{}")

    assert bash_offers(folder, typed) == expected


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("runenv release --part ", ["major", "minor"]),
        ("runenv lint release --dry-run --part ma", ["major"]),
        ("runenv release --dr", ["--dry-run"]),
        ("runenv release --part major --dr", ["--dry-run"]),
        ("runenv release --dry-run li", ["lint"]),
        ("runenv release --part major li", ["lint"]),
        ("runenv release --part major lint --dr", []),
        ("runenv -C . release --part ", ["major", "minor"]),
        ("runenv release --out en", ["envfile.py"]),
        ("runenv release --title l", []),
        ("runenv  release  --part m", ["major", "minor"]),
        ("runenv release  --part major --dr", ["--dry-run"]),
        ('runenv release --title "a b" --dr', ["--dry-run"]),
        ('runenv release --title "-- it" --dr', ["--dry-run"]),
        ("runenv lint --part ", ["release", "lint"]),
    ],
)
def test_bash_is_offered_the_options_of_a_session(folder: Folder, typed: str, expected: list[str]):
    folder.envfile(
        """
        from pathlib import Path
        from typing import Literal

        @runner.session
        def release(
            session,
            *,
            part: Literal["major", "minor"] = "minor",
            out: Path = Path(),
            title: str = "",
            dry_run: bool = False,
        ):
            "Release it."

        @runner.session
        def lint(session): ...
        """
    )

    assert bash_offers(folder, typed) == expected


@pytest.mark.measured
def test_a_tab_does_not_execute_an_unchanged_envfile(folder: Folder):
    folder.envfile(ENVFILE)

    bash_offers(folder, "runenv te")
    bash_offers(folder, "runenv -t ")

    assert (folder.root / "executed").read_text() == "x"


def test_the_envfile_that_is_named_is_asked(folder: Folder):
    folder.write("sub/envfile.py", "import runner\n@runner.session\ndef inner(session): ...\n")

    assert bash_offers(folder, "runenv -C sub ") == ["inner"]
    assert bash_offers(folder, "runenv -f sub/envfile.py ") == ["inner"]


def test_the_envfiles_below_are_asked_where_all_are_meant(folder: Folder):
    folder.write("sub/envfile.py", "import runner\n@runner.session\ndef inner(session): ...\n")

    assert bash_offers(folder, "runenv --all-projects ") == ["sub:inner"]
    assert bash_offers(folder, "runenv --all-projects sub:in") == ["inner"]


@pytest.mark.parametrize("text", ["import runner\n1 / 0\n", "syntax error", ""])
def test_a_wrong_envfile_offers_nothing_and_says_nothing(folder: Folder, text: str):
    folder.write("envfile.py", text)

    assert bash_offers(folder, "runenv ") == []


def test_a_folder_without_an_envfile_offers_options_all_the_same(folder: Folder):
    assert bash_offers(folder, "runenv ") == []
    assert bash_offers(folder, "runenv --vers") == ["--version"]


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
def test_fish_is_offered_names_with_what_they_do(folder: Folder):
    folder.envfile(ENVFILE)

    offered = shell_run(
        folder, "fish", 'runenv --completion fish | source; complete -C "runenv te"'
    )

    assert offered.splitlines() == [
        "tests\tRun the tests.",
        "tests-3.10\tRun the tests.",
        "tests-3.13\tRun the tests.",
    ]


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
def test_zsh_knows_who_completes_runenv(folder: Folder):
    script = (
        "autoload -U compinit; compinit -u -D\n"
        'eval "$(runenv --completion zsh)"\n'
        "print $_comps[runenv]\n"
    )

    assert shell_run(folder, "zsh", f"{script}") == "_python_argcomplete\n"


def test_an_unknown_shell_is_an_error_with_the_near_one(folder: Folder):
    done = folder.run("--completion", "bahs")

    assert done.code == 2
    assert "did you mean 'bash'?" in done.err
