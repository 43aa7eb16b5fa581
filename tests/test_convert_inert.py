"""Which session functions do nothing but tell their session."""

from __future__ import annotations

import textwrap
from types import FunctionType

import pytest

from runner.convert.inert import Reason, why_not

HEAD = """\
import os
import shutil
import sys
from glob import glob
from pathlib import Path

import runner
from helpers import helper

ROOT = Path(__file__).parent
DEPS = {"a": ["one", "two"]}
class Odd:
    def get(self, name): ...
ODD = Odd()
"""


def reason_of(text: str) -> Reason | None:
    """Why the last function of an envfile is not called; None where it would be."""
    source = HEAD.replace("from helpers import helper\n", "") + textwrap.dedent(text)
    names: dict[str, object] = {"__file__": "/p/envfile.py", "__name__": "envfile"}
    exec(compile(source, "/p/envfile.py", "exec", dont_inherit=True), names)
    functions = [value for value in names.values() if isinstance(value, FunctionType)]
    last = max(
        (f for f in functions if f.__code__.co_filename == "/p/envfile.py"),
        key=lambda f: f.__code__.co_firstlineno,
    )
    return why_not(last, source, "/p/envfile.py")


@pytest.mark.parametrize(
    "body",
    [
        "session.run('pytest', *(session.posargs or ['tests']), external=True)",
        "session.install(f'{ROOT}/x', *DEPS['a'])",
        "if sys.platform == 'win32':\n        session.skip('no')\n    session.chdir(ROOT / 'docs')",
        "session.env['A'] = os.environ.get('B', '').strip()",
        "factors = session.name.split('-')\n    if 'a' in factors:\n        session.run('a')",
        "try:\n        session.run('a')\n    finally:\n        session.run('b', check=False)",
        (
            "try:\n        session.run('a')\n    except runner.CommandFailed as error:\n"
            "        session.warn(f'{error}; it is ignored')"
        ),
        "for path in sorted(glob('*.py', root_dir=ROOT)):\n        session.run('a', path)",
        "words = [word.lower() for word in DEPS]\n    words.append('x')\n    session.run(*words)",
        "with session.chdir('docs'):\n        session.run('make')",
        "version: str = session.python or ''\n    session.run('a', version)",
        "first, *rest = ['a', 'b']\n    session.run(first, *rest)",
        "tmp = session.create_tmp()\n    session.run('a', os.path.join(tmp, 'x'))",
    ],
)
def test_one_that_tells_its_session_alone_is_called(body: str):
    assert reason_of(f"def tests(session):\n    {body}\n") is None


def test_one_that_calls_another_of_the_kind_is_called():
    text = """\
    def inner(session, word="x"):
        session.run(word)

    @runner.session
    def tests(session):
        inner(session)
    """
    assert reason_of(text) is None


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("open('x', 'w')", "it uses open"),
        ("shutil.rmtree('build')", "it calls shutil.rmtree"),
        ("os.environ['A'] = '1'", "it sets os.environ['A']"),
        ("(ROOT / 'x').write_text('')", "it calls (ROOT / 'x').write_text"),
        ("import subprocess", "a statement of the kind import"),
        ("while True: pass", "a statement of the kind while"),
        ("session.run(print)", "it uses print"),
        ("ODD.get('x')", "it uses ODD"),
        ("session._hands.run()", "it calls session._hands.run"),
        ("run = session.run", "it hands on session.run"),
        ("str(session)", "it hands its session on: str"),
        ("(lambda: 1)()", "it calls lambda: 1"),
        ("f = lambda: open('x')", "lambda: open('x')"),
        ("x = os.system", "it uses os.system"),
        ("x = 'a'.__class__", "it uses 'a'.__class__"),
        ("session.virtualenv.run()", "it calls session.virtualenv.run"),
        ("session = None", "it sets session"),
        ("x = (session := 1)", "it sets session"),
        ("try: pass\n    except OSError as session: pass", "it sets session"),
        ("ROOT.x = 1", "it sets ROOT.x"),
        ("x = glob\n    x('*')", "it uses glob"),
        ("x = str\n    x('*')", "it calls x"),
        ("tests(session)", "tests: it calls itself"),
        ("[shutil for shutil in 'ab']\n    shutil.rmtree('x')", "it calls shutil.rmtree"),
        ("session.sneaky()", "it calls session.sneaky"),
    ],
)
def test_one_that_may_do_more_is_not_called(body: str, text: str):
    reason = reason_of(f"def tests(session):\n    {body}\n")

    assert reason is not None
    assert reason.text == text


def test_the_line_is_told():
    reason = reason_of("def tests(session):\n    session.run('a')\n    open('x')\n")

    assert reason == Reason(16, "it uses open")


def test_what_another_does_counts():
    text = """\
    def inner(session):
        os.remove("x")

    def tests(session):
        inner(session)
    """
    assert reason_of(text) == Reason(18, "inner: it calls os.remove")


def test_a_function_made_in_another_is_not_called():
    text = """\
    def make(word):
        def tests(session):
            session.run(word)
        return tests

    made = make("x")
    """
    reason = reason_of(text)

    assert reason is not None
    assert reason.text == "its source is not all that it uses"


def test_one_from_another_file_is_not_called():
    assert why_not(textwrap.dedent, HEAD, "/p/envfile.py") == Reason(
        0, "its source is not in the envfile"
    )


@pytest.mark.parametrize(
    "body",
    [
        "path = ROOT / 'a'\n    path.replace('b')",
        "ROOT.replace('b')",
        "(ROOT / 'a').replace('b')",
        "for path in Path('.').glob('*'):\n        path.replace('b')",
        "[p.copy('b') for p in [Path('a')]]",
        "given.replace('b')",
        "NAME = ROOT / 'a'\n    NAME.replace('b')",
        "os.environ['A'] = 'b'",
    ],
)
def test_what_may_change_a_file_or_a_variable_is_not_called(body: str):
    assert reason_of(f"NAME = 'a'\ndef s(session, given=None):\n    {body}\n") is not None


@pytest.mark.parametrize(
    "body",
    [
        "session.run(session.name.replace('-', '_'))",
        "session.run('a-b'.replace('-', '_').strip())",
        "session.run(f'{session.python}'.replace('.', ''))",
        "session.run(str(ROOT).replace('-', '_'))",
        "session.run(os.environ.get('A', '').replace('-', '_'))",
    ],
)
def test_a_text_in_which_something_is_replaced_is_another_text(body: str):
    assert reason_of(f"def s(session):\n    {body}\n") is None
