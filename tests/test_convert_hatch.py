"""The environments of hatch as an envfile: a text in, a text out."""

from __future__ import annotations

from textwrap import dedent

from runner.convert import Converted, convert


def converted(text: str) -> Converted:
    """What comes of a pyproject.toml."""
    made = convert("pyproject.toml", dedent(text))
    assert made is not None
    return made


def envfile(text: str) -> str:
    """The envfile without its head."""
    return converted(text).text.partition("import runner\n")[2].strip() + "\n"


def test_each_script_is_a_session_and_they_share_the_environment():
    assert envfile(
        """
        [tool.hatch.envs.default]
        dependencies = ["ruff", "pytest"]
        scripts.test = "pytest {args:tests}"
        scripts.fmt = ["ruff format", "- ruff check --fix {args}"]
        """
    ) == dedent(
        """\
        runner.options.default = ["test"]


        @runner.session(environment="default", deps=["ruff", "pytest"], project="editable")
        def test(session: runner.Session) -> None:
            session.run("pytest", *(session.posargs or ["tests"]))


        @runner.session(environment="default")
        def fmt(session: runner.Session) -> None:
            session.run("ruff", "format")
            session.run("ruff", "check", "--fix", *session.posargs, check=False)
        """
    )


def test_scripts_that_call_others_hold_their_commands():
    assert 'session.run("a", "-x")\n    session.run("b")' in envfile(
        """
        [tool.hatch.envs.x]
        scripts.one = "a"
        scripts.all = ["one -x", "b"]
        """
    )


def test_a_matrix_is_a_list_of_pythons_and_arguments():
    assert envfile(
        """
        [tool.hatch.envs.test]
        detached = true
        dependencies = ["pytest"]
        scripts.run = "pytest --api {matrix:api}"
        [[tool.hatch.envs.test.matrix]]
        python = ["3.10", "3.13"]
        api = ["old", "new"]
        [tool.hatch.envs.test.overrides]
        matrix.api.dependencies = [{ value = "requests<2.30", if = ["old"] }]
        """
    ) == dedent(
        """\
        @runner.session(name="test-run", python=["3.10", "3.13"], deps=["pytest"])
        @runner.parametrize("api", ["old", "new"])
        def test_run(session: runner.Session, api: str) -> None:
            if api == "old":
                session.install("requests<2.30")
            session.run("pytest", "--api", api)
        """
    )


def test_several_products_are_names_one_by_one():
    made = converted(
        """
        [tool.hatch.envs.test]
        scripts.run = "pytest"
        matrix = [{ python = ["3.10"], api = ["old"] }, { python = ["3.13"], api = ["new"] }]
        """
    )

    assert made.environments == ("test-run-py3.10-old", "test-run-py3.13-new")


def test_what_stands_in_a_template_is_inherited():
    text = envfile(
        """
        [tool.hatch.envs.default]
        features = ["x"]
        [tool.hatch.envs.docs]
        template = "docs"
        dependencies = ["sphinx"]
        scripts.build = "sphinx-build"
        [tool.hatch.envs.lint]
        extra-dependencies = ["ruff"]
        env-vars = { A = "1" }
        scripts.check = "ruff"
        """
    )

    assert '@runner.session(name="docs-build", deps=["sphinx"], project="editable")' in text
    assert 'deps=["ruff"],\n    extras=["x"],\n    project="editable",\n    env={"A": "1"}' in text


def test_an_environment_without_scripts_runs_what_is_named():
    assert envfile("[tool.hatch.envs.dev]\nskip-install = true\n") == dedent(
        """\
        @runner.session
        def dev(session: runner.Session) -> None:
            if session.posargs:
                session.run(*session.posargs)
        """
    )


def test_signs_of_a_shell_are_left_to_a_shell():
    assert (
        'session.run("sh", "-c", "a | b \\"$@\\" && c", "sh", *session.posargs, external=True)'
        in envfile('[tool.hatch.envs.x.scripts]\ny = "a | b {args} && c"\n').replace(
            "'a | b \"$@\" && c'", '"a | b \\"$@\\" && c"'
        )
    )


def test_hatch_test_has_what_hatch_brings():
    text = envfile("[tool.hatch.envs.hatch-test]\nextra-dependencies = ['six']\n")

    assert '"pytest~=9.0"' in text
    assert '"six"' in text
    assert 'session.run("pytest", *(session.posargs or ["tests"]))' in text


def test_hatch_test_without_a_matrix_has_that_of_hatch_and_runs_on_one_python_of_it():
    text = converted("[tool.hatch.envs.hatch-test]\nextra-dependencies = ['six']\n").text

    pythons = '["3.15", "3.15t", "3.14", "3.14t", "3.13", "3.12", "3.11", "3.10"]'
    assert f"PYTHONS = {pythons}\n" in text
    assert "import sys\n" in text
    assert (
        'runner.options.default = [f"hatch-test-{sys.version_info[0]}.{sys.version_info[1]}"]\n'
    ) in text


def test_a_matrix_of_its_own_takes_the_place_of_that_of_hatch():
    text = envfile("[[tool.hatch.envs.hatch-test.matrix]]\npython = ['3.12']\n")

    assert 'PYTHONS = ["3.12"]\n' in text
    assert "sys" not in text.partition("@runner")[0].replace("sessions", "")


def test_what_a_plugin_does_is_left():
    made = converted("[tool.hatch.envs.x]\ntype = 'conda'\n")

    assert [(note.kind, note.line) for note in made.notes] == [("left", 2)]


def test_settings_that_hatch_ignores_are_told():
    made = converted("[tool.hatch.envs.x]\ndependecies = ['a']\n")

    assert [(note.kind, note.line, note.text) for note in made.notes] == [
        ("ignored", 2, "x.dependecies: hatch has no such setting")
    ]


def test_matrix_name_format_is_in_the_names_of_jobs_and_of_the_environment():
    text = """
        [tool.hatch.envs.ct]
        matrix-name-format = "{variable}_{value}"
        scripts.cov = "echo {env_name}"
        [[tool.hatch.envs.ct.matrix]]
        python = ["3.11", "3.12"]
        dj = ["4", "5"]
        """
    made = envfile(text)

    assert '@runner.parametrize("dj", ["4", "5"], ids=["dj_4", "dj_5"])\n' in made
    assert 'session.run("echo", f"ct.py{session.python}-dj_{dj}", external=True)\n' in made


def test_matrix_name_format_is_in_the_names_of_sessions_that_are_one_job_each():
    made = converted(
        """
        [tool.hatch.envs.ct]
        matrix-name-format = "{variable}_{value}"
        scripts.cov = "echo {env_name}"
        overrides.matrix.dj.skip-install = [{ value = true, if = ["4"] }]
        [[tool.hatch.envs.ct.matrix]]
        dj = ["4", "5"]
        """
    )

    assert made.environments == ("ct-cov-dj_4", "ct-cov-dj_5")
    assert 'session.run("echo", "ct.dj_5", external=True)' in made.text
