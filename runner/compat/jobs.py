"""The sessions that a noxfile has declared → Jobs, with nox's names and nox's order.

What must hold for an envfile need not hold here: two jobs may come out with one
name, and a name may be anything.
"""

from __future__ import annotations

import copy
from itertools import count

from runner.compat.behind import Runner
from runner.compat.conda_words import read_conda_arguments
from runner.compat.of_others import needs_of_sync
from runner.compat.options import backend_of, in_variable
from runner.errors import did_you_mean, some_of
from runner.model import Job, Needs, SessionSpec
from runner.names import cleaned
from runner.plan import find_cycles, word_for
from runner.record import Record
from runner.session_arguments import read_backend, read_pythons
from runner.settings import is_list, is_number, is_set
from runner.specs import clean_doc
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from runner.compat.declared import Func, Param
    from runner.compat.options import Options
    from runner.declare import Registry


class _One(Record):
    """One job to be: the session on one Python with one set of parameters."""

    func: Func  # with that Python alone
    signatures: tuple[str, ...]  # the first is its name
    param: Param | None
    multi: bool

    @property
    def name(self) -> str:
        return self.signatures[0] if self.signatures else str(self.func.name)


def make_jobs(
    functions: Mapping[str, Func],
    options: Options,
    environ: Mapping[str, str],
    registry: Registry,
    wrap: Callable[[Func, bool], Callable[..., object]],
) -> tuple[tuple[Job, ...], dict[str, Runner]]:
    """All jobs in the order of their declaration, and each as nox has it, by the job's name.

    wrap: the function that does a job of ours, for one of the noxfile's; and whether
    it has to bring the environment up to uv.lock first.
    """
    extra = in_variable(environ.get("NOXEXTRAPYTHON", ""))
    force = in_variable(environ.get("NOXFORCEPYTHON", ""))
    jobs: dict[str, Job] = {}
    runners: dict[str, Runner] = {}
    asked: dict[str, Func] = {}
    named: dict[str, list[str]] = {}  # the jobs that a name in `requires` stands for
    for name, func in functions.items():
        spec = _make_spec(func, options, registry, wrap)
        if _is_without(spec, options) and not isinstance(func.python, (str, type(None))):
            func = copy.copy(func)
            func.python = False  # no environment: one job, whatever it lists
        for one in _expand(name, func, (*force, *extra), force=bool(force), multi=False):
            job = _make_job(one, spec, jobs)
            jobs[job.name] = job
            runners[job.name] = Runner(name, one.signatures, one.func, job.name, multi=one.multi)
            asked[job.name] = one.func
            for word in dict.fromkeys((name, *one.signatures)):
                named.setdefault(word, []).append(job.name)
    made = [_with_requires(job, asked[job.name], named) for job in jobs.values()]
    return tuple(_without_circles(made)), runners


def _is_without(spec: SessionSpec, options: Options) -> bool:
    backend = spec.needs.backend or options.default_venv_backend
    return bool(backend == "none")


# Names. ----------------------------------------------------------------------------


def _expand(
    name: str, func: Func, extra: tuple[str, ...], *, force: bool, multi: bool
) -> Iterator[_One]:
    """Each job of a session; the rules are nox's (`Manifest.make_session`)."""
    python = func.python
    several = _several(python)
    if extra and not multi:
        if several is not None:
            several = [*several, *extra]
        elif isinstance(python, str):
            several = [python, *extra]
        elif not python and force:
            several = list(extra)
    if several is not None:
        for each in dict.fromkeys(several):
            single = copy.copy(func)
            single.python = each
            yield from _expand(name, single, extra, force=force, multi=True)
        return
    params: list[Param] | None = getattr(func, "parametrize", None)
    if params is None:
        names = ([] if multi else [name]) + ([f"{name}-{python}"] if python else [])
        yield _One(func, tuple(names), None, multi)
        return
    for param in params:
        taken, called = _with_python(func, param)
        names = [] if multi else [f"{name}({param})"]
        if func.python:
            names += [f"{name}-{func.python}({param})", f"{name}-{func.python}"]
        yield _One(taken, tuple(names), called, multi=True)
    if not params:
        nothing = copy.copy(func)
        nothing.func = _no_parameters
        nothing.python = False
        yield _One(nothing, (), None, multi)


def _no_parameters(session: Any, **arguments: object) -> None:  # noqa: ARG001  # as all are called
    session.skip("its parametrize has no values")


def _several(python: object) -> list[Any] | None:
    if is_set(python):
        return sorted(python, key=str)  # the order of a set is another in each run
    return list(python) if is_list(python) else None


def _with_python(func: Func, param: Param) -> tuple[Func, Param]:
    """The function and what it is called with; a parameter may be what names the Python."""
    code = getattr(func.func, "__code__", None)
    taken = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] if code else ()
    if func.python is None and "python" in param.arg_names and "python" not in taken:
        func = copy.copy(func)
        func.python = param.call_spec["python"]
        left = copy.copy(param)
        pairs = [(k, v) for k, v in param.call_spec.items() if k != "python"]
        left.arg_names, left.args = tuple(k for k, _ in pairs), tuple(v for _, v in pairs)
        return func, left
    return func, param


# Records. ---------------------------------------------------------------------------


def _make_job(one: _One, spec: SessionSpec, jobs: Mapping[str, Job]) -> Job:
    func, param = one.func, one.param
    if func.python is False and spec.needs.backend != "none":
        spec = spec._replace(needs=spec.needs._replace(backend="none"))
    name = one.name
    if name in jobs:
        # nox runs both, one over the environment of the other.
        name = next(f"{one.name} #{n}" for n in count(2) if f"{one.name} #{n}" not in jobs)
    also = [*one.signatures[1:], _safe_name(one), *([one.name] if name != one.name else [])]
    return Job(
        name=name,
        nox_name=one.name,
        spec=spec,
        python=str(func.python) if func.python else None,
        arguments=tuple(param.call_spec.items()) if param is not None else (),
        tags=tuple(dict.fromkeys([*func.tags, *(param.tags if param is not None else [])])),
        requires=(),
        also=tuple(word for word in dict.fromkeys(also) if word and word != name),
    )


def _safe_name(one: _One) -> str:
    """The name as an envfile's job would have it: `tests-3.12-django4.2`."""
    parts = [cleaned(str(one.func.name))]
    if one.func.python and any(name.startswith(f"{one.func.name}-") for name in one.signatures[:1]):
        parts.append(cleaned(str(one.func.python)))
    for number, (names, values, own_id) in enumerate(one.param.parts if one.param else ()):
        words = map(word_for, names, values, [number] * len(names))
        parts.append(cleaned(own_id) if own_id else "-".join(words))
    return "-".join(filter(None, parts))


def _make_spec(
    func: Func,
    options: Options,
    registry: Registry,
    wrap: Callable[[Func, bool], Callable[..., object]],
) -> SessionSpec:
    where = func.where
    given: Iterable[object] = _several(func.python) or [func.python]
    numbers = [item for item in given if is_number(item) and not isinstance(item, bool)]
    if numbers:
        is_alone = _several(func.python) is None
        read_pythons(registry, func.python if is_alone else numbers, where)  # 3.10 is 3.1
    said = options.force_venv_backend or func.venv_backend
    if said is None and func.venv_params and "default_venv_backend" not in options.chosen:
        said = "virtualenv"  # whose options they are
    backend = read_backend(registry, backend_of(said), where) if said else None
    if func.python is False and not options.force_venv_backend:
        backend = "none"
    conda = "conda" in (backend or options.default_venv_backend).split("|")
    specs, channels = read_conda_arguments(func.venv_params) if conda else ([], [])
    mapped = needs_of_sync(func.sync, registry.root) if backend_is_uv(backend, options) else None
    needs = Needs(
        backend=backend,
        backend_options=() if conda else tuple(map(str, func.venv_params)),
        deps=(),
        groups=(),
        extras=(),
        requirements=(),
        constraints=(),
        project="",
        reuse=True,
        conda_deps=tuple(specs),
        channels=tuple(channels),
    )
    if mapped is not None:
        needs = needs._replace(**mapped)
    parallel = options.allow_parallel if func.allow_parallel is None else func.allow_parallel
    several = _several(func.python)
    pythons = several if several is not None else [func.python]
    return SessionSpec(
        name=str(func.name),
        function=wrap(func, func.sync is not None and mapped is None),
        where=where,
        doc=clean_doc(func.__doc__),
        pythons=tuple(str(python) for python in pythons if python),
        names_python=several is not None,
        axes=(),
        needs=needs,
        env=(),
        tags=tuple(func.tags),
        requires=(),
        default=bool(func.default),
        parallel=bool(parallel),
        foreseeable=False,  # nox made it anew, and an install may hang on its arguments
    )


def backend_is_uv(backend: str | None, options: Options) -> bool:
    """Whether the noxfile itself asks for uv."""
    return (backend or options.default_venv_backend).split("|")[0] == "uv"


def _with_requires(job: Job, func: Func, named: Mapping[str, list[str]]) -> Job:
    """The job with what it requires; what there is not is its trouble when it runs, as in nox."""
    required: dict[str, None] = {}
    trouble: tuple[str, str] | None = None
    for text in func.requires:
        python = func.python if isinstance(func.python, str) else ""
        name = text.replace("{python}", python).replace("{py}", python)
        if name not in named:
            families = list(dict.fromkeys(named))
            trouble = (
                f"session {job.spec.name!r} requires {name!r}, which no session is named",
                did_you_mean(name, families) or f"there are {some_of(families)}",
            )
        required.update(dict.fromkeys(named.get(name, ())))
    return job._replace(requires=tuple(required), trouble=trouble)


def _without_circles(jobs: Iterable[Job]) -> Iterable[Job]:
    """The jobs; those that require each other in a circle cannot run, and wait for none of it."""
    by_name = {job.name: job for job in jobs}
    while circles := find_cycles({job.name: job.requires for job in by_name.values()}):
        for circle in circles:
            trouble = (
                f"these require each other: {' -> '.join([*circle, circle[0]])}",
                "take one of the requires away",
            )
            for job in (by_name[name] for name in circle):
                left = tuple(name for name in job.requires if name not in circle)
                by_name[job.name] = job._replace(requires=left, trouble=trouble)
    return by_name.values()
