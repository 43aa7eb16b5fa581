"""What a session function's keyword-only arguments are on the command line."""

import enum
import functools
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, List, Literal, Optional, Tuple, TypeVar, Union  # noqa: UP035

import pytest

from runner.model import OwnOption
from runner.signature import own_options

T = TypeVar("T")


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


Part = Literal["major", "minor"]
ITSELF = "ITSELF"
NESTED = Optional["NESTED"]


def declared(function, *filled: str) -> tuple[OwnOption, ...]:
    """The options of a function in which nothing is wrong."""
    mistakes: list[tuple[str, str]] = []
    found = own_options("s", function, filled, "here", lambda _, what, mend: mistakes.append(what))
    assert mistakes == []
    return found


def option(annotation: Any, *default: object) -> OwnOption:
    """The option that an argument `one_thing` of that annotation is."""

    def s(session, *, one_thing): ...

    s.__annotations__ = {"one_thing": annotation}
    s.__kwdefaults__ = {"one_thing": default[0]} if default else None
    return declared(s)[0]


def mistake(annotation: Any) -> str:
    """Why no option can be made of an annotation."""
    told: list[str] = []

    def s(session, *, one_thing): ...

    s.__annotations__ = {"one_thing": annotation}
    own_options("s", s, (), "here", lambda where, what, mend: told.append(what))
    (what,) = told
    return what.removeprefix("session 's': the argument 'one_thing' cannot be an option: ")


def test_an_option_has_the_name_of_its_argument_with_dashes():
    it = option(str, "x")

    assert (it.name, it.flag, it.kind, it.takes) == ("one_thing", "--one-thing", "value", "str")
    assert (it.required, it.default) == (False, "x")


def test_one_without_a_default_must_be_given():
    assert option(str).required


@pytest.mark.parametrize(
    ("annotation", "word", "value", "written"),
    [
        (str, "a b", "a b", "--one-thing TEXT"),
        (str, "", "", "--one-thing TEXT"),
        (int, "-3", -3, "--one-thing N"),
        (float, ".5", 0.5, "--one-thing NUMBER"),
        (Path, "a/b", Path("a/b"), "--one-thing PATH"),
        (Part, "minor", "minor", "--one-thing major|minor"),
        (Literal[1, "two", True], "1", 1, "--one-thing 1|two|True"),
        (Literal[Color.BLUE], "blue", Color.BLUE, "--one-thing blue"),
        (Color, "blue", Color.BLUE, "--one-thing red|blue"),
        (Level, "HIGH", Level.HIGH, "--one-thing LOW|HIGH"),
        (Optional["int"], "3", 3, "--one-thing N"),
        (int | None, "3", 3, "--one-thing N"),
        (Literal["a", None], "a", "a", "--one-thing a"),
        (Annotated[int, "how many"], "3", 3, "--one-thing N"),
        ("int", "3", 3, "--one-thing N"),
        ("Part | None", "major", "major", "--one-thing major|minor"),
    ],
    ids=str,
)
def test_a_word_becomes_what_the_annotation_says(annotation, word: str, value, written: str):
    it = option(annotation)

    assert it.convert(word) == value
    assert type(it.convert(word)) is type(value)
    assert it.written == written


@pytest.mark.parametrize(
    ("annotation", "word"),
    [(int, "x"), (int, ""), (float, "x"), (Part, "Major"), (Color, "RED"), (Level, "1")],
    ids=str,
)
def test_what_the_annotation_does_not_have_is_no_value(annotation, word: str):
    with pytest.raises(ValueError, match=word or "''"):
        option(annotation).convert(word)


def test_a_bool_is_a_flag_that_can_be_turned_off():
    it = option(bool, False)

    assert (it.kind, it.written, it.turned_off) == ("flag", "--one-thing", "--no-one-thing")
    assert option(str).turned_off == ""


@pytest.mark.parametrize(
    ("annotation", "collected"),
    [
        (list[int], [1, 2]),
        (List[int], [1, 2]),  # noqa: UP006
        (Sequence[int], [1, 2]),
        (tuple[int, ...], (1, 2)),
        (Tuple[int, ...], (1, 2)),  # noqa: UP006
        (list["int"], [1, 2]),
        (Optional[list[int]], [1, 2]),  # noqa: UP045
        (list[Literal[1, 2]], [1, 2]),
    ],
    ids=str,
)
def test_a_list_may_be_repeated(annotation, collected):
    it = option(annotation)

    assert it.kind == "many"
    assert it.collect([it.convert("1"), it.convert("2")]) == collected


@pytest.mark.parametrize("annotation", [list, tuple, Sequence, List], ids=str)  # noqa: UP006
def test_a_list_of_nothing_said_holds_what_was_typed(annotation):
    it = option(annotation)

    assert (it.kind, it.takes) == ("many", "str")


def test_one_that_may_be_none_need_not_be_given():
    assert not option(Optional["str"]).required
    assert not option(bool | None).required


def test_a_text_in_annotated_tells_what_it_is_for():
    assert option(Annotated[int, 3, "how many", "of them"]).help == "how many of them"
    assert option(Annotated[int, "how many"] | None).help == "how many"


def test_an_alias_is_what_it_stands_for():
    class TypeAliasType:  # as Python 3.12 makes of `type Part = ...`
        __value__ = Part

    assert option(TypeAliasType()).choices == ("major", "minor")


def test_what_is_imported_for_type_checkers_alone_is_known_all_the_same():
    names = {"__builtins__": __builtins__}
    function = types.FunctionType((lambda session, *, a, b, c: None).__code__, names)
    function.__annotations__ = {
        "a": 'Literal["x", "y"]',
        "b": "Optional[Path]",
        "c": "typing.Literal['z']",
    }

    a, b, c = declared(function)

    assert (a.choices, b.takes, c.choices) == (("x", "y"), "path", ("z",))


def test_only_annotated_keyword_arguments_are_options():
    def s(session, first: str = "", *, bare=1, _hidden: int = 1, filled: str, third: int = 3): ...

    assert [it.name for it in declared(s, "filled")] == ["third"]


def test_what_a_decorator_has_wrapped_decides():
    def loud(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            return function(*args, **kwargs)

        return wrapper

    @loud
    @loud
    def s(session, *, part: str = "x"): ...

    assert [(it.name, it.default) for it in declared(s)] == [("part", "x")]


def test_what_a_cache_has_wrapped_decides_too():
    @functools.cache
    def s(session, *, part: str = "x"): ...

    @functools.wraps(s)
    def wrapper(*args, **kwargs): ...

    assert [it.name for it in declared(wrapper)] == ["part"]


def test_what_is_no_function_has_no_options():
    @functools.wraps(functools.partial(print))
    def wrapper(*args, **kwargs): ...

    assert declared(wrapper) == ()


def test_a_wrapper_that_hands_on_no_keywords_has_no_options():
    def s(session, *, part: str = "x"): ...

    @functools.wraps(s)
    def wrapper(session): ...

    assert declared(wrapper) == ()


@pytest.mark.parametrize(
    ("annotation", "why"),
    [
        (dict[str, int], "what would be written for dict[str, int] is not known"),
        (object, "what would be written for object is not known"),
        (None, "what would be written for None is not known"),
        (int | str, "int | str is one of several kinds"),
        (Union[int, str, None], "Union[int, str, NoneType] is one of several kinds"),  # noqa: UP007
        (tuple[int, str], "tuple[int, str] has parts of several kinds"),
        (tuple[int], "tuple[int] has parts of several kinds"),
        (list[bool], "list[bool] holds what no word stands for"),
        (list[T], "what would be written for ~T is not known"),
        (list[Optional[int]], "list[Optional[int]] holds what no word stands for"),  # noqa: UP045
        (list[list[int]], "list[list[int]] holds what no word stands for"),
        ("ITSELF", "it is made of itself"),
        ("NESTED", "it is made of itself"),
        ("Nothing", "'Nothing' cannot be evaluated: name 'Nothing' is not defined"),
        ("1 / 0", "'1 / 0' cannot be evaluated: division by zero"),
        ("int int", "'int int' cannot be evaluated: invalid syntax (<string>, line 1)"),
    ],
    ids=str,
)
def test_what_cannot_be_typed_is_no_option(annotation, why: str):
    assert mistake(annotation) == why


def test_names_that_are_taken_are_noted():
    def s(session, *, verbose: bool, install: bool, fast: bool, no_fast: int, fine: int): ...

    told: list[tuple[str, str]] = []
    own_options("s", s, (), "e.py:1", lambda where, what, mend: told.append((where, what)))

    assert told == [
        (
            "e.py:1",
            "session 's': the argument 'verbose' would be --verbose, which is an option of runenv",
        ),
        (
            "e.py:1",
            "session 's': the argument 'install' would be --no-install, which is an option of runenv",
        ),
        (
            "e.py:1",
            "session 's': the argument 'no_fast' would be --no-fast, which is that of 'fast'",
        ),
    ]
