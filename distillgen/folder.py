"""Keep a run folder: its paths, its lock, its manifest, and the files that a person changed."""

import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from distillgen import __version__, files
from distillgen.errors import STORAGE, UserError
from distillgen.journal import Journal
from distillgen.records import JSON, Entry, FileStamp, Manifest, Record

RUNS = Path("runs")
"""Where run folders stand unless `-o` says otherwise."""


def folder_of(target: str, out: Path | None = None) -> Path:
    """The run folder that a command works in, given a file or a run folder.

    `-o` wins; a run folder is itself; a file that lies in one is worked on there; any other file
    gets `runs/<its name>`.

    >>> folder_of("seeds/stock_advisor.jsonl")
    PosixPath('runs/stock_advisor')
    """
    if out is not None:
        if os.path.exists(out) and not os.path.isdir(out):
            raise UserError(f"-o {out}: is a file; name a folder")
        return out
    path = Path(target)
    if is_run(path):
        return path
    if target != "-" and is_run(path.parent):
        return path.parent
    return RUNS / ("stdin" if target == "-" else Path(path.name.removesuffix(".gz")).stem)


def is_run(path: Path) -> bool:
    """Whether a folder is a run folder.

    Raises:
        UserError: it may not be looked into (exit code 5).
    """
    try:
        return any((path / name).is_file() for name in ("manifest.json", "journal.sqlite"))
    except PermissionError as error:
        raise UserError(f"{path}: no permission to look into it", STORAGE) from error


class Folder:
    """A run folder, locked for the life of this object.

    Raises:
        UserError: another process works in it, or it cannot be written (exit code 5).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            files.make_folder(path)
            self._lock = os.open(path / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise UserError(f"{path}: cannot be written ({error.strerror})", STORAGE) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(self._lock, 0)
            os.pwrite(self._lock, str(os.getpid()).encode(), 0)
        except BlockingIOError as error:
            pid = os.read(self._lock, 20).decode() or "?"
            os.close(self._lock)
            raise UserError(
                f"{path}: process {pid} works in it; wait for it, or name another folder with -o",
                STORAGE,
            ) from error
        except OSError as error:
            os.close(self._lock)
            raise UserError(f"{path}: cannot be locked ({error.strerror})", STORAGE) from error
        self.manifest = read_manifest(path)
        self._journal: Journal | None = None

    @property
    def journal(self) -> Journal:
        """The run's journal, opened at first use."""
        if self._journal is None:
            self._journal = Journal(self.path / "journal.sqlite")
        return self._journal

    def close(self) -> None:
        """Close the journal and let go of the lock."""
        if self._journal:
            self._journal.close()
        os.close(self._lock)

    def __enter__(self) -> "Folder":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def guard(self, paths: Iterable[Path]) -> None:
        """Refuse to write over files that a person changed, or that are not of this run.

        What a command wrote that then broke off is in no manifest, and may be written over.

        Raises:
            UserError: names the first such file and the ways on.
        """
        broken_off = any(entry.finished is None for entry in self.manifest.commands.values())
        for path in paths:
            stamp = self.manifest.files.get(self._name(path))
            if not path.exists() or (broken_off and files.is_ours(path)):
                continue
            if path.is_dir():
                raise UserError(f"{path}: is a folder, where a file is to be written; move it away")
            if stamp is None or files.changed(path, stamp):
                lost = "the changes" if stamp else "it"
                raise UserError(
                    f"{path}: {_whose(path, stamp)}, and would be written anew. Move it away, name"
                    f" another place with -o, or lose {lost} with --overwrite"
                )

    def as_written(self, path: Path) -> bool:
        """Whether a derived file is there as it was written."""
        stamp = self.manifest.files.get(self._name(path))
        return bool(stamp and path.exists() and not files.changed(path, stamp))

    def _name(self, path: Path) -> str:
        """A file in the manifest: relative in the run folder, absolute elsewhere."""
        inside = path.is_relative_to(self.path)
        return str(path.relative_to(self.path) if inside else path.absolute())

    def begin(self, command: str, entry: Entry) -> None:
        """Write that a command has begun."""
        self._save(command, entry)

    def finish(self, command: str, entry: Entry, written: Iterable[Path] = ()) -> None:
        """Write what came of a command, and the digest of each file it wrote or removed."""
        stamps = dict(self.manifest.files)
        for path in written:
            name = self._name(path)
            stamps.pop(name, None)
            if path.exists():
                stamps[name] = files.stamp(path)
        self.manifest = self.manifest.model_copy(update={"files": stamps})
        self._save(command, entry.model_copy(update={"finished": now()}))

    def _save(self, command: str, entry: Entry) -> None:
        commands = {**self.manifest.commands, command: entry}
        self.manifest = self.manifest.model_copy(update={"commands": commands})
        with files.Whole(self.path / "manifest.json") as out:
            out.write_text(self.manifest.model_dump_json(indent=1) + "\n")


def _whose(path: Path, stamp: FileStamp | None) -> str:
    if stamp:
        return "was changed by hand"
    return "is of another run" if files.is_ours(path) else "was not written by distillgen"


def read_manifest(path: Path) -> Manifest:
    """The manifest of a run folder; an empty one when there is none yet.

    Raises:
        UserError: it cannot be read.
    """
    file = path / "manifest.json"
    try:
        return Manifest.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return Manifest()
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error.strerror})", STORAGE) from error
    except ValidationError as error:
        raise UserError(
            f"{file}: not a manifest that this distillgen reads; move it away (the journal and"
            " the files stay as they are)",
            STORAGE,
        ) from error


def now() -> str:
    """The time as it stands in manifests."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def new_entry(
    source: str,
    source_sha256: str,
    options: Mapping[str, JSON],
    prompts: Mapping[str, str] | None = None,
    settled: Mapping[str, JSON] | None = None,
) -> Entry:
    """The entry of a command that begins now."""
    return Entry(
        version=__version__, started=now(), source=source, source_sha256=source_sha256,
        options=dict(options), prompts=dict(prompts or {}), settled=dict(settled or {}),
    )  # fmt: skip


def write(path: Path, records: Iterable[Record]) -> None:
    """Replace a file by these records."""
    with files.Whole(path) as out:
        for record in records:
            out.write(record.row())


def others(path: Path, stage: str) -> Iterator[dict[str, JSON]]:
    """The lines of the other stages, of a file that several write."""
    return (row for row in files.rows_of(path) if row.get("stage") != stage)


def write_among(path: Path, stage: str, records: Iterable[Record]) -> None:
    """Replace the lines of one stage, and stream the others through; expand's stand first."""
    with files.Whole(path) as out:
        if stage != "expand":
            for row in others(path, stage):
                out.write(row)
        for record in records:
            out.write(record.row())
        if stage == "expand":
            for row in others(path, stage):
                out.write(row)
