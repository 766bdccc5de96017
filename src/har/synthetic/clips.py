"""Synthetic clips: one folder a class, H.264 files, a manifest."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from har.config import SynthConfig
from har.files import write_csv
from har.parallel import run_jobs
from har.synthetic.motion import LABELS, Label, draw_motion
from har.synthetic.picture import draw_picture, iter_images
from har.synthetic.scene import CAST, draw_scene
from har.types import SYNTHETIC
from har.video.file.writer import open_writer

GENERATOR_VERSION = 2
"""Raised whenever the same settings would give other pictures."""


def keep_only(note: Path, pattern: str, planned: set[str], shaping: SynthConfig) -> None:
    """Remove what other settings have left, and note down which settings the files are of.

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


MANIFEST_NAME = "manifest.csv"
NOTE_NAME = "clips.settings.json"
COLUMNS = ("path", "label", "group", "subject", "target", "style", "origin")


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
    """Write all clips and the manifest; clips that are there already stay.

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
    write_csv(manifest, COLUMNS, rows)
    return manifest


def _write_clip_task(task: tuple[Path, SynthConfig, ClipPlan]) -> tuple[str, ...]:
    """Write one clip, if it is not there, and return its line of the manifest.

    Light, distractors and noise are drawn from scene and slot alone: the clips of the three
    classes in one slot share them.
    """
    out_dir, config, plan = task
    scene = draw_scene(config, plan.scene)
    motion = draw_motion(scene, config.seed, plan.slot, plan.label, config.clip_s)
    path = out_dir / plan.path
    if not path.exists():
        place = np.random.default_rng([config.seed, plan.scene, 3])
        clip = np.random.default_rng([config.seed, plan.scene, 4, plan.slot])
        picture = draw_picture(place, clip, scene.camera, CAST, config.variety)
        with open_writer(path, config.size, scene.fps, scene.crf) as writer:
            for image in iter_images(motion, scene.camera, picture):
                writer.write(image)
    act = motion.acts[0]
    return (
        *(plan.path, act.label, scene.group, act.subject, act.target, act.style),
        SYNTHETIC,
    )
