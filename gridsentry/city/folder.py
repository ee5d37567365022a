"""The city folder as something that is changed: a preview first, then all files or none.

What is uploaded is laid over a copy of the folder and read there as a whole, so every rule of the
loader holds for it and nothing half right gets in. Applying writes a journal, moves each file into
its place by renaming, and deletes the journal; whoever starts after a crash finishes what the
journal says. The folder as it was is kept in `city-backups`.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import shutil
import threading
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import msgspec

from contracts.city import City, Work
from contracts.clock import iso
from contracts.errors import Refused, Wrong
from contracts.plant import Applied, CityFile, FileChange, Preview, Problem, problem_of
from gridsentry.city import cameras, works
from gridsentry.city.differences import differences
from gridsentry.city.load import OPTIONAL, REQUIRED, Loaded, read_city
from gridsentry.city.notes import CityProblems

PICTURES = (".jpg", ".jpeg", ".png")
JUNK = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")
PREVIEWS_KEPT = 5
BACKUPS_KEPT = 20
WORK_COLUMNS = ("id", "kind", "start", "end", "lon", "lat", "radius_m", "assets", "note", "crs")


class Journal(msgspec.Struct, frozen=True):
    """What is being put into its place."""

    preview: str
    files: tuple[str, ...]


class CityFolder:
    """One city folder. Thread-safe; changes come one after the other."""

    def __init__(self, folder: Path, state: Path) -> None:
        """`state` is the service's own folder: previews and backups lie there."""
        self._folder = folder
        self._staged = state / "city-import"
        self._backups = state / "city-backups"
        self._journal = self._staged / "applying.json"
        self._lock = threading.Lock()
        self._read: tuple[str, Loaded] | None = None

    def finish(self) -> None:
        """Finish what a crash interrupted. Called before the city is read for the first time."""
        if not self._journal.is_file():
            return
        journal = msgspec.json.decode(self._journal.read_bytes(), type=Journal)
        for name in journal.files:
            staged = self._staged / journal.preview / name
            if staged.is_file():  # else it is in its place already
                _put(staged, self._folder / name)
        self._journal.unlink()

    # --- looking -------------------------------------------------------------------------------

    def files(self) -> list[CityFile]:
        """The folder's files, by name."""
        return [
            CityFile(
                name=name,
                bytes=path.stat().st_size,
                changed_at=datetime.fromtimestamp(path.stat().st_mtime, UTC),
            )
            for name, path in sorted(_all(self._folder).items())
        ]

    def file(self, name: str) -> bytes | None:
        """One of them, or None."""
        path = _all(self._folder).get(name)
        return None if path is None else path.read_bytes()

    def city(self) -> City:
        """As it stands in the folder now. Raises Wrong."""
        stamp = self._stamp()
        if self._read is None or self._read[0] != stamp:
            self._read = (stamp, read_city(self._folder))
        return self._read[1].city

    # --- changing ------------------------------------------------------------------------------

    def preview(self, files: Mapping[str, bytes], now: datetime) -> Preview:
        """What these files would make of the city. Never raises on what is in them."""
        with self._lock:
            return self._preview(files, now)

    def _preview(self, files: Mapping[str, bytes], now: datetime) -> Preview:
        wanted, strange = _named(files)
        told = tuple(self._told(name, data) for name, data in sorted(wanted.items()))
        told += tuple(FileChange(name=n, state="not_known", bytes=len(files[n])) for n in strange)
        if not wanted:
            allowed = ", ".join((*REQUIRED, *OPTIONAL, f"{cameras.FOLDER}/*.toml"))
            found = "no file of a city folder" if files else "nothing was sent"
            return Preview(
                id="", ok=False, problems=(Problem("files", found, allowed),), files=told
            )
        id_ = uuid.uuid4().hex
        place, whole = self._staged / id_, self._staged / f"{id_}.whole"
        try:
            _copy(self._folder, whole)
            for name, data in wanted.items():
                for root in (place, whole):
                    (root / name).parent.mkdir(parents=True, exist_ok=True)
                    (root / name).write_bytes(data)
            loaded = read_city(whole, now)
        except CityProblems as error:
            shutil.rmtree(place, ignore_errors=True)
            problems = tuple(problem_of(problem) for problem in error.problems)
            return Preview(
                id="", ok=False, problems=problems, warnings=tuple(error.warnings), files=told
            )
        finally:
            shutil.rmtree(whole, ignore_errors=True)
        (place / ".base").write_text(self._stamp())
        self._forget(self._staged, PREVIEWS_KEPT)
        try:
            before: City | None = self.city()
        except Wrong:
            before = None
        return Preview(
            id=id_,
            ok=True,
            warnings=loaded.warnings,
            files=told,
            differences=tuple(differences(before, loaded.city)),
        )

    def _told(self, name: str, data: bytes) -> FileChange:
        path = self._folder / name
        if not path.is_file():
            return FileChange(name=name, state="new", bytes=len(data))
        same = path.read_bytes() == data
        return FileChange(name=name, state="same" if same else "changed", bytes=len(data))

    def apply(self, preview: str, by: str, now: datetime) -> Applied:
        """Put previewed files into the folder, all or none. Raises Wrong, Refused."""
        with self._lock:
            return self._apply(preview, by, now)

    def _apply(self, preview: str, by: str, now: datetime) -> Applied:
        place = self._staged / preview
        if not preview.isalnum() or not (place / ".base").is_file():
            raise Wrong("preview", "not known any more / 预览已失效", "a new preview / 请重新预览")
        if (place / ".base").read_text() != self._stamp():
            raise Refused(
                "the city folder was changed since the preview; look again"
                " / 预览之后城市数据已变动，请重新预览"
            )
        names = tuple(sorted(name for name in _all(place) if not name.startswith(".")))
        backup = f"{now.astimezone(UTC):%Y%m%dT%H%M%S}-{preview[:6]}"
        _copy(self._folder, self._backups / backup)
        self._forget(self._backups, BACKUPS_KEPT)
        _write(self._journal, msgspec.json.encode(Journal(preview, names)))
        for name in names:
            _put(place / name, self._folder / name)
        self._journal.unlink()
        shutil.rmtree(place, ignore_errors=True)
        return Applied(id=preview, at=now, by=by, files=names, backup=backup)

    # --- planned works -------------------------------------------------------------------------

    def put_work(self, work: Work, by: str, now: datetime) -> Applied:
        """Add it to works.csv. Raises Wrong with everything that is wrong."""
        with self._lock:
            rows = self._rows()
            if any(row.get("id") == work.id for row in rows):
                raise Wrong("id", f"{work.id} is there already / 编号已存在", "another one")
            return self._with_works([*rows, _row(work)], by, now)

    def end_work(self, id: str, by: str, now: datetime) -> Applied:
        """End it now; one that has not begun is taken out. Raises Wrong where there is none."""
        with self._lock:
            work = next((work for work in self.city().works if work.id == id), None)
            if work is None:
                raise Wrong("id", f"there are no works {id[:64]} / 没有该计划", "one of the list")
            if work.end <= now:
                raise Wrong(
                    "id", f"{id} is over already / 已结束", "works that go on or are to come"
                )
            rows = self._rows()
            if work.start >= now:
                rows = [row for row in rows if row.get("id") != id]
            for row in rows:
                if row.get("id") == id:
                    row["end"] = iso(now)
            return self._with_works(rows, by, now)

    def _rows(self) -> list[dict[str, str]]:
        """The lines of works.csv under our own names of its columns."""
        data = self.file(works.NAME)
        if data is None:
            return []
        lines = io.StringIO(data.decode("utf-8-sig"), newline="")
        return [
            {works.ALIASES.get(key.strip(), key.strip()): cell for key, cell in row.items() if key}
            for row in csv.DictReader(line for line in lines if not line.startswith("#"))
        ]

    def _with_works(self, rows: Sequence[Mapping[str, str]], by: str, now: datetime) -> Applied:
        out = io.StringIO()
        writer = csv.DictWriter(out, WORK_COLUMNS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: row.get(name) or "" for name in WORK_COLUMNS} for row in rows)
        seen = self._preview({works.NAME: out.getvalue().encode()}, now)
        if not seen.ok:
            first = seen.problems[0]
            raise Wrong(first.where, first.found, first.allowed)
        return self._apply(seen.id, by, now)

    # --- files ---------------------------------------------------------------------------------

    def _stamp(self) -> str:
        """Changes whenever a file of the folder does."""
        marks = [
            f"{name}|{path.stat().st_mtime_ns}|{path.stat().st_size}"
            for name, path in sorted(_all(self._folder).items())
        ]
        return hashlib.sha256("\n".join(marks).encode()).hexdigest()

    @staticmethod
    def _forget(folder: Path, kept: int) -> None:
        """Only the newest stay."""
        found = sorted((p for p in folder.iterdir() if p.is_dir()), key=lambda p: p.stat().st_mtime)
        for old in found[:-kept]:
            shutil.rmtree(old, ignore_errors=True)


def _named(files: Mapping[str, bytes]) -> tuple[dict[str, bytes], list[str]]:
    """The files by their place in the folder, and those that have none there.

    A folder around all of them (as archives have it) is left off.
    """
    names = {name: PurePosixPath(name.replace("\\", "/")) for name in files}
    names = {n: path for n, path in names.items() if not any(junk in n for junk in JUNK)}
    tops = {path.parts[0] if len(path.parts) > 1 else "" for path in names.values()}
    if len(tops) == 1 and not tops & {"", "..", "/", cameras.FOLDER}:
        names = {n: PurePosixPath(*path.parts[1:]) for n, path in names.items()}
    wanted, strange = {}, []
    for name, path in names.items():
        if _known(path):
            wanted[path.as_posix()] = files[name]
        else:
            strange.append(name)
    return wanted, strange


def _known(path: PurePosixPath) -> bool:
    if path.is_absolute() or ".." in path.parts or any(p.startswith(".") for p in path.parts):
        return False
    if len(path.parts) == 1:
        return path.name in (*REQUIRED, *OPTIONAL) or path.suffix.lower() in (".toml", ".sor")
    if path.parts[0] == cameras.FOLDER:
        return len(path.parts) == 2 and path.suffix.lower() in (".toml", *PICTURES)
    return len(path.parts) == 2 and path.suffix.lower() == ".sor"


def _all(folder: Path) -> dict[str, Path]:
    """The files of a folder by their names in it."""
    if not folder.is_dir():
        return {}
    return {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}


def _copy(folder: Path, to: Path) -> None:
    shutil.copytree(folder, to, dirs_exist_ok=True)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _put(staged: Path, place: Path) -> None:
    """Into its place at once: a reader sees the old file or the new one."""
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = place.with_name(f".{place.name}.new")
    _write(beside, staged.read_bytes())
    beside.replace(place)
    staged.unlink()


def _row(work: Work) -> dict[str, str]:
    point = work.point
    return {
        "id": work.id,
        "kind": work.kind,
        "start": iso(work.start),
        "end": iso(work.end),
        "lon": "" if point is None else f"{point.lon:.7f}",
        "lat": "" if point is None else f"{point.lat:.7f}",
        "radius_m": "" if point is None else f"{work.radius_m:g}",
        "assets": ";".join(work.assets),
        "note": work.note,
        "crs": "" if point is None else "wgs84",
    }
