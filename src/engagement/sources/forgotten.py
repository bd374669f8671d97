"""People who asked to be forgotten: what each fetch leaves out.

    Forgotten/tombstones.json   of each of them keyed hashes of uids and contacts, marks of their ids in the uuid table, since when
                                and until when
    Forgotten/secret.key        the key of the hashes, of this data root alone

Uids and uuids of contacts are random. Numbers are few enough to try them all, so a mark is made with a key that the uuid table alone has:
who can't read that table can't try numbers out here.
"""

import functools
import hashlib
import hmac
import secrets
from collections.abc import Collection, Iterable
from datetime import datetime
from pathlib import Path

import msgspec

from engagement.foundation.errors import InputError
from engagement.foundation.files import make_directory, open_for_writing, read_text, write_json

_VERSION = 1
_KEY_BYTES = 32
_REMEDY = "Restore the folder from the newest archive of the data root: without it, people who were forgotten come back"
# No uid or contact has a blank in it.
_IN_PLACE_OF_UID = "forgotten "


class Tombstone(msgspec.Struct, frozen=True):
    """One person: hashes of their uids and contacts. `until` is ISO 8601; None is for good.

    `marks` are those of their ids in the uuid table whose key for marks is `marks_key`.
    """

    hashes: tuple[str, ...]
    since: str
    until: str | None = None
    marks: tuple[str, ...] = ()
    marks_key: str | None = None

    @property
    def name(self) -> str:
        """Name that stands for the person in receipts: the first hash."""
        return self.hashes[0]

    def holds_back(self, sent: datetime) -> bool:
        """Check if what they sent at a time is left out."""
        return self.until is None or sent < datetime.fromisoformat(self.until)


class _Document(msgspec.Struct):
    version: int
    people: list[Tombstone]


def forgotten_folder(data_root: Path) -> Path:
    """Name the folder in a data root; it need not exist."""
    return data_root / "Forgotten"


def in_place_of_uid(mark: str) -> str:
    """Name who has a marked id where a uid is expected. It never reaches the disk."""
    return f"{_IN_PLACE_OF_UID}{mark}"


class ForgottenPeople:
    """The people of one data root; false if there are none. Open it with `read_forgotten`."""

    def __init__(self, path: Path, key: bytes = b"", people: Collection[Tombstone] = ()):
        self._path = path
        self._key = key
        self._people = list(people)
        self._index()

    def _index(self) -> None:
        self._by_hash = {one: person for person in self._people for one in person.hashes}
        self._by_mark = {one: person for person in self._people for one in person.marks}
        self._find = functools.lru_cache(maxsize=1 << 16)(self._look_up)

    def __bool__(self) -> bool:
        return bool(self._people)

    @property
    def marks_keys(self) -> set[str]:
        """Names of the keys that marks were made with; none if there are no marks."""
        return {person.marks_key for person in self._people if person.marks_key is not None}

    def count_marks(self) -> int:
        """Count the marked ids of all people."""
        return len(self._by_mark)

    def find(self, identity: str) -> Tombstone | None:
        """Find the tombstone of a uid or of a contact's uuid."""
        return self._find(identity) if self._people else None

    def find_mark(self, mark: str) -> Tombstone | None:
        """Find the tombstone of an id in the uuid table."""
        return self._by_mark.get(mark)

    def _look_up(self, identity: str) -> Tombstone | None:
        if identity.startswith(_IN_PLACE_OF_UID):
            return self.find_mark(identity.removeprefix(_IN_PLACE_OF_UID))
        return self._by_hash.get(self._hash(identity))

    def holds_back(self, identity: str, sent: datetime) -> bool:
        """Check if what a uid or contact sent at a time is left out; always of who stands in place of a uid."""
        person = self.find(identity)
        return person is not None and (identity.startswith(_IN_PLACE_OF_UID) or person.holds_back(sent))

    def add(
        self,
        identities: Iterable[str],
        since: str,
        until: str | None,
        marks: Iterable[str] = (),
        marks_key: str | None = None,
    ) -> Tombstone:
        """Put up a tombstone, or add these uids, contacts and marks to the one that is there.

        The new `until` counts.
        """
        self._load_key()
        hashes = tuple(map(self._hash, identities))
        marks = tuple(marks)
        found = (*map(self._by_hash.get, hashes), *map(self._by_mark.get, marks))
        before = next(filter(None, found), None)
        person = Tombstone(hashes, since, until) if before is None else msgspec.structs.replace(before, until=until)
        person = _extend(person, hashes, marks, marks_key)
        if before is None:
            self._people.append(person)
        else:
            self._people[self._people.index(before)] = person
        if person != before:
            self._save()
        return person

    def know_too(self, person: Tombstone, identities: Iterable[str]) -> None:
        """Know more uids or contacts of a person who was forgotten."""
        extended = _extend(person, tuple(map(self._hash, identities)))
        if extended != person:
            self._people[self._people.index(person)] = extended
            self._save()

    def add_contacts(self, uid: str, contacts: Iterable[str]) -> None:
        """Know more contacts of a person who was forgotten."""
        person = self.find(uid)
        if person is not None:
            self.know_too(person, contacts)

    def _hash(self, identity: str) -> str:
        return hmac.digest(self._key, identity.encode(), hashlib.sha256).hex()

    def _load_key(self) -> None:
        if self._key:
            return
        path = make_directory(self._path.parent) / "secret.key"
        if not path.exists():
            with open_for_writing(path) as file:
                file.write(f"{secrets.token_hex(_KEY_BYTES)}\n")
        self._key = _read_key(path)

    def _save(self) -> None:
        write_json(self._path, msgspec.to_builtins(_Document(_VERSION, self._people)))
        self._index()


def _extend(
    person: Tombstone, hashes: tuple[str, ...], marks: tuple[str, ...] = (), marks_key: str | None = None
) -> Tombstone:
    return msgspec.structs.replace(
        person,
        hashes=tuple(dict.fromkeys([*person.hashes, *hashes])),
        marks=tuple(dict.fromkeys([*person.marks, *marks])),
        marks_key=marks_key if marks else person.marks_key,
    )


def read_forgotten(data_root: Path) -> ForgottenPeople:
    """Read who was forgotten; nobody if there is no such file.

    Raises
    ------
    InputError
        The file or its key is damaged or missing.
    """
    path = forgotten_folder(data_root) / "tombstones.json"
    if not path.exists():
        return ForgottenPeople(path)
    key = _read_key(path.with_name("secret.key"))
    try:
        document = msgspec.json.decode(path.read_bytes(), type=_Document)
        if document.version != _VERSION or not all(person.hashes for person in document.people):
            raise ValueError
    except (OSError, ValueError):
        raise InputError(f"{path}: can't be read; expected the people who were forgotten. {_REMEDY}.") from None
    return ForgottenPeople(path, key, document.people)


def _read_key(path: Path) -> bytes:
    text = read_text(path, InputError, "the key of tombstones.json", _REMEDY)
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise InputError(f"{path}: not the key of tombstones.json; expected 64 hex digits. {_REMEDY}.")
    return key


NOBODY = ForgottenPeople(Path())
