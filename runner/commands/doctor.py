"""`runenv --doctor`: what of this machine and this project could go wrong, each with its mend.

Each check is a function that looks at one thing and returns its findings.
Changes nothing; works where there is no envfile too. With --store it looks at the
store alone, with --deep at the content of each file in it.
"""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING, Literal, NamedTuple

from runner import __version__, errors
from runner.amounts import counted, size_in_words
from runner.colors import painter, wants_color
from runner.envs import choose_backend, folder, pip_itself, uv, virtualenv
from runner.envs.installer_config import pip_config, uv_config
from runner.envs.interpreters import describe, survey
from runner.envs.journal import read as read_journal
from runner.envs.lock import who_holds
from runner.envs.open_store import open_store
from runner.envs.places import is_movable
from runner.envs.python_answers import running
from runner.envs.pythons_found import home_folder
from runner.envs.store import store_home, wanted_home
from runner.envs.store_damage import Check
from runner.envs.store_upkeep import images_in, needed_by, size_of, told_as, total_of
from runner.envs.upkeep import sizes_bytes
from runner.errors import CommandFailed, EnvfileError, EnvironmentBroken, RunnerError, UsageError
from runner.load import find_envfile, load_project
from runner.process import run as run_command
from runner.reports.terminal import can_show
from runner.running import Command
from runner.settings import read_table, settle
from runner.surroundings import outer_variables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from runner.envs.store import Store
    from runner.model import Project, Request, Settings

State = Literal["good", "warning", "broken"]

_PATIENCE_S = 20.0  # for a program that tells its version
_LITTLE_BYTES = 1_000_000_000  # an environment for tests takes some hundred megabytes
_NOTHING_BYTES = 20_000_000  # of which no environment can be made
_TOLD_FILES = 20  # of a damaged image
_COUNTED = 200_000  # files of a cache: more are not worth the seconds


_NONE: Mapping[str, object] = {}


class Finding(NamedTuple):
    """One thing that was looked at."""

    check: str  # what was looked at, a word
    state: State
    what: str
    mend: str = ""  # of all that is not good


class Here(NamedTuple):
    """What the checks look at."""

    root: str  # the project's folder, or the working folder
    envdir: str
    environ: Mapping[str, str]
    settings: Settings
    project: Project | None


def main(request: Request) -> int:
    """Print what was found; the exit code says whether something is broken."""
    here, findings = look_around(request, dict(os.environ))
    for check in (check_store,) if request.of_store else CHECKS:
        findings += check(here)
    if here.settings.json:
        import json

        rows = [finding._asdict() for finding in findings]
        print(json.dumps({"version": 1, "findings": rows}, indent=2))
    else:
        color = wants_color(here.settings.color, os.environ, sys.stdout.isatty())
        plain = not can_show(sys.stdout, "✓✗")
        print("\n".join(as_text(findings, color=color, ascii_only=plain)))
    broken = any(finding.state == "broken" for finding in findings)
    return errors.FAILED if broken else errors.PASSED


def as_text(findings: Iterable[Finding], *, color: bool, ascii_only: bool) -> list[str]:
    """The findings in lines: a symbol, the check, what was found, and the mend below."""
    paint = painter(color=color)
    symbols = {"good": ("✓", "+"), "warning": ("!", "!"), "broken": ("✗", "x")}
    colors = {"good": "green", "warning": "bold_yellow", "broken": "bold_red"}
    findings = list(findings)
    width = max((len(finding.check) for finding in findings), default=0)
    margin = " " * (width + 4)
    lines: list[str] = []
    before = ""
    for finding in findings:
        symbol = paint(colors[finding.state], symbols[finding.state][1 if ascii_only else 0])
        first, *rest = [*finding.what.splitlines(), *finding.mend.splitlines()]
        check = "" if finding.check == before else finding.check
        lines.append(f"{symbol} {check:<{width}}  {first}")
        lines += [f"{margin}{line}" for line in rest]
        before = finding.check
    return lines


# What there is to look at. --------------------------------------------------------------


def look_around(request: Request, environ: dict[str, str]) -> tuple[Here, list[Finding]]:
    """The project and its settings; what is wrong with these are the first findings.

    Raises UsageError for a file or folder that was given and is not there.
    """
    findings: list[Finding] = []
    early = _settled(request, environ, {}, {}, findings)
    project: Project | None = None
    try:
        envfile = find_envfile(early.file, early.directory)
        root = os.path.dirname(envfile)
    except UsageError as error:
        if early.file is not None or not os.path.isdir(early.directory or "."):
            raise
        root = os.path.abspath(early.directory or ".")
        mend = "write one, or say where it is: --file, --directory"
        findings.append(Finding("envfile", "warning", error.what, mend))
    else:
        project = _loaded(envfile, findings)
    try:
        table = read_table(root)
    except UsageError as error:
        findings.append(_broken("settings", error))
        table = _NONE
    options = _NONE if project is None else project.options
    settings = _settled(request, environ, options, table, findings)
    envdir = os.path.join(root, os.path.expanduser(settings.envdir))
    return Here(root, envdir, environ, settings, project), findings


def _settled(
    request: Request,
    environ: Mapping[str, str],
    options: Mapping[str, object],
    table: Mapping[str, object],
    findings: list[Finding],
) -> Settings:
    try:
        return settle(request.given, environ, options, table)
    except UsageError as error:
        finding = _broken("settings", error)
        if finding not in findings:
            findings.append(finding)
        return settle(request.given, {}, {}, {})


def _loaded(envfile: str, findings: list[Finding]) -> Project | None:
    try:
        project = load_project(envfile, may_install=False)
    except EnvfileError as error:
        findings += [
            Finding("envfile", "broken", f"{m.where}: {m.what}", m.mend or "mend that line")
            for m in error.mistakes
        ]
    except RunnerError as error:
        findings.append(_broken("envfile", error))
    else:
        told = f"{envfile} loads: {counted(len(project.jobs), 'job')}"
        findings.append(Finding("envfile", "good", told))
        return project
    return None


def _broken(check: str, error: RunnerError) -> Finding:
    what = f"{error.where}: {error.what}" if error.where else error.what
    return Finding(check, "broken", what, error.mend)


# Programs. ------------------------------------------------------------------------------


def check_own_python(here: Here) -> list[Finding]:
    """The Python that runs runenv, and whose it is."""
    own = describe(running())
    told = f"{own} at {sys.executable} runs runenv {__version__}"
    findings = [Finding("python", "good", told)]
    if not home_folder(here.environ):
        findings.append(
            Finding(
                "home",
                "warning",
                "HOME is not set: pyenv, mise, asdf and uv keep Pythons and caches below it",
                "set it, in a container or a service to a folder that can be written",
            )
        )
    return findings


def check_backends(here: Here) -> list[Finding]:
    """What makes environments and installs into them, with its version."""
    chain = here.settings.backend
    found = uv.find_uv()
    version = _first_line((found, "--version"), here) if found else ""
    findings = [_program("uv", found, version, uv.why_not(), needed="uv" in chain.split("|"))]
    trouble = virtualenv.why_not()
    where = "" if trouble else f"{virtualenv.version()} beside runenv"
    findings.append(
        _program(
            "virtualenv", where, where, trouble, needed=chain.split("|")[0].strip() == "virtualenv"
        )
    )
    # Only told: that of an environment is brought by who makes it.
    pip = "" if find_spec("pip") is None else _first_line((sys.executable, "-m", "pip", "-V"), here)
    told = pip or "not beside runenv; environments of virtualenv and venv bring their own"
    findings.append(Finding("pip", "good", told))
    if chain != "none":
        try:
            name, _ = choose_backend(chain)
        except EnvironmentBroken as error:
            findings.append(_broken("backend", error))
        else:
            told = f"{name} makes environments" + (f" (of {chain!r})" if name != chain else "")
            findings.append(Finding("backend", "good", told))
    return findings


def _program(check: str, path: str, version: str, trouble: str, *, needed: bool) -> Finding:
    state: State = "warning" if needed else "good"
    if trouble:
        what, _, mend = trouble.partition(": ")
        return Finding(check, state, what, mend if needed else "")
    if not version:
        return Finding(check, "broken", f"{path} does not run", "install it again, beside runenv")
    told = version if version == path else f"{version.removeprefix('uv ')} at {path}"
    return Finding(check, "good", told)


def _first_line(argv: tuple[str, ...], here: Here) -> str:
    """What a program says first; empty where it fails."""
    command = Command(
        argv=argv,
        cwd=here.root,
        env=outer_variables(here.environ),
        timeout_s=_PATIENCE_S,
        capture="apart",
        input="",
    )
    try:
        done = run_command(command, grace_s=0)
    except CommandFailed:
        return ""
    lines = done.stdout.splitlines()
    return lines[0] if done.returncode == 0 and lines else ""


def check_pythons(here: Here) -> list[Finding]:
    """The Pythons that sessions can ask for, and those that were passed over."""
    # Answers are kept where a run would keep them, and no folder is made for that.
    found, troubles = survey(cache_dir=os.path.join(here.envdir, ".cache"), environ=here.environ)
    findings = [Finding("pythons", "good", f"{describe(each)} at {each.path}") for each in found]
    for path, why in troubles.items():
        findings.append(
            Finding(
                "pythons",
                "warning",
                f"{path} was passed over: {why}",
                "nothing is to be done unless a session asks for it; then install it again",
            )
        )
    return findings


# Folders. -------------------------------------------------------------------------------


def check_envdir(here: Here) -> list[Finding]:
    """The folder of all environments: that it is ours to write, and nobody commits it."""
    envdir = here.envdir
    if not os.path.lexists(envdir):
        above = _nearest_folder(envdir)
        if os.access(above, os.W_OK | os.X_OK):
            return [Finding("envdir", "good", f"{envdir} will be made by the first run")]
        what = f"{envdir} cannot be made: {above} is not ours to write"
        return [Finding("envdir", "broken", what, "let it be written, or choose another --envdir")]
    if not os.path.isdir(envdir):
        what = f"{envdir} is no folder"
        return [Finding("envdir", "broken", what, "move it away, or choose another --envdir")]
    if folder.holds_project(envdir, here.root):
        mend = "name a folder of its own: --envdir .runenv"
        return [Finding("envdir", "broken", f"{envdir} holds the project itself", mend)]
    if not os.access(envdir, os.W_OK | os.X_OK):
        mend = "let it be written, or choose another --envdir"
        return [Finding("envdir", "broken", f"{envdir} is not ours to write", mend)]
    names = _environments_in(envdir)
    size = _size_in_words(envdir)
    told = f"{envdir}: {counted(len(names), 'environment')}, {size}"
    if os.path.islink(envdir):
        told += f", a link to {os.path.realpath(envdir)}"
    if _folds_case(envdir):
        told += "; the file system folds case, and names that it would confuse have a hash"
    return [Finding("envdir", "good", told), *_not_ignored(here), *_links_in(envdir)]


def _environments_in(envdir: str) -> list[str]:
    """All of them: those of jobs, and those in which projects are built."""
    return [*folder.environments_in(envdir), *folder.build_environments_in(envdir)]


def _not_ignored(here: Here) -> list[Finding]:
    """What git would commit of the environment folder."""
    if not os.path.isdir(os.path.join(here.envdir, ".locks")):
        return []  # a run has not made it its own yet
    probe = os.path.join(here.envdir, "probe")
    # 0: ignored, 1: not, 128: no repository
    if _exit_code(("git", "check-ignore", "-q", probe), here) != 1:
        return []
    what = f"git does not ignore {here.envdir}"
    mend = f"write * into {os.path.join(here.envdir, '.gitignore')}"
    return [Finding("envdir", "warning", what, mend)]


def _exit_code(argv: tuple[str, ...], here: Here) -> int:
    command = Command(
        argv=argv,
        cwd=here.root,
        env=here.environ,
        timeout_s=_PATIENCE_S,
        capture="merged",
        input="",
    )
    try:
        return run_command(command, grace_s=0).returncode
    except CommandFailed:
        return -1


def _links_in(envdir: str) -> list[Finding]:
    return [
        Finding(
            "envdir",
            "warning",
            f"{os.path.join(envdir, name)} is a link: runenv neither uses nor deletes it",
            "move it away",
        )
        for name in sorted(os.listdir(envdir))
        if os.path.islink(os.path.join(envdir, name))
    ]


def _folds_case(path: str) -> bool:
    tag = os.path.join(path, "CACHEDIR.TAG")
    return os.path.exists(tag) and os.path.exists(os.path.join(path, "cachedir.tag"))


def check_journals(here: Here) -> list[Finding]:
    """Environments that the next run makes anew, whatever the envfile says."""
    findings: list[Finding] = []
    for name in _environments_in(here.envdir):
        journal = read_journal(os.path.join(here.envdir, name))
        in_use = who_holds(os.path.join(here.envdir, ".locks", folder.lock_name(name)))
        named = "" if name.startswith(folder.BUILDS) else f" {name}"
        mend = f"nothing is to be done: the next run makes it anew; or runenv --clean{named}"
        if in_use:
            continue
        if journal is None:
            what = f"the journal of {name} cannot be read"
            findings.append(Finding("journals", "warning", what, mend))
        elif journal.state == "changing":
            what = f"a run was stopped while it changed {name}"
            findings.append(Finding("journals", "warning", what, mend))
    return findings or [Finding("journals", "good", "each can be read")]


def check_locks(here: Here) -> list[Finding]:
    """Who uses environments now."""
    locks = os.path.join(here.envdir, ".locks")
    names = sorted(os.listdir(locks)) if os.path.isdir(locks) else []
    findings: list[Finding] = []
    for name in names:
        holder = who_holds(os.path.join(locks, name))
        if holder.startswith("what "):
            what = f"{name} is used by {holder}"
            findings.append(Finding("locks", "warning", what, "end it, and the next run goes on"))
        elif holder:
            findings.append(Finding("locks", "good", f"{name} is used by {holder}"))
    return findings or [Finding("locks", "good", "no environment is in use")]


def check_space(here: Here) -> list[Finding]:
    """Room for environments."""
    above = _nearest_folder(here.envdir)
    return [space_finding(above, shutil.disk_usage(above).free)]


def space_finding(path: str, free_bytes: int) -> Finding:
    """What so much room means."""
    told = f"{size_in_words(free_bytes)} are free where environments are made"
    mend = f"make room on the disk of {path}: runenv --clean --stale, uv cache prune"
    if free_bytes < _NOTHING_BYTES:
        return Finding("disk", "broken", told, mend)
    if free_bytes < _LITTLE_BYTES:
        return Finding("disk", "warning", told, mend)
    return Finding("disk", "good", told)


def check_uv_cache(here: Here) -> list[Finding]:
    """The cache of uv, from which environments are linked."""
    found = uv.find_uv()
    cache = _first_line((found, "cache", "dir"), here) if found else ""
    if not cache:
        return []
    above = _nearest_folder(cache)
    if not os.access(above, os.W_OK | os.X_OK):
        mend = "let it be written, or name another: UV_CACHE_DIR"
        return [Finding("uv's cache", "broken", f"{above} is not ours to write", mend)]
    size = f", {_size_in_words(cache)}" if os.path.isdir(cache) else ", not there yet"
    findings = [Finding("uv's cache", "good", f"{cache}{size}")]
    mode = here.environ.get("UV_LINK_MODE", "")
    apart = os.stat(above).st_dev != os.stat(_nearest_folder(here.envdir)).st_dev
    if mode:
        findings.append(Finding("link mode", "good", f"{mode}, as UV_LINK_MODE says"))
    elif apart:
        findings.append(
            Finding(
                "link mode",
                "warning",
                "uv's cache and the environment folder are on different file systems:"
                " each install copies instead of linking",
                f"set UV_CACHE_DIR to a folder on the file system of {here.envdir},"
                " or --envdir to one on that of the cache;"
                " UV_LINK_MODE=copy says that it is meant",
            )
        )
    else:
        findings.append(Finding("link mode", "good", "uv links from its cache"))
    return findings


def _nearest_folder(path: str) -> str:
    """The folder itself, or the nearest above it that is there."""
    while not os.path.isdir(path):
        above = os.path.dirname(path)
        if above == path:
            break
        path = above
    return path


def _size_in_words(path: str) -> str:
    sizes = list(islice(sizes_bytes(path), _COUNTED + 1))
    more = "more than " if len(sizes) > _COUNTED else ""
    return more + size_in_words(sum(sizes))


# The store. -----------------------------------------------------------------------------


def check_store(here: Here) -> list[Finding]:
    """The store: where it is, whether it can be used here, and with --deep whether it is whole."""
    asked = here.settings.store
    # Outside of projects nothing is linked from it.
    home = wanted_home(asked, here.environ)
    if here.project is not None:
        home = store_home(asked, here.envdir, here.environ)
    if not home:
        told = "none is used, as the setting says" if asked else "there is no folder for caches"
        return [Finding("store", "good", told)]
    above = _nearest_folder(home)
    if not os.access(above, os.W_OK | os.X_OK):
        mend = "let it be written, or name another: RUNENV_STORE; none: no store is used"
        return [Finding("store", "broken", f"{above} is not ours to write", mend)]
    store = open_store(home, here.settings)
    if store is None or not os.path.isdir(os.path.join(home, "images")):
        return [
            Finding("store", "good", f"{home} will be made by the first run"),
            *_apart(here, home),
        ]
    names = images_in(store)
    total = total_of(size_of(store, name) for name in names)
    count = counted(len(names), "image")
    told = f"{home}: {count}, {size_in_words(total.size_bytes)} of {here.settings.store_size}"
    findings = [Finding("store", "good", told), *_apart(here, home)]
    if here.settings.deep:
        check = Check(store)
        damaged = [each for name in names for each in _damage_of(store, name, check)]
        whole = Finding("images", "good", "each file is what was installed")
        findings += damaged or [whole]
    return findings


def _apart(here: Here, home: str) -> list[Finding]:
    """What keeps this project from sharing with others."""
    wanted = wanted_home(here.settings.store, here.environ)
    if home != wanted and wanted:
        what = f"{wanted} is on another file system: {here.envdir} has a store of its own"
        mend = f"name one on that of {here.envdir} for all its projects: RUNENV_STORE"
        return [Finding("store", "warning", what, mend)]
    if here.project is not None and not is_movable(here.envdir):
        what = (
            f"{here.envdir} is no plain path: what is made there is linked at the same place alone"
        )
        mend = (
            "choose another with --envdir: letters, digits and . _ + - @ % = : , and not too long"
        )
        return [Finding("store", "warning", what, mend)]
    return []


def _damage_of(store: Store, name: str, check: Check) -> list[Finding]:
    damaged = check.image(name)
    if damaged is None:
        return []
    lines = [f"{file.name}: {file.why}" for file in damaged.files[:_TOLD_FILES]]
    if len(damaged.files) > _TOLD_FILES:
        lines.append(f"and {len(damaged.files) - _TOLD_FILES} more files")
    what = "\n  ".join((f"{told_as(store.image(name), name)} is damaged", *lines))
    mends = [f"delete {store.place_of(name)}"]
    if damaged.packages:  # their files are links that installers and environments have too
        mends.append(f"uv cache clean {' '.join(damaged.packages)}")
    mends += [f"runenv --clean in {os.path.dirname(p)}" for p in needed_by(store, name)]
    return [Finding("images", "broken", what, "\n".join(mends))]


# Variables and configuration. -----------------------------------------------------------

# What runenv itself and its envfile are run with, whatever commands are given.
_OWN = {
    "PYTHONPATH": "what the envfile imports may come from it",
    "PYTHONHOME": "the Python that runs runenv takes its library from it",
}
# What is in force for an installer, by the backend that uses it.
_INSTALLERS = {
    "PIP_NO_DEPS": ("pip", "requirements of requirements are not installed"),
    "PIP_IGNORE_INSTALLED": ("pip", "what is installed is installed over"),
    "UV_NO_CACHE": ("uv", "everything is downloaded again for each environment"),
    "UV_OFFLINE": ("uv", "what is not in its cache cannot be installed"),
}


def check_variables(here: Here) -> list[Finding]:
    """Variables that make tools do something else than is asked, and what becomes of them."""
    findings: list[Finding] = []
    taken = [name for name in here.environ if name not in outer_variables(here.environ)]
    for name in sorted(name for name in taken if here.environ[name]):
        value = here.environ[name]
        if name in _OWN:
            what = f"{name}={value}: {_OWN[name]}; sessions do not see it"
            findings.append(Finding("variables", "warning", what, f"unset {name}"))
        elif name != "VIRTUAL_ENV" or os.path.realpath(value) != os.path.realpath(sys.prefix):
            told = f"{name}={value} is kept from sessions and installers"
            findings.append(Finding("variables", "good", told))
    for name, (tool, effect) in _INSTALLERS.items():
        if here.environ.get(name, "").lower() not in ("", "0", "false", "no", "off"):
            what = f"{name} is set: where {tool} installs, {effect}"
            findings.append(Finding("variables", "warning", what, f"unset {name}"))
    return findings or [Finding("variables", "good", "none that is set does harm")]


def check_configuration(here: Here) -> list[Finding]:
    """The configuration files that installers read; their content is an ingredient."""
    findings: list[Finding] = []
    installers = {"uv": uv.installer_config, "pip": pip_itself.installer_config}
    for tool, files in (
        ("uv", uv_config(here.environ, here.root)),
        ("pip", pip_config(here.environ)),
    ):
        try:
            installers[tool](here.environ, here.root)  # what it refuses, it tells
        except EnvironmentBroken as error:
            findings.append(_broken("configuration", error))
        for path, text in files.items():
            trouble = _not_toml(text) if tool == "uv" and path.endswith("uv.toml") else ""
            if trouble:
                what = f"{path}, which {tool} reads, is not TOML: {trouble}"
                findings.append(Finding("configuration", "broken", what, "mend that line"))
            else:
                findings.append(Finding("configuration", "good", f"{tool} reads {path}"))
    return findings or [Finding("configuration", "good", "uv and pip read no files")]


def _not_toml(text: str) -> str:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        tomllib.loads(text)
    except ValueError as error:  # tomllib's own is one
        return str(error)
    return ""


CHECKS = (
    check_own_python,
    check_backends,
    check_pythons,
    check_envdir,
    check_journals,
    check_locks,
    check_space,
    check_uv_cache,
    check_store,
    check_variables,
    check_configuration,
)
