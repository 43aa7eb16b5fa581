"""The same noxfiles and arguments to nox itself and to us.

What differs stands in docs/reference/nox-differences.md.
"""

from __future__ import annotations

import pytest

from tests.compat.beside_nox import HERE, Case, ends_alike, lists_alike, needs_nox
from tests.conftest import Folder

pytestmark = needs_nox

PLAIN = """
    '''About these sessions.'''
    import nox

    @nox.session(venv_backend="none")
    def first(session):
        '''What it does.

        And more of it.
        '''
        print(session.name, session.posargs, session.python)

    @nox.session(venv_backend="none", default=False, tags=["slow"])
    def second(session):
        print(session.name, session.posargs)

    @nox.session(python=False, name="third one", tags=["slow", "t"])
    def third(session):
        print(session.name, first.name, third.python)
    """

ENDINGS = """
    import nox

    @nox.session(python=False)
    def passes(session): print(session.name)

    @nox.session(python=False)
    def fails(session):
        print(session.name)
        session.run("python", "-c", "exit(3)")

    @nox.session(python=False)
    def errors(session): session.error("it", "does")

    @nox.session(python=False)
    def skips(session): session.skip("not today")

    @nox.session(python=False)
    def raises(session): 1 / 0

    @nox.session(python=False)
    def caught(session):
        try:
            session.run("python", "-c", "exit(3)")
        except nox.command.CommandFailed as error:
            print(session.name, error.return_code)

    @nox.session(python=False)
    def codes(session):
        print(session.run("python", "-c", "exit(3)", success_codes=[3]))

    @nox.session(python=False)
    def no_words(session): session.run()

    @nox.session(python=False)
    def a_list(session): session.run(["python", "-V"])

    @nox.session(python=False)
    def no_program(session): session.run("there-is-no-such-program")

    @nox.session(venv_backend="none")
    def installs(session): session.install("x")

    @nox.session(python=False)
    def a_function(session): print(session.run(max, 1, 2))

    @nox.session(python=False)
    def a_function_that_raises(session): session.run(lambda: 1 / 0)
    """

REQUIRES = """
    import nox

    @nox.session(python=False, requires=["c", "b"])
    def a(session): print(session.name)

    @nox.session(python=False)
    def b(session): print(session.name)

    @nox.session(python=False)
    def c(session): print(session.name)

    @nox.session(python=False, requires=["e"])
    def d(session): print(session.name)

    @nox.session(python=False, requires=["c"])
    def e(session): print(session.name)

    @nox.session(python=False, requires=["b", "h"])
    def f(session): print(session.name)

    @nox.session(python=False, requires=["c"])
    def h(session): print(session.name)

    @nox.session(python=False, requires=["j"])
    def i(session): print(session.name)

    @nox.session(python=False, requires=["i"])
    def j(session): print(session.name)

    @nox.session(python=False, requires=["does_not_exist"])
    def o(session): print(session.name)

    @nox.session(python=False)
    def r(session): raise Exception("Fail!")

    @nox.session(python=False, requires=["r"])
    def s(session): print(session.name)

    @nox.session(python=False)
    @nox.parametrize("django", ["1.9", "2.0"])
    def u(session, django): print(session.name)

    @nox.session(python=False, requires=["u(django='1.9')"])
    def v(session): print(session.name)

    @nox.session(python=False, requires=["u"])
    def w(session): print(session.name)
    """

PARAMETERS = """
    import nox

    @nox.session(python=False)
    @nox.parametrize("cheese", ["cheddar", "jack", nox.param("brie", id="soft", tags=["x"])])
    def snack(session, cheese): print(session.name, cheese)

    @nox.session(python=False, name="with blanks")
    @nox.parametrize("a,b", [(1, 2), (3, 4)], ids=["first"])
    @nox.parametrize("c", [True], tags=[["y"]])
    def several(session, a, b, c): print(session.name, a, b, c)

    @nox.session(python=False)
    @nox.parametrize("arg", ["Jane", "Joe's", '"hello"', [42]])
    def odd(session, arg): print(session.name, arg)

    @nox.parametrize("n", range(2))
    @nox.session(python=False)
    def above(session, n): print(session.name, n)

    @nox.session(python=False)
    @nox.parametrize("n", (number for number in [7, 8]))
    def generated(session, n): print(session.name, n)

    @nox.session(python=False)
    @nox.parametrize(["version"], [["8.1.0"], ["7.5.0"]], ["8.1.0", "7.5.0"])
    def in_lists(session, version): print(session.name, version)

    @nox.session(python=False)
    @nox.parametrize("one", "a plain value")
    def plain(session, one): print(session.name, one)
    """

DATES = """
    import datetime
    import nox

    @nox.session(python=False)
    @nox.parametrize("day", [datetime.date(1980, 1, 1), (1, 2)])
    def odd(session, day): ...
    """

PYTHONS = f"""
    import nox

    @nox.session(python=["{HERE}", "9.9"], venv_backend="virtualenv")
    def several(session): print(session.name, session.python)

    @nox.session(python="{HERE}", venv_backend="virtualenv")
    def one(session): print(session.name, session.python)

    @nox.session(python=["{HERE}"], venv_backend="virtualenv", requires=["several-{{python}}"])
    @nox.parametrize("x", [1, 2])
    def both(session, x): print(session.name, session.python, x)

    @nox.parametrize("python", ["{HERE}"])
    @nox.session(venv_backend="virtualenv")
    def parameter(session): print(session.name, session.python)

    @nox.session(python=["3.8", "3.9"], venv_backend="none")
    def ignored(session): print(session.name, session.python)

    @nox.session(python=[])
    def vanishes(session): ...
    """

SESSIONS = """
    import os
    import nox

    nox.options.sessions = ["tells", "notifies"]
    nox.options.stop_on_first_error = True

    @nox.session(python=False)
    def tells(session):
        with session.chdir("/"):
            print(os.getcwd())
        session.cd("/")
        session.env["MINE"] = "session"
        show = "import os; print(os.environ.get('MINE'), os.environ['NOX_CURRENT_SESSION'])"
        print(session.run("python", "-c", show, env={"MINE": "run"}, silent=True))
        print(session.run("python", "-c", show, env={"MINE": None}, silent=True))
        print(session.interactive, session.venv_backend, session.bin_paths)
        print(session._runner.friendly_name, session._runner.global_config.no_install)
        print([s.friendly_name for s, _ in session._runner.manifest.list_all_sessions()])

    @nox.session(python=False)
    def notifies(session):
        session.notify("last(x=2)", posargs=["given"])
        session.notify("last(x=2)")
        session.notify("tells")
        print(session.name, os.getcwd() == session.invoked_from)

    @nox.session(python=False)
    @nox.parametrize("x", [1, 2])
    def last(session, x): print(session.name, session.posargs)

    @nox.session(python=False)
    def notifies_nothing(session): session.notify("nothing")
    """

NOTIFIES = f"""
    import nox

    @nox.session(python=False)
    def chain(session):
        print(session.name)
        session.notify("one")
        session.notify("two")
        session.notify("one", posargs=["a second time"])

    @nox.session(python=False, default=False)
    def one(session):
        print(session.name, session.posargs)
        session.notify("three", posargs=["x", "y"])

    @nox.session(python=False, default=False)
    def two(session): print(session.name, session.posargs)

    @nox.session(python=False, default=False)
    def three(session): print(session.name, session.posargs)

    @nox.session(python=False)
    def fails_then(session):
        session.notify("three")
        session.error("no")

    @nox.session(python=False)
    def skips_then(session):
        session.notify("three")
        session.skip("no")

    @nox.session(python=False)
    def itself(session):
        print(session.name)
        session.notify("itself")

    @nox.session(python=False)
    def one_python(session):
        print(session.name)
        session.notify("a_python-{HERE}")

    @nox.session(python=["{HERE}"], venv_backend="virtualenv", default=False)
    def a_python(session): print(session.name, session.posargs)
    """

BREAKS = """
    import nox

    @nox.session(python=False)
    def breaks(session):
        print(session.name)
        session.error("it is broken")

    @nox.session(python=False)
    def leaves(session):
        print(session.name)
        session.skip("not here")

    @nox.session(python=False, requires=["breaks"])
    def after_it(session): print(session.name)

    @nox.session(python=False, requires=["after_it"])
    def after_that(session): print(session.name)

    @nox.session(python=False, requires=["fine", "breaks"])
    def after_both(session): print(session.name)

    @nox.session(python=False)
    def fine(session): print(session.name)
    """

WORDS = """
    import nox

    @nox.session(python=False)
    def hands_on(session):
        print(session.posargs, session.interactive)
        session.run("python", "-c", "import sys; print(sys.argv[1:])", *session.posargs)
        session.posargs.append("more")
        second(session)

    @nox.session(python=False)
    def second(session): print(session.name, session.posargs)
    """

CHOSEN = """
    import nox

    nox.options.sessions = ["last", "hidden", "several"]
    nox.options.keywords = ""

    @nox.session(python=False, tags=["a"])
    def first(session): print(session.name)

    @nox.session(python=False, default=False, tags=["a", "b"])
    def hidden(session): print(session.name)

    @nox.session(venv_backend="none", tags=["b"])
    @nox.parametrize("x", [1, nox.param(2, tags=["c"])])
    def several(session, x): print(session.name)

    @nox.session(venv_backend="none", name="last", tags=("b", "d"))
    def of_another_name(session): print(session.name)

    if __name__ == "__main__":
        nox.main()
    """

BY_TAGS = CHOSEN.replace('nox.options.keywords = ""', 'nox.options.tags = ["a"]').replace(
    'nox.options.sessions = ["last", "hidden", "several"]', ""
)
BY_WORDS = BY_TAGS.replace('tags = ["a"]', 'keywords = "several or (d and not a)"')
BY_PYTHON = f"""
    import nox

    nox.options.pythons = ["{HERE}"]

    @nox.session(python=["{HERE}", "9.9"], venv_backend="virtualenv")
    def both(session): print(session.name)

    @nox.session(python="9.9")
    def none(session): print(session.name)

    @nox.session(python=False)
    def no_python(session): print(session.name)
    """


RUNS = {
    "plain": Case(PLAIN, ""),
    "named in order": Case(PLAIN, "-s second first", "second first"),
    "posargs": Case(PLAIN, "-s first -- a -b c"),
    "tag": Case(PLAIN, "-t slow"),
    "tags": Case(PLAIN, "-t t other", "-t t,other"),
    "keyword": Case(PLAIN, "-k 'first or third'"),
    "not a keyword": Case(PLAIN, "-k 'not first'"),
    "a name that there is not": Case(PLAIN, "-s zzz"),
    "a tag that there is not": Case(PLAIN, "-t zzz"),
    **{name: Case(ENDINGS, f"-s {name}") for name in ("passes", "fails", "skips")},
    "all endings": Case(ENDINGS, ""),
    "first error": Case(ENDINGS, "-x"),
    **{f"requires {name}": Case(REQUIRES, f"-s {name}") for name in "adiosvw"},
    "requires in order": Case(REQUIRES, "-s a d f", "a d f"),
    "parameters": Case(PARAMETERS, ""),
    "one set": Case(PARAMETERS, "-s \"snack(cheese='jack')\""),
    "an id": Case(PARAMETERS, "-s 'snack(soft)'"),
    "other quotes": Case(PARAMETERS, "-s 'snack(cheese=\"jack\")'"),
    "several axes": Case(PARAMETERS, "-s 'with blanks(c=True, a=3, b=4)'"),
    "a tag of a parameter": Case(PARAMETERS, "-t x y", "-t x,y"),
    "pythons": Case(PYTHONS, f"-p {HERE}"),
    "a missing python": Case(PYTHONS, "-s several"),
    "pythons beside none": Case(PYTHONS, "-s ignored"),
    "python and parameter": Case(PYTHONS, f"-s 'both-{HERE}(x=2)'"),
    "a session": Case(SESSIONS, ""),
    "an unknown notification": Case(SESSIONS, "-s notifies_nothing"),
    **{
        f"notify {name}": Case(NOTIFIES, f"-s {name}")
        for name in ("chain", "fails_then", "skips_then", "itself", "one_python")
    },
    "notified and named": Case(NOTIFIES, "-s chain three one", "chain three one"),
    "notified with posargs": Case(NOTIFIES, "-s chain -- given"),
    "notified after the first error": Case(NOTIFIES, "-x -s fails_then"),
    "what breaks": Case(BREAKS, ""),
    **{
        f"breaks before {name}": Case(BREAKS, f"-s {name}")
        for name in ("after_it", "after_that", "after_both")
    },
    "what breaks with -x": Case(BREAKS, "-x -s breaks fine", "-x breaks fine"),
    "skips beside one that passes": Case(BREAKS, "-s leaves fine", "leaves fine"),
    "skips beside one that fails": Case(BREAKS, "-s leaves breaks", "leaves breaks"),
    "posargs for all": Case(WORDS, "-- -x '' 'a b' --list -- --"),
    "no posargs": Case(WORDS, "--"),
    "posargs without a terminal": Case(WORDS, "--non-interactive -s hands_on -- a"),
    "chosen": Case(CHOSEN, ""),
    "chosen by tags": Case(BY_TAGS, ""),
    "chosen by words": Case(BY_WORDS, ""),
    "chosen by Python": Case(BY_PYTHON, ""),
    "named beside what is chosen": Case(CHOSEN, "-s first"),
    "one that is no default": Case(CHOSEN, "-s hidden"),
    "the name of the function": Case(CHOSEN, "-s of_another_name"),
    "all of a session": Case(CHOSEN, "-s several"),
    "one of a session": Case(CHOSEN, "-s 'several(x=2)'"),
    "a value that there is not": Case(CHOSEN, "-s 'several(x=3)'"),
    "a tag of one value": Case(CHOSEN, "-t c"),
    "words with brackets": Case(CHOSEN, "-k '(first or last) and not d'"),
    "words that are tags": Case(CHOSEN, "-k 'a and b'"),
    "words that nothing has": Case(CHOSEN, "-k zzz"),
    "a Python of none": Case(CHOSEN, "-p 9.9"),
    "a Python and a name": Case(PYTHONS, f"-p {HERE} -s several"),
    "nothing that is installed only": Case(ENDINGS, "--install-only -s fails"),
}
LISTS = {
    name: Case(text, "")
    for name, text in {
        "plain": PLAIN,
        "endings": ENDINGS,
        "parameters": PARAMETERS,
        "dates": DATES,
        "pythons": PYTHONS,
        "sessions": SESSIONS,
        "notifies": NOTIFIES,
        "chosen": CHOSEN,
        "chosen by tags": BY_TAGS,
        "chosen by words": BY_WORDS,
        "chosen by Python": BY_PYTHON,
    }.items()
} | {
    "keyword": Case(PLAIN, "-k 'slow and not third'"),
    "name": Case(PARAMETERS, "-s snack"),
    "tag": Case(CHOSEN, "-t c"),
    "what is no default": Case(CHOSEN, "-s hidden"),
    "python": Case(PYTHONS, f"-p {HERE}"),
}

# nox passes where all that was asked for has skipped itself.
_SKIPPED = {"skips"}
# Where nox ends with 3 before it runs anything, the job that cannot run fails.
_FAILS_LATER = {"requires i", "requires o"}


@pytest.mark.parametrize("name", RUNS)
def test_a_run_ends_as_in_nox(folder: Folder, name: str):
    codes = (3, 1) if name in _FAILS_LATER else (0, 1) if name in _SKIPPED else None

    ends_alike(folder, RUNS[name], but_for=codes)


@pytest.mark.parametrize("name", LISTS)
def test_a_listing_has_what_nox_lists(folder: Folder, name: str):
    lists_alike(folder, LISTS[name])
