"""A bundle: the directory a run leaves behind. It is replaced whole or not at all, and a person's edits are never lost."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from pathlib import Path

from counterpulse.errors import UsageError

FORMAT = "counterpulse/manifest/1"
MANIFEST = "manifest.json"
PRIVATE = "private/"
"""What names patients: it stands in the bundle of the person who ran the study, and is taken out before it is shared."""
IGNORED = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})


@dataclass(frozen=True, slots=True)
class Written:
    """Where the bundle is, and why it is not where it was asked for."""

    directory: Path
    moved_because: str | None = None

    @property
    def report(self) -> Path:
        """The report to open: the page where there is one, or another format; else the directory."""
        files = (self.directory / f"report.{kind}" for kind in ("html", "docx", "pdf"))
        return next((file for file in files if file.is_file()), self.directory)


def digest(content: bytes) -> str:
    """The SHA-256 of some bytes, as manifests write it."""
    return f"sha256:{sha256(content).hexdigest()}"


def to_bytes(value: object) -> bytes:
    """JSON as it stands in a bundle: full precision, no NaN, one final newline."""
    return (json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode()


def write_bundle(directory: Path, files: Mapping[str, bytes], *, identity: Mapping[str, object]) -> Written:
    """Write every file and the manifest, then put the new directory in the place of the old one.

    Parameters
    ----------
    directory : where the bundle should stand; its parent must exist or be creatable
    files : bytes by relative path with forward slashes
    identity : what the manifest says besides the outputs (digests, versions, seed)

    Raises
    ------
    UsageError : the place cannot be written, or holds something that is not a bundle
    """
    manifest = {
        "format": FORMAT, **identity, "outputs": {name: digest(content) for name, content in sorted(files.items())},
    }  # fmt: skip
    target, reason = _free_place(directory)
    partial = _sibling(target, "partial")
    try:
        _fill(partial, {**files, MANIFEST: to_bytes(manifest)})
        return _put(partial, target, reason)
    except PermissionError as error:
        raise UsageError(
            f"{directory} cannot be written (no permission). Choose another place with --out, such as your own folder."
        ) from error
    except OSError as error:
        raise UsageError(
            f"{directory} cannot be written: {error.strerror}. Choose another place with --out."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def read_outputs(directory: Path, names: tuple[str, ...]) -> tuple[bytes, ...]:
    """The named files of a bundle, as `run` wrote them.

    Raises
    ------
    UsageError : the directory is not a bundle, or a file is not in it or was edited
    """
    recorded = _recorded(directory)
    if recorded is None:
        raise UsageError(
            f"{directory} is not a bundle: it has no {MANIFEST} of this program. Give the directory that `run` printed."
        )
    missing = [name for name in names if not (directory / name).is_file()]
    if missing:
        raise UsageError(f"{directory} lacks {', '.join(missing)}. Run the study again to restore it.")
    contents = tuple((directory / name).read_bytes() for name in names)
    edited = [name for name, content in zip(names, contents, strict=True) if recorded.get(name) != digest(content)]
    if edited:
        raise UsageError(f"{', '.join(edited)} in {directory} was edited since the run. Run the study again.")
    return contents


def edited_outputs(directory: Path) -> tuple[str, ...]:
    """The outputs of a bundle that are missing, or no longer what the run wrote."""
    recorded = _recorded(directory) or {}
    return tuple(
        name for name, expected in sorted(recorded.items())
        if _is_edited(directory / name, expected, may_lack=name.startswith(PRIVATE))
    )  # fmt: skip


def private_files(directory: Path) -> dict[str, bytes]:
    """What of a bundle names patients, by relative name, as the run wrote it."""
    names = [name for name in _recorded(directory) or {} if name.startswith(PRIVATE) and (directory / name).is_file()]
    return {name: (directory / name).read_bytes() for name in names}


def _is_edited(path: Path, expected: str, *, may_lack: bool) -> bool:
    return not may_lack if not path.is_file() else digest(path.read_bytes()) != expected


def _free_place(directory: Path) -> tuple[Path, str | None]:
    """The directory itself, or its first free numbered neighbor where a person's work stands in the way."""
    reason = _in_the_way(directory)
    if reason is None:
        return directory, None
    return _neighbor(directory), reason


def _neighbor(directory: Path) -> Path:
    """The first of NAME-2, NAME-3, … that nobody's work stands in."""
    return next(place for number in count(2) if _is_free(place := directory.with_name(f"{directory.name}-{number}")))


def _is_free(directory: Path) -> bool:
    try:
        return _in_the_way(directory) is None
    except UsageError:
        return False


def _in_the_way(directory: Path) -> str | None:
    if not directory.exists():
        return None
    if not directory.is_dir():
        raise UsageError(f"{directory} is a file. Choose another place with --out.")
    present = set(_files(directory))
    if not present:
        return None
    recorded = _recorded(directory)
    if recorded is None:
        raise UsageError(
            f"{directory} holds files that this program did not write, and is left as it is. Choose another place with --out."
        )
    known = {name: expected for name, expected in recorded.items() if name in present}
    changed = [name for name, expected in known.items() if digest((directory / name).read_bytes()) != expected]
    if changed:
        return f"{', '.join(sorted(changed))} in {directory.name} was edited by a person"
    if added := sorted(present - set(recorded) - {MANIFEST}):
        return f"{', '.join(added)} in {directory.name} was added by a person, or is open in another program"
    return None


def _recorded(directory: Path) -> dict[str, str] | None:
    try:
        manifest = json.loads((directory / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        return None
    outputs = manifest.get("outputs")
    return dict(outputs) if isinstance(outputs, dict) else None


def _files(directory: Path) -> Iterator[str]:
    for path in sorted(directory.rglob("*")):
        if path.is_file() and path.name not in IGNORED:
            yield path.relative_to(directory).as_posix()


def _sibling(target: Path, what: str) -> Path:
    return target.with_name(f".{target.name}.{what}-{uuid.uuid4().hex[:8]}")


def _fill(partial: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        path = partial / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _put(partial: Path, target: Path, reason: str | None) -> Written:
    """Swap directories; a file held open by another program (Word on Windows) sends the bundle to a neighbor."""
    if not target.exists():
        os.replace(partial, target)
        return Written(target, reason)
    old = _sibling(target, "old")
    try:
        os.replace(target, old)
        os.replace(partial, target)
    except PermissionError:
        _put_back(old, target)
        return _put(partial, _neighbor(target), f"a file in {target.name} is open in another program")
    except BaseException:
        _put_back(old, target)
        raise
    try:
        shutil.rmtree(old, ignore_errors=True)
    except KeyboardInterrupt:  # the new bundle stands; what is left is to sweep
        shutil.rmtree(old, ignore_errors=True)
    return Written(target, reason)


def _put_back(old: Path, target: Path) -> None:
    if old.exists() and not target.exists():
        os.replace(old, target)
