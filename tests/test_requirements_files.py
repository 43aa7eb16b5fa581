"""How requirement files are read, and where what they name is found."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runner.errors import EnvironmentBroken
from runner.requirements.files import (
    Line,
    Local,
    expand_variables,
    find_local,
    is_archive,
    line_arguments,
    logical_lines,
    missing,
    path_of_url,
    read_bytes,
    shown_path,
    variables_named,
)


def lines(text: str | bytes) -> list[tuple[int, str]]:
    data = text.encode() if isinstance(text, str) else text
    return [(line.number, line.text) for line in logical_lines(data)]


# Lines. ------------------------------------------------------------------------


def test_blank_lines_and_comments_say_nothing():
    assert lines("# about\n\npytest  # the runner\n   \nhttpx\n") == [(3, "pytest"), (5, "httpx")]


def test_a_hash_inside_a_word_is_no_comment():
    assert lines("lib @ https://example.org/x.zip#sha256=1") == [
        (1, "lib @ https://example.org/x.zip#sha256=1")
    ]


def test_a_continued_line_has_the_number_of_its_first():
    assert lines("pytest \\\n  --hash=sha256:1 \\\n  --hash=sha256:2\nhttpx") == [
        (1, "pytest   --hash=sha256:1   --hash=sha256:2"),
        (4, "httpx"),
    ]


def test_a_comment_is_not_continued():
    assert lines("# about \\\npytest") == [(2, "pytest")]


def test_a_comment_ends_a_continued_line():
    assert lines("pytest \\\n# about\nhttpx") == [(1, "pytest"), (3, "httpx")]


def test_a_continuation_at_the_end_of_the_file_is_still_a_line():
    assert lines("pytest\nhttpx \\") == [(1, "pytest"), (2, "httpx")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_a_byte_order_mark_tells_the_encoding(encoding: str):
    assert lines("\ufeffpytest\n./bäume\n".encode(encoding)) == [(1, "pytest"), (2, "./bäume")]


def test_a_declared_coding_is_used():
    assert lines("# -*- coding: latin-1 -*-\n./bäume".encode("latin-1")) == [(2, "./bäume")]


def test_a_coding_that_nobody_knows_is_read_as_utf8():
    assert lines("# coding: klingon\n./bäume".encode()) == [(2, "./bäume")]


@pytest.mark.skipif(os.name != "posix", reason="paths are no bytes there")
def test_bytes_that_are_not_utf8_stay_what_they_are():
    ((_, text),) = lines(b"./b\xe4ume")

    assert os.fsencode(text) == b"./b\xe4ume"


def test_variables_with_a_value_are_filled_in():
    environ = {"VERSION": "8", "EMPTY": ""}

    assert expand_variables("a==${VERSION} ${EMPTY} ${NONE} $VERSION", environ) == (
        "a==8 ${EMPTY} ${NONE} $VERSION"
    )


def test_the_names_of_variables_are_found():
    assert variables_named([Line(1, "a==${B} ${A}"), Line(2, "${B}")]) == ["A", "B"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pytest>=8", [("requirement", "", "pytest>=8")]),
        (
            "pytest ; sys_platform == 'win32' --hash=sha256:1",
            [
                ("requirement", "", "pytest ; sys_platform == 'win32'"),
                ("option", "--hash", "sha256:1"),
            ],
        ),
        ("-r base.txt", [("file", "-r", "base.txt")]),
        ("-e ./lib[test]", [("editable", "-e", "./lib[test]")]),
        ("-r 'my base.txt'", [("file", "-r", "my base.txt")]),
        (r"-r my\ base.txt", [("file", "-r", "my base.txt")]),
        ("-r isn't.txt", [("file", "-r", "isn't.txt")]),
        (
            "--index-url https://example.org --pre",
            [("option", "--index-url", "https://example.org"), ("option", "--pre", "")],
        ),
    ],
)
def test_a_line_is_a_requirement_with_options_or_options(
    text: str, expected: list[tuple[str, str, str]]
):
    assert [(a.kind, a.option, a.value) for a in line_arguments(text)] == expected


# Files. ------------------------------------------------------------------------


def test_a_path_inside_the_root_is_shown_from_it(tmp_path: Path):
    root = str(tmp_path)

    assert shown_path(os.path.join(root, "sub", "dev.txt"), root) == "sub/dev.txt"


def test_the_root_is_shown_as_a_dot(tmp_path: Path):
    assert shown_path(str(tmp_path), str(tmp_path)) == "."


def test_a_path_beside_the_root_is_shown_whole(tmp_path: Path):
    beside = str(tmp_path) + "-too"

    assert shown_path(beside, str(tmp_path)) == beside.replace(os.sep, "/")


def test_a_missing_file_is_named_with_the_one_that_is_near(tmp_path: Path):
    (tmp_path / "requirements.txt").touch()

    with pytest.raises(EnvironmentBroken) as caught:
        read_bytes(str(tmp_path / "requirement.txt"), "requirement.txt", where="dev.txt:3")

    assert str(caught.value) == (
        "dev.txt:3: there is no requirement.txt\ndid you mean 'requirements.txt'?"
    )


def test_a_missing_file_with_nothing_near_is_named_with_its_path(tmp_path: Path):
    path = str(tmp_path / "nowhere" / "dev.txt")

    assert missing(path, "dev.txt", where="").mend == f"looked for {path}"


def test_a_folder_in_place_of_a_file_is_an_error(tmp_path: Path):
    with pytest.raises(EnvironmentBroken) as caught:
        read_bytes(str(tmp_path), "dev.txt")

    assert caught.value.what.startswith("dev.txt cannot be read: ")
    assert caught.value.mend == "name a file that can be read"


@pytest.mark.skipif(os.name != "posix", reason="a file below a file is just missing there")
def test_a_file_that_cannot_be_opened_is_an_error(tmp_path: Path):
    (tmp_path / "file").touch()

    with pytest.raises(EnvironmentBroken) as caught:
        read_bytes(str(tmp_path / "file" / "dev.txt"), "file/dev.txt")

    assert caught.value.what == "file/dev.txt cannot be read: Not a directory"


# What is local. ----------------------------------------------------------------


@pytest.fixture
def here(tmp_path: Path) -> str:
    """A folder with a `lib`, a `g[h]`, an `i;j` and a wheel in it."""
    for name in ("lib", "g[h]", "i;j"):
        (tmp_path / name).mkdir()
    (tmp_path / "x-1-py3-none-any.whl").touch()
    return str(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "pytest",
        "pytest>=8",
        "coverage[toml]",
        "pytest ; python_version < '3.11'",
        "lib",  # a bare name is a requirement, though a folder is called like it
        "lib @ https://example.org/lib.zip",
        "lib @ git+file:///repositories/lib",
        "git+https://example.org/lib",
        "https://example.org/lib.zip",
    ],
)
def test_names_and_urls_are_not_local(here: str, text: str):
    assert find_local(text, here) is None


@pytest.mark.parametrize("text", ["./lib", "lib/", "./lib/../lib"])
def test_a_path_is_absolute_when_found(here: str, text: str):
    found = find_local(text, here)

    assert found == Local(os.path.join(here, "lib"), (), os.path.join(here, "lib"))


def test_extras_stay_behind_the_path(here: str):
    lib = os.path.join(here, "lib")

    assert find_local("./lib[cli, test]", here) == Local(lib, ("cli", "test"), f"{lib}[cli, test]")


def test_the_folder_itself_is_a_path(here: str):
    assert find_local(".[cli]", here) == Local(here, ("cli",), f"{here}[cli]")


def test_a_marker_stays_behind_the_path(here: str):
    lib = os.path.join(here, "lib")

    assert find_local("./lib ; python_version > '3'", here) == Local(
        lib, (), f"{lib} ; python_version > '3'"
    )


@pytest.mark.parametrize("name", ["g[h]", "i;j"])
def test_signs_in_the_name_of_a_folder_belong_to_it(here: str, name: str):
    path = os.path.join(here, name)

    assert find_local(f"./{name}", here) == Local(path, (), path)


def test_a_wheel_needs_no_separator(here: str):
    path = os.path.join(here, "x-1-py3-none-any.whl")

    assert find_local("x-1-py3-none-any.whl", here) == Local(path, (), path)


def test_after_an_editable_option_a_bare_name_is_a_path(here: str):
    lib = os.path.join(here, "lib")

    assert find_local("lib", here, editable=True) == Local(lib, (), lib)


def test_a_file_url_is_followed_and_handed_on_as_it_is(here: str):
    text = f"lib[test] @ {Path(here, 'lib').as_uri()}"

    assert find_local(text, here) == Local(os.path.join(here, "lib"), ("test",), text)


def test_a_file_url_with_a_marker_is_followed(here: str):
    text = f"{Path(here, 'lib').as_uri()} ; python_version > '3'"

    assert find_local(text, here) == Local(os.path.join(here, "lib"), (), text)


def test_a_path_behind_a_name_is_followed(here: str):
    text = "lib @ ./lib"

    assert find_local(text, here) == Local(os.path.join(here, "lib"), (), text)


def test_a_path_to_nothing_is_an_error_with_the_near_name(here: str):
    with pytest.raises(EnvironmentBroken) as caught:
        find_local("./libs", here, where="dev.txt:2")

    assert str(caught.value) == "dev.txt:2: there is no ./libs\ndid you mean 'lib'?"


def test_a_file_url_to_nothing_is_an_error(here: str):
    with pytest.raises(EnvironmentBroken) as caught:
        find_local("q @ file:///no/such/place", here)

    assert caught.value.what == "there is no file:///no/such/place"


def test_a_path_to_nothing_with_a_marker_may_be_for_elsewhere(here: str):
    assert find_local("./windows ; sys_platform == 'win32'", here) is None


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///a/b", "/a/b"),
        ("file://localhost/a/b", "/a/b"),
        ("file:/a/b", "/a/b"),
        ("file:./lib", "./lib"),
        ("file:///a%20b/c", "/a b/c"),
        ("file:///a#egg=lib", "/a"),
        ("file:///a#egg=lib&subdirectory=sub/lib", "/a/sub/lib"),
    ],
)
def test_a_file_url_is_a_path(url: str, path: str):
    assert path_of_url(url, windows=False) == path


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///C:/a", "C:/a"),
        ("file://server/share/a", "//server/share/a"),
        ("file://localhost/C:/a", "C:/a"),
        ("file:lib", "lib"),
    ],
)
def test_a_file_url_on_windows_has_a_drive_or_a_server(url: str, path: str):
    assert path_of_url(url, windows=True) == path


@pytest.mark.parametrize("name", ["a.whl", "A.ZIP", "a-1.tar.gz", "a.tgz", "a.tar.zst"])
def test_archives_are_told_by_their_names(name: str):
    assert is_archive(name)


@pytest.mark.parametrize("name", ["a.txt", "whl", "a.gz"])
def test_other_files_are_no_archives(name: str):
    assert not is_archive(name)
