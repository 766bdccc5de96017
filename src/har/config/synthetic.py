"""Synthetic clips and recordings (`har synth`)."""

from __future__ import annotations

from dataclasses import dataclass

from har.config.bounds import check, check_range


@dataclass(frozen=True)
class SynthConfig:
    """What synthetic clips and recordings are like (`har synth`).

    Attributes:
        n_clips: Clips in all, spread evenly over the three classes.
        clip_s: Seconds of one clip.
        n_scenes: Scenes (groups); the clips of one share place, camera and people.
        size: (H, W) of the picture.
        fps: Frames a second; a scene draws its own from a few near this one.
        n_recordings: Long recordings with a truth file.
        recording_min: Minutes of one recording.
        variety: 0 the plainest scenes, 1 the full range of nuisances.
        seed: Same seed, same bytes.
    """

    n_clips: int = 60
    clip_s: float = 2.0
    n_scenes: int = 12
    size: tuple[int, int] = (240, 320)
    fps: float = 25.0
    n_recordings: int = 0
    recording_min: float = 2.0
    variety: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_range(
            self,
            n_clips=(0, 1_000_000),
            clip_s=(0.5, 30.0),
            n_scenes=(1, 100_000),
            fps=(5.0, 60.0),
            n_recordings=(0, 10_000),
            recording_min=(0.1, 240.0),
            variety=(0.0, 1.0),
        )
        for side in self.size:
            ok = 64 <= side <= 2160 and side % 2 == 0
            check(ok, "size", self.size, "two even numbers from 64 to 2160")
