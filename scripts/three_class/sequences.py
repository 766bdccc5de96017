"""Synthetic skeleton sequences: what the pose network would see of people, without any picture.

Everything but the act itself is drawn before the class: people, place, camera, picture size,
length, posture, bearing, steps, beats and the detector's noise are those of scene and slot; only
then is the class drawn, and with it what the actor does.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from har.config import SynthConfig
from har.errors import OutputError
from har.files import replacing
from har.parallel import run_jobs
from har.pose.keypoints import Detections
from har.sampling.times import compute_nearest_indices, compute_step_times
from har.synthetic.motion import LABELS, STYLES
from har.synthetic.scene import N_CAST, Scene, draw_scene
from three_class.detecting import Noise, detect_people, draw_noise
from three_class.encounter import draw_meeting
from three_class.filming import Filming, draw_filming
from three_class.settings import SequencesConfig
from three_class.sight import Sight, compute_sight

FIRST_SCENE = 2_000_000
"""Sequences have scenes of their own, beyond those of any clip or recording."""

SIZES = ((192, 320), (192, 320), (256, 320), (224, 320), (320, 320), (320, 192))
"""(H, W) of pictures, as stores of real clips have them; a scene draws one."""

STYLE_NAMES = tuple(style.name for label in LABELS for style in STYLES[label])
_PER_TASK = 48


@dataclass(frozen=True)
class Sequence:
    """One synthetic sequence with all that is true of it.

    Attributes:
        detections: What the pose network would see at N steps.
        owners: (N, 6) int8: whose each detection is, -1 a false person or none.
        sight: Where the P people's keypoints truly are.
        label: Index into `LABELS`.
        style: Index into `STYLE_NAMES`.
        scene: The group.
        subject: Who acts, as in ``owners``.
        target: Who is hit, -1 where nobody else is.
        span_s: From when to when the act lasts.
    """

    detections: Detections
    owners: np.ndarray
    sight: Sight
    label: int
    style: int
    scene: int
    subject: int
    target: int
    span_s: tuple[float, float]


@dataclass(frozen=True)
class Sequences:
    """S sequences; their steps stand one after the other in M rows.

    Attributes:
        points: (M, 6, 17, 3) float16 as in `Detections`.
        scores: (M, 6) float16.
        owners: (M, 6) int8: whose each detection is, -1 a false person or none.
        lengths: (S,) int32 steps.
        labels: (S,) int8 into ``label_names``.
        styles: (S,) int16 into ``style_names``.
        scenes: (S,) int32: the group, which no split may divide.
        subjects: (S,) int8: who acts, as in ``owners``.
        targets: (S,) int8: who is hit, -1 where nobody else is.
        spans_s: (S, 2) float32: from when to when the act lasts; step k is at (k + 0.5) / rate_hz.
        sizes: (S, 2) int16 (H, W) of the picture.
        rate_hz: Steps a second.
        label_names: K labels.
        style_names: Names of all ways of acting.
    """

    points: np.ndarray
    scores: np.ndarray
    owners: np.ndarray
    lengths: np.ndarray
    labels: np.ndarray
    styles: np.ndarray
    scenes: np.ndarray
    subjects: np.ndarray
    targets: np.ndarray
    spans_s: np.ndarray
    sizes: np.ndarray
    rate_hz: float
    label_names: tuple[str, ...]
    style_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.lengths)

    def rows(self, index: int) -> slice:
        """Return the rows of a sequence's steps."""
        end = int(self.lengths[: index + 1].sum())
        return slice(end - int(self.lengths[index]), end)

    def detections(self, index: int) -> Detections:
        """Return what the pose network would see in a sequence."""
        rows = self.rows(index)
        return Detections(
            self.points[rows].astype(np.float32), self.scores[rows].astype(np.float32)
        )


@dataclass(frozen=True)
class Setting:
    """All of a sequence that is drawn before what happens in it.

    Attributes:
        scene: People, place and camera.
        scene_index: Its number.
        slot: Which of the scene's sequences it is.
        length_s: Its length.
        times_s: (T,) of its steps.
        filming: How the camera sees it.
        noise: Of the detector.
    """

    scene: Scene
    scene_index: int
    slot: int
    length_s: float
    times_s: np.ndarray
    filming: Filming
    noise: Noise


def draw_setting(config: SequencesConfig, index: int, first_scene: int = FIRST_SCENE) -> Setting:
    """Draw what comes before the class; scenes are numbered from ``first_scene``."""
    number, slot = divmod(index, config.per_scene)
    scene_index = first_scene + number
    place = np.random.default_rng([config.seed, scene_index, 5])
    size = SIZES[int(place.integers(len(SIZES)))]
    scene = draw_scene(
        SynthConfig(size=size, variety=config.variety, seed=config.seed), scene_index
    )
    before = np.random.default_rng([config.seed, scene_index, 6, slot])
    length_s = float(before.uniform(*config.length_s))
    times_s = compute_step_times(length_s, config.rate_hz)
    tallest_m = max(body.stature for body in scene.cast)
    filming = draw_filming(before, scene.camera, tallest_m, config.stature_px, times_s)
    noise = draw_noise(before, len(times_s), N_CAST, config.rate_hz)
    return Setting(scene, scene_index, slot, length_s, times_s, filming, noise)


def draw_sequence(config: SequencesConfig, index: int) -> Sequence:
    """Draw one sequence; the same settings and index give the same one."""
    at = draw_setting(config, index)
    label = int(np.random.default_rng([config.seed, index, 7]).choice(len(LABELS), p=config.shares))
    motion = draw_meeting(at.scene, config.seed, at.slot, LABELS[label], at.length_s)
    joints = motion.joints[compute_nearest_indices(motion.times_s, at.times_s)]
    sight = compute_sight(joints, motion.bodies, at.filming.camera, at.filming.moves_px)
    detections, owners = detect_people(sight, at.noise, config.rate_hz)
    act = motion.acts[0]
    return Sequence(
        detections=detections,
        owners=owners,
        sight=sight,
        label=label,
        style=STYLE_NAMES.index(act.style),
        scene=at.scene_index,
        subject=motion.names.index(act.subject),
        target=motion.names.index(act.target) if act.target else -1,
        span_s=(act.start_s, act.end_s),
    )


def draw_sequences(config: SequencesConfig, jobs: int = 0, progress: bool = False) -> Sequences:
    """Draw all sequences of the settings, whatever the number of processes the same.

    Args:
        config: Settings.
        jobs: Processes; 0 means one a core.
        progress: Show a bar on standard error.
    """
    starts = range(0, config.n_sequences, _PER_TASK)
    tasks = [(config, start, min(start + _PER_TASK, config.n_sequences)) for start in starts]
    parts = run_jobs(_draw_some, tasks, jobs, progress, "synthetic sequences")
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Sequences(**columns, rate_hz=config.rate_hz, label_names=LABELS, style_names=STYLE_NAMES)


def write_sequences(
    path: Path, config: SequencesConfig, jobs: int = 0, progress: bool = False
) -> Path:
    """Write synthetic sequences to one ``.npz`` file, which `load_sequences` reads.

    Raises:
        OutputError: The file cannot be written.
    """
    sequences = draw_sequences(config, jobs, progress)
    with replacing(path) as part, part.open("wb") as file:
        np.savez_compressed(file, **vars(sequences))
    return path


def load_sequences(path: Path) -> Sequences:
    """Read what `write_sequences` wrote.

    Raises:
        OutputError: There is no such file, or it is something else.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            values = {name: file[name] for name in Sequences.__dataclass_fields__}
    except (OSError, EOFError, ValueError, KeyError) as error:
        raise OutputError(
            f"{path} is no file of synthetic sequences: {error}. Make one with "
            f"'python scripts/three_class/write_sequences.py OUT'."
        ) from error
    values["rate_hz"] = float(values["rate_hz"])
    for name in ("label_names", "style_names"):
        values[name] = tuple(str(item) for item in values[name])
    return Sequences(**values)


def _draw_some(task: tuple[SequencesConfig, int, int]) -> dict[str, np.ndarray]:
    """Draw sequences ``[start, end)`` as columns of `Sequences`."""
    config, start, end = task
    drawn = [draw_sequence(config, index) for index in range(start, end)]
    return {
        "points": np.concatenate([s.detections.points for s in drawn]).astype(np.float16),
        "scores": np.concatenate([s.detections.scores for s in drawn]).astype(np.float16),
        "owners": np.concatenate([s.owners for s in drawn]),
        "lengths": np.array([len(s.owners) for s in drawn], dtype=np.int32),
        "labels": np.array([s.label for s in drawn], dtype=np.int8),
        "styles": np.array([s.style for s in drawn], dtype=np.int16),
        "scenes": np.array([s.scene for s in drawn], dtype=np.int32),
        "subjects": np.array([s.subject for s in drawn], dtype=np.int8),
        "targets": np.array([s.target for s in drawn], dtype=np.int8),
        "spans_s": np.array([s.span_s for s in drawn], dtype=np.float32),
        "sizes": np.array([s.sight.size for s in drawn], dtype=np.int16),
    }
