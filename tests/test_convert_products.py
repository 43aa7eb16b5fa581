"""Names that are several products of their parts."""

from __future__ import annotations

import pytest

from runner.convert.factors import expand_names
from runner.convert.products import Products, products_of

CASES = {
    "{a,b}-x, {c,d}-y": Products(((("a", "b"), ("x",)), (("c", "d"), ("y",))), ()),
    "{a,b}-x-{1,2}, {c,d}-y-{1,2}": Products(
        ((("a", "b"), ("x",)), (("c", "d"), ("y",))), (("1", "2"),)
    ),
    "{a,b,c}-x, c-{y,z}": Products(((("a", "b"), ("x",)), (("c",), ("x", "y", "z"))), ()),
    # Two pieces, where the longest one at first would make three.
    "a-x, {b,c}-{x,y}": Products(((("a",), ("x",)), (("b", "c"), ("x", "y"))), ()),
}


@pytest.mark.parametrize(("names", "products"), CASES.items())
def test_names_are_as_few_products_as_can_be(names: str, products: Products):
    assert products_of(named(names)) == products


@pytest.mark.parametrize(
    "names",
    [
        "a-x, b-y, c-z",  # as many products as names
        "{a,b}-{x,y}",  # one
        "{a,b}-x, c",  # of another number of parts
        "a, b, c",
    ],
)
def test_names_of_which_nothing_is_gained_are_none(names: str):
    assert products_of(named(names)) is None


def test_the_words_of_a_part_are_those_of_all_products():
    products = products_of(named("{a,b}-x-{1,2}, {b,c}-y-{1,2}"))

    assert products is not None
    assert products.columns == [("a", "b", "c"), ("x", "y"), ("1", "2")]


def named(text: str) -> list[str]:
    """The names that tox reads in an expression."""
    return expand_names(text)
