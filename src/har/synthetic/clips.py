"""Synthetic clips: one folder a class, H.264 files, a manifest, a contact sheet."""

from __future__ import annotations

import csv
import dataclasses
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from har.config import SynthConfig
from har.errors import VideoWriteError
from har.files import replacing
from har.parallel import run_jobs
from har.synthetic.motion import LABELS, Label, Motion, draw_motion
from har.synthetic.picture import draw_picture, iter_images
from har.synthetic.scene import CAST, Scene, draw_scene
from har.types import SYNTHETIC
from har.video.file.reader import open_video
from har.video.file.writer import open_writer

GENERATOR_VERSION = 2
"""Raised whenever the same settings would give other pictures."""


def keep_only(note: Path, pattern: str, planned: set[str], shaping: SynthConfig) -> None:
    """Remove what other settings have left, and notes down which settings the files are of.

    Args:
        note: A ``.json`` file in the output folder, for files of this pattern; made if missing.
        pattern: Which files in its folder are the generator's own.
        planned: Those that belong to the settings, with ``/`` as separator.
        shaping: The settings that shape each file; what only says how many there are is put to
            its default.
    """
    text = json.dumps(dataclasses.asdict(shaping) | {"version": GENERATOR_VERSION}, indent=1)
    same = note.exists() and note.read_text(encoding="utf-8") == text
    for path in note.parent.glob(pattern):
        if not same or path.relative_to(note.parent).as_posix() not in planned:
            path.unlink()
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(text, encoding="utf-8")


def write_rows(path: Path, columns: tuple[str, ...], rows: Iterable[tuple]) -> None:
    """Write a CSV file under a temporary name, then gives it its own."""
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


MANIFEST_NAME = "manifest.csv"
NOTE_NAME = "clips.settings.json"


@dataclass(frozen=True)
class ClipPlan:
    """Which clip is made: the ``slot``-th of its label in a scene."""

    label: Label
    scene: int
    slot: int

    @property
    def path(self) -> str:
        """The file's place under the output folder."""
        return f"{self.label}/scene{self.scene:04d}_{self.slot:02d}.mp4"


@dataclass(frozen=True)
class ClipRow:
    """One line of the manifest."""

    path: str
    label: str
    group: str
    subject: str
    target: str
    style: str
    origin: str


def plan_clips(config: SynthConfig) -> list[ClipPlan]:
    """Return all clips of the settings: labels in turn, then scenes in turn, then slots.

    >>> [plan.path for plan in plan_clips(SynthConfig(n_clips=4, n_scenes=1))][2:]
    ['playing/scene0000_00.mp4', 'hitting_others/scene0000_01.mp4']
    """
    plans = []
    for index in range(config.n_clips):
        turn, label = divmod(index, len(LABELS))
        slot, scene = divmod(turn, config.n_scenes)
        plans.append(ClipPlan(LABELS[label], scene, slot))
    return plans


def write_clips(out_dir: Path, config: SynthConfig, jobs: int = 0, progress: bool = False) -> Path:
    """Write all clips and the manifest; clip that are there already are kept.

    The same settings give the same bytes, whatever the number of processes. Clips that an earlier
    call with other settings has left in the folder are removed.

    Args:
        out_dir: Gets one folder a class, ``manifest.csv`` and a note of the settings.
        config: Settings.
        jobs: Processes; 0 means one a core.
        progress: Show a bar on standard error.

    Returns:
        The manifest's path.

    Raises:
        VideoWriteError: A file cannot be written.
    """
    plans = plan_clips(config)
    usual = SynthConfig()
    shaping = dataclasses.replace(
        config,
        n_clips=usual.n_clips,
        n_recordings=usual.n_recordings,
        recording_min=usual.recording_min,
    )
    keep_only(out_dir / NOTE_NAME, "*/scene*.mp4", {plan.path for plan in plans}, shaping)
    tasks = [(out_dir, config, plan) for plan in plans]
    rows = run_jobs(_write_clip_task, tasks, jobs, progress, "synthetic clips")
    manifest = out_dir / MANIFEST_NAME
    columns = tuple(field.name for field in dataclasses.fields(ClipRow))
    write_rows(manifest, columns, (dataclasses.astuple(row) for row in rows))
    return manifest


def make_motion(config: SynthConfig, plan: ClipPlan) -> tuple[Scene, Motion]:
    """Return the scene and the motion of a clip, without its pictures."""
    scene = draw_scene(config, plan.scene)
    motion = draw_motion(scene, config.seed, plan.slot, plan.label, config.clip_s)
    return scene, motion


def iter_clip_images(
    config: SynthConfig, plan: ClipPlan, scene: Scene, motion: Motion
) -> Iterator[np.ndarray]:
    """Return the pictures of a clip: (H, W, 3) uint8 RGB.

    Light, distractors and noise are drawn from scene and slot alone: the clips of the three
    classes in one slot share them.
    """
    place = np.random.default_rng([config.seed, plan.scene, 3])
    clip = np.random.default_rng([config.seed, plan.scene, 4, plan.slot])
    picture = draw_picture(place, clip, scene.camera, CAST, config.variety)
    return iter_images(motion, scene.camera, picture)


def _write_clip_task(task: tuple[Path, SynthConfig, ClipPlan]) -> ClipRow:
    out_dir, config, plan = task
    scene, motion = make_motion(config, plan)
    path = out_dir / plan.path
    if not path.exists():
        with open_writer(path, config.size, scene.fps, scene.crf) as writer:
            for image in iter_clip_images(config, plan, scene, motion):
                writer.write(image)
    act = motion.acts[0]
    return ClipRow(plan.path, act.label, scene.group, act.subject, act.target, act.style, SYNTHETIC)


LABEL_WIDTH_PX = 150
N_COLUMNS = 8


def write_sheet(
    path: Path, manifest: Path, per_label: int = 4, cell_width_px: int = 176, by_style: bool = False
) -> Path:
    """Write a PNG with a few clips of each class: a row a clip, a column a time.

    Args:
        path: The ``.png`` to write.
        manifest: What `write_clips` gave.
        per_label: Clips of each class, spread over the manifest.
        cell_width_px: Width of one picture.
        by_style: Take the first clip of each style instead, up to ``per_label`` styles a class.

    Returns:
        ``path``.

    Raises:
        VideoWriteError: The picture cannot be written.
        VideoError: A clip cannot be read.
    """
    with manifest.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    strips = []
    for label in LABELS:
        own = [row for row in rows if row["label"] == label]
        for row in _choose(own, per_label, by_style):
            texts = (row["label"], row["style"], row["group"], _who(row))
            strips.append(_draw_strip(manifest.parent / row["path"], texts, cell_width_px))
    sheet = np.concatenate(strips) if strips else np.zeros((1, LABEL_WIDTH_PX, 3), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    done, data = cv2.imencode(".png", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
    if not done:
        raise VideoWriteError(f"The contact sheet {path} of shape {sheet.shape} cannot be coded")
    path.write_bytes(data.tobytes())
    return path


def _choose(rows: list[dict[str, str]], n: int, by_style: bool) -> list[dict[str, str]]:
    if by_style:
        first = {row["style"]: row for row in reversed(rows)}
        return [first[style] for style in sorted(first)][:n]
    picks = np.unique(np.linspace(0, len(rows) - 1, min(n, len(rows))).round().astype(int))
    return [rows[index] for index in picks]


def _who(row: dict[str, str]) -> str:
    return f"{row['subject']} -> {row['target']}" if row["target"] else row["subject"]


def _draw_strip(path: Path, texts: tuple[str, ...], width_px: int) -> np.ndarray:
    """Return one row of the sheet: (H, W, 3) uint8 RGB."""
    with open_video(path, color="rgb") as video:
        images = [frame.image for frame in video]
    picks = np.linspace(0, len(images) - 1, N_COLUMNS).round().astype(int)
    height_px = round(width_px * images[0].shape[0] / images[0].shape[1])
    cells = [
        cv2.resize(images[index], (width_px, height_px), interpolation=cv2.INTER_AREA)
        for index in picks
    ]
    margin = np.full((height_px, LABEL_WIDTH_PX, 3), 255, dtype=np.uint8)
    for line, text in enumerate(texts):
        place = (4, 18 + 20 * line)
        cv2.putText(margin, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    return np.concatenate([margin, *cells], axis=1)
