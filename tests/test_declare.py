"""What may be written in an envfile, and what is said of the rest."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from runner.errors import EnvfileError
from runner.load import load_project
from runner.model import Job


@pytest.fixture
def jobs(tmp_path: Path):
    """The jobs of an envfile with this text, by name."""

    def load(text: str) -> dict[str, Job]:
        path = tmp_path / "envfile.py"
        path.write_text("import runner\n" + textwrap.dedent(text))
        return {job.name: job for job in load_project(str(path)).jobs}

    return load


@pytest.fixture
def mistakes(jobs):
    """The mistakes in such an envfile: place, what, mend."""

    def load(text: str) -> list[tuple[str, str, str]]:
        with pytest.raises(EnvfileError) as caught:
            jobs(text)
        return [tuple(mistake) for mistake in caught.value.mistakes]

    return load


def test_a_bare_decorator_declares_a_session(jobs):
    assert list(jobs("@runner.session\ndef lint(session): ...")) == ["lint"]


def test_a_decorated_function_stays_what_it_was(jobs):
    found = jobs(
        """
        def plain(session): return 7
        decorated = runner.session(plain)
        assert decorated is plain
        """
    )

    assert found["plain"].spec.function(None) == 7


def test_a_session_is_where_its_decorator_is(jobs):
    found = jobs("\n\n@runner.session(\n    tags=['a'],\n)\ndef lint(session): ...")

    assert found["lint"].spec.where == "envfile.py:4"


def test_each_of_many_sessions_is_where_it_was_declared(jobs):
    found = jobs(
        "def make(name):\n    runner.session(name=name)(lambda session: 1)\n"
        + "".join(f"runner.session(name='a{n}')(lambda session: 1)\n\n" for n in range(300))
        + "for name in ('x', 'y'): make(name)\n"
    )

    places = {name: job.spec.where for name, job in found.items()}
    assert [places[name] for name in ("a0", "a1", "a299")] == [
        "envfile.py:4",
        "envfile.py:6",
        "envfile.py:602",
    ]
    assert places["x"] == places["y"] == "envfile.py:3"


def test_all_that_is_declared_stands_in_the_spec(jobs):
    spec = jobs(
        """
        @runner.session(
            python="3.12", name="all-of-it", deps=["a"], groups=["g"], extras=["e"],
            requirements=["r.txt"], constraints=["c.txt"], project="wheel",
            backend="uv | virtualenv", backend_options=["--seed"],
            env={"A": "1", "B": None}, tags=["t"], default=False, reuse=False,
        )
        def whole(session):
            '''First line.

              More of it.
            '''
        """
    )["all-of-it"].spec

    assert spec.pythons == ("3.12",)
    assert spec.needs.deps == ("a",)
    assert spec.needs.groups == ("g",)
    assert spec.needs.extras == ("e",)
    assert spec.needs.requirements == ("r.txt",)
    assert spec.needs.constraints == ("c.txt",)
    assert spec.needs.project == "wheel"
    assert spec.needs.backend == "uv|virtualenv"
    assert spec.needs.backend_options == ("--seed",)
    assert spec.needs.reuse is False
    assert spec.env == (("A", "1"), ("B", None))
    assert spec.tags == ("t",)
    assert spec.default is False
    assert spec.doc == "First line.\n\nMore of it."


def test_paths_may_be_given_for_files(jobs):
    found = jobs(
        "import pathlib\n@runner.session(requirements=[pathlib.Path('r') / 'x.txt'])\ndef a(session): ..."
    )

    assert found["a"].spec.needs.requirements == ("r/x.txt",)


def test_a_channel_that_is_a_path_is_no_name(jobs):
    found = jobs(
        "import pathlib\n@runner.session(backend='conda', "
        "channels=['bioconda', pathlib.Path('channel'), pathlib.Path('/c')])\ndef a(session): ..."
    )

    assert found["a"].spec.needs.channels == ("bioconda", "./channel", "/c")


def test_conda_deps_are_declared(jobs):
    found = jobs("@runner.session(backend='conda', conda_deps=['gdal'])\ndef a(session): ...")

    assert found["a"].spec.needs.conda_deps == ("gdal",)


@pytest.mark.parametrize(
    ("written", "name"),
    [("environment='dev'", "dev"), ("env='dev'", "dev"), ("env='dev', environment='dev'", "dev")],
)
def test_an_environment_is_shared_by_its_name(jobs, written: str, name: str):
    spec = jobs(f"@runner.session({written})\ndef a(session): ...")["a"].spec

    assert (spec.environment, spec.env) == (name, ())


def test_a_set_of_strings_has_a_fixed_order(jobs):
    assert jobs("@runner.session(tags={'b', 'a'})\ndef a(session): ...")["a"].tags == ("a", "b")


def test_python_false_means_no_environment(jobs):
    assert (
        jobs("@runner.session(python=False)\ndef a(session): ...")["a"].spec.needs.backend == "none"
    )


def test_a_function_may_be_registered_under_a_second_name(jobs):
    found = jobs(
        """
        @runner.session(name="second")
        @runner.session
        def first(session): ...
        """
    )

    assert list(found) == ["first", "second"]


def test_parametrize_may_stand_above_session(jobs):
    found = jobs(
        """
        @runner.parametrize("a", ["x", "y"])
        @runner.session
        def s(session, a): ...
        """
    )

    assert list(found) == ["s-x", "s-y"]


def test_the_inner_parametrize_comes_first_in_names(jobs):
    found = jobs(
        """
        @runner.session
        @runner.parametrize("outer", ["o"])
        @runner.parametrize("inner", ["i"])
        def s(session, inner, outer): ...
        """
    )

    assert list(found) == ["s-i-o"]


@pytest.mark.parametrize("names", ["'a, b'", "['a', 'b']", "('a', 'b')"])
def test_several_arguments_are_filled_together(jobs, names):
    found = jobs(
        f"""
        @runner.session
        @runner.parametrize({names}, [("x", 1), ["y", 2]])
        def s(session, a, b): ...
        """
    )

    assert [job.arguments for job in found.values()] == [
        (("a", "x"), ("b", 1)),
        (("a", "y"), ("b", 2)),
    ]


def test_values_may_come_from_a_generator(jobs):
    found = jobs(
        "@runner.session\n@runner.parametrize('n', (i for i in range(2)))\ndef s(session, n): ..."
    )

    assert list(found) == ["s-n0", "s-n1"]


def test_ids_name_the_jobs(jobs):
    found = jobs(
        "@runner.session\n@runner.parametrize('n', [1, 2], ids=['one', None])\ndef s(session, n): ..."
    )

    assert list(found) == ["s-one", "s-n2"]


def test_a_function_for_ids_may_give_numbers_as_in_pytest(jobs):
    found = jobs(
        """
        @runner.session
        @runner.parametrize("a, b", [(1, 0)], ids=lambda value: value)
        def tests(session, a, b): ...
        """
    )

    assert list(found) == ["tests-1-0"]


def test_ids_may_be_a_function_of_each_value(jobs):
    found = jobs(
        """
        @runner.session
        @runner.parametrize("a, b", [(1, 2)], ids=lambda value: f"v{value}")
        def s(session, a, b): ...
        """
    )

    assert list(found) == ["s-v1-v2"]


def test_the_id_of_a_param_wins_over_ids(jobs):
    found = jobs(
        """
        @runner.session
        @runner.parametrize("a", [runner.param(1, id="own")], ids=["other"])
        def s(session, a): ...
        """
    )

    assert list(found) == ["s-own"]


def test_tags_of_parametrize_and_param_reach_the_job(jobs):
    found = jobs(
        """
        @runner.session(tags=["a"])
        @runner.parametrize("n", [runner.param(1, tags=["c"]), 2], tags=["b"])
        def s(session, n): ...
        """
    )

    assert [job.tags for job in found.values()] == [("a", "b", "c"), ("a", "b")]


def test_requires_takes_functions(jobs):
    found = jobs(
        """
        @runner.session(name="build-it")
        def build(session): ...

        @runner.session(requires=[build])
        def tests(session): ...
        """
    )

    assert found["tests"].requires == ("build-it",)


def test_a_wrapper_with_any_arguments_is_a_session(jobs):
    found = jobs(
        """
        import functools
        def wrapped(function):
            @functools.wraps(function)
            def call(*args, **kwargs): return function(*args, **kwargs)
            return call

        @runner.session
        @runner.parametrize("n", [1])
        @wrapped
        def s(session, n): ...
        """
    )

    assert list(found) == ["s-n1"]


def test_exclusive_is_a_word_or_several(jobs):
    found = jobs(
        """
        @runner.session(exclusive="db")
        def one(session): ...

        @runner.session(exclusive=["db", "port", "db"], parallel=False)
        def several(session): ...
        """
    )

    assert (found["one"].spec.exclusive, found["one"].spec.parallel) == (("db",), True)
    assert (found["several"].spec.exclusive, found["several"].spec.parallel) == (
        ("db", "port"),
        False,
    )


@pytest.mark.parametrize(
    ("arguments", "resources", "retries_on_loss"),
    [
        ("", (), 1),
        ("resources={'memory': '8GB', 'gpu': 1}", (("gpu", 1.0), ("memory", 8e9)), 1),
        ("retries_on_loss=2", (), 2),
        ("idempotent=False", (), 0),
        ("idempotent=False, retries_on_loss=0", (), 0),
    ],
)
def test_what_a_worker_must_offer_and_what_follows_its_loss_is_declared(
    jobs, arguments: str, resources, retries_on_loss: int
):
    spec = jobs(f"@runner.session({arguments})\ndef s(session): ...")["s"].spec

    assert (spec.resources, spec.retries_on_loss) == (resources, retries_on_loss)


def test_an_argument_with_a_default_needs_no_parametrize(jobs):
    assert list(jobs("@runner.session\ndef s(session, a=1, *, b=2): ...")) == ["s"]


# Mistakes. ----------------------------------------------------------------------

NAMES = (
    "it takes python, name, deps, groups, extras, requirements, constraints, project, lock, "
    "resolution, prerelease, exclude_newer, backend, backend_options, conda_deps, channels, environment, env, env_file, inputs, outputs, tags, "
    "group, requires, after, exclusive, parallel, default, reuse, timeout, retries,"
    " resources, retries_on_loss, idempotent, confirm"
)
MOMENT = 'write a date, "2024-01-31", or a time with its zone, "2024-01-31T12:00:00Z"'
BESIDE_UV_LOCK = (
    "put it into pyproject.toml, into a group say, and run `uv lock`; or take resolution away"
)
SAFE = "use letters, digits, '.', '_', '+' and '-'"


@pytest.mark.parametrize(
    ("arguments", "what", "mend"),
    [
        ("deps='pytest'", "deps is a string where a list belongs", "write deps=['pytest']"),
        ("tags='lint'", "tags is a string where a list belongs", "write tags=['lint']"),
        ("requires='a'", "requires is a string where a list belongs", "write requires=['a']"),
        ("deps=7", "deps cannot be 7", "write a list of strings: deps=[...]"),
        ("deps=[7]", "deps holds 7, which is not a string", "each entry is a string"),
        ("deps={7, 'b'}", "deps holds 7, which is not a string", "each entry is a string"),
        ("deps=['']", "deps holds '', which is not a string", "each entry is a string"),
        (
            "python=3.10",
            "python=3.1 is a number, in which 3.10 and 3.1 are the same",
            'write it as a string: python="3.10"',
        ),
        (
            "python=['3.12', 3.10]",
            "python holds 3.1, which is not a string, and 3.10 and 3.1 are the same number",
            'write it as a string: "3.10"',
        ),
        (
            "python=['3.12', None]",
            "python holds None, which is not a string",
            'name a version: "3" is any Python 3',
        ),
        ("python=True", "python cannot be True", 'write python="3.12" or a list of such strings'),
        (
            "python=[]",
            "python is an empty list: the session would have no jobs",
            "name a version, or python=False for a session without an environment",
        ),
        ("python={}", "python cannot be {}", 'write python="3.12" or a list of such strings'),
        ("backend='virtualenw'", "backend cannot be 'virtualenw'", "did you mean 'virtualenv'?"),
        (
            "backend='uv|none'",
            "backend cannot be 'uv|none'",
            "'none' stands alone: without an environment a session would not be the same",
        ),
        (
            "backend='zzz'",
            "backend cannot be 'zzz'",
            "it is one of uv, virtualenv, venv, conda, none, or a chain such as 'uv|virtualenv'",
        ),
        ("backend=1", "backend cannot be 1", "it is one of uv, virtualenv, venv, conda, none"),
        ("project='whee'", "project cannot be 'whee'", "did you mean 'wheel'?"),
        (
            "resolution='lowset'",
            "resolution cannot be 'lowset'",
            "did you mean 'lowest'?",
        ),
        ("resolution=1", "resolution cannot be 1", "it is one of highest, lowest, lowest-direct"),
        ("prerelease='alow'", "prerelease cannot be 'alow'", "did you mean 'allow'?"),
        ("exclude_newer=2024", "exclude_newer cannot be 2024", MOMENT),
        ("exclude_newer='2024-02-30'", "exclude_newer cannot be '2024-02-30'", MOMENT),
        (
            "exclude_newer='2024-01-31T12:00:00'",
            "exclude_newer cannot be '2024-01-31T12:00:00'",
            MOMENT,
        ),
        (
            "lock='pdm'",
            "lock cannot be 'pdm'",
            'it is "uv", for uv.lock; what `runenv --lock` has written is found without it',
        ),
        (
            "lock='uv', resolution='lowest'",
            'resolution beside lock="uv": what is installed stands in uv.lock',
            BESIDE_UV_LOCK,
        ),
        ("project=True", "project cannot be True", 'it is "wheel", "sdist", "editable" or False'),
        ("env=['A']", "env cannot be ['A']", 'write a dict: env={"NAME": "value"}'),
        (
            "environment='a b'",
            "the environment 'a b' would not be safe in a shell or as a folder",
            f"{SAFE}: 'a_b'",
        ),
        (
            "env='../up'",
            "the environment '../up' would not be safe in a shell or as a folder",
            f"{SAFE}: 'up'",
        ),
        (
            "environment=7",
            "the environment 7 would not be safe in a shell or as a folder",
            SAFE,
        ),
        ("conda_deps=['x']", "conda_deps is for conda environments alone", 'add backend="conda"'),
        (
            "backend='uv', channels=['x']",
            "channels is for conda environments alone",
            'add backend="conda"',
        ),
        (
            "backend='conda', python=['3.12', '>=3.13']",
            "python holds the range '>=3.13', and what a channel has is not known here",
            'name the versions: python=["3.12", "3.13"]',
        ),
        (
            "backend='conda', python='/usr/bin/python3'",
            "python cannot be '/usr/bin/python3' with conda, whose Python is a package",
            'write a version, "3.12", or a range, ">=3.11"',
        ),
        (
            "environment='dev', env='other'",
            "environment is 'dev' and env is 'other', which means the same",
            'keep one of them; variables are a dict: env={"NAME": "value"}',
        ),
        (
            "env={'A': 1}",
            "env: 'A' is 1; names and values of variables are strings",
            'write "1", or None to take the variable away',
        ),
        ("group=''", "group cannot be ''", 'it is one line of text: group="release"'),
        ("group='a\\nb'", "group cannot be 'a\\nb'", 'it is one line of text: group="release"'),
        ("group=7", "group cannot be 7", 'it is one line of text: group="release"'),
        ("parallel=2", "parallel cannot be 2", "write parallel=True or parallel=False"),
        (
            "exclusive=7",
            "exclusive cannot be 7",
            "write a list of strings: exclusive=[...]",
        ),
        ("default='no'", "default cannot be 'no'", "write default=True or default=False"),
        ("reuse=1", "reuse cannot be 1", "write reuse=True or reuse=False"),
        ("name=''", "a session cannot be named ''", 'write name="..."'),
        (
            "name='my tests'",
            "the session name 'my tests' would not be safe in a shell or as a folder",
            f"{SAFE}: 'my_tests'",
        ),
        (
            "name='../up'",
            "the session name '../up' would not be safe in a shell or as a folder",
            f"{SAFE}: 'up'",
        ),
        (
            "requires=[print]",
            "requires holds print, which is not a session",
            "put @runner.session on it, or name a session",
        ),
        ("requires=7", "requires cannot be 7", "write a list of names or functions"),
        ("dep=['x']", "@session has no argument 'dep'", "did you mean 'deps'?"),
        ("dependencies=[]", "@session has no argument 'dependencies'", "did you mean 'deps'?"),
        ("zzzz=1", "@session has no argument 'zzzz'", NAMES),
    ],
)
def test_a_wrong_argument_is_a_mistake_with_its_mend(mistakes, arguments, what, mend):
    found = mistakes(f"\n@runner.session({arguments})\ndef s(session): ...\n")

    assert ("envfile.py:3", what, mend) in found


@pytest.mark.parametrize(
    ("decorator", "arguments", "what", "mend"),
    [
        (
            "'a', []",
            "a",
            "parametrize('a') has no values: the session would have no jobs",
            "give it at least one, or take the decorator away",
        ),
        (
            "'a', 'xyz'",
            "a",
            "parametrize('a'): 'xyz' is no list of values",
            "write parametrize('a', ['xyz'])",
        ),
        ("'a', 7", "a", "parametrize('a'): 7 is no list of values", "write parametrize('a', [7])"),
        (
            "'a, b', [(1, 2), (3,)]",
            "a, b",
            "parametrize('a, b'): set 2 has 1 values, not 2",
            "each set needs a value for each of a, b: (3,) has not",
        ),
        (
            "'a, b', [1]",
            "a, b",
            "parametrize('a, b'): set 1 has one value, not 2",
            "each set needs a value for each of a, b: 1 has not",
        ),
        (
            "'a b', [1]",
            "a",
            "parametrize: 'a b' is not the name of an argument",
            'write parametrize("name", [...])',
        ),
        (
            "'a', [1, 2], ids=['x']",
            "a",
            "parametrize('a') has 2 sets of values and 1 ids",
            "give one id for each set; None lets runenv choose",
        ),
        (
            "5, [1]",
            "a",
            "parametrize: '5' is not the name of an argument",
            'write parametrize("name", [...])',
        ),
        ("'a', [1], ids='x'", "a", "ids is a string where a list belongs", "write ids=['x']"),
        (
            "'a', [1], ids=5",
            "a",
            "ids cannot be 5",
            "give one id for each set, or a function that is asked for each value",
        ),
        (
            "'a', [1], ids=['a b']",
            "a",
            "the id 'a b' would not be safe in a shell or as a folder",
            f"{SAFE}: 'a_b'",
        ),
        (
            "'a', [runner.param(1, id='')]",
            "a",
            "the id '' would not be safe in a shell or as a folder",
            SAFE,
        ),
        (
            "'apy', [1]",
            "api",
            "session 's' does not take the argument 'apy'",
            "did you mean 'api'?",
        ),
        (
            "'zz', [1]",
            "a=1",
            "session 's' does not take the argument 'zz'",
            "add zz to its arguments",
        ),
    ],
)
def test_a_wrong_parametrize_is_a_mistake_with_its_mend(mistakes, decorator, arguments, what, mend):
    found = mistakes(
        f"\n@runner.session\n@runner.parametrize({decorator})\ndef s(session, {arguments}): ...\n"
    )

    assert ("envfile.py:4", what, mend) in found


@pytest.mark.parametrize("values", ["[]", "7", "[(1, 2, 3)]"])
def test_a_wrong_parametrize_is_one_mistake_and_not_two(mistakes, values):
    found = mistakes(
        f"@runner.session\n@runner.parametrize('a, b', {values})\ndef s(session, a, b): ..."
    )

    assert len(found) == 1


def test_parametrize_without_session_is_a_mistake(mistakes):
    found = mistakes(
        """
        @runner.session
        def a(session): ...

        @runner.parametrize("n", [1])
        def forgotten(session, n): ...
        """
    )

    assert found == [
        (
            "envfile.py:6",
            "forgotten is parametrized, but is no session",
            "put @runner.session above it; other decorators stand below these two",
        )
    ]


def test_what_stands_below_an_exception_is_not_missed(mistakes):
    found = mistakes(
        """
        @runner.session(requires=["later"])
        def a(session): ...

        1 / 0

        @runner.session
        def later(session): ...
        """
    )

    assert [what for _, what, _ in found] == ["ZeroDivisionError: division by zero"]


def test_an_argument_parametrized_twice_is_a_mistake(mistakes):
    found = mistakes(
        """
        @runner.session
        @runner.parametrize("a", [1])
        @runner.parametrize("a", [2])
        def s(session, a): ...
        """
    )

    assert ("envfile.py:4", "session 's': 'a' is parametrized twice", "keep one") in found


@pytest.mark.parametrize(
    ("function", "what", "mend"),
    [
        (
            "def s(): ...",
            "session 's' takes no argument, and runenv hands it its Session",
            "write def s(session: runner.Session) -> None",
        ),
        (
            "async def s(session): ...",
            "session 's' is async: calling it would run nothing",
            "use a plain def",
        ),
        (
            "def s(session): yield",
            "session 's' is a generator: calling it would run nothing",
            "use a plain def",
        ),
        (
            "def s(session, api): ...",
            "nothing fills the argument 'api' of session 's'",
            'add @runner.parametrize("api", [...]) or give it a default',
        ),
        (
            "def s(session, *, api): ...",
            "nothing fills the argument 'api' of session 's'",
            'annotate it, which makes it an option, add @runner.parametrize("api", [...]) or give it a default',
        ),
    ],
)
def test_a_function_that_cannot_be_called_is_a_mistake(mistakes, function, what, mend):
    assert mistakes(f"\n@runner.session\n{function}\n") == [("envfile.py:3", what, mend)]


def test_what_is_no_function_is_a_mistake(mistakes):
    assert mistakes("runner.session(7)") == [
        (
            "envfile.py:2",
            "@session was given 7, not a function",
            "name its arguments: @runner.session(name=...)",
        )
    ]


def test_a_callable_object_is_no_session(mistakes):
    found = mistakes("runner.session(name='x')(print)")

    assert found == [
        ("envfile.py:2", "session 'x' is no plain function: <built-in function print>", "use a def")
    ]


def test_a_second_session_of_one_name_is_a_mistake_that_names_both_places(mistakes):
    found = mistakes(
        """
        @runner.session
        def a(session): ...

        @runner.session
        def a(session): ...
        """
    )

    assert found == [
        (
            "envfile.py:6",
            "a second session is named 'a'; the first is at envfile.py:3",
            "rename one of them, or give it name=",
        )
    ]


def test_an_unknown_option_is_a_mistake_with_the_near_name(mistakes):
    assert mistakes("runner.options.defalt = []\n@runner.session\ndef a(session): ...") == [
        ("envfile.py:2", "runner.options has no 'defalt'", "did you mean 'default'?")
    ]


def test_an_option_of_the_wrong_type_is_a_mistake(mistakes):
    ((place, what, mend),) = mistakes(
        "runner.options.default = 'lint'\n@runner.session\ndef lint(session): ..."
    )

    assert (place, what) == ("envfile.py:2", "runner.options.default cannot be 'lint'")
    assert "['lint']" in mend


def test_options_are_those_of_the_envfile_alone(tmp_path):
    first, second = tmp_path / "a.py", tmp_path / "b.py"
    first.write_text(
        "import runner\nrunner.options.default = ['s']\n@runner.session\ndef s(session): ..."
    )
    second.write_text("import runner\n@runner.session\ndef s(session): ...")

    assert load_project(str(first)).options == {"default": ["s"]}
    assert load_project(str(second)).options == {}


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines(mistakes):
    found = mistakes(
        """
        runner.options.fail_fats = True

        @runner.session(deps="pytest", python=3.12)
        def tests(session): ...

        @runner.session(requires=["tets"])
        def docs(session): ...

        @runner.session(requires=["docs-again"], name="docs-again")
        def docs_again(session): ...
        """
    )

    assert [(place, what) for place, what, _ in found] == [
        ("envfile.py:3", "runner.options has no 'fail_fats'"),
        ("envfile.py:5", "python=3.12 is a number, in which 3.10 and 3.1 are the same"),
        ("envfile.py:5", "deps is a string where a list belongs"),
        ("envfile.py:8", "session 'docs' requires 'tets', which no session is named"),
        ("envfile.py:11", "these require each other: docs-again -> docs-again"),
    ]


# Pythons in rows. -----------------------------------------------------------------------


def test_a_python_among_the_values_is_the_python_of_its_row_alone(jobs):
    found = jobs(
        """
        @runner.session
        @runner.parametrize("python,django", [("3.10", "4.2"), ("3.13", "5.1")])
        def tests(session, django): ...
        """
    )

    assert [(job.name, job.nox_name, job.python, job.arguments) for job in found.values()] == [
        (
            "tests-3.10-django4.2",
            "tests(python='3.10', django='4.2')",
            "3.10",
            (("django", "4.2"),),
        ),
        (
            "tests-3.13-django5.1",
            "tests(python='3.13', django='5.1')",
            "3.13",
            (("django", "5.1"),),
        ),
    ]
    assert found["tests-3.10-django4.2"].spec.pythons == ("3.10", "3.13")


def test_the_python_of_a_row_stands_before_its_id_and_other_parameters(jobs):
    found = jobs(
        """
        @runner.session
        @runner.parametrize("api", ["old", "new"])
        @runner.parametrize(
            ["django", "python"], [runner.param("4.2", "3.10", id="lts", tags=["slow"])]
        )
        def tests(session, api, django): ...
        """
    )

    assert [(job.name, job.tags) for job in found.values()] == [
        ("tests-3.10-lts-old", ("slow",)),
        ("tests-3.10-lts-new", ("slow",)),
    ]
    assert found["tests-3.10-lts-new"].arguments == (("django", "4.2"), ("api", "new"))


def test_a_python_alone_may_be_parametrized(jobs):
    found = jobs(
        """
        @runner.session
        @runner.parametrize("python", ["3.10", "pypy3.11"])
        def tests(session): ...
        """
    )

    assert [(job.name, job.python) for job in found.values()] == [
        ("tests-3.10", "3.10"),
        ("tests-pypy3.11", "pypy3.11"),
    ]


def test_a_function_that_takes_the_python_has_it_as_a_value_like_others(jobs):
    (job,) = jobs(
        """
        @runner.session(python="3.12")
        @runner.parametrize("python", ["3.10"])
        def tests(session, python): ...
        """
    ).values()

    assert (job.name, job.python, job.arguments) == (
        "tests-python3.10",
        "3.12",
        (("python", "3.10"),),
    )


def test_a_function_that_takes_anything_is_not_handed_the_python(jobs):
    (job,) = jobs(
        """
        @runner.session
        @runner.parametrize("python, n", [("3.10", 1)])
        def tests(session, **rest): ...
        """
    ).values()

    assert (job.python, job.arguments) == ("3.10", (("n", 1),))


def test_rows_with_one_python_and_the_same_values_are_two_jobs_of_one_name(mistakes):
    found = mistakes(
        """
        @runner.session
        @runner.parametrize("python, n", [("3.10", 1), ("3.10", 1)])
        def tests(session, n): ...
        """
    )

    assert found == [
        (
            "envfile.py:3",
            "two jobs are named 'tests-3.10-n1'",
            "tell them apart with runner.param(..., id=...): tests(python='3.10', n=1)",
        )
    ]


def test_a_python_beside_one_that_is_parametrized_is_a_mistake(mistakes):
    found = mistakes(
        """
        @runner.session(python=["3.12"])
        @runner.parametrize("python, n", [("3.10", 1)])
        def tests(session, n): ...
        """
    )

    assert found == [
        (
            "envfile.py:4",
            "session 'tests' has a python= beside this parametrize, which gives the Python too",
            "keep one; where tests takes an argument 'python', it is a value like others",
        )
    ]


@pytest.mark.parametrize(
    ("value", "what", "mend"),
    [
        (
            "3.10",
            "python holds 3.1, which is not a string, and 3.10 and 3.1 are the same number",
            'write it as a string: "3.10"',
        ),
        (
            "None",
            "python holds None, which is not a string",
            'name a version: "3" is any Python 3',
        ),
        ("''", "python holds '', which is not a string", 'name a version: "3" is any Python 3'),
    ],
)
def test_a_value_that_is_no_python_is_a_mistake_of_its_parametrize(mistakes, value, what, mend):
    found = mistakes(
        f"""
        @runner.session
        @runner.parametrize("python, n", [("3.12", 1), ({value}, 2)])
        def tests(session, n): ...
        """
    )

    assert found == [("envfile.py:4", what, mend)]


def test_what_requires_a_python_of_rows_waits_for_all_jobs_on_it(jobs):
    found = jobs(
        """
        @runner.session
        @runner.parametrize("python, n", [("3.10", 1), (" 3.10 ", 2), ("3.12", 1)])
        def tests(session, n): ...

        @runner.session(python=["3.10"], requires=["tests-{python}"])
        def report(session): ...
        """
    )

    assert found["report-3.10"].requires == ("tests-3.10-n1", "tests-3.10-n2")
