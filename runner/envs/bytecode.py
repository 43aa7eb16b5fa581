"""The bytecode of images: compiled once, beside the job that runs, and taken from jobs.

A job that imports a package leaves its bytecode in its own environment. What belongs
to a file that the image has, unchanged, is linked into the image, so that the next
environment has it from the start; a process of low priority compiles the rest, and
is ended with the run.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress

from runner.aside import touch, write_aside
from runner.envs.manifest import Changed, FileState, link_files, state_of
from runner.settings import is_dict
from runner.typed import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Mapping

    from runner.envs.manifest import Manifest

_LIST = "bytecode.json"  # of an image: what joined it
_DONE = "compiled"  # the mark of an image that has all
_CACHE = "__pycache__"
TOLD = "compiled-"  # and then the process that has it compiled: what is compiled so far

# Run by the environment's own Python, 3.6 or later, with nothing of the user's in reach.
# Its standard input is a pipe of ours: where we end, however that is, so does it.
_COMPILE = """\
import contextlib, os, sys, threading, time
def leave():
    os.read(0, 1)
    os._exit(1)
threading.Thread(target=leave, daemon=True).start()
for _ in range(100):
    try:
        # Linux may share CPUs out among sessions, of which this is one (sched(7), autogroup):
        # then idle priority says nothing beside a job's commands, which are in another.
        with open("/proc/self/autogroup", "w") as stream:
            stream.write("19")
        break
    except BlockingIOError:  # one write in 0.1 s, of all processes without privileges
        time.sleep(0.1)
    except OSError:  # there is no such thing here
        break
import importlib.util, py_compile
for path in sys.argv[1:]:
    for above, folders, names in os.walk(path):
        folders[:] = sorted(f for f in folders if f != "__pycache__")
        for name in sorted(names):
            source = os.path.join(above, name)
            if name.endswith(".py"):
                target = importlib.util.cache_from_source(source)
                if not os.path.exists(target):
                    began = time.time()
                    # For another Python, perhaps: what cannot be compiled is left.
                    with contextlib.suppress(Exception):
                        py_compile.compile(source, doraise=True, quiet=2)
                        print(target, flush=True)
                    # CPUs that share a core slow each other down, idle priority or not.
                    time.sleep(3 * max(0, time.time() - began))
sys.stdout.flush()
os._exit(0)
"""


class Bytecode:
    """What compiles in one run."""

    def __init__(self) -> None:
        self._running: list[tuple[str, str, subprocess.Popen[bytes]]] = []

    def compile(self, python: str, place: str, manifest: Manifest) -> None:
        """Begin to compile an image, with the Python that it is for, where that was not done."""
        folders = [name for name in manifest.folders if name.endswith("site-packages")]
        if not folders:
            return
        if os.environ.get("PYTHONDONTWRITEBYTECODE"):
            return  # the user wants none
        import subprocess  # 3 ms that only a new environment costs

        told = os.path.join(place, f"{TOLD}{os.getpid()}-{len(self._running)}.txt")
        with suppress(OSError), open(told, "wb") as stream:
            process = subprocess.Popen(
                [python, "-I", "-S", "-c", _COMPILE]
                + [os.path.join(place, "tree", name) for name in folders],
                stdin=subprocess.PIPE,
                stdout=stream,
                stderr=subprocess.DEVNULL,
                # Ctrl-C is for the job. Whoever ends us ends it, by the pipe.
                start_new_session=True,
                creationflags=getattr(subprocess, "IDLE_PRIORITY_CLASS", 0),
            )
            _make_idle(process.pid)
            self._running.append((place, told, process))

    def end(self) -> None:
        """Nothing compiles any more; what is compiled so far can be used."""
        for place, told, process in self._running:
            is_done = process.poll() == 0
            process.kill()
            if process.stdin is not None:
                process.stdin.close()
            process.wait()
            _note_compiled(place, told)
            if is_done:
                with suppress(OSError):
                    touch(os.path.join(place, _DONE))
        self._running.clear()


def _make_idle(pid: int) -> None:
    """Let a process have what no other wants; on Windows it was started so."""
    with suppress(OSError):
        if sys.platform == "linux":
            os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))
        if sys.platform != "win32":
            os.setpriority(os.PRIO_PROCESS, pid, 19)


def is_complete(place: str) -> bool:
    """Whether an image has all its bytecode."""
    return os.path.exists(os.path.join(place, _DONE))


def take_from(
    root: str, place: str, manifest: Manifest, is_late: Callable[[], bool] = lambda: False
) -> None:
    """Link the bytecode that jobs left in an environment into its image.

    root: of the environment; place: the folder of the image. Only what belongs to a
    file that both have, the same file on the disk, as it was when it was installed.
    is_late: whether to leave the rest for another time; asked at each folder.
    """
    if is_complete(place):
        return
    tree = os.path.join(place, "tree")
    listed = bytecode_of(place)
    more = False
    for above, files in manifest.folders.items():
        if is_late():
            break
        if above.endswith(_CACHE) or not any(name.endswith(".py") for name in files):
            continue
        cache = f"{above}/{_CACHE}"
        known = {**manifest.folders.get(cache, {}), **listed.get(cache, {})}
        names = [n for n in _names(os.path.join(root, cache)) if n.endswith(".pyc")]
        if not names:
            continue
        here, there = os.path.join(root, cache), os.path.join(tree, cache)
        with suppress(FileExistsError):
            os.mkdir(there)
        for name in names:
            source = f"{name.partition('.')[0]}.py"
            if name in known or source not in files:
                continue
            with suppress(OSError, ValueError):
                _check_belongs(root, tree, f"{above}/{source}", f"{cache}/{name}", files[source])
                with suppress(FileExistsError):  # compiled meanwhile
                    os.link(os.path.join(here, name), os.path.join(there, name))
                listed.setdefault(cache, {})[name] = state_of(os.path.join(there, name))
                more = True
    if more:
        _write(place, listed)


def _note_compiled(place: str, told: str) -> None:
    """Take what was compiled in an image into its list, and the file that tells it away."""
    try:
        with open(told, encoding="utf-8", errors="surrogateescape") as stream:
            paths = stream.read().splitlines()
        os.unlink(told)
    except OSError:
        return
    listed = bytecode_of(place) if paths else {}
    tree = os.path.join(place, "tree")
    for path in paths:
        cache, name = os.path.split(os.path.relpath(path, tree))
        with suppress(OSError):  # the last line may be half a path
            listed.setdefault(cache.replace(os.sep, "/"), {})[name] = state_of(path)
    if paths:
        _write(place, listed)


def _check_belongs(root: str, tree: str, source: str, compiled: str, state: FileState) -> None:
    """Raise ValueError where bytecode was not made of the file that the image has.

    Its first 16 bytes are a magic number, flags, and the source's time in seconds
    and size (PEP 552, PEP 3147).
    """
    here, there = os.lstat(os.path.join(root, source)), os.lstat(os.path.join(tree, source))
    if (here.st_dev, here.st_ino) != (there.st_dev, there.st_ino):
        raise ValueError(source)
    if [here.st_size, here.st_mtime_ns, here.st_mode] != state:
        raise ValueError(source)
    with open(os.path.join(root, compiled), "rb") as stream:
        head = stream.read(16)
    flags = int.from_bytes(head[4:8], "little")
    time_s, size = int.from_bytes(head[8:12], "little"), int.from_bytes(head[12:16], "little")
    if flags or time_s != state[1] // 10**9 & 0xFFFFFFFF or size != state[0] & 0xFFFFFFFF:
        raise ValueError(compiled)


def join(place: str, root: str) -> int:
    """Link the bytecode that joined an image into an environment, where it has none.

    Returns the time of the list of it in nanoseconds; 0 where there is none.
    """
    if not list_time_ns(place):
        return 0
    for cache, names in bytecode_of(place).items():
        target = os.path.join(root, cache)
        with suppress(OSError):
            os.makedirs(target, exist_ok=True)
            there = frozenset(f"{cache}/{name}" for name in os.listdir(target))
            try:
                link_files(os.path.join(place, "tree", cache), target, cache, names, there, {})
            except Changed as changed:
                # Written in place. What was not linked for it is compiled again.
                os.unlink(os.path.join(root, changed.name))
                _forget(place, cache, changed.name.rpartition("/")[2])
    return list_time_ns(place)


def _forget(place: str, cache: str, name: str) -> None:
    """An image has this bytecode no more."""
    listed = bytecode_of(place)
    listed.get(cache, {}).pop(name, None)
    os.unlink(os.path.join(place, "tree", cache, name))
    _write(place, listed)


def list_time_ns(place: str) -> int:
    """When bytecode last joined an image; 0 for never."""
    try:
        return os.stat(os.path.join(place, _LIST)).st_mtime_ns
    except OSError:
        return 0


def bytecode_of(place: str) -> dict[str, dict[str, FileState]]:
    """The bytecode that joined an image, by folder."""
    try:
        with open(os.path.join(place, _LIST), encoding="utf-8") as stream:
            data: object = json.load(stream)
    except (OSError, ValueError, RecursionError):
        return {}
    if not is_dict(data) or not all(is_dict(files) for files in data.values()):
        return {}
    return cast("dict[str, dict[str, FileState]]", data)


def _write(place: str, listed: Mapping[str, Mapping[str, FileState]]) -> None:
    with suppress(OSError):
        write_aside(os.path.join(place, _LIST), json.dumps(listed, separators=(",", ":")))


def _names(folder: str) -> Iterator[str]:
    with suppress(OSError):
        yield from sorted(os.listdir(folder))
