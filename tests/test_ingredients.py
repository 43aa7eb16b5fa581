"""How a difference between ingredients is told."""

from __future__ import annotations

from runner.ingredients import difference
from runner.running import Ingredient

OLD_DIGEST = "sha256:" + "0" * 64
NEW_DIGEST = "sha256:" + "1" * 64


def of(**values: str) -> tuple[Ingredient, ...]:
    """Ingredients; `_` in a name stands for a dot."""
    return tuple(Ingredient(name.replace("_", "."), value) for name, value in values.items())


def test_equal_ingredients_have_no_difference():
    assert difference(of(deps="pytest"), of(deps="pytest")) == ""


def test_a_line_that_came_is_shown_with_a_plus():
    assert difference(of(deps="pytest"), of(deps="pytest\nhttpx")) == "deps changed (+httpx)"


def test_a_line_that_went_is_shown_with_a_minus():
    assert difference(of(deps="pytest\nrich"), of(deps="pytest")) == "deps changed (-rich)"


def test_another_version_of_one_requirement_is_shown_as_a_pair_behind_the_others():
    old = of(deps="pytest==8.2\nrich\nsix")
    new = of(deps="pytest==8.3\nsix\nhttpx")

    assert difference(old, new) == "deps changed (+httpx, -rich, -pytest==8.2 +pytest==8.3)"


def test_what_changed_inside_of_a_digest_is_told_where_it_is_known():
    old, new = of(sources=OLD_DIGEST, deps="a"), of(sources=NEW_DIGEST, deps="b")
    asked = []

    def inside(*question: str) -> list[str]:
        asked.append(question)
        return ["one.py", "+two.py"]

    assert difference(old, new, inside) == "sources changed (one.py, +two.py), deps changed (a → b)"
    assert asked == [("sources", OLD_DIGEST, NEW_DIGEST)]
    assert difference(old, new, lambda *_: []) == "sources changed, deps changed (a → b)"


def test_names_that_are_written_differently_make_a_pair():
    old, new = of(deps="a\nRuamel.Yaml<1"), of(deps="a\nruamel-yaml<2")

    assert difference(old, new) == "deps changed (-Ruamel.Yaml<1 +ruamel-yaml<2)"


def test_options_make_no_pair():
    old, new = of(install="pytest\n-r a.txt"), of(install="pytest\n-r b.txt")

    assert difference(old, new) == "install changed (+ -r b.txt, - -r a.txt)"


def test_of_many_lines_three_are_shown():
    assert (
        difference(of(deps="a"), of(deps="a\nb\nc\nd\ne\nf"))
        == "deps changed (+b, +c, +d and 2 more)"
    )


def test_a_short_value_is_shown_with_the_one_that_it_was():
    assert (
        difference(of(python="3.12.1"), of(python="3.13.0")) == "python changed (3.12.1 → 3.13.0)"
    )


def test_a_digest_is_not_shown():
    old, new = of(requirements_txt=OLD_DIGEST), of(requirements_txt=NEW_DIGEST)

    assert difference(old, new) == "requirements.txt changed"


def test_a_line_that_is_too_long_to_read_is_not_shown():
    old = of(deps="pytest\nlib @ git+https://example.org/" + "x" * 60)
    new = of(deps="pytest\nlib @ git+https://example.org/" + "y" * 60)

    assert difference(old, new) == "deps changed"


def test_a_value_that_got_a_digest_has_changed():
    assert difference(of(variable="not set"), of(variable=OLD_DIGEST)) == "variable changed"


def test_lines_in_another_order_are_told_as_such():
    assert difference(of(deps="a\nb"), of(deps="b\na")) == "deps changed (order)"


def test_what_was_not_there_is_added():
    old, new = of(deps="pytest"), of(deps="pytest", constraints_txt=NEW_DIGEST)

    assert difference(old, new) == "constraints.txt added"


def test_what_is_no_longer_there_is_removed():
    old, new = of(deps="pytest", constraints_txt=OLD_DIGEST), of(deps="pytest")

    assert difference(old, new) == "constraints.txt removed"


def test_a_list_that_was_not_there_is_shown_with_its_lines():
    assert difference((), of(deps="pytest\nrich")) == "deps added (+pytest, +rich)"


def test_a_list_that_is_no_longer_there_is_shown_with_its_lines():
    assert difference(of(deps="pytest"), ()) == "deps removed (-pytest)"


def test_an_empty_value_is_added_without_brackets():
    assert difference((), of(git="")) == "git added"


def test_a_file_whose_name_a_list_has_told_is_not_told_again():
    old = of(requirements="a.txt", a_txt=OLD_DIGEST)
    new = of(requirements="a.txt\nb.txt", a_txt=OLD_DIGEST, b_txt=NEW_DIGEST)

    assert difference(old, new) == "requirements changed (+b.txt)"


def test_a_file_of_an_install_option_is_not_told_again():
    old = of(install="pytest")
    new = of(install="pytest\n-r b.txt", b_txt=NEW_DIGEST)

    assert difference(old, new) == "install changed (+ -r b.txt)"


def test_two_labels_are_told_and_the_others_counted():
    old, new = of(a="1", b="1", c="1", d="1", e="1"), of(a="2", b="2", c="2", d="2", e="2")

    assert difference(old, new) == "a changed (1 → 2), b changed (1 → 2) and 3 more"


def test_two_labels_are_told_without_a_count():
    assert difference(of(a="1", b="1"), of(a="2", b="2")) == "a changed (1 → 2), b changed (1 → 2)"


def test_ingredients_in_another_order_differ():
    assert difference(of(a="1", b="2"), of(b="2", a="1")) == "the same in another order"


def test_values_under_one_label_are_compared_together():
    old = (Ingredient("step", "a"), Ingredient("step", "b"))
    new = (Ingredient("step", "a"), Ingredient("step", "c"))

    assert difference(old, new) == "step changed (+c, -b)"
