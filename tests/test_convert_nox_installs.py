"""Which installs of a noxfile's sessions are declared in the envfile, and which stay calls."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from runner.convert import from_nox
from runner.convert.from_nox import Rewritten

TOP = """\
import nox

ROOT = Path(__file__).parent
DOCS = ROOT / "docs"
NAMES = ["one", "two"]
PINS = ["one==1"]
GROWING = ["one"]
GROWING.append("two")
ONE = "one"
FILES = dict(docs=DOCS / "requirements.txt")
P = nox.project.load_toml("pyproject.toml")
print(P)


"""


FILES = {"a.txt": "one\n", "b.txt": "# two\ntwo==1\n", "index.txt": "--index-url x\none\n"}
FILES["hashed.txt"] = "one==1 \\\n    --hash=sha256:0\n"


def rewrite(text: str) -> Rewritten | None:
    return from_nox.rewrite(text, FILES.get)


def session(
    body: str, arguments: str = "", *, tool: str = "nox", head: str = "def s(session):"
) -> str:
    text = indent(dedent(body).strip("\n"), "    ")
    return f"@{tool}.session{arguments}\n{head}\n{text}\n"


def declared(installs: str) -> str:
    """The arguments that installs become; the installs themselves where they stay."""
    made = rewrite(TOP + session(f"{installs}\nsession.run(x)"))
    assert made is not None
    text = made.text.partition("@runner.session")[2].partition("\ndef s")[0]
    kept = made.text.partition("def s(session):\n")[2].partition("    session.run(x)\n")[0]
    return " ".join(" ".join(f"{text}\n{dedent(kept)}".split()).split())


@pytest.mark.parametrize(
    ("installs", "arguments"),
    [
        ("session.install('a', 'b>=1')", "(deps=['a', 'b>=1'])"),
        ("session.install('a @ https://x/a.whl')", "(deps=['a @ https://x/a.whl'])"),
        ("session.install('a', silent=True)", "(deps=['a'])"),
        ("session.install('-q', 'a')", "(deps=['a'])"),
        ("session.install('.')", '(project="wheel")'),
        ("session.install('./')", '(project="wheel")'),
        ("session.install('.[a, b]')", '(project="wheel", extras=["a", "b"])'),
        ("session.install('-e', '.')", '(project="editable")'),
        ("session.install('-e.[a]')", '(project="editable", extras=["a"])'),
        ("session.install('--editable=.')", '(project="editable")'),
        ("session.install(ROOT)", '(project="wheel")'),
        ("session.install(str(ROOT))", '(project="wheel")'),
        ("session.install('-e', f'{ROOT}[a]')", '(project="editable", extras=["a"])'),
        ("session.install('-r', 'a.txt')", "(requirements=['a.txt'])"),
        ("session.install('-ra.txt')", '(requirements=["a.txt"])'),
        ("session.install('--requirement=a.txt')", '(requirements=["a.txt"])'),
        ("session.install('-r', DOCS / 'a.txt')", "(requirements=[DOCS / 'a.txt'])"),
        ("session.install('-r', FILES['docs'])", "(requirements=[FILES['docs']])"),
        ("session.install('a', '-c', 'c.txt')", "(deps=['a'], constraints=['c.txt'])"),
        ("session.install('--group', 'a')", "(groups=['a'])"),
        ("session.install('-e.', '--group=a')", '(groups=["a"], project="editable")'),
        ("session.install(*NAMES, 'x')", "(deps=['x', *NAMES])"),
        ("session.install(ONE)", "(deps=[ONE])"),
        (
            "session.install(*nox.project.dependency_groups(P, 'a', 'b'))",
            "(groups=['a', 'b'])",
        ),
        ("session.install('a', '--resolution=lowest')", '(deps=[\'a\'], resolution="lowest")'),
        # Several calls.
        ("session.install('a')\nsession.install('b')", "(deps=['a', 'b'])"),
        ("session.install('a')\nsession.install('a')", "(deps=['a'])"),
        ("session.install('a==1')\nsession.install('b==2')", "(deps=['a==1', 'b==2'])"),
        ("session.install('-r', 'a.txt')\nsession.install('b')", "(deps=['b'], requirements=['a.txt'])"),
        ("session.install('a')\nsession.install('-r', 'a.txt')", "(deps=['a'], requirements=['a.txt'])"),
        ("session.install('-r', 'a.txt')\nsession.install('.')", "(requirements=['a.txt'], project=\"wheel\")"),
        ("session.install('.')\nsession.install('.[a]')", '(project="wheel", extras=["a"])'),
        ("x = 1\nsession.log('y')\nsession.install('a')", "(deps=['a']) x = 1 session.log('y')"),
    ],
)  # fmt: skip
def test_what_is_declared(installs: str, arguments: str):
    assert declared(installs) == arguments


@pytest.mark.parametrize(
    "installs",
    [
        "session.install('a', silent=False)",
        "session.install('a', env={'A': 'b'})",
        "session.install('-U', 'a')",
        "session.install('--no-deps', 'a')",
        "session.install('--pre', 'a')",
        "session.install('./lib')",
        "session.install('git+https://x/y')",
        "session.install('-e', 'lib')",
        "session.install('-r', 'https://x/a.txt')",
        "session.install('-r', 'pylock.toml')",
        "session.install('.', '-e', '.')",
        "session.install('--group', 'lib:a')",
        "session.install('')",
        "session.install(DOCS)",
        "session.install(f'a=={b}')",
        "session.install(unknown)",
        "session.install(*unknown)",
        "session.install(*GROWING)",
        "session.install(*PINS, '-r', 'a.txt')",
        "session.install(*nox.project.dependency_groups(Q, 'a'))",
        "session.install(*nox.project.dependency_groups(P, a))",
        "session.install(*nox.project.dependency_groups(nox.project.load_toml('x.toml'), 'a'))",
        "session.install('-r', unknown / 'a.txt')",
        "x = session.install('a')",
        "if x: session.install('a')",
        "session.chdir('x')\nsession.install('a')",
        "session.env['A'] = 'b'\nsession.install('a')",
        "f()\nsession.install('a')",
        "x: int = f()\nsession.install('a')",
        "x.y: int = 1\nsession.install('a')",
        "session.install('a'); f()",
    ],
)
def test_what_stays_a_call(installs: str):
    assert declared(installs) == " ".join(installs.replace("nox.", "runner.").split())


@pytest.mark.parametrize(
    ("first", "second", "arguments"),
    [
        ("'-r', 'a.txt'", "'b<2'", "(requirements=['a.txt'])"),
        ("'-r', 'index.txt'", "'b'", "(requirements=['index.txt'])"),
        ("'-r', 'hashed.txt'", "'.'", "(requirements=['hashed.txt'])"),
        ("'-r', 'unknown.txt'", "'b'", "(requirements=['unknown.txt'])"),
        ("'b'", "'-r', 'hashed.txt'", "(deps=['b'])"),
        ("'-r', 'a.txt'", "'-r', 'b.txt'", "(requirements=['a.txt'])"),
        ("'.'", "'b<2'", '(project="wheel")'),
        ("'.'", "'-r', 'a.txt'", '(project="wheel")'),
        ("'.'", "'-e', '.'", '(project="wheel")'),
        ("'.'", "'--group=a'", '(project="wheel")'),
        ("'a'", "'a<2'", "(deps=['a'])"),
        ("'a<2'", "'a>1'", "(deps=['a<2'])"),
        ("'a'", "'b', '-c', 'c.txt'", "(deps=['a'])"),
        ("'a', '-c', 'c.txt'", "'b'", "(deps=['a'], constraints=['c.txt'])"),
        ("'a', '--resolution=lowest'", "'b'", "(deps=['a'], resolution=\"lowest\")"),
    ],
)
def test_what_one_resolution_may_not_meet_stays_a_call(first: str, second: str, arguments: str):
    made = declared(f"session.install({first})\nsession.install({second})")
    assert made == f"{arguments} session.install({second})"


def test_nothing_after_a_command_is_declared():
    made = declared("session.install('a')\nsession.run('b')\nsession.install('c')")
    assert made == "(deps=['a']) session.run('b') session.install('c')"


def becomes(before: str, after: str) -> None:
    made = rewrite(f"import nox\n\n\n{dedent(before).lstrip()}")
    assert made is not None
    assert made.text == f"import runner\n\n\n{dedent(after).lstrip()}"


def test_local_names_that_served_an_install_alone_go():
    becomes(
        """
        @nox.session
        def s(session):
            pyproject = nox.project.load_toml("pyproject.toml")
            deps = nox.project.dependency_groups(pyproject, "docs")
            posargs = session.posargs
            session.install("-e.", *deps)
            session.run("x", *posargs)
        """,
        """
        @runner.session(groups=["docs"], project="editable")
        def s(session):
            posargs = session.posargs
            session.run("x", *posargs)
        """,
    )


def test_a_constant_that_served_installs_alone_goes():
    becomes(
        """
        P = nox.project.load_toml()


        @nox.session
        def s(session):
            session.install(*nox.project.dependency_groups(P, "docs"))
        """,
        """
        @runner.session(groups=["docs"])
        def s(session):
            pass
        """,
    )


def test_comments_of_an_install_go_with_what_it_installs():
    becomes(
        """
        @nox.session(name="x")
        def s(session):
            \"\"\"Doc.\"\"\"
            # for the tests
            session.install("pytest")  # newest
            session.install(
                # old
                ".[a]",
                # none
            )

            session.run("pytest")
        """,
        """
        @runner.session(
            name="x",
            # for the tests
            # newest
            deps=["pytest"],
            project="wheel",
            extras=[
                # old
                "a",
            ],
            # none
        )
        def s(session):
            \"\"\"Doc.\"\"\"

            session.run("pytest")
        """,
    )


def test_a_list_with_comments_keeps_them():
    becomes(
        """
        @nox.session
        def s(session):
            session.install(
                "a",  # why
                # "b",
                "c",
            )
            session.run("a")
        """,
        """
        @runner.session(
            deps=[
                "a",  # why
                # "b",
                "c",
            ],
        )
        def s(session):
            session.run("a")
        """,
    )


def test_what_does_not_fit_on_a_line_is_broken_as_a_formatter_does():
    longest = "x" * 30
    becomes(
        f"""
        @nox.session(name="{longest}")
        def s(session):
            session.install("first", "second", "third")


        @nox.session(name="{longest.upper()}")
        def t(session):
            session.install("first", "second", "third", "fourth", "fifth")
        """,
        f"""
        @runner.session(
            name="{longest}", deps=["first", "second", "third"]
        )
        def s(session):
            pass


        @runner.session(
            name="{longest.upper()}",
            deps=["first", "second", "third", "fourth", "fifth"],
        )
        def t(session):
            pass
        """,
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('@nox.session(venv_backend="none")', '@runner.session(backend="none")'),
        ('@nox.session(venv_backend="conda")', '@runner.session(backend="conda")'),
        ("@nox.session(python=False)", "@runner.session(python=False)"),
        ("@nox.session(venv_backend=x)", "@runner.session(backend=x)"),
        ("@nox.session\n@other", "@runner.session\n@other"),
    ],
)
def test_sessions_of_which_nothing_is_declared(before: str, after: str):
    text = "{}\ndef s(session):\n    session.install('a')\n"
    becomes(text.format(before), text.format(after))


def test_a_function_that_is_called_installs_itself():
    text = """
        @{0}.session
        def s(session):
            session.install("a")


        @{0}.session
        def t(session):
            s(session)
        """
    becomes(text.format("nox"), text.format("runner"))


def test_a_function_that_is_only_named_does_not():
    becomes(
        """
        @nox.session
        def s(session):
            session.install("a")


        @nox.session
        def t(session):
            session.notify(s)
        """,
        """
        @runner.session(deps=["a"])
        def s(session):
            pass


        @runner.session
        def t(session):
            session.notify(s)
        """,
    )


def test_what_a_function_around_it_binds_is_no_constant():
    text = """
        NAME = "one"


        def make(NAME):
            @{0}.session
            def s(session):
                session.install(NAME)
        """
    becomes(text.format("nox"), text.format("runner"))


def test_the_quotes_of_the_file_are_kept():
    becomes(
        """
        @nox.session
        def s(session):
            session.install('-e.[a]', '--group=b')
            session.run('x')
        """,
        """
        @runner.session(groups=['b'], project='editable', extras=['a'])
        def s(session):
            session.run('x')
        """,
    )
