"""The folder of recorded takes: clips by class, one manifest for all sessions, and deletion.

    OUT/manifest.csv                     one line a take, of all sessions
    OUT/LABEL/PERSON-PLACE-TAKE.mp4      the clips
    OUT/sheets/PERSON-PLACE.png          pictures of what was kept

The manifest is what counts: a clip without a line in it is not there and will be asked for again.
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from har.capture.script import Take
from har.config import CaptureConfig
from har.errors import ManifestError, OutputError
from har.files import write_csv
from har.render.sheet import format_who, write_sheet

MANIFEST_NAME = "manifest.csv"
SHEETS_NAME = "sheets"


@dataclass(frozen=True)
class TakeRow:
    """One line of the manifest: the columns of `har synth`'s, then who, where and how.

    Attributes:
        path: Under the folder, with ``/``.
        group: Person and place: one session.
        subject: Who acts.
        target: Who is hit, or empty.
        person: Whose session it is.
        partner: The second person in the picture, or empty.
        posture: Part of the session.
        hand: ``left``, ``right`` or ``both``.
    """

    path: str
    label: str
    group: str
    subject: str
    target: str
    style: str
    person: str
    partner: str
    place: str
    posture: str
    hand: str


_COLUMNS = tuple(field.name for field in dataclasses.fields(TakeRow))


def make_group(config: CaptureConfig) -> str:
    """Return the group of a session's takes.

    >>> make_group(CaptureConfig(person="p7", place="kitchen"))
    'p7-kitchen'
    """
    return f"{config.person}-{config.place}"


def make_row(take: Take, config: CaptureConfig) -> TakeRow:
    """Return the manifest's line of a take."""
    group = make_group(config)
    return TakeRow(
        path=f"{take.label}/{group}-{take.name}.mp4",
        label=take.label,
        group=group,
        subject=take.actor,
        target=take.target,
        style=take.style,
        person=config.person,
        partner=config.partner if take.n_people == 2 else "",
        place=config.place,
        posture=take.posture,
        hand=take.hand,
    )


def is_manifest(path: Path) -> bool:
    """Return whether a file is a manifest that `har record` wrote."""
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.readline().strip().split(",") == list(_COLUMNS)


def load_rows(out_dir: Path) -> list[TakeRow]:
    """Read the manifest; none gives no rows.

    Raises:
        ManifestError: It is not one that `har record` wrote.
    """
    path = out_dir / MANIFEST_NAME
    if not path.exists():
        return []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            header, *lines = list(csv.reader(file)) or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ManifestError(f"{path} cannot be read: {error}") from error
    if tuple(header) != _COLUMNS or any(len(line) != len(_COLUMNS) for line in lines):
        raise ManifestError(
            f"{path} is no manifest of recorded takes, its first line has: {','.join(header)[:120]}"
            "; give 'har record' a folder of its own"
        )
    rows = [TakeRow(*line) for line in lines]
    for row in rows:
        _check_inside(path, row)
    return rows


def _check_inside(manifest: Path, row: TakeRow) -> None:
    inside = PurePosixPath(row.path)
    if inside.is_absolute() or ".." in inside.parts or "\0" in row.path:
        raise ManifestError(f"{manifest} names {row.path!r}, which is outside its folder; mend it")


def save_rows(out_dir: Path, rows: Sequence[TakeRow]) -> Path:
    """Write the manifest whole and return its path.

    Raises:
        OutputError: It cannot be written.
    """
    path = out_dir / MANIFEST_NAME
    write_csv(path, _COLUMNS, (dataclasses.astuple(row) for row in rows))
    return path


def find_there(out_dir: Path) -> list[TakeRow]:
    """Return the rows whose clip is there.

    Raises:
        ManifestError: As `load_rows`.
    """
    return [row for row in load_rows(out_dir) if (out_dir / row.path).is_file()]


def find_sheet(out_dir: Path, group: str) -> Path:
    """Return where the sheet of a session is or will be."""
    return out_dir / SHEETS_NAME / f"{group}.png"


def delete_person(out_dir: Path, person: str) -> list[TakeRow]:
    """Delete every take that a person is in, also as a partner, and the sheets of those sessions.

    Args:
        out_dir: The folder of takes.
        person: Their id.

    Returns:
        The lines that are gone; what other takes the sessions hold stays. A store that
        `har prepare` made of the folder is not touched.

    Raises:
        ManifestError: The person is in no take, or the manifest is none of `har record`.
        OutputError: A file cannot be deleted.
    """
    rows = load_rows(out_dir)
    gone = [row for row in rows if person in (row.person, row.partner)]
    if not gone:
        known = sorted({name for row in rows for name in (row.person, row.partner) if name})
        raise ManifestError(
            f"Nobody called {person!r} is in {out_dir / MANIFEST_NAME}; known: "
            f"{', '.join(known) or 'nobody'}"
        )
    sheets = {find_sheet(out_dir, row.group) for row in gone}
    for path in (*(out_dir / row.path for row in gone), *sheets):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"{path} could not be deleted: {error.strerror}") from error
    save_rows(out_dir, [row for row in rows if row not in gone])
    return gone


def write_session_sheet(path: Path, out_dir: Path, rows: Sequence[TakeRow]) -> None:
    """Write a PNG with six frames of each take beside its label, style, posture and hand.

    Args:
        path: The ``.png`` to write.
        out_dir: The folder of takes.
        rows: Those to show, at least one, sorted here by label and style.

    Raises:
        VideoError: A clip cannot be read.
        OutputError: The picture cannot be written.
    """
    ordered = sorted(rows, key=lambda row: (row.label, row.style, row.posture, row.hand))
    strips = [
        (
            out_dir / row.path,
            (
                *(row.label, row.style, f"{row.posture}, {row.hand}"),
                format_who(row.subject, row.target),
            ),
        )
        for row in ordered
    ]
    write_sheet(path, strips)
