"""A segment of filming: its frames, what some of them show, and the clip they become."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2

from har.capture.checks import CHECK_RATE_HZ, FrameChecker, Snapshot, find_faults, find_take_faults
from har.capture.folder import (
    TakeRow,
    find_sheet,
    find_there,
    make_group,
    make_row,
    save_rows,
    write_session_sheet,
)
from har.capture.script import (
    PART_WORDS,
    Slot,
    Take,
    count_labels,
    plan_slots,
    plan_takes,
)
from har.config import CaptureConfig, PrepareConfig
from har.errors import VideoDecodeError
from har.inference.detector import PoseDetector
from har.sampling.times import is_due
from har.types import Frame
from har.video.file.reader import open_video, probe_video
from har.video.file.writer import open_writer

_LONG_SIDE_PX = 640
_CRF = 20


class Segment:
    """Frames as they come; ten a second are checked.

    Attributes:
        frames: Those so far in the size of a clip, or none where they are not kept.
        snapshots: What was seen, in order.
    """

    def __init__(self, checker: FrameChecker, *, keeps_frames: bool) -> None:
        self.frames: list[Frame] = []
        self.snapshots: list[Snapshot] = []
        self._checker = checker
        self._keeps_frames = keeps_frames
        self._checked_s: float | None = None

    def push(self, frame: Frame) -> bool:
        """Take the next RGB frame; return whether it was checked."""
        if self._keeps_frames:
            self.frames.append(_downsample(frame))
        if not is_due(frame.time_s, self._checked_s, CHECK_RATE_HZ):
            return False
        self._checked_s = frame.time_s
        self.snapshots.append(self._checker.check(frame.image))
        return True


def compute_clip_size(height: int, width: int) -> tuple[int, int]:
    """Return the even (H, W) of a clip: at most 640 pixels long, never larger than what was filmed.

    >>> compute_clip_size(1080, 1920), compute_clip_size(241, 321)
    ((360, 640), (240, 320))
    """
    scale = min(_LONG_SIDE_PX / max(height, width), 1.0)
    rows, columns = (max(int(side * scale) // 2 * 2, 2) for side in (height, width))
    return rows, columns


def write_clip(path: Path, frames: list[Frame]) -> None:
    """Write frames of one even size, two or more, as H.264; the first one is at 0 s.

    Raises:
        VideoWriteError: It cannot be written.
    """
    height, width = frames[0].image.shape[:2]
    start_s = frames[0].time_s
    rate_hz = (len(frames) - 1) / (frames[-1].time_s - start_s)
    with open_writer(path, (height, width), rate_hz, _CRF) as writer:
        for frame in frames:
            writer.write(frame.image, frame.time_s - start_s)


def _downsample(frame: Frame) -> Frame:
    height, width = compute_clip_size(*frame.image.shape[:2])
    if frame.image.shape[:2] == (height, width):
        return frame
    image = cv2.resize(frame.image, (width, height), interpolation=cv2.INTER_AREA)
    return Frame(frame.index, frame.time_s, image)


_STEADY_SNAPSHOTS = 10
_MAX_FRAMING_S = 40.0
_MAX_APART_S = 10.0


class Screen(Protocol):
    """What a session tells people, and how it waits for them."""

    def say(self, text: str) -> None:
        """Show a line that stays."""
        ...

    def show(self, text: str) -> None:
        """Show a line that the next one replaces."""
        ...

    def ring(self) -> None:
        """Make a sound."""
        ...

    def wait(self, text: str) -> None:
        """Show a line and return once someone says to go on."""
        ...


@dataclass(frozen=True)
class Refusal:
    """A take that was left out, and why."""

    take: str
    reason: str


@dataclass(frozen=True)
class CaptureResult:
    """What a session has left behind.

    Attributes:
        manifest: Of all sessions in the folder.
        sheet: Of this session, or None while it has no take.
        n_takes: Takes of the script.
        n_new: Takes that this run has added.
        refused: Takes that were too weak.
        rows: Takes of this session that are there, also from earlier runs.
        all_rows: Those of all sessions.
    """

    manifest: Path
    sheet: Path | None
    n_takes: int
    n_new: int
    refused: tuple[Refusal, ...]
    rows: tuple[TakeRow, ...]
    all_rows: tuple[TakeRow, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the plain values that ``har record --json`` prints."""
        return {
            "manifest": str(self.manifest),
            "sheet": None if self.sheet is None else str(self.sheet),
            "n_takes": self.n_takes,
            "n_there": len(self.rows),
            "n_new": self.n_new,
            "refused": [{"take": item.take, "reason": item.reason} for item in self.refused],
            "labels": count_labels(row.label for row in self.rows),
            "all": {
                "n_clips": len(self.all_rows),
                "n_groups": len({row.group for row in self.all_rows}),
                "labels": count_labels(row.label for row in self.all_rows),
            },
        }


class Session:
    """One person at one place, and the folder that the takes go to."""

    def __init__(
        self, out_dir: Path, config: CaptureConfig, detector: PoseDetector, screen: Screen
    ) -> None:
        """Read what is there.

        Raises:
            ManifestError: The folder holds a manifest that `har record` did not write.
        """
        self._out_dir = out_dir
        self._config = config
        self._checker = FrameChecker(detector)
        self._screen = screen
        self._rows = find_there(out_dir)
        self._n_new = 0
        self._refused: list[Refusal] = []

    def run_camera(self, frames: Iterator[Frame]) -> CaptureResult:
        """Leads people through all takes that are missing, until they are done or Ctrl-C.

        Args:
            frames: RGB, without end, at the pace of the clock.

        Raises:
            CameraError: The camera has stopped.
            VideoWriteError: A clip cannot be written.
            OutputError: Manifest or sheet cannot be written.
        """
        missing, posture = self._find_missing(), None
        try:
            for number, take in enumerate(missing, start=1):
                if take.posture != posture:
                    posture = take.posture
                    self._screen.wait(PART_WORDS[posture])
                    self._frame_people(frames, take.n_people)
                self._ask(frames, take, f"[{number} of {len(missing)}]")
        except KeyboardInterrupt:
            self._screen.say("Stopped; what is kept stays. The same command goes on from here.")
        return self._finish()

    def run_film(self, film: Path) -> CaptureResult:
        """Cut all takes that are missing out of a film of the whole script.

        Raises:
            VideoError: The film cannot be opened, or a clip not written.
            OutputError: Manifest or sheet cannot be written.
        """
        info = probe_video(film)
        size = compute_clip_size(info.height, info.width)
        missing = {take.name for take in self._find_missing()}
        slots = plan_slots(self._config)
        self._compare_lengths(info.duration_s, slots[-1].end_s)
        for slot in slots:
            if slot.take.name in missing:
                self._screen.show(f"{slot.start_s:.0f} s: {slot.take.name}")
                self._cut(film, slot, size)
        return self._finish()

    def _compare_lengths(self, film_s: float | None, script_s: float) -> None:
        """Warn of a film that may be of another script: its takes would get wrong labels."""
        if film_s is not None and abs(film_s - script_s) > _MAX_APART_S:
            self._screen.say(
                f"The film has {film_s:.0f} s, the script {script_s:.0f} s. Was it filmed by what "
                "--list prints with these very options? If not, every take has a wrong label: look "
                "at the sheet."
            )

    def _find_missing(self) -> list[Take]:
        there = {row.path for row in self._rows}
        takes = plan_takes(self._config)
        return [take for take in takes if make_row(take, self._config).path not in there]

    def _cut(self, film: Path, slot: Slot, size: tuple[int, int]) -> None:
        segment = Segment(self._checker, keeps_frames=True)
        try:
            with open_video(
                film,
                size,
                max_rate_hz=PrepareConfig.max_rate_hz,
                start_s=slot.start_s,
                end_s=slot.end_s,
            ) as reader:
                for frame in reader:
                    segment.push(frame)
        except VideoDecodeError as error:
            self._refused.append(Refusal(slot.take.name, str(error)))
            return
        faults = self._judge(slot.take, segment)
        if faults:
            self._refused.append(Refusal(slot.take.name, "; ".join(faults)))

    def _ask(self, frames: Iterator[Frame], take: Take, count: str) -> None:
        """Have a take done until it is good, or too often."""
        faults: list[str] = []
        for _ in range(self._config.max_tries):
            self._screen.say(f"{count} {take.cue}")
            self._watch(frames, self._config.ready_s, "ready in", keeps_frames=False)
            self._screen.ring()
            segment = self._watch(frames, self._config.take_s, "NOW", keeps_frames=True)
            self._screen.ring()
            faults = self._judge(take, segment)
            if not faults:
                return
            self._screen.say(f"  Too weak to keep. {faults[0]}.")
        self._refused.append(Refusal(take.name, "; ".join(faults)))

    def _judge(self, take: Take, segment: Segment) -> list[str]:
        """Keep a take if it is good; says else what is wrong with it."""
        faults = find_take_faults(take, segment.frames, segment.snapshots, self._config.take_s)
        if not faults:
            row = make_row(take, self._config)
            write_clip(self._out_dir / row.path, segment.frames)
            self._rows.append(row)
            self._n_new += 1
            save_rows(self._out_dir, self._rows)
        return faults

    def _watch(
        self, frames: Iterator[Frame], length_s: float, word: str, *, keeps_frames: bool
    ) -> Segment:
        """Watch a camera for some seconds and show what is seen."""
        segment = Segment(self._checker, keeps_frames=keeps_frames)
        for left_s, frame in _iter_for(frames, length_s):
            if segment.push(frame):
                self._screen.show(
                    f"{word} {math.ceil(left_s)} s | {segment.snapshots[-1].describe()}"
                )
        return segment

    def _frame_people(self, frames: Iterator[Frame], n_people: int) -> None:
        """Wait until the picture has been right for a second; goes on anyhow after a while."""
        segment = Segment(self._checker, keeps_frames=False)
        for _, frame in _iter_for(frames, _MAX_FRAMING_S):
            if segment.push(frame) and len(segment.snapshots) >= _STEADY_SNAPSHOTS:
                faults = find_faults(segment.snapshots[-_STEADY_SNAPSHOTS:], n_people, "both")
                if not faults:
                    self._screen.say("The picture is right.")
                    return
                self._screen.show(f"{faults[0]} ({segment.snapshots[-1].describe()})")
        self._screen.say("The picture is not right yet; takes may have to be repeated.")

    def _finish(self) -> CaptureResult:
        group = make_group(self._config)
        own = tuple(row for row in self._rows if row.group == group)
        sheet = find_sheet(self._out_dir, group) if own else None
        if sheet is not None:
            write_session_sheet(sheet, self._out_dir, own)
        return CaptureResult(
            manifest=save_rows(self._out_dir, self._rows),
            sheet=sheet,
            n_takes=len(plan_takes(self._config)),
            n_new=self._n_new,
            refused=tuple(self._refused),
            rows=own,
            all_rows=tuple(self._rows),
        )


def _iter_for(frames: Iterator[Frame], length_s: float) -> Iterator[tuple[float, Frame]]:
    """Return the next frames of ``length_s`` seconds, each with the seconds that are left."""
    first = next(frames)
    end_s, frame = first.time_s + length_s, first
    while frame.time_s < end_s:
        yield end_s - frame.time_s, frame
        frame = next(frames)
