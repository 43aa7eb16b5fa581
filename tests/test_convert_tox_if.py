"""The expressions of tox: what a name decides, and what is left to the machine."""

from __future__ import annotations

import pytest

from runner.convert.tox_if import decided, negated, of_marker


@pytest.mark.parametrize(
    ("condition", "answer"),
    [
        ("factor.a", True),
        ("factor.z", False),
        ("not factor.z", True),
        ("factor['3.12']", True),
        ("factor.a and factor.z", False),
        ("factor.a and not factor.z", True),
        ("factor.z or factor.a", True),
        ("factor.z or factor.y", False),
        ("env_name == '3.12-a'", True),
        ("env_name != '3.12-a'", False),
        ("env_name", True),
    ],
)
def test_the_name_of_an_environment_decides(condition: str, answer: bool):
    assert decided(condition, "3.12-a") is answer


@pytest.mark.parametrize(
    ("condition", "expression"),
    [
        ("env.CI", 'os.environ.get("CI")'),
        ("env['CI']", 'os.environ.get("CI")'),
        ("not env.CI", 'not os.environ.get("CI")'),
        ("not not env.CI", 'os.environ.get("CI")'),
        ("env.A == 'x'", 'os.environ.get("A", "") == "x"'),
        ("'x' != env.A", '"x" != os.environ.get("A", "")'),
        ("not env.A == 'x'", 'os.environ.get("A", "") != "x"'),
        ("env.A and factor.a", 'os.environ.get("A")'),
        ("env.A and factor.z", False),
        ("env.A or factor.a", True),
        ("env.A or env.B", 'os.environ.get("A") or os.environ.get("B")'),
        (
            "env.A and (env.B or env.C)",
            'os.environ.get("A") and (os.environ.get("B") or os.environ.get("C"))',
        ),
        ("not (env.A and env.B)", 'not (os.environ.get("A") and os.environ.get("B"))'),
    ],
)
def test_what_a_variable_decides_is_asked_when_it_runs(condition: str, expression: bool | str):
    assert decided(condition, "a") == expression


@pytest.mark.parametrize(
    "condition",
    ["", "factor.a <", "1", "os.CI", "factor.a < 'b'", "'a' == env.A == 'b'", "f(1)", "a.b.c"],
)
def test_what_is_no_condition_is_refused_with_its_text(condition: str):
    with pytest.raises(ValueError, match=r"^condition = "):
        decided(condition, "a")


@pytest.mark.parametrize(
    ("marker", "expression"),
    [
        ("sys_platform == 'win32'", 'sys.platform == "win32"'),
        ("sys_platform != 'win32'", 'sys.platform != "win32"'),
        ("platform_system == 'Windows'", 'sys.platform == "win32"'),
        ("os_name == 'nt'", 'os.name == "nt"'),
        (
            "sys_platform == 'linux' or sys_platform == 'darwin'",
            'sys.platform == "linux" or sys.platform == "darwin"',
        ),
    ],
)
def test_a_marker_of_the_platform_is_python(marker: str, expression: str):
    assert of_marker(marker) == expression


@pytest.mark.parametrize("marker", ["python_version < '3.12'", "b", "sys_platform =="])
def test_other_markers_are_refused_with_their_text(marker: str):
    with pytest.raises(ValueError, match=r"^marker "):
        of_marker(marker)


@pytest.mark.parametrize(
    ("marker", "found"),
    [
        ("python_version >= '3.10'", True),
        ("python_version < '3.10'", False),
        ("'3.11' > python_version", False),
        ("'3.11' <= python_version", True),
        ("python_version != '3.11' or os_name == 'nt'", 'os.name == "nt"'),
    ],
)
def test_a_marker_of_a_python_that_is_known_is_its_truth(marker: str, found: bool | str):
    assert of_marker(marker, "3.11") == found


@pytest.mark.parametrize("marker", ["python_version in '3.11'", "python_version > 'x'"])
def test_a_marker_that_compares_otherwise_is_refused(marker: str):
    with pytest.raises(ValueError, match=r"^marker "):
        of_marker(marker, "3.11")


@pytest.mark.parametrize(
    ("expression", "opposite"),
    [
        ('sys.platform == "a"', 'sys.platform != "a"'),
        ('sys.platform != "a"', 'sys.platform == "a"'),
        ("a or b", "not (a or b)"),
        ("not a", "a"),
        ("a", "not a"),
    ],
)
def test_the_opposite_of_an_expression(expression: str, opposite: str):
    assert negated(expression) == opposite
