"""`runner.include`: which files are meant, what their sessions are called, what they import."""

from __future__ import annotations

import os
import sys
import tempfile
import textwrap
from pathlib import Path
from types import ModuleType

import pytest

import runner
from runner import plan, tab
from runner.commands.usage import describe
from runner.envs import folder
from runner.errors import EnvfileError, UsageError
from runner.including import matching
from runner.listing import listing_of
from runner.load import load_project
from runner.model import Job, Project, Request
from runner.opening import open_project, open_settings
from runner.own_options import settle_own
from runner.selection import find_jobs
from runner.world import family_of

pytestmark = pytest.mark.usefixtures("imports_are_undone")

LINT = "@runner.session(python=False)\ndef lint(session): ...\n"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text), encoding="utf-8")


def envfile(folder: Path, text: str = LINT) -> str:
    write(folder / "envfile.py", "import runner\n" + textwrap.dedent(text))
    return str(folder / "envfile.py")


def load(root: Path, text: str = 'runner.include("*/envfile.py")') -> Project:
    return load_project(envfile(root, text))


def opened(root: Path, text: str, environ: dict[str, str] | None = None, **given: object):
    file = envfile(root, text)
    request = Request(verb="run", argument=None, given={"file": file, **given}, posargs=())
    return open_project(request, environ or {})


def jobs_of(project: Project) -> dict[str, Job]:
    return {job.name: job for job in project.jobs}


def mistakes(root: Path, text: str) -> list[tuple[str, str, str]]:
    with pytest.raises(EnvfileError) as caught:
        load(root, text)
    return [tuple(mistake) for mistake in caught.value.mistakes]


# Names. ---------------------------------------------------------------------------------


def test_sessions_of_an_included_envfile_have_the_name_of_its_folder_before_theirs(root: Path):
    envfile(root / "api")
    envfile(root / "core", LINT.replace("python=False", 'python=["3.11", "3.12"]'))

    project = load(root, f'{LINT}runner.include("*/envfile.py")')

    names = [job.name for job in project.jobs]
    assert names == ["lint", "api:lint", "core:lint-3.11", "core:lint-3.12"]
    assert jobs_of(project)["core:lint-3.12"].own_name == "lint-3.12"


def test_a_prefix_may_be_given(root: Path):
    envfile(root / "The API")

    project = load(root, 'runner.include("The API/envfile.py", prefix="api")')

    assert [job.name for job in project.jobs] == ["api:lint"]


def test_a_pattern_leaves_out_what_is_included_by_its_path(root: Path):
    envfile(root / "api")
    envfile(root / "core")

    text = 'runner.include("*/envfile.py")\nrunner.include("./core/envfile.py", prefix="base")'
    assert [job.name for job in load(root, text).jobs] == ["api:lint", "base:lint"]


def test_an_envfile_may_be_a_link_to_that_of_all_packages(root: Path):
    envfile(root / "common")
    for name in ("one", "two"):
        (root / name).mkdir()
        (root / name / "envfile.py").symlink_to("../common/envfile.py")

    jobs = load(root, 'runner.include("[ot]*/envfile.py")').jobs

    assert [(job.name, job.spec.root) for job in jobs] == [
        ("one:lint", str(root / "one")),
        ("two:lint", str(root / "two")),
    ]


def test_what_is_included_may_include(root: Path):
    envfile(root / "api", f'{LINT}runner.include("docs/envfile.py")')
    envfile(root / "api/docs")

    project = load(root)

    assert [job.name for job in project.jobs] == ["api:lint", "api:docs:lint"]
    assert [part.prefix for part in project.parts] == ["api:", "api:docs:"]


def test_an_envfile_may_be_included_by_two(root: Path):
    envfile(root / "one", 'runner.include("../core/envfile.py")')
    envfile(root / "two", 'runner.include("../core/envfile.py")')
    envfile(root / "core")

    project = load(root)

    assert [job.name for job in project.jobs] == ["core:lint", "one:core:lint", "two:core:lint"]


def test_names_in_requires_and_after_are_those_of_its_own_envfile(root: Path):
    both = f'{LINT}@runner.session(requires=["lint"], after=["li*"])\ndef tests(session): ...\n'
    envfile(
        root / "api", both.replace('after=["li*"]', 'after=["fo*"]') + LINT.replace("lint", "form")
    )

    tests = jobs_of(load(root, f'{LINT}runner.include("*/envfile.py")'))["api:tests"]

    assert tests.requires == ("api:lint",)
    assert tests.after == ("api:form",)


def test_a_colon_leads_to_the_envfile_that_includes_it(root: Path):
    envfile(root / "core")
    tests = '@runner.session(requires=["lint", ":core:lint", ":lint"], after=[":c*"])\ndef tests(session): ...\n'
    envfile(root / "api", LINT + tests)

    job = jobs_of(load(root, f'{LINT}runner.include("*/envfile.py")'))["api:tests"]

    assert job.requires == ("api:lint", "core:lint", "lint")
    assert job.after == ()  # it requires what it follows


def test_two_colons_lead_two_envfiles_up(root: Path):
    envfile(root / "api", f'{LINT}runner.include("docs/envfile.py")')
    envfile(root / "api/docs", LINT.replace("python=False", 'requires=[":lint", "::lint"]'))

    job = jobs_of(load(root, f'{LINT}runner.include("*/envfile.py")'))["api:docs:lint"]

    assert job.requires == ("api:lint", "lint")


def test_the_top_names_those_of_others_as_they_are_listed(root: Path):
    envfile(root / "api")
    everything = '@runner.session(requires=["api:lint"], after=["*:lint"])\ndef all(session): ...\n'

    assert jobs_of(load(root, f'{everything}runner.include("*/envfile.py")'))["all"].requires == (
        "api:lint",
    )


def test_alone_it_is_the_same_but_for_what_the_other_would_have(root: Path):
    tests = '@runner.session(requires=["lint", ":core:lint"], after=[":lint"])\ndef tests(session): ...\n'

    job = jobs_of(load(root, LINT + tests))["tests"]

    assert (job.requires, job.above, job.after) == (("lint",), ":core:lint", ())


@pytest.mark.parametrize(
    ("written", "what", "mend"),
    [
        ('requires=["lnt"]', "requires 'lnt'", "did you mean 'lint'?"),
        ('requires=[":core:lnt"]', "requires ':core:lnt'", "did you mean ':core:lint'?"),
        ('after=["lnt"]', "comes after 'lnt'", "did you mean 'lint'?"),
        ('requires=["publish"]', "requires 'publish'", "there are lint, tests"),
    ],
)
def test_a_name_that_there_is_not_is_told_as_its_envfile_writes_it(
    root: Path, written: str, what: str, mend: str
):
    envfile(root / "core")
    envfile(root / "api", f"{LINT}@runner.session({written})\ndef tests(session): ...\n")

    (mistake,) = mistakes(root, 'runner.include("*/envfile.py")')

    assert mistake == (
        "api/envfile.py:4",
        f"session 'api:tests' {what}, which no session is named",
        mend,
    )


def test_a_name_two_envfiles_up_is_told_with_its_colons(root: Path):
    envfile(root / "api", 'runner.include("docs/envfile.py")')
    envfile(root / "api/docs", LINT.replace("python=False", 'requires=["::lnt"]'))

    ((_, what, mend),) = mistakes(root, f'{LINT}runner.include("api/envfile.py")')

    assert what == "session 'api:docs:lint' requires '::lnt', which no session is named"
    assert mend == "did you mean '::lint'?"


def test_names_that_an_exception_has_cut_off_are_no_mistakes(root: Path):
    envfile(root / "api", f"1 / 0\n{LINT}")

    text = 'runner.include("*/envfile.py")\n' + LINT.replace(
        "python=False", 'requires=["api:lint"]'
    )
    ((where, what, _),) = mistakes(root, text)

    assert (where, what) == ("api/envfile.py:2", "ZeroDivisionError: division by zero")


def test_environments_are_shared_within_an_envfile_alone(root: Path):
    shared = LINT.replace("python=False", 'environment="dev", deps=["one"]')
    envfile(root / "api", shared)
    envfile(root / "core", shared.replace("one", "two"))

    jobs = jobs_of(load(root))

    assert [job.environment for job in jobs.values()] == ["api:dev", "core:dev"]
    assert jobs["core:lint"].spec.needs.deps == ("two",)


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("api", "'api:*' means all that api has"),
        ("lint", "there are api:lint, core:lint; '*:lint' means all of them"),
        ("api/lint", "did you mean 'api:lint'?"),
        ("tests", "did you mean 'core:tests'?"),
        ("core:test", "did you mean 'core:tests'?"),
        ("core:publish", None),
        ("form", "there are api:form, core:form; '*:form' means all of them"),
    ],
)
def test_a_name_without_its_prefix_is_told_with_it(root: Path, typed: str, hint: str | None):
    form = LINT.replace("lint", "form").replace("python=False", 'python=["3.11", "3.12"]')
    envfile(root / "api", LINT + form)
    envfile(root / "core", LINT + LINT.replace("lint", "tests") + form)

    with pytest.raises(UsageError) as caught:
        find_jobs(typed, load(root).jobs)

    told = [hint] if hint else []
    assert caught.value.mend.splitlines() == [*told, "`runenv --list` shows them all"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("api:*", ["api:lint", "api:tests-old"]),
        ("*:lint", ["api:lint", "core:lint"]),
        ("api*", ["api:lint", "api:tests-old"]),
        ("api:tests", ["api:tests-old"]),
        ("api:tests(x='old')", ["api:tests-old"]),
    ],
)
def test_patterns_and_families_select_as_ever(root: Path, pattern: str, found: list[str]):
    tests = '@runner.session\n@runner.parametrize("x", ["old"])\ndef tests(session, x): ...\n'
    envfile(root / "api", LINT + tests)
    envfile(root / "core")

    assert [job.name for job in find_jobs(pattern, load(root).jobs)] == found


def test_a_path_among_the_options_starts_where_it_is_typed(root: Path, monkeypatch):
    release = """
        from pathlib import Path

        @runner.session
        def release(session, *, out: Path = Path()): ...
        """
    envfile(root / "api", release)
    monkeypatch.chdir(root)
    file = envfile(root, 'runner.include("*/envfile.py")')
    own = ("api:release", "--out", "dist")
    request = Request("run", None, {"file": file}, (), own=own)

    project, settings = open_project(request, {})

    assert settings.sessions == ("api:release",)
    assert project.jobs[0].options == (("out", root / "dist"),)
    assert settle_own(own, load_project(file).jobs, "here").sessions == ("api:release",)


# Files. ---------------------------------------------------------------------------------


def found(root: Path, pattern: str) -> list[str]:
    return [os.path.relpath(path, root) for path in matching(str(root), pattern, [])]


def test_a_pattern_means_what_is_there_in_the_order_of_names(root: Path):
    for name in ("b", "a", ".hidden", "a/deep"):
        write(root / name / "envfile.py", "")
    (root / "empty").mkdir()

    assert found(root, "*/envfile.py") == ["a/envfile.py", "b/envfile.py"]
    assert found(root, "./[bc]/*.py") == ["b/envfile.py"]
    assert found(root, "**/envfile.py") == ["a/envfile.py", "a/deep/envfile.py", "b/envfile.py"]
    assert found(root / "a", "../b/envfile.py") == ["../b/envfile.py"]
    assert found(root, str(root / "b/envfile.py")) == ["b/envfile.py"]
    assert found(root, ".hidden/envfile.py") == [".hidden/envfile.py"]
    assert found(root, "no/*/envfile.py") == []
    assert found(root / "a", "**/**/envfile.py") == ["envfile.py", "deep/envfile.py"]


def test_two_stars_go_around_environments_links_and_what_is_installed(root: Path):
    for name in ("venv/lib", "node_modules/x", "__pycache__"):
        write(root / name / "envfile.py", "")
    write(root / "venv/pyvenv.cfg", "")
    (root / "round").symlink_to(root)

    assert found(root, "**/envfile.py") == []


def test_an_envfile_that_a_pattern_of_its_own_matches_does_not_include_itself(root: Path):
    envfile(root / "api")

    assert [job.name for job in load(root, f'{LINT}runner.include("**/envfile.py")').jobs] == [
        "lint",
        "api:lint",
    ]


def test_what_was_read_and_looked_at_is_known(root: Path):
    envfile(root / "api", f"import words_api\nrunner.project.load_toml('x.toml')\n{LINT}")
    write(root / "api/words_api.py", "")
    write(root / "api/x.toml", "")
    (root / "empty").mkdir()

    project = load(root)

    top, api = (
        str(root / "envfile.py"),
        tuple(str(root / "api" / name) for name in ("envfile.py", "words_api.py", "x.toml")),
    )
    assert project.read == (top,)
    assert project.parts[0].read == api
    absent = (str(root / "empty/envfile.py"), str(root / "envfile.py/envfile.py"))
    assert project.all_read == (top, *api, str(root), *absent)
    assert project.read_for(project.jobs[0].spec) == api


def test_a_tab_knows_of_a_package_that_is_added(root: Path, monkeypatch, tmp_path: Path):
    envfile(root / "api")
    file = envfile(root, 'runner.include("*/envfile.py")')
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.chdir(root)
    line = "runenv "
    out = tmp_path / "out"
    environ = {
        "_ARGCOMPLETE_SHELL": "bash",
        "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(out),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "XDG_CACHE_HOME": str(tmp_path),
    }

    assert list(listing_of(file, str(tmp_path / "runenv")).sessions) == ["api:lint"]
    assert tab.answer(environ)
    assert out.read_text() == "api:lint"

    envfile(root / "core")
    assert not tab.answer(environ)
    assert list(listing_of(file, str(tmp_path / "runenv")).sessions) == ["api:lint", "core:lint"]


@pytest.mark.skipif(os.name != "posix", reason="rights of POSIX")
def test_a_tab_takes_a_folder_that_cannot_be_read_for_an_empty_one():
    as_root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as folder:  # where everybody may look, unlike tmp_path
        (Path(folder) / "name").touch()
        os.chmod(folder, 0o300)
        if as_root:
            os.seteuid(65534)
        try:
            assert tab.content(folder) == b""
        finally:
            if as_root:
                os.seteuid(0)
            os.chmod(folder, 0o700)


@pytest.mark.parametrize(
    ("files", "text", "what", "mend"),
    [
        (
            ["the,api/envfile.py"],
            'runner.include("*/envfile.py")',
            "the name of the folder of the,api/envfile.py cannot be a prefix",
            'give it one: prefix="the_api"',
        ),
        (
            ["api/envfile.py"],
            'runner.include("api/envfile.py", prefix=5)',
            "the prefix 5 would not be safe in a shell or as a folder",
            "use letters, digits, '.', '_', '+' and '-': '5'",
        ),
        (
            [],
            'runner.include("*/envfile.py")',
            "no file matches '*/envfile.py'",
            "a path starts at the folder of the envfile; take the line out where there is none",
        ),
        (
            ["packages/api/envfile.py"],
            'runner.include("packages/apo/envfile.py")',
            "no file matches 'packages/apo/envfile.py'",
            "did you mean 'api'?",
        ),
        (
            ["packages/api/envfile.py"],
            'runner.include("packages/api/")',
            "no file matches 'packages/api/'",
            "a folder is not meant; write 'packages/api/envfile.py'",
        ),
        (
            ["api/envfile.py"],
            'runner.include("a*/envfile.py"); runner.include("*/envfile.py")',
            "api/envfile.py is included twice",
            "take one of the two out",
        ),
        (
            ["api/envfile.py"],
            'runner.include("api/envfile.py"); runner.include("*/envfile.py", prefix="x")',
            "",  # the pattern leaves it out
            "",
        ),
        (
            ["api/envfile.py", "api/more.py"],
            'runner.include("api/*.py")',
            "api/more.py lies in the folder of api/envfile.py",
            "import it there: what a module declares is its envfile's own",
        ),
        (
            ["api/noxfile.py"],
            'runner.include("api/*.py")',
            "api/noxfile.py is a noxfile, whose sessions have other names and rules",
            "make an envfile of it: runenv --convert api/noxfile.py",
        ),
    ],
)
def test_what_cannot_be_included_is_told_with_its_mend(
    root: Path, files: list[str], text: str, what: str, mend: str
):
    for name in files:
        write(root / name, f"import runner\n{LINT}")

    if what:
        assert mistakes(root, text) == [("envfile.py:2", f"include: {what}", mend)]
    else:
        assert [job.name for job in load(root, text).jobs] == ["api:lint"]


def test_a_circle_is_told_from_where_it_begins(root: Path):
    envfile(root / "api", 'runner.include("docs/envfile.py")')
    envfile(root / "api/docs", 'runner.include("../envfile.py")')

    ((where, what, mend),) = mistakes(root, 'runner.include("api/envfile.py")')

    circle = "api/envfile.py -> api/docs/envfile.py -> api/envfile.py"
    assert where == "api/docs/envfile.py:2"
    assert what == f"include: these include each other: {circle}"
    assert mend == "take one of the include out"


# What it imports. -----------------------------------------------------------------------


USES = """
    import words

    NAME = words.NAME

    @runner.session(python=False)
    def tests(session):
        import late

        session.append((words.NAME, late.NAME, runner.project.load_toml("x.toml")))
    """


@pytest.fixture
def two(root: Path) -> Path:
    """Two packages with modules of the same names, and their top with one too."""
    for name in ("api", "core"):
        envfile(root / name, USES)
        write(root / name / "words.py", f"NAME = 'words of {name}'\n")
        write(root / name / "late.py", f"NAME = 'late of {name}'\n")
        write(root / name / "x.toml", f"name = '{name}'\n")
    write(root / "words.py", "NAME = 'words of the top'\n")
    return root


def call(job: Job) -> object:
    """What the function of the session says."""
    said: list[object] = []
    assert job.spec.imports is not None
    with job.spec.imports:
        job.spec.function(said)
    return said[0]


def test_each_envfile_imports_the_modules_of_its_own_folder(two: Path):
    jobs = jobs_of(load(two, 'import words\nrunner.include("*/envfile.py")'))

    for name in ("api", "core", "api"):  # again: what was imported late is kept
        assert call(jobs[f"{name}:tests"]) == (
            f"words of {name}",
            f"late of {name}",
            {"name": name},
        )


def test_the_top_has_its_own_modules_behind_all_of_them(two: Path):
    project = load(two, 'import words\nrunner.include("*/envfile.py")')
    call(jobs_of(project)["api:tests"])

    assert sys.modules["words"].NAME == "words of the top"
    there = {n for n, m in sys.modules.items() if str(two) in str(getattr(m, "__file__", None))}
    assert there == {"words", "envfile"}
    assert str(two) in sys.path
    assert not [path for path in sys.path if path.startswith(str(two / "api"))]


def test_a_module_of_the_top_is_not_there_for_an_included_envfile(root: Path):
    write(root / "words_top.py", "")
    envfile(root / "api", f"import words_top\n{LINT}")

    ((where, what, _),) = mistakes(root, 'import words_top\nrunner.include("*/envfile.py")')

    assert (where, what) == (
        "api/envfile.py:2",
        "ModuleNotFoundError: No module named 'words_top'",
    )


def test_where_the_top_lies_on_the_path_by_chance_its_modules_are_not_there(
    root: Path, monkeypatch
):
    write(root / "words_top.py", "")
    envfile(root / "api", f"import words_top\n{LINT}")
    monkeypatch.syspath_prepend(root)

    assert len(mistakes(root, 'runner.include("*/envfile.py")')) == 1
    monkeypatch.setenv("PYTHONPATH", str(root))
    assert [job.name for job in load(root).jobs] == ["api:lint"]


def test_a_package_without_an_init_is_its_own(root: Path):
    for name in ("api", "core"):
        write(root / name / "tools/tool.py", f"NAME = {name!r}\n")
        session = "@runner.session(python=False)\ndef s(session): session.append(tool.NAME)\n"
        envfile(root / name, f"from tools import tool\n{session}")

    jobs = jobs_of(load(root))

    assert [call(jobs["api:s"]), call(jobs["core:s"])] == ["api", "core"]


def test_the_program_itself_stays(root: Path, monkeypatch):
    program = ModuleType("__main__")
    program.__file__ = "/usr/bin/runenv"
    monkeypatch.setitem(sys.modules, "__main__", program)
    envfile(root / "api", f"import sys\nassert '__main__' in sys.modules\n{LINT}")

    assert [job.name for job in load(root).jobs] == ["api:lint"]


def test_behind_a_session_the_project_is_that_of_the_top_again(two: Path):
    project = load(two, 'runner.include("*/envfile.py")')
    write(two / "x.toml", "name = 'top'\n")

    call(jobs_of(project)["api:tests"])

    assert runner.project.load_toml("x.toml") == {"name": "top"}


def test_what_is_there_for_all_is_not_loaded_again(root: Path):
    envfile(root / "api", f"import json, textwrap\nseen = id(textwrap)\n{LINT}")

    load(root)

    assert sys.modules["textwrap"] is textwrap


def test_a_module_that_a_session_finds_elsewhere_is_its_own(root: Path):
    for name in ("api", "core"):
        write(root / f"tools_of_{name}/tool.py", f"NAME = {name!r}\n")
        text = f"import sys\nsys.path.append({str(root / f'tools_of_{name}')!r})\nimport tool\n"
        session = "@runner.session(python=False)\ndef s(session): session.append(tool.NAME)\n"
        envfile(root / name, text + session)

    jobs = jobs_of(load(root))

    assert [call(jobs["api:s"]), call(jobs["core:s"])] == ["api", "core"]


# What it decides. -----------------------------------------------------------------------

OWN = """
    runner.options.default = ["tests"]
    runner.options.backend = "venv"
    runner.options.timeout = 60
    runner.options.env_file = ["own.env"]
    runner.options.jobs = 7

    @runner.session
    def lint(session): ...

    @runner.session(backend="uv", timeout=5, env_file="more.env", default=False)
    def tests(session): ...
    """


def test_its_options_describe_its_sessions_and_not_the_run(root: Path):
    envfile(root / "api", OWN)

    project, settings = opened(root, f'{LINT}runner.include("*/envfile.py")')

    top, lint, tests = (job.spec for job in project.jobs)
    assert [spec.default for spec in (top, lint, tests)] == [True, False, True]
    assert [spec.needs.backend for spec in (top, lint, tests)] == ["none", "venv", "uv"]
    assert [spec.timeout_s for spec in (top, lint, tests)] == [None, 60, 5]
    assert [spec.env_file for spec in (top, lint, tests)] == [
        (),
        ("own.env",),
        ("own.env", "more.env"),
    ]
    assert (settings.jobs, settings.backend) == ("1", "uv|virtualenv")


def test_its_options_are_for_what_it_includes_too_which_may_say_otherwise(root: Path):
    api = OWN.replace('"tests"', '"tests", "docs:more"')
    envfile(root / "api", textwrap.dedent(api) + 'runner.include("docs/envfile.py")')
    more = LINT.replace("lint", "more").replace("python=False", "default=False")
    own = 'runner.options.env_file = ["-d.env"]\nrunner.options.timeout = 30\n'
    envfile(root / "api/docs", LINT.replace("python=False", "timeout=3") + more + own)

    project, _ = opened(root, 'runner.include("*/envfile.py")')

    lint, more_spec = (jobs_of(project)[f"api:docs:{name}"].spec for name in ("lint", "more"))
    assert [spec.default for spec in (lint, more_spec)] == [True, True]
    assert [spec.needs.backend for spec in (lint, more_spec)] == ["venv", "venv"]
    assert [spec.timeout_s for spec in (lint, more_spec)] == [3, 30]
    assert more_spec.env_file == (os.path.join("..", "own.env"), "-d.env")


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("a.env", os.path.join("..", "a.env")),
        ("-a.env", "-" + os.path.join("..", "a.env")),
        ("~/a.env", "~/a.env"),
        ("-/etc/a.env", "-/etc/a.env"),
    ],
)
def test_a_file_of_variables_stays_the_same_file_where_another_includes_it(
    root: Path, name: str, seen: str
):
    envfile(
        root / "api", f'runner.options.env_file = [{name!r}]\nrunner.include("docs/envfile.py")'
    )
    envfile(root / "api/docs")

    project, _ = opened(root, 'runner.include("*/envfile.py")')

    assert [job.spec.env_file for job in project.jobs] == [(seen,)]


def test_the_command_line_and_variables_win_over_them(root: Path):
    envfile(root / "api", OWN)
    environ = {"RUNENV_TIMEOUT": "9", "RUNENV_ENV_FILE": "other.env"}

    project, _ = opened(root, 'runner.include("*/envfile.py")', environ, backend="virtualenv")

    lint = project.jobs[0].spec
    assert (lint.needs.backend, lint.timeout_s, lint.env_file) == (None, None, ())


def test_its_own_table_counts_as_its_options_do(root: Path):
    envfile(root / "api")
    write(root / "api/pyproject.toml", '[tool.runenv]\nbackend = "venv"\n')

    project, _ = opened(root, 'runner.include("*/envfile.py")')

    # python=False says none; the table speaks of those that say nothing.
    assert project.jobs[0].spec.needs.backend == "none"
    envfile(root / "api", LINT.replace("python=False", ""))
    assert opened(root, 'runner.include("*/envfile.py")')[0].jobs[0].spec.needs.backend == "venv"


def test_what_is_wrong_in_its_table_is_told_with_its_place(root: Path):
    envfile(root / "api")
    write(root / "api/pyproject.toml", '[tool.runenv]\nbakend = "venv"\n')

    with pytest.raises(UsageError) as caught:
        opened(root, 'runner.include("*/envfile.py")')

    assert caught.value.where == "api/pyproject.toml"


def test_an_unknown_default_of_its_own_is_told_with_its_place(root: Path):
    envfile(root / "api", f'runner.options.default = ["lnt"]\n{LINT}')

    with pytest.raises(UsageError) as caught:
        opened(root, 'runner.include("*/envfile.py")')

    assert caught.value.what == "no session or job is named 'api:lnt'"
    assert caught.value.where == "runner.options.default of the envfile, api/envfile.py"


# Where things are. ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("api:lint", "api@lint"),
        ("api:docs:lint-3.12", "api@docs@lint-3.12"),
        ("API:lint", "API_lint-e9b283b0"),
        ("api@lint", "api_lint-ac1b4b53"),
    ],
)
def test_its_environments_have_folders_that_no_other_session_can_have(name: str, expected: str):
    assert folder.folder_name(name) == expected


def test_its_locks_are_those_that_it_has_alone(root: Path):
    envfile(
        root / "api", LINT.replace("python=False", 'environment="dev"') + LINT.replace("lint", "x")
    )

    families = [family_of(job.spec) for job in load(root).jobs]

    assert [(family.session, family.stem) for family in families] == [
        ("api:lint", "dev"),
        ("api:x", "x"),
    ]


def test_its_packages_lie_in_a_folder_of_their_own():
    assert folder.folder_of_envfile("") == ".envfile"
    assert folder.folder_of_envfile("api:docs:") == ".envfile@api@docs"
    assert folder.is_of_envfile(".envfile@api")
    assert not folder.is_of_envfile("api@lint")


def test_a_plan_orders_what_is_required_across_envfiles(root: Path):
    envfile(root / "core")
    envfile(root / "api", LINT.replace("python=False", 'requires=[":core:lint"]'))
    jobs = load(root).jobs

    made = plan.make_plan(jobs, find_jobs("api:lint", jobs), frozenset())

    assert [job.name for job in made.jobs] == ["core:lint", "api:lint"]


def test_usage_has_the_names_of_others_as_they_are_typed(root: Path):
    text = 'requires=["lint"], after=[":core:lint"]'
    envfile(root / "core")
    envfile(
        root / "api", LINT + LINT.replace("python=False", text).replace("def lint", "def tests")
    )
    jobs = load(root).jobs

    lines = describe([job for job in jobs if job.name == "api:tests"], jobs)

    assert [line.split() for line in lines if ":lint" in line] == [
        ["requires", "api:lint"],
        ["after", "core:lint"],
    ]


def test_a_circle_across_envfiles_is_told(root: Path):
    envfile(root / "core", LINT.replace("python=False", 'requires=[":api:lint"]'))
    envfile(root / "api", LINT.replace("python=False", 'requires=[":core:lint"]'))

    ((where, what, _),) = mistakes(root, 'runner.include("*/envfile.py")')

    assert where == "api/envfile.py:2"
    assert what == "these require each other: api:lint -> core:lint -> api:lint"


# --all-projects. ------------------------------------------------------------------------


def in_all(folder: Path, **given: object) -> Project:
    given = {"directory": str(folder), "all_projects": True, **given}
    return open_project(Request("run", None, given, ()), {})[0]


def test_all_below_join_where_nothing_includes_them(root: Path):
    envfile(root / "packages/core")
    envfile(root / "packages/api", f'{LINT}runner.include("docs/envfile.py")')
    envfile(root / "packages/api/docs")

    project = in_all(root)

    assert [job.name for job in project.jobs] == ["api:lint", "api:docs:lint", "core:lint"]
    assert (project.root, project.envfile, project.read) == (str(root), str(root), ())


def test_the_envfile_there_is_the_top_of_all_below(root: Path):
    envfile(root, f'{LINT}runner.include("api/envfile.py", prefix="server")')
    envfile(root / "api")
    envfile(root / "core")

    assert [job.name for job in in_all(root).jobs] == ["lint", "server:lint", "core:lint"]
    named = in_all(root, file="envfile.py")
    assert [job.name for job in named.jobs] == ["lint", "server:lint", "core:lint"]


def test_an_envfile_above_is_not_meant(root: Path):
    envfile(root)
    envfile(root / "packages/api")

    assert [job.name for job in in_all(root / "packages").jobs] == ["api:lint"]
    assert [job.name for job in in_all(root, file="packages").jobs] == ["api:lint"]


@pytest.mark.skipif(os.name != "posix", reason="a working folder cannot be deleted")
def test_a_working_folder_that_is_gone_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()

    with pytest.raises(UsageError, match="the working folder does not exist any more"):
        open_project(Request("run", None, {"all_projects": True}, ()), {})


def test_without_any_envfile_below_it_is_told(root: Path):
    with pytest.raises(UsageError) as caught:
        in_all(root)

    assert caught.value.what == f"--all-projects: there is no envfile.py in {root} or below it"


def test_the_settings_of_all_are_those_of_their_folder_where_no_envfile_is(root: Path):
    envfile(root / "api")
    (root / "pyproject.toml").write_text('[tool.runenv]\nstore = "here"\n')
    given = {"directory": str(root), "all_projects": True}

    found, settings = open_settings(Request("clean", None, given, ()), {})

    assert (found, settings.store) == (str(root), "here")


def test_two_of_one_name_need_an_envfile_that_includes_them(root: Path):
    envfile(root / "one/api")
    envfile(root / "two/api")

    with pytest.raises(EnvfileError) as caught:
        in_all(root)

    assert str(caught.value) == (
        "--all-projects: include: one/api/envfile.py and two/api/envfile.py have the same"
        " prefix, 'api'\ngive one of them another: include(..., prefix=...)"
    )
