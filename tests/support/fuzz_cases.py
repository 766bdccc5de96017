"""What is damaged, and the ways by which it comes into the product."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Callable
from datetime import time
from fractions import Fraction
from pathlib import Path
from random import Random

import av
import numpy as np
from bundles import LABELS, make_bundle, make_people_bundle
from fuzzing import mutate_bytes, mutate_json
from videos import make_b_frames, make_clip, make_joined_ts, make_oriented, make_video

import har
from har.bundle import BUNDLE_FILE
from har.config import DecodeConfig, PredictConfig, PrepareConfig, WatchConfig
from har.dataset.catalog import scan
from har.dataset.cut import CutJob, cut_video
from har.dataset.prepare import prepare
from har.dataset.store import FrameSettings
from har.errors import HarError, VideoOpenError
from har.events.files import load_scores
from har.inference.model import Recognizer
from har.inference.video import recognize_video
from har.interchange.coding import read_coding
from har.types import Clip
from har.video.camera.frames import LiveSetup
from har.video.camera.packets import open_played

SEED = 14
_SPEED = 500.0


def draw(kind: str, number: int) -> Random:
    """Return what draws a case; number 0 is always the undamaged first input."""
    return Random(f"{SEED} {kind} {number}")  # noqa: S311


def try_ways(ways: list[Callable[[], object]]) -> bool:
    """Try one input by several ways; whether one of them could use it.

    Raises:
        HarError: None could; the first one's.
    """
    errors: list[HarError] = []
    for way in ways:
        try:
            way()
        except HarError as error:
            errors.append(error)
    if len(errors) == len(ways):
        raise errors[0]
    return True


_CODECS = {
    "h264.mp4": "libx264",
    "mpeg4.avi": "mpeg4",
    "mjpeg.avi": "mjpeg",
    "mpeg2.ts": "mpeg2video",
    "vp8.webm": "libvpx",
    "vp9.mkv": "libvpx-vp9",
    "hevc.mkv": "libx265",
    "ffv1.mkv": "ffv1",
    "wmv2.wmv": "wmv2",
    "flv1.flv": "flv",
    "prores.mov": "prores_ks",
    "mpeg1.mpg": "mpeg1video",
    "rle.mov": "qtrle",
    "h264.h264": "libx264",
}
_FORMATS = {"ffv1": "bgr0", "prores_ks": "yuv422p10le", "mjpeg": "yuvj420p", "qtrle": "rgb24"}


def make_videos(folder: Path) -> None:
    """Write a small video of every kind."""
    for name, codec in _CODECS.items():
        if codec in av.codecs_available:
            make_clip(folder / name, codec=codec, pix_fmt=_FORMATS.get(codec, "yuv420p"))
    make_clip(folder / "sound.mp4", audio=True)
    make_oriented(folder / "turned.mp4", (0, 1, -1, 0))
    make_b_frames(folder / "b.avi", 25)
    make_joined_ts(folder / "joined.ts", 15)
    (folder / "0.ts").unlink()
    (folder / "1.ts").unlink()
    gap = [i / 25 for i in range(15)] + [60 + i / 25 for i in range(15)]
    make_video(folder / "gap.mkv", gap, time_base=Fraction(1, 1000))


class Videos:
    """Damaged videos, recognized, cut into clips and played as a camera."""

    def __init__(self, folder: Path) -> None:
        """Read the videos that `make_videos` wrote."""
        self._originals = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
        self._work = folder.with_name("videos_work")
        (self._work / "frames").mkdir(parents=True, exist_ok=True)
        self._recognizer = Recognizer(make_bundle(self._work / "bundle"), n_threads=1)
        self._pictures = self._recognizer.info.pictures

    def make(self, number: int) -> tuple[str, bytes]:
        """Return a case's name and bytes."""
        rng = draw("video", number)
        name = rng.choice(list(self._originals))
        data = self._originals[name]
        return name, mutate_bytes(data, rng) if number else data

    def try_case(self, number: int) -> bool:
        """Try a case by all ways that read videos."""
        name, data = self.make(number)
        path = self._work / name
        path.write_bytes(data)
        return try_ways(
            [lambda: self._predict(path), lambda: self._cut(path), lambda: self._play(path)]
        )

    def _predict(self, path: Path) -> None:
        found = recognize_video(self._recognizer, path, config=PredictConfig(jobs=1))
        values = found.scores.values
        if not (np.isfinite(values).all() and 0 <= found.duration_s < 1e5 and len(values)):
            raise AssertionError(f"{found.duration_s} s, {values}")

    def _cut(self, path: Path) -> None:
        clips = [Clip("whole", path, "a"), Clip("part", path, "a", start_s=0.4, end_s=0.8)]
        frames = FrameSettings(self._pictures.size, "gray", 30.0)
        ordered = tuple(sorted(clips, key=lambda clip: clip.start_s))
        cut = cut_video(CutJob(path, ordered, frames, 2, self._work))
        if traces := [reject.trace for reject in cut.rejects if reject.trace]:
            raise AssertionError(traces[0])
        if not cut.clips:
            raise VideoOpenError(cut.rejects[0].reason)

    def _play(self, path: Path) -> None:
        setup = LiveSetup("a", self._pictures, WatchConfig())
        with open_played(path, setup, _SPEED) as source:
            for frame in source:
                if not frame.time_s >= 0:
                    raise AssertionError(f"a frame at {frame.time_s} s")


_MANIFEST = [["path", "label", "start_s", "end_s", "group", "split"]] + [
    [f"vid/{label}{n}.mp4", label, str(0.1 * n), "0:00:01", f"g{n}", ""]
    for label in ("fight", "noFight")
    for n in range(3)
]
_CODING = [
    ["video", "label", "start_s", "end_s", "score"],
    ["vid/fight0.mp4", "fight", "0,5", "00:00:01.5", "1"],
    ["vid/noFight0.mp4", "", "", "", ""],
    ["größe.mp4", "schlägt", "3", "", "0.5"],
]
_BORIS = [
    ["Observation id", "Media file name", "Behavior", "Start (s)", "Stop (s)"],
    ["o1", "player #1:vid/fight0.mp4", "fight", "1.5", "2.5"],
]
_SCORES = [["time_s", "step_s", "a", "b"], ["0.5", "1", "0.25", "0.75"], ["1.5", "1", "1", "0"]]
_RESULTS = [
    {
        "video": "a.mp4",
        "probs": {"a": 0.5, "b": 0.5},
        "events": [{"label": "a", "onset_s": 0.5, "offset_s": 1.5, "score": 0.9}],
        "totals": {"duration_s": 9.0, "labels": [{"label": "a"}]},
    }
]
_CELLS = ("", "0", "-1", "1e9", "nan", "inf", "0:61", "9" * 400, "x" * 300, "\0", "../" * 99, '"')


def _make_workbook(path: Path) -> dict[str, bytes]:
    """Return the parts of a workbook, none where the package that writes it is absent."""
    try:
        import xlsxwriter
    except ModuleNotFoundError:
        return {}
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(_MANIFEST):
            sheet.write_row(number, 0, row)
        sheet.write_datetime(8, 2, time(0, 1, 2), book.add_format({"num_format": "h:mm:ss"}))
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _damage_workbook(parts: dict[str, bytes], rng: Random) -> bytes:
    """Return a workbook of which a part, or else the archive, is damaged."""
    damaged = rng.choice([*parts, "xl/worksheets/sheet1.xml", "xl/worksheets/sheet1.xml", ""])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, mutate_bytes(data, rng) if name == damaged else data)
    return packed.getvalue() if damaged else mutate_bytes(packed.getvalue(), rng)


class Tables:
    """Damaged tables, as manifest, coding, saved scores and saved results."""

    def __init__(self, folder: Path) -> None:
        """Take the folder with the videos that manifests name in ``vid``."""
        self._folder = folder
        self._store = folder / "store"
        self._sheets = _make_workbook(folder / "book.xlsx")

    def make(self, number: int) -> bytes:
        """Return a case's bytes."""
        rng = draw("table", number)
        if rng.random() < 0.1 and number:
            return mutate_json({"": _RESULTS}, rng)[5:-1]
        if rng.random() < 0.2 and number and self._sheets:
            return _damage_workbook(self._sheets, rng)
        rows = [list(row) for row in rng.choice((_MANIFEST, _MANIFEST, _CODING, _BORIS, _SCORES))]
        if not number:
            rows = _MANIFEST
        elif rng.random() < 0.7:
            for _ in range(rng.choice((1, 2, 5))):
                row = rng.choice(rows)
                row[rng.randrange(len(row))] = rng.choice(_CELLS)
        delimiter = rng.choice((",", ";", "\t") if number else (";",))
        text = "\r\n".join(delimiter.join(row) for row in rows)
        head = rng.choice(("", "", "sep=;\r\n", "\ufeff"))
        encoding = rng.choice(("utf-8", "utf-16", "cp1252", "utf-16-le"))
        data = (head + text).encode(encoding, "replace")
        return mutate_bytes(data, rng) if number and rng.random() < 0.7 else data

    def try_case(self, number: int) -> bool:
        """Try a case by all ways that read tables."""
        path = self._folder / "table.csv"
        path.write_bytes(self.make(number))
        ways = [
            lambda: scan(path),
            lambda: read_coding(path),
            lambda: load_scores(path),
        ]
        if number % 4 == 0:
            config = PrepareConfig(size=(32, 64), min_frames=5, jobs=1)
            ways.append(lambda: prepare(path, self._store, config))
        return try_ways(ways)


class Bundles:
    """Damaged contracts; those that can be loaded recognize, save and are read back."""

    def __init__(self, folder: Path) -> None:
        """Write bundles of each kind."""
        decode = DecodeConfig(background=LABELS[0], labels={LABELS[1]: {"onset": 0.5}})
        self._folders = [make_bundle(folder / "motion", decode=decode)]
        self._folders += [
            make_people_bundle(folder / name, name, decode=decode) for name in ("pose", "both")
        ]
        self._contracts = [
            json.loads((path / BUNDLE_FILE).read_text(encoding="utf-8")) for path in self._folders
        ]
        self._frames = np.random.default_rng(0).integers(0, 255, (10, 36, 64), np.uint8)
        self._out = folder / "out"

    def make(self, number: int) -> tuple[int, bytes]:
        """Return which bundle a case is of, and the bytes of its contract."""
        rng = draw("bundle", number)
        which = rng.randrange(len(self._folders)) if number else 0
        contract = self._contracts[which]
        return which, mutate_json(contract, rng) if number else json.dumps(contract).encode()

    def try_case(self, number: int) -> bool:
        """Load a bundle, recognize with it, and save what it found."""
        which, data = self.make(number)
        (self._folders[which] / BUNDLE_FILE).write_bytes(data)
        model = har.load(self._folders[which], jobs=1)
        found = model.predict(self._frames, fps=8, keep_places=True)
        shutil.rmtree(self._out, ignore_errors=True)
        found.save(self._out)
        har.recut(self._out, model=model)
        return True
