"""What becomes of a noxfile: text in, text out."""

from __future__ import annotations

from textwrap import dedent

import pytest

from runner.convert import convert, from_nox
from runner.convert.from_nox import Rewritten


def rewrite(text: str) -> Rewritten | None:
    return from_nox.rewrite(text, {}.get)


def rewritten(text: str) -> Rewritten:
    made = rewrite(dedent(text))
    assert made is not None
    return made


def becomes(before: str, after: str, *, imports: bool = True) -> None:
    """A noxfile with `import nox` above it becomes an envfile with `import runner` above it."""
    head = "import {}\n\n\n" if imports else ""
    made = rewrite(head.format("nox") + dedent(before).lstrip("\n"))
    assert made is not None
    assert made.text == head.format("runner") + dedent(after).lstrip("\n")


def notes(text: str) -> list[tuple[str, int, str]]:
    return [tuple(note) for note in rewritten(text).notes]


def body(before: str, after: str) -> None:
    """A session's function becomes another one; what is installed stays out of it."""
    frame = "@{0}.session\ndef s(session):\n    session.install(*x)\n{1}"
    becomes(frame.format("nox", _in(before)), frame.format("runner", _in(after)))


def _in(text: str) -> str:
    return "".join(f"    {line}\n" for line in dedent(text).strip().split("\n"))


# Names. -------------------------------------------------------------------------------


def test_what_is_not_nox_s_stays_letter_by_letter():
    becomes(
        """
        # déjà vu
        X = {'a' : 1}   # odd

        @nox.session
        def  s ( session ) :
            'Döc.'
            session.run( "a" ,'ü',env = X)
        """,
        """
        # déjà vu
        X = {'a' : 1}   # odd

        @runner.session
        def  s ( session ) :
            'Döc.'
            session.run( "a" ,'ü',env = X, external=True)
        """,
    )


def test_a_place_behind_letters_of_several_bytes_is_found():
    becomes("print('🙄', nox.Session)\n", "print('🙄', runner.Session)\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import nox as n\nn.Session\n", "import runner as n\nn.Session\n"),
        ("from nox import Session, session\n", "from runner import Session, session\n"),
        ("from nox.sessions import Session as S\n", "from runner import Session as S\n"),
        ("from nox.command import CommandFailed\n", "from runner import CommandFailed\n"),
        ("import nox\nimport nox_uv\nimport z\n", "import runner\nimport z\n"),
        ("import nox.command\nnox.command.CommandFailed\n", "import runner\nrunner.CommandFailed\n"),
        ("import os, nox\n", "import os, runner\n"),
        ("import nox\nrunner = 1\nnox.Session\n", "import runner as runenv\nrunner = 1\nrunenv.Session\n"),
        ("import nox\ndef f(runner):\n    nox.x\n", "import runner as runenv\ndef f(runner):\n    # runenv: nox.x has no counterpart\n    nox.x\n"),
        ("import nox\nf = lambda runner: nox.Session\n", "import runner as runenv\nf = lambda runner: runenv.Session\n"),
        ("import nox\ndef f(runner: nox.Session): runner\n", "import runner\ndef f(runner: runner.Session): runner\n"),
        (
            "from nox.project import load_toml\n\nP = load_toml()\n",
            "import runner\n\nP = runner.project.load_toml()\n",
        ),
    ],
)  # fmt: skip
def test_imports(before: str, after: str):
    assert rewritten(before).text == after


def test_annotations_in_strings():
    becomes(
        "def f(session: 'nox.Session') -> 'nox.sessions.Session': ...\n",
        "def f(session: 'runner.Session') -> 'runner.Session': ...\n",
    )


def test_an_argument_with_the_name_of_an_import_is_no_import():
    before = "from nox import session\n\n\n@session\ndef s(session):\n    session.run('a', x)\n"
    after = "from runner import session\n\n\n@session\ndef s(session):\n    session.run('a', x, external=True)\n"
    assert rewritten(before).text == after
    assert notes(before) == []


def test_the_version_of_nox_is_told():
    assert [n[0] for n in notes("import nox\nfrom x import version\nv = version('nox')\n")] == [
        "left"
    ]


def test_an_import_for_types_alone_is_one_of_runner():
    before = "import typing\nif typing.TYPE_CHECKING:\n    import nox\n"
    assert rewritten(before).text == before.replace("nox", "runner")


def test_what_nox_has_alone_is_told_beside_its_place():
    before = "import nox\n\n\ndef f():\n    return nox.get_package_data()\n"
    told = "nox.get_package_data has no counterpart"
    assert rewritten(before).text == (
        "import runner\n\n\ndef f():\n    # runenv: nox.get_package_data has no counterpart\n"
        "    return nox.get_package_data()\n"
    )
    assert notes(before) == [("left", 5, told)]


def test_the_version_that_is_needed_and_nox_main_go():
    before = """\
        #!/usr/bin/env -S uv run -q
        # /// script
        # dependencies = ["nox>=2025.2"]
        # ///
        import nox

        nox.needs_version = ">=2025.2"


        @nox.session
        def s(session):
            pass


        if __name__ == "__main__":
            nox.main()
        """
    assert rewritten(before).text == (
        "import runner\n\n\n@runner.session\ndef s(session):\n    pass\n"
    )
    assert [kind for kind, *_ in notes(before)] == ["approximated"]


def test_a_main_that_does_more_is_left():
    before = "import nox\nif __name__ == '__main__':\n    print()\n    nox.main()\n"
    assert [kind for kind, *_ in notes(before)] == ["left"]


@pytest.mark.parametrize(
    ("block", "left"),
    [
        ('# dependencies = ["nox", "tomlkit"]\n', '# dependencies = ["tomlkit"]\n'),
        ('# dependencies = ["a>=1", "nox-uv"]\n', '# dependencies = ["a>=1"]\n'),
        (
            '# requires-python = ">=3.11"\n# dependencies = ["nox[uv]>=1"]\n',
            '# requires-python = ">=3.11"\n',
        ),
        (
            '# dependencies = [\n#     "nox",\n#     "a",\n# ]\n',
            '# dependencies = [\n#     "a",\n# ]\n',
        ),
    ],
)
def test_a_script_block_asks_for_nox_no_more(block: str, left: str):
    made = rewritten(f"# /// script\n{block}# ///\nimport nox\n").text
    assert made == f"# /// script\n{left}# ///\nimport runner\n"


def test_a_caught_failure_tells_its_code_by_another_name():
    becomes(
        """
        try:
            f()
        except nox.command.CommandFailed as e:
            print(e.return_code, e.reason)
        """,
        """
        try:
            f()
        except runner.CommandFailed as e:
            print(e.returncode, str(e))
        """,
    )


def test_a_failed_install_that_is_caught_is_told():
    before = """\
        import nox
        try:
            session.install("a")
        except (ValueError, nox.command.CommandFailed):
            pass
        """
    assert [(kind, line) for kind, line, _ in notes(before)] == [("left", 4)]


def test_a_logger_of_nox_becomes_one_of_its_own():
    before = "from nox.logger import logger\n\nlogger.info(1)\n"
    assert rewritten(before).text == (
        "import logging\n\nlogger = logging.getLogger(__name__)\n\nlogger.info(1)\n"
    )


def test_folders_of_nox_are_those_of_runenv():
    becomes("X = '.nox/a'\nY = '.noxious'\n", "X = '.runenv/a'\nY = '.noxious'\n")


def test_versions_are_asked_for_without_what_ours_does_not_take():
    becomes(
        "P = nox.project.python_versions(x, sort=False, max_version='3.14')\n",
        "P = runner.project.python_versions(x, max_version='3.14')\n",
    )


# Options. ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("sessions = ['a']", "default = ['a']"),
        ("sessions = 'a', 'b'", "default = 'a', 'b'"),
        ("sessions = 'a'", "default = ['a']"),
        ("default_venv_backend = 'uv'", "backend = 'uv'"),
        ("default_venv_backend = 'mamba|micromamba'", "backend = 'conda'"),
        ("force_venv_backend = x", "backend = x"),
        ("stop_on_first_error = True", "fail_fast = True"),
        ("error_on_missing_interpreters = True", "skip_missing = False"),
        ("error_on_missing_interpreters = x or y", "skip_missing = not (x or y)"),
        ("pythons = '3.12'", "python = ['3.12']"),
        ("pythons = ['3.12']", "python = ['3.12']"),
        ("report = 'a.json'", "report = ['a.json']"),
        ("envdir = 'envs'", "envdir = 'envs'"),
        ("envdir = P / 'envs'", "envdir = str(P / 'envs')"),
    ],
)
def test_options(before: str, after: str):
    becomes(f"nox.options.{before}\n", f"runner.options.{after}\n")


@pytest.mark.parametrize(
    "option",
    [
        "default_venv_backend = 'uv|virtualenv'",
        "reuse_existing_virtualenvs = True",
        "reuse_venv = 'yes'",
        "error_on_external_run = True",
        "allow_parallel = True",
        "download_python = 'auto'",
    ],
)
def test_options_that_say_nothing_here_go(option: str):
    becomes(f"nox.options.{option}\nX = 1\n", "X = 1\n")


def test_an_option_that_is_all_of_a_block():
    becomes("if x:\n    nox.options.reuse_venv = 'yes'\nX = 1\n", "X = 1\n")
    becomes(
        "if x:\n    y()\nelse:\n    nox.options.reuse_venv = 'yes'\n",
        "if x:\n    y()\nelse:\n    pass\n",
    )


def test_an_option_that_shares_its_line():
    becomes("nox.options.reuse_venv = 'yes'; x()\n", "pass; x()\n")


def test_environments_that_are_never_kept_are_told():
    assert [kind for kind, *_ in notes("import nox\nnox.options.reuse_venv = 'no'\n")] == [
        "approximated"
    ]


def test_sessions_that_are_appended_are_in_a_list_of_the_file():
    becomes(
        "nox.options.sessions = []\n\n\ndef f():\n    nox.options.sessions.append('a')\n",
        "DEFAULT = runner.options.default = []\n\n\ndef f():\n    DEFAULT.append('a')\n",
    )


def test_sessions_that_are_appended_to_none():
    before = "import nox\n\n\ndef f():\n    nox.options.sessions.append('a')\n"
    assert rewritten(before).text == (
        "import runner\n\nDEFAULT = runner.options.default = []\n\n\n"
        "def f():\n    DEFAULT.append('a')\n"
    )


def test_default_tags_become_the_sessions_that_have_them():
    becomes(
        """
        nox.options.tags = ["x"]


        @nox.session(tags=["x", "y"])
        def a(session): ...


        @nox.session(tags=["y"])
        def b(session): ...
        """,
        """
        runner.options.default = ["a"]


        @runner.session(tags=["x", "y"])
        def a(session): ...


        @runner.session(tags=["y"])
        def b(session): ...
        """,
    )


def test_default_keywords_are_left():
    before = "import nox\nnox.options.keywords = 'not slow'\n"
    made = rewritten(before)
    assert made.text.endswith("# nox.options.keywords = 'not slow'\n")
    assert made.text.count("# runenv: nox.options.keywords has no counterpart") == 1
    assert [note.kind for note in made.notes] == ["left"]


def test_an_option_that_is_read_is_told():
    assert notes("import nox\nx = nox.options.default_venv_backend\n") == [
        ("left", 2, "nox.options.default_venv_backend cannot be read or changed here")
    ]


def test_a_missing_python_skips_as_in_nox():
    made = rewritten("import nox\n\n\n@nox.session(python='3.12')\ndef s(session): ...\n")
    assert made.text == (
        'import os\n\nimport runner\n\nrunner.options.skip_missing = "CI" not in os.environ\n\n\n'
        "@runner.session(python='3.12')\ndef s(session): ...\n"
    )


def test_an_import_of_nox_that_may_fail_is_one():
    made = rewritten("""\
        try:
            import nox
        except ImportError:
            raise


        @nox.session(python="3.12")
        def s(session): ...


        import sys
        """)
    assert made.text == dedent("""\
        import os

        try:
            import runner
        except ImportError:
            raise

        runner.options.skip_missing = "CI" not in os.environ


        @runner.session(python="3.12")
        def s(session): ...


        import sys
        """)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("nox.options.sessions = x = ['a']\n", "runner.options.default = x = ['a']\n"),
        ("nox.options.sessions: list = []\n", "runner.options.default: list = []\n"),
        (
            "nox.options.sessions = ['a']\nnox.options.sessions += ['b']\n",
            "DEFAULT = runner.options.default = ['a']\nDEFAULT += ['b']\n",
        ),
    ],
)
def test_sessions_that_are_assigned_in_other_ways(before: str, after: str):
    becomes(before, after)


def test_nox_itself_that_is_handed_on_is_told():
    assert notes("import nox\nf(nox)\n") == [
        ("left", 2, "what is done with nox itself is not known")
    ]


def test_the_line_that_skips_stands_with_the_options():
    before = """\
        import os
        import sys

        import nox

        nox.options.reuse_venv = "yes"

        X = 1

        @nox.session(python="3.12")
        def s(session): ...
        """
    after = """\
        import os
        import sys

        import runner

        runner.options.skip_missing = "CI" not in os.environ

        X = 1

        @runner.session(python="3.12")
        def s(session): ...
        """
    assert rewritten(before).text == dedent(after)


# Decorators. -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("()", "()"),
        ("(reuse_venv=True)", ""),
        ("(reuse_venv=False)", "(reuse=False)"),
        ("(py=False)", "(python=False)"),
        ('(name="a", tags=["x"])', '(name="a", tags=["x"])'),
        ('(name="docs(style)")', '(name="docs_style")'),
        ('(tags="lint")', '(tags=["lint"])'),
        ('(venv_backend="none")', '(backend="none")'),
        ('(venv_backend="mamba")', '(backend="conda")'),
        ("(venv_backend=None)", ""),
        ("(venv_backend=x)", "(backend=x)"),
        ('(venv_params=["-v"])', '(backend="virtualenv", backend_options=["-v"])'),
        (
            '(venv_backend="venv", venv_params=["-v"])',
            '(backend="venv", backend_options=["-v"])',
        ),
        (
            '(venv_backend="conda", venv_params=["-c", "a", "numpy"])',
            '(backend="conda", conda_deps=["numpy"], channels=["a"])',
        ),
        ("(default=False)", "(default=False)"),
        ("(default=which('a'))", "(default=bool(which('a')))"),
        ("(default=bool(x))", "(default=bool(x))"),
        ('(requires=["a-{py}"])', '(requires=["a-{py}"])'),
        ('(download_python="never")', ""),
        ("(allow_parallel=True)", ""),
        ("(allow_parallel=False)", "(parallel=False)"),
        ("(**options)", "(**options)"),
        ('(venv_backend="none", python=["3.11"])', '(backend="none")'),
    ],
)
def test_arguments_of_sessions(before: str, after: str):
    function = "def s(session):\n    pass\n"
    head = "import os\nimport {0}\n{0}.options.{1} = False\n"
    made = rewritten(
        head.format("nox", "error_on_missing_interpreters") + f"@nox.session{before}\n{function}"
    )
    assert made.text.endswith(f"\n@runner.session{after}\n{function}")


def test_options_of_conda_that_are_no_packages_are_left():
    before = """\
        import nox
        @nox.session(venv_backend="conda", venv_params=["--file", "a.txt"])
        def s(session): ...
        """
    assert [kind for kind, *_ in notes(before)] == ["left"]


def test_pythons_that_would_be_downloaded_are_told():
    before = "import nox\n@nox.session(download_python='auto')\ndef s(session): ...\n"
    assert [kind for kind, *_ in notes(before)] == ["approximated"]


def test_arguments_that_need_no_change_keep_their_form():
    text = """
        @{0}.session (name = 'a',
                     tags = [ 'x' ])
        @{0}.parametrize(
            "a", [1],
        )
        def s(session, a): ...


        @{0}.session(
            default=False,
        )
        def t(session): ...
        """
    becomes(text.format("nox"), text.format("runner"))


def test_an_argument_less_leaves_the_others_a_line_each():
    becomes(
        """
        @nox.session(
            name="a",
            reuse_venv=True,
            tags=[
                "x",
            ],
        )
        def s(session): ...


        @nox.session(
            name="b",
            reuse_venv=True,
        )
        def t(session): ...
        """,
        """
        @runner.session(
            name="a",
            tags=[
                "x",
            ],
        )
        def s(session): ...


        @runner.session(name="b")
        def t(session): ...
        """,
    )


def test_comments_between_arguments_stay():
    becomes(
        """
        @nox.session(
            # the oldest
            reuse_venv=True,
            name="a",  # so called
            venv_backend="uv",
            # the end
        )
        def s(session): ...
        """,
        """
        @runner.session(
            name="a",  # so called
            backend="uv",
            # the end
        )
        def s(session): ...
        """,
    )


def test_a_list_over_several_lines_stays_as_it_is():
    text = """
        @{}.session(
            tags=[
                "a",
                "b",
            ],
            default=False,
        )
        def s(session): ...
        """
    becomes(text.format("nox"), text.format("runner"))


def test_a_name_that_is_no_name_here_is_another_wherever_it_is_named():
    becomes(
        """
        nox.options.sessions = ["docs(style)"]


        @nox.session(name="docs(style)")
        def style(session): ...


        @nox.session
        def s(session):
            session.notify(style)
            session.notify("docs(style)")
        """,
        """
        runner.options.default = ["docs_style"]


        @runner.session(name="docs_style")
        def style(session): ...


        @runner.session
        def s(session):
            session.notify("docs_style")
            session.notify("docs_style")
        """,
    )


def test_calls_that_are_no_decorators_have_our_arguments():
    becomes(
        """
        lint = functools.partial(nox.session, reuse_venv=True, venv_backend="uv")
        nox.session(name="a", venv_backend="uv")(f)
        nox.session(f)
        """,
        """
        lint = functools.partial(runner.session, backend="uv")
        runner.session(name="a", backend="uv")(f)
        runner.session(f)
        """,
    )


def test_a_decorator_of_the_file_hands_on_what_it_is_given():
    becomes(
        """
        def session(**kwargs):
            return nox.session(reuse_venv=True, **kwargs)


        @session(venv_backend="uv")
        def lint(session):
            session.install("ruff")
            session.run("ruff")
        """,
        """
        def session(**kwargs):
            return runner.session(**kwargs)


        @session(backend="uv", deps=["ruff"])
        def lint(session):
            session.run("ruff")
        """,
    )


def test_groups_of_uv_lock_are_declared():
    becomes(
        """
        import nox_uv


        @nox_uv.session(uv_groups=["test"], uv_extras=["x"])
        def a(session): ...


        @nox_uv.session(uv_only_groups=["lint"])
        def b(session): ...


        @nox_uv.session
        def c(session): ...
        """,
        """
        @runner.session(lock="uv", groups=["test"], extras=["x"], project="editable")
        def a(session): ...


        @runner.session(lock="uv", groups=["lint"])
        def b(session): ...


        @runner.session(lock="uv", project="editable")
        def c(session): ...
        """,
    )


def test_what_else_nox_uv_syncs_is_left():
    before = "import nox_uv\n@nox_uv.session(uv_all_groups=True)\ndef s(session): ...\n"
    assert [kind for kind, *_ in notes(before)] == ["left"]


def test_the_lock_of_poetry_is_told():
    before = "from nox_poetry import session\n@session\ndef s(session): ...\n"
    assert rewritten(before).text.startswith("from runner import session\n")
    assert [kind for kind, *_ in notes(before)] == ["approximated"]


def test_a_session_that_nox_replaces_is_none():
    made = rewritten("""\
        import nox


        @nox.session
        def s(session):
            pass


        @nox.session(name="s")
        def t(session):
            pass
        """)
    assert made.text == dedent("""\
        import runner


        # runenv: a later session is named 's' too, and nox runs that one
        def s(session):
            pass


        @runner.session(name="s")
        def t(session):
            pass
        """)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            (
                "from nox import parametrize\nfrom nox import session as s\n\n\n@s(reuse_venv=True)\n"
                "@parametrize('a', 'x')\ndef f(session, a): ...\n"
            ),
            (
                "from runner import parametrize\nfrom runner import session as s\n\n\n@s\n"
                "@parametrize('a', ['x'])\ndef f(session, a): ...\n"
            ),
        ),
        (
            "from nox import project\nP = project.load_toml()\n",
            "from runner import project\nP = project.load_toml()\n",
        ),
        (
            "from nox import command\ncommand.CommandFailed\n",
            "import runner\nrunner.CommandFailed\n",
        ),
        (
            "from nox import options, main, nothing\noptions.sessions = ['a']\n",
            (
                "# runenv: nox.nothing has no counterpart\n"
                "from runner import options\noptions.default = ['a']\n"
            ),
        ),
    ],
)
def test_names_that_are_imported_one_by_one(before: str, after: str):
    assert rewritten(before).text == after


# parametrize. -------------------------------------------------------------------------


def test_parameters_stay():
    text = """
        @{0}.session
        @{0}.parametrize("a,b", [(1, 2), {0}.param(3, 4, id="x")])
        @{0}.parametrize("c", [1, 2], ids=["one", "two"])
        def s(session, a, b, c): ...
        """
    becomes(text.format("nox"), text.format("runner"))


def test_values_and_ids_that_would_not_do_here():
    becomes(
        """
        @nox.session
        @nox.parametrize("a", "x")
        @nox.parametrize("b", [1], ["one two"])
        @nox.parametrize("c", VALUES, ids=VALUES)
        def s(session, a, b, c): ...
        """,
        """
        @runner.session
        @runner.parametrize("a", ["x"])
        @runner.parametrize("b", [1], ids=["one_two"])
        @runner.parametrize("c", VALUES)
        def s(session, a, b, c): ...
        """,
    )


def test_tags_of_values_are_left():
    before = """\
        import nox
        @nox.session
        @nox.parametrize("a", [1, 2], tags=[["x"], ["y"]])
        def s(session, a): ...
        """
    assert '@runner.parametrize("a", [1, 2])\n' in rewritten(before).text
    assert [kind for kind, *_ in notes(before)] == ["left"]


@pytest.mark.parametrize(
    "decorator",
    [
        '@{0}.parametrize("python,a", [{0}.param("3.12", 1, id="x")])',
        '@{0}.parametrize("python,a,b", [("3.12", 1, 2)])',
        '@{0}.parametrize(["a", "python"], PAIRS)',
        '@{0}.parametrize("python", (v for v in VERSIONS))',
        "@{0}.parametrize(*x)",
    ],
)
def test_rows_with_a_python_stay_what_they_are(decorator: str):
    text = f"import {{0}}\n@{{0}}.session\n{decorator}\ndef s(session, a): ...\n"
    made = rewritten(text.format("nox")).text
    assert made.endswith(text.format("runner").removeprefix("import runner\n"))


def test_a_function_that_takes_the_python_has_a_parameter():
    text = """
        @{0}.session
        @{0}.parametrize("python", ["3.11"])
        def s(session, python): ...
        """
    becomes(text.format("nox"), text.format("runner"))


def test_pairs_of_pythons_and_others_stay_those_pairs():
    made = rewritten("""\
        import nox


        @nox.session
        @nox.parametrize(
            "python,django",
            [
                ("3.11", "4.2"),  # the oldest
                ("3.12", "5.1"),
                nox.param("3.13", "5.1", id="new", tags=["slow"]),
            ],
        )
        def s(session, django):
            session.install(f"django=={django}")
        """)
    assert made.text.endswith(
        dedent("""\
        @runner.session
        @runner.parametrize(
            "python,django",
            [
                ("3.11", "4.2"),  # the oldest
                ("3.12", "5.1"),
                runner.param("3.13", "5.1", id="new", tags=["slow"]),
            ],
        )
        def s(session, django):
            session.install(f"django=={django}")
        """)
    )
    assert made.notes == ()


def takes_any_python_3(text: str, decorators: str, named: str) -> None:
    """A text whose session has these decorators has those in the end, and the one note."""
    made = rewritten("import nox\n\n" + text.format(decorators.format("nox")))

    assert made.text.endswith("\n" + text.format(named.format("runner")))
    assert [(note.kind, note.text) for note in made.notes] == [
        ("approximated", "None, the Python that runs nox, is '3' now, which is any Python 3")
    ]


@pytest.mark.parametrize(
    ("decorators", "named"),
    [
        ('@{0}.session(python=["3.11", None])', '@{0}.session(python=["3.11", "3"])'),
        (
            '@{0}.session\n@{0}.parametrize("a,python", [(1, "3.11"), (2, None)])',
            '@{0}.session\n@{0}.parametrize("a,python", [(1, "3.11"), (2, "3")])',
        ),
        (
            '@{0}.session\n@{0}.parametrize(["python", "a"], [{0}.param(None, 1, id="x")])',
            '@{0}.session\n@{0}.parametrize(["python", "a"], [{0}.param("3", 1, id="x")])',
        ),
        (
            '@{0}.session\n@{0}.parametrize("python", ["3.11", None])',
            '@{0}.session\n@{0}.parametrize("python", ["3.11", "3"])',
        ),
    ],
)
def test_none_among_pythons_is_any_python_3(decorators: str, named: str):
    takes_any_python_3("{}\ndef s(session, a): ...\n", decorators, named)


@pytest.mark.parametrize(
    ("decorators", "named"),
    [
        ("@{0}.session(python=PYTHONS)", '@{0}.session(python=[python or "3" for python in PYTHONS])'),
        (
            '@{0}.session\n@{0}.parametrize("python", PYTHONS)',
            '@{0}.session\n@{0}.parametrize("python", [python or "3" for python in PYTHONS])',
        ),
    ],
)  # fmt: skip
def test_none_in_a_list_of_pythons_that_has_a_name_is_any_python_3_where_it_is_used(
    decorators: str, named: str
):
    text = 'PYTHONS = ["3.11", None]\n\n\n{}\ndef s(session): ...\n'
    takes_any_python_3(text, decorators, named)


@pytest.mark.parametrize(
    "text",
    [
        'P = [None]\n\n\n@{0}.session\n@{0}.parametrize("python", P)\ndef s(session, python): ...\n',
        "@{0}.session(python=None)\ndef s(session): ...\n",
        '@{0}.session\n@{0}.parametrize("a", [1, None])\ndef s(session, a): ...\n',
        '@{0}.session\n@{0}.parametrize("a,b", [(1, None), x])\ndef s(session, a, b): ...\n',
        '@{0}.session\n@{0}.parametrize("python", [None])\ndef s(session, python): ...\n',
    ],
)
def test_none_that_is_no_python_among_others_stays(text: str):
    becomes(text.format("nox"), text.format("runner"))


# What a session does. ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("print(session.virtualenv.location)", "print(session.env_dir)"),
        ('f(f"{session.virtualenv.location}/a")', 'f(f"{session.env_dir}/a")'),
        ("print(session.virtualenv.bin)", "print(session.bin)"),
        ("f(session.virtualenv.venv_backend)", "f(session.venv_backend)"),
        ("if session.virtualenv.is_sandboxed: f()", 'if session.venv_backend != "none": f()'),
        (
            "if not isinstance(session.virtualenv, nox.virtualenv.PassthroughEnv): f()",
            'if session.venv_backend != "none": f()',
        ),
        (
            "x = isinstance(session.virtualenv, nox.virtualenv.CondaEnv)",
            'x = session.venv_backend == "conda"',
        ),
        ("p = Path(session.cache_dir)", "p = Path(session.cache_dir)"),
        ("session.chdir(session.cache_dir)", "session.chdir(session.cache_dir)"),
        ("f(f'{session.cache_dir}')", "f(f'{session.cache_dir}')"),
        (
            "if not session.virtualenv.is_sandboxed: f()",
            'if session.venv_backend == "none": f()',
        ),
        ("session.run('a', external='error')", "session.run('a')"),
        ("session.run(external='error', *x)", "session.run(*x)"),
        ("session.run(*x)", "session.run(*x)"),
        ("session.conda_install('a', channel='b')", "session.conda_install('a', channel='b')"),
        ("session.run('a', silent=True, external='error')", "session.run('a', silent=True)"),
        ("session.run('a', interrupt_timeout=1)", "session.run('a')"),
        ("session.run('git', 'log')", "session.run('git', 'log', external=True)"),
        ("session.run('./a.sh')", "session.run('./a.sh', external=True)"),
        ("session.run(sys.executable)", "session.run(sys.executable, external=True)"),
        ("session.run('git', **options)", "session.run('git', **options)"),
        ("session.run_install('a', silent=True)", "session.run_install('a')"),
        ("session.run('a', stderr=None)", "session.run('a')"),
        (
            "x = session.run('a', silent=True, stderr=subprocess.DEVNULL)",
            "x = session.run('a', capture=True).stdout",
        ),
        ("session.install(x, external=True, log=False)", "session.install(x)"),
        ("session.conda_install('a', auto_offline=False)", "session.conda_install('a')"),
        ("session.log('%s', x)", "session.log('%s' % (x,))"),
        ("session.log('%s %s', x, y)", "session.log('%s %s' % (x, y))"),
        ("session.log('a', x)", "session.log('a', x)"),
    ],
)
def test_what_a_session_does(before: str, after: str):
    body(
        before,
        after.replace('"none"', "'none'").replace('"conda"', "'conda'")
        if before.count("'") > before.count('"')
        else after,
    )


def test_a_path_of_nox_is_made_one():
    made = rewritten("""\
        import nox


        @nox.session
        def s(session):
            x = session.cache_dir / "a"
        """)
    assert made.text == dedent("""\
        from pathlib import Path

        import runner


        @runner.session
        def s(session):
            x = Path(session.cache_dir) / "a"
        """)


def test_output_into_a_file_is_written_there():
    body(
        """
        with open("a", "w") as file:
            session.run("a", stdout=file)
        """,
        """
        with open("a", "w") as file:
            file.write(session.run("a", silent=True))
        """,
    )


@pytest.mark.parametrize(
    "line",
    [
        "session.run('a', stdout=file)",
        "session.run('a', stdout=x.y)",
        "with opened as file: session.run('a', stdout=file)",
        "with open('a', 'wb') as file: session.run('a', stdout=file)",
        "session.run('a', silent=True, stderr=file)",
        "x = session.run_install('a', silent=True)",
        "session.run('nox')",
        "session._runner",
        "session.virtualenv",
        "session.virtualenv._reused",
        "session.install('a', stdout=x)",
        "session.conda_install('--file', 'a')",
    ],
)
def test_what_a_session_cannot_do_here_is_told(line: str):
    before = f"import nox\n\n\ndef f(session):\n    {line}\n"
    made = rewritten(before)
    assert [(note.kind, note.line) for note in made.notes] == [("left", 5)]
    assert "\n    # runenv: " in made.text


def test_a_folder_that_nox_would_have_emptied_is_told():
    before = "import nox\n@nox.session{}\ndef s(session):\n    session.create_tmp()\n"
    assert [note[0] for note in notes(before.format(""))] == ["approximated"]
    assert notes(before.format("(reuse_venv=True)")) == []


def test_a_name_with_parameters_that_is_read_is_told():
    before = """\
        import nox
        @nox.session
        @nox.parametrize("a", [1])
        def s(session, a):
            print(session.name)
        """
    assert [note[0] for note in notes(before)] == ["approximated"]


def test_a_program_cannot_lie_where_nothing_is_installed():
    becomes(
        """
        @nox.session
        def a(session):
            session.run("pre-commit", "run")


        @nox.session
        def b(session):
            helper(session)
            session.run("pre-commit", "run")


        @nox.session(venv_backend="none")
        def c(session):
            session.run("pre-commit", "run")
        """,
        """
        @runner.session
        def a(session):
            session.run("pre-commit", "run", external=True)


        @runner.session
        def b(session):
            helper(session)
            session.run("pre-commit", "run")


        @runner.session(backend="none")
        def c(session):
            session.run("pre-commit", "run")
        """,
    )


def test_uv_that_a_file_tells_its_environment_itself_is_not_told_again():
    text = """
        {0}.options.{1} = "uv"


        def f(session):
            session.env["UV_PROJECT_ENVIRONMENT"] = session.{2}
            session.run("uv", "sync", external=True)
        """
    becomes(
        text.format("nox", "default_venv_backend", "virtualenv.location"),
        text.format("runner", "backend", "env_dir"),
    )


def test_a_list_of_words_may_begin_with_uv():
    body(
        """
        if x:
            words = ["uv", "pip", "compile"]
        else:
            words = ["pip-compile"]
        session.run(*words, "a")
        """,
        """
        if x:
            words = ["uv", "pip", "compile"]
        else:
            words = ["pip-compile"]
        session.run(*words, "a", external=True)
        """,
    )


def test_a_backend_that_is_read_is_told_where_it_is_nox_s_own():
    before = "import nox\n{}\n\n\ndef f(session):\n    print(session.venv_backend)\n"
    assert [note[0] for note in notes(before.format(""))] == ["approximated"]
    assert notes(before.format("nox.options.default_venv_backend = 'uv|virtualenv'")) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "x = f'''a\n {session.virtualenv.bin} é''' f'{session.virtualenv.bin}'",
            "x = f'''a\n {session.bin} é''' f'{session.bin}'",
        ),
        ("x = f'é{session.cache_dir / 1}'", "x = f'é{Path(session.cache_dir) / 1}'"),
    ],
)
def test_names_in_f_strings(before: str, after: str):
    made = rewritten(f"from pathlib import Path\nimport nox\n\ndef f(session):\n    {before}\n")
    head = "from pathlib import Path\nimport runner\n\ndef f(session):\n"
    assert made.text == f"{head}    {after}\n"


def test_paths_are_made_as_the_file_makes_them():
    before = "import pathlib\nimport nox\n\ndef f(session):\n    return session.cache_dir.parent\n"
    after = "import pathlib\nimport runner\n\ndef f(session):\n    return {}.parent\n"
    assert rewritten(before).text == after.format("pathlib.Path(session.cache_dir)")


def test_a_program_that_a_helper_installs_lies_in_the_environment():
    text = "def f(session):\n    install(session, 'hatch')\n    session.run('hatch')\n"
    becomes(text, text)


def test_an_argument_more_breaks_a_line_that_gets_too_long():
    becomes(
        """
        def f(session):
            longest = session.run("git", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", silent=True)
        """,
        """
        def f(session):
            longest = session.run(
                "git", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", silent=True, external=True
            )
        """,
    )


def test_no_program_outside_is_allowed_where_nox_does_not():
    becomes(
        "nox.options.error_on_external_run = True\n\n\ndef f(session):\n    session.run('git')\n",
        "def f(session):\n    session.run('git')\n",
    )


def test_uv_syncs_the_environment_of_the_session():
    becomes(
        """
        nox.options.default_venv_backend = "uv"


        @nox.session
        def s(session):
            session.run_install(
                "uv",
                "sync",
            )
            session.run_install("uv", "sync", env={"UV_PROJECT_ENVIRONMENT": "x"})
        """,
        """
        runner.options.backend = "uv"


        @runner.session
        def s(session):
            session.run_install(
                "uv",
                "sync",
                env={"UV_PROJECT_ENVIRONMENT": session.env_dir},
                external=True,
            )
            session.run_install(
                "uv", "sync", env={"UV_PROJECT_ENVIRONMENT": "x"}, external=True
            )
        """,
    )


# The file. ---------------------------------------------------------------------------


def test_a_python_file_without_nox_says_nothing():
    assert convert("a/noxfile.py", "x = 1\n") is None


def test_what_is_no_python_cannot_be_converted():
    with pytest.raises(ValueError, match="line 2: "):
        convert("noxfile.py", "import nox\nx = (\n")


def test_sessions_and_what_they_declare_are_counted():
    made = convert(
        "noxfile.py",
        "import nox\n@nox.session\ndef a(session):\n    session.install('x')\n"
        "@nox.session\ndef b(session): ...\n",
    )
    assert made is not None
    assert made.environments == ("a", "b")
    assert made.made == "2 sessions, 1 of which declare what they install"


def test_the_folder_of_environments_that_is_read_and_not_set_is_what_stands_behind_the_or():
    text = 'LOGS = Path({}"logs") / "x"\n'
    becomes(text.format("nox.options.envdir or "), text.format(""))


def test_the_folder_of_environments_that_is_set_and_read_is_left():
    made = rewritten("""\
        import nox
        nox.options.envdir = "e"
        LOGS = nox.options.envdir or "logs"
        """)
    assert [(note.kind, note.line, note.text) for note in made.notes] == [
        ("left", 3, "nox.options.envdir cannot be read or changed here")
    ]


def test_a_session_that_a_decorator_of_another_module_declares_is_told():
    made = rewritten("""\
        import nox
        from helpers import power_session
        @power_session(python="3.12")
        def tests(session): ...
        @nox.session
        def lint(session): ...
        def helper(session): ...
        """)
    assert [(note.kind, note.line, note.text) for note in made.notes] == [
        (
            "left",
            4,
            (
                "tests is a session where power_session of helpers makes it one:"
                " what that does with nox is not known here"
            ),
        )
    ]
