"""`--graph`: what waits for what."""

from __future__ import annotations

import pytest

from tests.conftest import Folder

pytestmark = pytest.mark.measured

ENVFILE = """
    @runner.session(python=False)
    def build(session): ...

    @runner.session(requires=["build"], environment="dev", exclusive="db")
    @runner.parametrize("kind", ["a", "b"])
    def tests(session, kind): ...

    @runner.session(python=False, requires=["build"], exclusive=["db", "net"])
    def publish(session): ...

    @runner.session(python=False, requires=["publish"], after=["tests-*", "lint"])
    def report(session): ...

    @runner.session(python=False, parallel=False)
    def lint(session): ...
    """


@pytest.fixture
def project(folder: Folder) -> Folder:
    folder.envfile(ENVFILE)
    return folder


def test_a_tree_has_what_waits_above_what_it_waits_for(project: Folder):
    assert (
        project.passes("--graph", env={"PYTHONIOENCODING": "utf-8"}).out
        == """\
report
├── publish
│   └── build
├── tests-a  (after)
│   └── build
├── tests-b  (after)
│   └── build
└── lint  (after)

One environment:
  dev: tests-a, tests-b

One at a time:
  db: tests-a, tests-b, publish

Nothing beside:
  lint
"""
    )


def test_it_tells_of_what_is_selected_and_what_that_requires(project: Folder):
    done = project.passes("--graph", "report", "tests-a", env={"PYTHONIOENCODING": "ascii"})

    assert (
        done.out
        == """\
report
|-- publish
|   `-- build
`-- tests-a  (after)
    `-- build

One at a time:
  db: publish, tests-a
"""
    )


def test_what_stood_above_with_all_that_it_waits_for_stands_there_once(folder: Folder):
    folder.envfile(
        """
        @runner.session
        def a(session): ...

        @runner.session(requires=["a"])
        def b(session): ...

        @runner.session(requires=["b"])
        def c(session): ...

        @runner.session(requires=["b"])
        def d(session): ...
        """
    )

    done = folder.passes("--graph", env={"PYTHONIOENCODING": "ascii"})

    assert done.out == "c\n`-- b\n    `-- a\nd\n`-- b  (see above)\n"


def test_a_chain_of_a_thousand_is_drawn(folder: Folder):
    folder.envfile(
        "runner.session(name='s0', python=False)(lambda session: 1)\n"
        "for n in range(1, 1000):\n"
        "    runner.session(name=f's{n}', python=False, requires=[f's{n - 1}'])(lambda session: 1)\n"
    )

    assert len(folder.passes("--graph").out.splitlines()) == 1000


def test_a_diagram_of_mermaid(project: Folder):
    assert (
        project.passes("--graph=mermaid").out
        == """\
flowchart LR
  subgraph e0["environment dev"]
    j1["tests-a"]
    j2["tests-b"]
  end
  j0["build"]
  j3["publish"]
  j4["lint"]
  j5["report"]
  j0 --> j1
  j0 --> j2
  j0 --> j3
  j3 --> j5
  j1 -.-> j5
  j2 -.-> j5
  j4 -.-> j5
  x0{{"one at a time: db"}}
  x0 -.- j1
  x0 -.- j2
  x0 -.- j3
  a0{{"nothing beside it"}}
  a0 -.- j4
"""
    )


def test_a_word_with_signs_is_quoted_in_a_diagram(folder: Folder):
    folder.envfile(
        """
        @runner.session(exclusive='the "db"; <1>')
        @runner.parametrize("n", [1, 2])
        def s(session, n): ...
        """
    )

    out = folder.passes("--graph=mermaid").out

    assert 'x0{{"one at a time: the #34;db#34;#59; #60;1#62;"}}\n' in out


def test_a_kind_that_there_is_not_is_told(project: Folder):
    done = project.run("--graph=mermaids")

    assert (done.code, done.err) == (
        2,
        "error: --graph cannot be 'mermaids'\n  did you mean 'mermaid'?\n",
    )


def test_a_word_behind_it_is_the_name_of_a_session(project: Folder):
    assert project.passes("--graph", "lint").out == "lint\n\nNothing beside:\n  lint\n"
