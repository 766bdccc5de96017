"""Long recordings composed of short clips, with a truth that is known because it was composed.

A recording is a row of runs. A run is one to some clips of one group and one label, in a drawn
order; background runs follow each other until the drawn gap is full, then comes one run of an act:

    runs    b b b | a | b b | a a a | b ...        a letter is a clip, with a hard cut before it
    truth           ---      -------

Clips and scenes change in background as they do around acts, so that a cut says nothing of what
comes. What is not as in life: the cuts themselves, that acts begin and end with them, and that
clips come again where there are few; every second time they are mirrored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from har.config.bounds import check, check_range
from har.dataset.index import StoredClip
from har.errors import NoClipsError, VideoDecodeError
from har.sampling.times import compute_nearest_indices
from har.types import Event
from har.video.file.reader import open_video
from har.video.file.writer import open_writer


@dataclass(frozen=True)
class ComposeConfig:
    """How clips become a long recording.

    Attributes:
        length_s: Seconds of a recording; it ends with the clip that fills them.
        gap_s: Least and greatest seconds of background between two acts.
        max_run: Clips of one group and label that follow each other, at most.
        size: (H, W) in pixels.
        fps: Frames a second.
    """

    length_s: float = 600.0
    gap_s: tuple[float, float] = (10.0, 50.0)
    max_run: int = 3
    size: tuple[int, int] = (360, 640)
    fps: float = 25.0

    def __post_init__(self) -> None:
        check_range(self, length_s=(1.0, 86_400.0), max_run=(1, 100), fps=(1.0, 240.0))
        low, high = self.gap_s
        check(0.0 <= low <= high, "gap_s", self.gap_s, "two lengths, the lesser one first")
        ok = all(32 <= side <= 4096 and side % 2 == 0 for side in self.size)
        check(ok, "size", self.size, "two even numbers from 32 to 4096")


@dataclass(frozen=True)
class Piece:
    """A clip in a recording.

    Attributes:
        clip: What is shown.
        onset_s: When it begins in the recording: a hard cut, but for the first one.
        n_frames: Frames that it takes.
        is_mirrored: Left and right are exchanged.
    """

    clip: StoredClip
    onset_s: float
    n_frames: int
    is_mirrored: bool


@dataclass(frozen=True)
class Composition:
    """A recording before it is written.

    Attributes:
        pieces: By onset, without a gap.
        truth: Events of all labels but background, by onset; each is one run.
        duration_s: Length in seconds.
    """

    pieces: tuple[Piece, ...]
    truth: tuple[Event, ...]
    duration_s: float


def compose_recording(
    clips: Sequence[StoredClip], background: str, config: ComposeConfig, seed: int
) -> Composition:
    """Draw a recording of some clips.

    Clips are dealt from shuffled decks, one a label, so that none comes again before all of its
    label have come. The recording ends with background, at or after its length.

    Args:
        clips: With durations and groups; some of background and some of another label.
        background: The label of what is no event.
        config: Lengths and frame rate.
        seed: Same seed and clips, same recording.

    Raises:
        NoClipsError: There are no clips of background, or of nothing else.
    """
    rng = np.random.default_rng(seed)
    acts = sorted({clip.label for clip in clips} - {background})
    decks = {
        label: _deal(rng, [clip for clip in clips if clip.label == label], config.max_run)
        for label in (background, *acts)
    }
    if not acts or not any(clip.label == background for clip in clips):
        raise NoClipsError(
            f"Expected clips of {background!r} and of another label, received the labels "
            f"{sorted({clip.label for clip in clips})}"
        )
    row = _Row(config)
    row.append_gap(decks[background], rng)
    while not row.is_full:
        label = acts[int(rng.integers(len(acts)))]
        row.append_act(decks[label], label)
        row.append_gap(decks[background], rng)
    return Composition(tuple(row.pieces), tuple(row.truth), row.end_s)


Run = list[tuple[StoredClip, bool]]
"""Clips that follow each other, and whether each is mirrored."""


class _Row:
    """What has been laid down so far."""

    def __init__(self, config: ComposeConfig) -> None:
        self._config, self._n_frames = config, 0
        self.pieces: list[Piece] = []
        self.truth: list[Event] = []

    @property
    def end_s(self) -> float:
        return self._n_frames / self._config.fps

    @property
    def is_full(self) -> bool:
        return self.end_s >= self._config.length_s

    def append_gap(self, deck: Iterator[Run], rng: np.random.Generator) -> None:
        """Add at least one run of background, and more until the drawn gap is full."""
        gap_end_s = self.end_s + rng.uniform(*self._config.gap_s)
        self._append(next(deck))
        while not self.is_full and self.end_s < gap_end_s:
            self._append(next(deck))

    def append_act(self, deck: Iterator[Run], label: str) -> None:
        onset_s = self.end_s
        self._append(next(deck))
        self.truth.append(Event(label, onset_s, self.end_s, 1.0))

    def _append(self, run: Run) -> None:
        for clip, is_mirrored in run:
            n_frames = max(round(clip.duration_s * self._config.fps), 1)
            self.pieces.append(Piece(clip, self.end_s, n_frames, is_mirrored))
            self._n_frames += n_frames


def _deal(rng: np.random.Generator, clips: Sequence[StoredClip], max_run: int) -> Iterator[Run]:
    """Return runs without end: clips of one group, and whether they are mirrored."""
    is_mirrored = False
    while clips:
        runs: list[Run] = []
        for group in sorted({clip.group for clip in clips}):
            inside = [clip for clip in clips if clip.group == group]
            order = [(inside[place], is_mirrored) for place in rng.permutation(len(inside))]
            while order:
                n = int(rng.integers(1, max_run + 1))
                runs.append(order[:n])
                order = order[n:]
        yield from (runs[place] for place in rng.permutation(len(runs)))
        is_mirrored = not is_mirrored


def write_composition(path: Path, composition: Composition, config: ComposeConfig) -> None:
    """Write a recording as H.264: each clip letterboxed, its frames nearest in time.

    Args:
        path: An ``.mp4`` file; missing folders are made.
        composition: What to show.
        config: Size and frame rate.

    Raises:
        VideoError: A clip cannot be opened, or the recording not written.
    """
    with open_writer(path, config.size, config.fps) as writer:
        for piece in composition.pieces:
            for image in iter_pictures(piece, config):
                writer.write(image)


def iter_pictures(piece: Piece, config: ComposeConfig) -> Iterator[np.ndarray]:
    """Yield the pictures of a piece, (H, W, 3) RGB uint8.

    Raises:
        VideoError: The clip cannot be opened.
    """
    images, times_s = _read_clip(piece.clip, config.size)
    wanted_s = times_s[0] + np.arange(piece.n_frames) / config.fps
    for place in compute_nearest_indices(times_s, wanted_s):
        yield images[place][:, ::-1] if piece.is_mirrored else images[place]


def _read_clip(clip: StoredClip, size: tuple[int, int]) -> tuple[list[np.ndarray], np.ndarray]:
    """Return the pictures of a clip and their times; of a damaged one the readable part."""
    images, times_s = [], []
    span = {"start_s": clip.start_s, "end_s": clip.end_s}
    with open_video(clip.path, size, "rgb", **span) as reader, suppress(VideoDecodeError):
        for frame in reader:
            images.append(frame.image)
            times_s.append(frame.time_s)
    return images, np.array(times_s)
