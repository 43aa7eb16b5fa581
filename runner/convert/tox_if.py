"""What tox writes as expressions: `condition` of `{replace = "if"}`, markers of variables.

Decided where the name of the environment decides, else as Python that the machine decides.
Rules are those of tox 4 (tox/config/loader/toml/_replace.py) and of PEP 508.
"""

from __future__ import annotations

import ast
import re

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from runner.convert.factors import factors_of
from runner.convert.words import quoted
from runner.record import Record

_PLATFORM_SYSTEMS = {"Windows": "win32", "Linux": "linux", "Darwin": "darwin"}


class _Open(Record):
    """What is known only where it runs, as Python."""

    expression: str
    text: str = ""  # the same as a string, where it is one

    def inside(self, *, of_and: bool) -> str:
        """As an operand of `and`, or of `or`."""
        return f"({self.expression})" if of_and and " or " in self.expression else self.expression


def decided(condition: str, env: str) -> bool | str:
    """Whether a condition holds for an environment; an expression where its name leaves it open.

    Raises ValueError for what is no condition of tox.
    """
    try:
        found = _truth(ast.parse(condition, mode="eval").body, env)
    except (SyntaxError, _Refused):
        raise ValueError(f"condition = {condition!r}") from None
    return found.expression if isinstance(found, _Open) else found


def of_marker(marker: str, python: str | None = None) -> bool | str:
    """A marker of the platform as an expression, one of a Python that is known as its truth.

    Raises ValueError for other markers.
    """
    try:
        tree = _WithPython(python).visit(ast.parse(marker, mode="eval"))
        found = _truth(tree.body, None)
    except (SyntaxError, _Refused):
        raise ValueError(f"marker {marker!r} is not known before it runs") from None
    return found.expression if isinstance(found, _Open) else found


def negated(expression: str) -> str:
    """The expression that is true where another is not."""
    if " and " in expression or " or " in expression:
        return f"not ({expression})"
    for sign, other in ((" == ", " != "), (" != ", " == ")):
        if sign in expression:
            return expression.replace(sign, other)
    return expression.removeprefix("not ") if expression[:4] == "not " else f"not {expression}"


_SIGNS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


class _WithPython(ast.NodeTransformer):
    """Comparisons with the version of a Python that is known become what they are."""

    def __init__(self, python: str | None) -> None:
        version = re.search(r"\d+\.\d+$", python or "")
        self._version = version[0] if version else ""

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        """True or False where it is about the version."""
        sides = (node.left, node.comparators[0])
        of_version = [isinstance(s, ast.Name) and s.id == "python_version" for s in sides]
        if len(node.ops) != 1 or not any(of_version):
            return node
        sign = _SIGNS.get(type(node.ops[0]), "")
        other = sides[1] if of_version[0] else sides[0]
        wanted = other.value if isinstance(other, ast.Constant) else None
        if not (sign and self._version and isinstance(wanted, str)):
            raise _Refused
        sign = sign if of_version[0] else _TURNED.get(sign, sign)
        try:
            fits = SpecifierSet(f"{sign}{wanted}").contains(self._version)
        except InvalidSpecifier:
            raise _Refused from None
        return ast.copy_location(ast.Constant(fits), node)


class _Refused(Exception):
    """It is no condition that tox knows."""


def _truth(node: ast.expr, env: str | None) -> bool | _Open:
    if isinstance(node, ast.BoolOp):
        return _together([_truth(one, env) for one in node.values], isinstance(node.op, ast.And))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        inner = _truth(node.operand, env)
        return _Open(negated(inner.expression)) if isinstance(inner, _Open) else not inner
    if isinstance(node, ast.Compare):
        return _compared(node, env)
    value = _value(node, env)
    return value if isinstance(value, _Open) else bool(value)


def _together(parts: list[bool | _Open], of_and: bool) -> bool | _Open:
    if any(part is (not of_and) for part in parts):
        return not of_and
    left = [part.inside(of_and=of_and) for part in parts if isinstance(part, _Open)]
    return _Open((" and " if of_and else " or ").join(left)) if left else of_and


def _compared(node: ast.Compare, env: str | None) -> bool | _Open:
    if len(node.ops) != 1 or not isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
        raise _Refused
    equal = isinstance(node.ops[0], ast.Eq)
    sides = [_value(one, env) for one in (node.left, node.comparators[0])]
    if _is_system(node.left):
        sides[1] = _PLATFORM_SYSTEMS.get(str(sides[1]), sides[1])
    if not any(isinstance(side, _Open) for side in sides):
        return (sides[0] == sides[1]) is equal
    shown = [side.text if isinstance(side, _Open) else quoted(str(side)) for side in sides]
    return _Open(f"{shown[0]} {'==' if equal else '!='} {shown[1]}")


def _value(node: ast.expr, env: str | None) -> bool | str | _Open:
    if isinstance(node, ast.Constant) and isinstance(node.value, (str, bool)):
        return node.value
    if env is None:
        if isinstance(node, ast.Name) and node.id in _OF_THE_MACHINE:
            return _Open(_OF_THE_MACHINE[node.id], _OF_THE_MACHINE[node.id])
        raise _Refused
    if isinstance(node, ast.Name) and node.id == "env_name":
        return env
    space, key = _looked_up(node)
    if space == "factor":
        return key in factors_of(env)
    return _Open(f"os.environ.get({quoted(key)})", f'os.environ.get({quoted(key)}, "")')


_OF_THE_MACHINE = {
    "sys_platform": "sys.platform",
    "platform_system": "sys.platform",
    "os_name": "os.name",
}


def _is_system(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "platform_system"


def _looked_up(node: ast.expr) -> tuple[str, str]:
    """`env.CI`, `factor['3.12']` as a pair."""
    if isinstance(node, ast.Attribute):
        space, key = node.value, node.attr
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        space, key = node.value, str(node.slice.value)
    else:
        raise _Refused
    if not isinstance(space, ast.Name) or space.id not in ("env", "factor"):
        raise _Refused
    return space.id, key
