"""Records are tuples whose fields have names."""

from __future__ import annotations

import copy
import pickle

import pytest

from runner.record import Record


class Part(Record):
    name: str
    size: int = 1
    tags: tuple[str, ...] = ()

    @property
    def twice(self) -> int:
        return 2 * self.size


def test_fields_are_given_by_place_by_name_or_left_at_their_defaults():
    assert Part("a", tags=("x",)) == ("a", 1, ("x",))
    assert Part(size=3, name="a") == Part("a", 3, ())


def test_fields_and_what_is_defined_beside_them_are_read_by_name():
    part = Part("a", 3)

    assert (part.name, part.size, part.tags, part.twice) == ("a", 3, (), 6)


@pytest.mark.parametrize(
    ("values", "named", "told"),
    [
        ((), {"size": 2}, "Part is not given 'name'"),
        (("a",), {"siez": 2, "x": 3}, "Part has no place for siez, x"),
        (("a",), {"name": "b"}, "Part has no place for name"),
        (("a", 1, (), 4), {}, "Part has no place for 4 values"),
    ],
)
def test_what_does_not_fit_is_a_mistake(values, named, told):
    with pytest.raises(TypeError, match=f"^{told}$"):
        Part(*values, **named)


def test_one_is_made_of_another_with_other_values():
    part = Part("a", 3)

    assert part._replace(size=4) == Part("a", 4)
    assert isinstance(part._replace(size=4), Part)
    assert part == Part("a", 3)


def test_a_field_that_there_is_not_cannot_be_replaced():
    with pytest.raises(TypeError, match=r"^Part has no siez$"):
        Part("a")._replace(siez=4)  # type: ignore[call-arg]  # the mistake


def test_nothing_can_be_set():
    part = Part("a")

    with pytest.raises(AttributeError):
        part.name = "b"  # type: ignore[misc]  # the mistake
    with pytest.raises(AttributeError):
        part.other = "b"  # type: ignore[attr-defined]  # the mistake


def test_it_is_shown_as_it_is_made():
    assert repr(Part("a", 3)) == "Part(name='a', size=3, tags=())"


def test_it_is_told_by_names():
    assert Part("a")._asdict() == {"name": "a", "size": 1, "tags": ()}
    assert Part._fields == ("name", "size", "tags")
    assert Part._field_defaults == {"size": 1, "tags": ()}


def test_a_copy_is_equal_and_of_the_same_kind():
    part = Part("a", 3)

    for again in (copy.copy(part), copy.deepcopy(part), pickle.loads(pickle.dumps(part))):
        assert again == part
        assert isinstance(again, Part)


def test_it_is_matched_by_place():
    match Part("a", 3):
        case Part(name, size):
            assert (name, size) == ("a", 3)


def test_the_hundredth_of_a_class_is_made_as_the_first_was():
    class Many(Record):
        name: str
        size: int = 1

    made = [Many(name=f"{number}") for number in range(100)]

    assert made == [(f"{number}", 1) for number in range(100)]
    assert Many("a", size=2) == ("a", 2)
    assert {type(one) for one in made} == {Many}
