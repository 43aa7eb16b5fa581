"""Finished environments kept as images, which new ones of equal needs are linked from.

An image is a tree of hard links to what an installer made, in the user's cache. It
is made aside and renamed into place, so there is a whole one or none, whoever is
killed; nothing in it is written again, and only bytecode joins it. A key stands for
the steps that made it; what is known by a key is the image and what was resolved.

All in a store can be deleted at any time: an environment that was linked from an
image holds links of its own. Knows nothing of steps: keys are handed in.
"""

from __future__ import annotations

import errno
import json
import os
import threading
import time
from contextlib import contextmanager, suppress

from runner.aside import touch, write_aside
from runner.digests import sha256
from runner.envs import bytecode, manifest
from runner.envs.folder import KEY, NEW, make_key, tag_as_cache
from runner.envs.integrity import distributions_of, wrong_files
from runner.envs.lock import Lock, was_held
from runner.envs.manifest import FILES, Changed
from runner.envs.places import own_files, without_place, write_own
from runner.envs.resolved import Resolved, resolved_from
from runner.envs.store_places import in_envdir
from runner.record import Record
from runner.trees import remove_tree
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from runner.envs.manifest import FileState, Manifest


_FORMAT = 1
TREE = "tree"
_FACTS = "image.json"
USED = "used"
# By then a job has imported what it imports, compiled it itself, and left it to be taken.
_COMPILE_AFTER_S = 5.0
# What it may cost at the end of a job to take its bytecode: a part of what the run took.
_TAKE_S, _TAKE_PART = 0.02, 0.03
GONE = ".gone-"  # what begins so is being deleted
# By then the job's first command has been started, in whose way it would have been.
_KEEP_AFTER_S = 0.005
_LIMITED = ".limited"  # when its size was looked at last
_LIMIT_EACH_S = 600  # what is kept within that time is small beside any cap
_USERS = "users.txt"
_USERS_LARGEST_BYTES = 100_000


class Known(Record):
    """What is known of the steps that a key stands for."""

    image: str  # its name; empty where there is none
    resolved: Resolved | None


class Image(Record):
    """A kept environment."""

    name: str
    made_s: float  # as time.time() has it
    place: str  # of the environment that it was linked from, which its own files name
    own: dict[str, FileState]  # the files that name their place
    inode: int  # of its tree: another one means that it was brought here in an archive
    facts: dict[str, object]  # what was handed in when it was kept


class Clone(Record):
    """What an environment got from an image."""

    own: dict[str, FileState | None]  # of the files that are its own
    bytecode_ns: int  # when bytecode last joined the image


class Damaged(Exception):
    """An image has files that somebody has changed; it is gone now."""

    def __init__(self, names: tuple[str, ...], packages: frozenset[str], by: str) -> None:
        super().__init__(*names)
        self.names = names  # of the files, from the top of the environment
        self.by = f", while the environment {by} was in use" if by else ""
        self.packages = packages  # those that they belong to


class Keeping:
    """What makes an image of an environment, beside what comes next."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._now = threading.Event()

        def do() -> None:
            self._now.wait(_KEEP_AFTER_S)
            work()

        self._thread = threading.Thread(target=do)
        self._thread.start()

    def join(self) -> None:
        """It is kept, or cannot be."""
        self._now.set()
        self._thread.join()


class Store:
    """The images in one folder, as one run uses them."""

    def __init__(self, home: str, limit: Callable[[Store], None] = lambda _: None) -> None:
        """limit: brings the store below its cap; called beside the run when something was kept."""
        self.home = home
        self.made: set[str] = set()  # the images that this run has made
        self.trouble = ""  # why nothing could be kept
        self._limit = limit
        self._began_s = time.monotonic()
        self._beside: list[threading.Thread | Keeping] = []
        self._compiling: set[str] = set()
        self._closing = threading.Event()
        self._reached: set[str] = set()  # environment folders that links lead to
        self.is_told = False  # what is in the way
        self._manifests: dict[str, Manifest] = {}
        self._bytecode = bytecode.Bytecode()

    def make(self) -> None:
        """The store is there, with the key for digests of secrets that its users share."""
        with self._troubles_noted():
            if not os.path.exists(os.path.join(self.home, KEY)):
                for name in ("known", "images", "locks"):
                    os.makedirs(os.path.join(self.home, name), exist_ok=True)
                tag_as_cache(self.home)
                make_key(os.path.join(self.home, KEY))
                touch(os.path.join(self.home, _LIMITED))  # what is new is below its cap

    def reach(self, envdir: str) -> None:
        """Move into the environment folder where no link leads from here to there.

        A mount of the same file system has the same device number, and links do not cross it.
        """
        if envdir in self._reached or self.trouble:
            return
        self._reached.add(envdir)
        probe = os.path.join(envdir, ".locks", ".probe")
        try:
            with suppress(FileExistsError):  # another run looks at this moment, or was killed
                os.link(os.path.join(self.home, KEY), probe)
            with suppress(FileNotFoundError):  # that one has taken it away
                os.unlink(probe)
        except OSError as error:
            if error.errno in (errno.EXDEV, errno.EPERM) and self.home != in_envdir(envdir):
                self.home = in_envdir(envdir)
                self.make()

    @contextmanager
    def _troubles_noted(self) -> Generator[None]:
        """What cannot be written is no error: everything works without a store."""
        try:
            yield
        except OSError as error:
            self.trouble = f"{error.filename or self.home}: {error.strerror}"

    # Finding. -------------------------------------------------------------------------

    def known(self, key: str) -> Known:
        """What is known by a key."""
        with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            with open(self._known_path(key), encoding="utf-8") as stream:
                data = json.load(stream)
            if data["format"] == _FORMAT:
                return Known(str(data["image"]), resolved_from(data["resolved"]))
        return Known("", None)

    def remember(self, key: str, known: Known) -> None:
        """Keep what is known by a key."""
        data = {"format": _FORMAT, "image": known.image, "resolved": known.resolved}
        with self._troubles_noted():
            write_aside(self._known_path(key), json.dumps(data, separators=(",", ":")))

    def _known_path(self, key: str) -> str:
        return os.path.join(self.home, "known", f"{key}.json")

    def place_of(self, image: str) -> str:
        """The folder of an image."""
        return os.path.join(self.home, "images", image)

    def image(self, name: str) -> Image | None:
        """The image of that name; None where there is none that can be used."""
        try:
            with open(os.path.join(self.place_of(name), _FACTS), encoding="utf-8") as stream:
                data = json.load(stream)
            if not name or data["format"] != _FORMAT:
                return None
            own = {str(path): [int(part) for part in s] for path, s in data["own"].items()}
            return Image(
                name=name,
                made_s=float(data["made"]),
                place=str(data["place"]),
                own=own,
                inode=int(data["inode"]),
                facts=dict(data["facts"]),
            )
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return None

    def lock(self, key: str, on_wait: Callable[[str], None]) -> Lock:
        """Who makes what a key stands for; others wait for the image that comes of it."""
        return Lock(os.path.join(self.home, "locks", key), on_wait)

    # Cloning. -------------------------------------------------------------------------

    def clone(self, image: Image, path: str) -> Clone:
        """Fill an environment's folder, which holds its journal alone, from an image.

        Raises Damaged, and the image is gone, where a file of it is not what it was;
        FileNotFoundError where somebody has deleted it, OSError where links cannot be
        made. The folder then holds a part of it.
        """
        place = self.place_of(image.name)
        tree = os.path.join(place, TREE)
        found = os.stat(place)
        with suppress(OSError):  # first: what was used just now is not taken away
            os.utime(os.path.join(place, USED))
        if os.stat(tree).st_ino != image.inode:
            image = self._settle(image, tree)
        try:
            listed = self._listed(image.name)
            if listed is None:
                raise Changed(FILES)
            for name, state in image.own.items():
                if manifest.state_of(os.path.join(tree, name)) != state:
                    raise Changed(name)
            manifest.link(tree, path, listed, frozenset(image.own))
        except Changed:
            # Deleted, and perhaps made again, while we linked: that is no damage.
            if not os.path.samestat(found, os.stat(place)):
                raise FileNotFoundError(errno.ENOENT, "it was deleted", place) from None
            raise self._drop_damaged(image.name, tree, path) from None
        own = write_own(tree, path, image.own, image.place, path)
        os.link(os.path.join(place, FILES), os.path.join(path, FILES))
        self._note_user(place, path)
        return Clone({**own}, bytecode.join(place, path))

    def _settle(self, image: Image, tree: str) -> Image:
        """An image that an archive brought here, with the files' times as they are now.

        Archives have times in seconds, some in two. Each file is compared with the
        sha256 in its RECORD instead, once. Raises Damaged where one is another file.
        """
        listed = self._listed(image.name)
        names = list(wrong_files(tree, listed)) if listed else [FILES]
        if listed is None or names:
            damaged = Damaged(tuple(names), frozenset(distributions_of(tree, names)), "")
            self.drop(image.name)
            raise damaged
        place = self.place_of(image.name)
        now = manifest.take(tree)
        kept = manifest.Manifest(
            {
                above: {name: now.folders[above][name] for name in names}
                for above, names in listed.folders.items()
            },
            listed.links,
        )
        own = {name: manifest.state_of(os.path.join(tree, name)) for name in image.own}
        settled = image._replace(own=own, inode=os.stat(tree).st_ino)
        with suppress(OSError):
            os.unlink(os.path.join(place, "bytecode.json"))  # its times are others, too
        write_aside(os.path.join(place, FILES), manifest.to_text(kept))
        self._manifests[image.name] = kept
        self._write_facts(place, settled)
        return settled

    def _write_facts(self, place: str, image: Image) -> None:
        data = {
            "format": _FORMAT,
            "made": image.made_s,
            "place": image.place,
            "own": image.own,
            "inode": image.inode,
            "facts": image.facts,
        }
        write_aside(os.path.join(place, _FACTS), json.dumps(data, separators=(",", ":")))

    def _drop_damaged(self, name: str, tree: str, path: str) -> Damaged:
        listed = self._listed(name)
        names = tuple(manifest.changes(tree, listed)) if listed else ()
        by = self.who_used(name, os.path.join(tree, names[0]), path) if names else ""
        damaged = Damaged(names or (FILES,), frozenset(distributions_of(tree, names)), by)
        self.drop(name)
        return damaged

    def _note_user(self, place: str, path: str) -> None:
        """Remember for whom an image is kept: told by --explain --store, and decides nothing."""
        users = os.path.join(place, _USERS)
        with suppress(OSError, ValueError), open(users, "a", encoding="utf-8") as stream:
            if stream.tell() < _USERS_LARGEST_BYTES:
                stream.write(f"{path}\n")

    def users_of(self, image: str) -> list[str]:
        """The environments that were linked from an image, or into it, so far as they are there."""
        try:
            with open(os.path.join(self.place_of(image), _USERS), encoding="utf-8") as stream:
                paths = dict.fromkeys(stream.read().splitlines())
        except (OSError, ValueError):
            return []
        return [path for path in paths if os.path.exists(os.path.join(path, FILES))]

    def who_used(
        self, image: str, path: str, own: str = "", held_ns: tuple[int, int] = (0, 0)
    ) -> str:
        """The environments of an image that a job held when a file was last changed, in words.

        own: the environment that asks, and held_ns from when to when it was held before.
        """
        try:
            when_ns = os.stat(path, follow_symlinks=False).st_mtime_ns
        except OSError:
            return ""
        held: list[str] = []
        for user in self.users_of(image) if image else []:
            home, name = os.path.split(user)
            if user == own:
                is_one = held_ns[0] <= when_ns <= held_ns[1]
            else:
                is_one = was_held(os.path.join(home, ".locks", name), when_ns)
            if is_one:
                held.append(repr(name if not own or home == os.path.dirname(own) else user))
        return " or ".join(held)

    def join_bytecode(self, image: str, path: str, since_ns: int) -> int:
        """Give an environment the bytecode that joined its image after a time; when that was."""
        place = self.place_of(image)
        made_ns = bytecode.list_time_ns(place)
        return bytecode.join(place, path) if made_ns > since_ns else since_ns

    # Keeping. -------------------------------------------------------------------------

    def keep(
        self,
        path: str,
        listed: Manifest,
        base: str,
        facts: Mapping[str, object],
        on_kept: Callable[[str], None],
    ) -> Keeping:
        """Keep an environment as it is listed, beside what comes next.

        What changes meanwhile is noticed, and nothing is kept then. base: what
        decides beside the files; facts: what goes on from the image needs to
        know. on_kept: called with its name, or with nothing, in another thread.
        """

        def work() -> None:
            name = ""
            try:
                with self._troubles_noted(), suppress(Changed, FileNotFoundError):
                    name = self._keep_now(path, listed, base, facts)
            finally:
                on_kept(name)
            if name and not self._closing.is_set():
                with self._troubles_noted():
                    self._limit_now_and_then()

        keeping = Keeping(work)
        self._beside.append(keeping)
        return keeping

    def _limit_now_and_then(self) -> None:
        """Bring the store below its cap, where that was not looked at for a while."""
        mark = os.path.join(self.home, _LIMITED)
        with suppress(OSError):
            if time.time() - os.stat(mark).st_mtime < _LIMIT_EACH_S:
                return
        touch(mark)
        self._limit(self)

    def _keep_now(self, path: str, listed: Manifest, base: str, facts: Mapping[str, object]) -> str:
        own = own_files(path, listed)
        name = _name(path, listed, base, own)
        place = self.place_of(name)
        if self.image(name) is None:
            # Nobody else writes there; whoever finds it with its lock free, and the
            # process gone, knows that it was left behind.
            aside = os.path.join(self.home, "images", f"{NEW}{name}-{_own()}")
            os.makedirs(os.path.join(aside, TREE))
            try:
                with Lock(os.path.join(aside, USED), lambda _: None):
                    self._fill(aside, path, listed, own, facts)
                _remove(place)  # one that cannot be used
                os.rename(aside, place)
            except OSError:
                _remove(aside)
                if self.image(name) is None:  # nobody else has made it meanwhile
                    raise
            except Changed:
                _remove(aside)
                raise
        self.made.add(name)
        self._note_user(place, path)
        return name

    def _fill(
        self,
        aside: str,
        path: str,
        listed: Manifest,
        own: Mapping[str, bytes],
        facts: Mapping[str, object],
    ) -> None:
        tree = os.path.join(aside, TREE)
        manifest.link(path, tree, listed, frozenset())
        os.link(os.path.join(path, FILES), os.path.join(aside, FILES))
        image = Image(
            name="",
            made_s=time.time(),
            place=path,
            own={name: manifest.state_of(os.path.join(tree, name)) for name in own},
            inode=os.stat(tree).st_ino,
            facts={**facts},
        )
        self._write_facts(aside, image)

    def drop(self, image: str) -> None:
        """The image is gone; environments keep what they have of it."""
        self.made.discard(image)
        self._manifests.pop(image, None)
        _remove(self.place_of(image))

    # Beside the run. ------------------------------------------------------------------

    def wait(self) -> None:
        """What is being kept is kept."""
        while self._beside:
            self._beside.pop().join()

    def compile(self, image: str, python: str) -> None:
        """Begin to compile an image's bytecode beside the run, where that was not done."""
        place = self.place_of(image)
        if image in self._compiling or bytecode.is_complete(place):
            return
        self._compiling.add(image)

        def work() -> None:
            if self._closing.wait(_COMPILE_AFTER_S):
                return
            listed = self._listed(image)
            if listed is not None:
                self._bytecode.compile(python, place, listed)

        thread = threading.Thread(target=work)
        self._beside.append(thread)
        thread.start()

    def take_bytecode(self, image: str, path: str) -> None:
        """Let the bytecode that a job left in its environment join the image."""
        listed = self._listed(image)
        now_s = time.monotonic()
        # The rest is compiled by the process beside, or comes from another job.
        until_s = now_s + max(_TAKE_S, (now_s - self._began_s) * _TAKE_PART)
        if listed is not None:
            bytecode.take_from(
                path, self.place_of(image), listed, lambda: time.monotonic() > until_s
            )

    def _listed(self, image: str) -> Manifest | None:
        """The manifest of an image, read once."""
        if image not in self._manifests:
            try:
                with open(os.path.join(self.place_of(image), FILES), encoding="utf-8") as stream:
                    self._manifests[image] = manifest.from_text(stream.read())
            except (OSError, ValueError, RecursionError):
                return None
        return self._manifests[image]

    def close(self) -> None:
        """Nothing is done in the store any more by this run."""
        if self._beside:
            self._closing.set()
            self.wait()
        self._bytecode.end()


def _name(path: str, listed: Manifest, base: str, own: Mapping[str, bytes]) -> str:
    """An image's name: a digest of all that is in it, whatever its place.

    RECORD has the sha256 of what was installed; of what no RECORD names, size and name count.
    """
    digest = sha256(base.encode("utf-8", "surrogatepass"))

    def add(*parts: bytes) -> None:
        for part in parts:
            digest.update(b"%d:" % len(part) + part)

    for above, names in sorted(listed.folders.items()):
        if above.endswith("__pycache__"):
            continue
        for name, state in sorted(names.items()):
            full = f"{above}/{name}" if above else name
            add(os.fsencode(full))
            if full in own:
                add(without_place(full, own[full], path))
            elif name == "RECORD" and above.endswith(".dist-info"):
                with open(os.path.join(path, full), "rb") as stream:
                    add(stream.read())
            else:
                add(b"%d" % state[0])
    for name, target in sorted(listed.links.items()):
        add(os.fsencode(name), os.fsencode(target))
    return digest.hexdigest()[:32]


def _own() -> str:
    """What no other writer has in a name; the process first."""
    return f"{os.getpid()}-{time.monotonic_ns()}"


def _remove(folder: str) -> None:
    """The folder is gone, at once: renamed first, so that nobody finds half of it."""
    if os.path.isdir(folder):
        corpse = os.path.join(os.path.dirname(folder), f"{GONE}{os.path.basename(folder)}-{_own()}")
        with suppress(OSError):
            os.rename(folder, corpse)
        remove_tree(corpse)
