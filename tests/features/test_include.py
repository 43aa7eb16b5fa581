"""A run over the envfiles of several packages, `runner.include`, as its user sees it."""

from __future__ import annotations

import json
import os
import sys

import pytest

from tests.conftest import IN_ALL_WAYS, Folder, in_a_way

pytestmark = pytest.mark.measured

WHERE = "import os; print(os.path.basename(os.getcwd()), os.environ['RUNENV_JOB'])"
PACKAGE = f"""
    '''The package NAME.'''
    import helpers
    import runner

    runner.options.env_file = [".env"]

    @runner.session(python=False)
    def lint(session):
        "Check it."

    @runner.session(python=False, requires=["lint"], group="checks")
    def tests(session):
        import late

        print(session.name, helpers.name, late.name, session.env["OF"], flush=True)
        session.run("python", "-c", {WHERE!r}, external=True)
        session.notify("told")

    @runner.session(python=False, default=False)
    def told(session):
        print("told", flush=True)
    """


@pytest.fixture
def packages(folder: Folder) -> Folder:
    """Two packages of the same shape below a top that includes them."""
    folder.envfile('runner.include("packages/*/envfile.py")')
    for name in ("api", "core"):
        folder.write(f"packages/{name}/envfile.py", PACKAGE.replace("NAME", name))
        folder.write(f"packages/{name}/helpers.py", f"name = 'helpers of {name}'\n")
        folder.write(f"packages/{name}/late.py", f"name = 'late of {name}'\n")
        folder.write(f"packages/{name}/.env", f"OF={name}\n")
    return folder


@pytest.mark.parametrize("way", IN_ALL_WAYS)
def test_a_session_runs_in_its_own_folder_with_its_own_modules(packages: Folder, way: str):
    there = in_a_way(way, packages)
    there.envfile('runner.include("packages/*/envfile.py")')
    there.write("helpers.py", "name = 'of the top'\n")  # `python -m` puts its folder on sys.path

    out = there.passes("core:tests").out

    expected = ["tests helpers of core late of core core", "core core:tests", "told"]
    assert out.splitlines() == expected


def test_alone_it_runs_as_it_does_with_the_others(packages: Folder):
    out = packages.passes("-C", "packages/core", "tests").out

    expected = ["tests helpers of core late of core core", "core tests", "told"]
    assert out.splitlines() == expected


def test_the_listing_has_them_below_their_folders(packages: Folder):
    out = packages.passes("--list").out

    assert out == (
        f"Sessions in {packages.root}/envfile.py:\n\n"
        "packages/api:  The package api.\n"
        "* api:lint    Check it.\n"
        "  api:told\n\n"
        "packages/api, checks:\n"
        "* api:tests\n\n"
        "packages/core:  The package core.\n"
        "* core:lint   Check it.\n"
        "  core:told\n\n"
        "packages/core, checks:\n"
        "* core:tests\n\n"
        "* run by a plain `runenv`\n"
    )


def test_the_listing_for_programs_has_prefix_root_and_place(packages: Folder):
    jobs = json.loads(packages.passes("--list", "--json", "api:tests").out)["jobs"]

    (job,) = jobs
    assert (job["prefix"], job["root"]) == ("api", str(packages.root / "packages/api"))
    assert job["where"] == "packages/api/envfile.py:12"
    assert job["requires"] == ["api:lint"]


def test_what_fails_is_told_with_its_place_in_the_project(packages: Folder):
    packages.write(
        "packages/api/envfile.py", "import runner\n\n@runner.session\ndef s(session):\n    1 / 0\n"
    )

    done = packages.run("api:s", env={"GITHUB_ACTIONS": "true"})

    assert done.code == 1
    assert "/project/packages/api/envfile.py,line=3," in done.err


@pytest.mark.slow
def test_its_project_is_its_own_package_and_is_linked_where_it_runs_alone(folder: Folder):
    folder.wheel("flit_core")  # never built with: the backend lies in the project
    for name in ("api", "core"):
        folder.write(
            f"packages/{name}/envfile.py",
            f"""
            import runner

            @runner.session(project="wheel")
            def tests(session):
                session.run("python", "-c", "import {name}; print({name}.__file__)")
            """,
        )
        folder.write(
            f"packages/{name}/pyproject.toml",
            f"""
            [build-system]
            requires = []
            build-backend = "backend"
            backend-path = ["."]

            [project]
            name = "{name}"
            version = "1.0"
            """,
        )
        folder.write(
            f"packages/{name}/backend.py",
            f"""
            import zipfile

            def build_wheel(to, settings=None, metadata=None):
                name = "{name}-1.0-py3-none-any.whl"
                info = "{name}-1.0.dist-info"
                with zipfile.ZipFile(f"{{to}}/{{name}}", "w") as wheel:
                    wheel.writestr("{name}.py", "")
                    wheel.writestr(f"{{info}}/METADATA", "Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.0\\n")
                    wheel.writestr(f"{{info}}/WHEEL", "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
                    wheel.writestr(f"{{info}}/RECORD", "")
                return name
            """,
        )
    folder.envfile('runner.include("packages/*/envfile.py")')

    out = folder.passes("*:tests").out.splitlines()

    assert [line.split("/.runenv/")[1].split("/")[0] for line in out] == ["api@tests", "core@tests"]
    assert [line.rsplit("/", 1)[1] for line in out] == ["api.py", "core.py"]
    assert "created from the store" in folder.passes("-C", "packages/api", "tests").err
    assert "would be reused" in folder.passes("--explain", "api:tests").out


@pytest.mark.slow
def test_its_lock_lies_beside_it_and_serves_it_alone_and_with_the_others(folder: Folder):
    folder.wheel("one")
    folder.envfile('runner.include("api/envfile.py")')
    text = 'import runner\n@runner.session(deps=["one"])\ndef lint(session): ...\n'
    folder.write("api/envfile.py", text)

    assert folder.passes("--lock").out == "api/runenv-locks/pylock.lint.toml  is new: 1 package\n"
    assert folder.passes("--lock", "--check").out == ""
    assert folder.passes("-C", "api", "--lock", "--check").out == ""
    folder.write("api/envfile.py", text.replace("def lint", "def look"))
    assert folder.run("--lock", "--check").out == (
        "api/runenv-locks/pylock.look.toml  is not there\n"
        "api/runenv-locks/pylock.lint.toml  is of no session\n"
    )


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="a link to a program")
def test_a_lock_is_for_the_python_in_its_own_folder(folder: Folder):
    folder.wheel("one")
    folder.envfile('runner.include("api/envfile.py")')
    text = (
        'import runner\n@runner.session(python="./python", deps=["one"])\ndef lint(session): ...\n'
    )
    folder.write("api/envfile.py", text)
    (folder.root / "api/python").symlink_to(sys.executable)

    assert folder.passes("--lock").out == "api/runenv-locks/pylock.lint.toml  is new: 1 package\n"


@pytest.mark.slow
def test_two_envfiles_may_import_two_versions_of_one_package(folder: Folder):
    for version in ("1.0", "2.0"):
        folder.wheel("one", version)
    for name, version in {"api": "1.0", "core": "2.0"}.items():
        folder.write(
            f"{name}/envfile.py",
            f"""\
            # /// script
            # dependencies = ["one=={version}"]
            # ///
            import one
            import runner

            @runner.session(python=False)
            def tests(session):
                print(one.version)
            """,
        )
    folder.envfile('runner.include("*/envfile.py")')

    assert folder.passes().out == "1.0\n2.0\n"
    assert (folder.root / ".runenv/.envfile@core").is_dir()
    assert folder.passes("--clean", "--stale").out.startswith("nothing to delete")
