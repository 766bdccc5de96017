"""Long made recordings with a truth file of who did what when."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from har.config import SynthConfig
from har.synthetic.folder import keep_only, write_rows
from har.synthetic.motion import Happening
from har.synthetic.parallel import run_jobs
from har.synthetic.picture import draw_picture, iter_images
from har.synthetic.scene import CAST, draw_scene
from har.synthetic.session import draw_session, iter_motions
from har.video.writer import open_writer

TRUTH_NAME = "truth.csv"
NOTE_NAME = "recordings.settings.json"
FIRST_SCENE = 1_000_000
"""Recordings have scenes of their own, beyond those of any clip."""


@dataclass(frozen=True)
class TruthRow:
    """One line of the truth file: an act and who did it, in seconds of the recording."""

    video: str
    start_s: float
    end_s: float
    label: str
    subject: str
    target: str


def write_recordings(
    out_dir: Path, config: SynthConfig, jobs: int = 0, progress: bool = False
) -> Path:
    """Writes ``recording_000.mp4`` and on, and the truth about them.

    The same settings give the same bytes; recordings that are there already are kept, those of
    other settings are removed. Stretches that the truth does not list are idle.

    Args:
        out_dir: Gets the recordings and ``truth.csv``.
        config: Settings: ``n_recordings`` of ``recording_min`` minutes.
        jobs: Processes; 0 means one a core.
        progress: Show a bar on standard error.

    Returns:
        The truth file's path.

    Raises:
        VideoWriteError: A file cannot be written.
    """
    names = [f"recording_{index:03d}.mp4" for index in range(config.n_recordings)]
    usual = SynthConfig()
    shaping = dataclasses.replace(
        config,
        n_clips=usual.n_clips,
        n_scenes=usual.n_scenes,
        clip_s=usual.clip_s,
        n_recordings=usual.n_recordings,
    )
    keep_only(out_dir / NOTE_NAME, "recording_*.mp4", set(names), shaping)
    tasks = [(out_dir / name, config, index) for index, name in enumerate(names)]
    found = run_jobs(_write_recording_task, tasks, jobs, progress, "made recordings")
    truth = out_dir / TRUTH_NAME
    columns = tuple(field.name for field in dataclasses.fields(TruthRow))
    write_rows(truth, columns, (dataclasses.astuple(row) for rows in found for row in rows))
    return truth


def _write_recording_task(task: tuple[Path, SynthConfig, int]) -> list[TruthRow]:
    path, config, index = task
    scene = draw_scene(config, FIRST_SCENE + index)
    circumstances = np.random.default_rng([config.seed, scene.index, 1])
    session = draw_session(circumstances, scene, 60.0 * config.recording_min)
    motions = iter_motions(session, scene, [config.seed, scene.index, 2])
    if path.exists():
        return [_to_row(path.name, act) for motion in motions for act in motion.acts]
    place, clip = (np.random.default_rng([config.seed, scene.index, part]) for part in (3, 4))
    picture = draw_picture(place, clip, scene.camera, CAST, config.variety)
    rows = []
    with open_writer(path, config.size, scene.fps, scene.crf) as writer:
        for motion in motions:
            rows += [_to_row(path.name, act) for act in motion.acts]
            for image in iter_images(motion, scene.camera, picture):
                writer.write(image)
    return rows


def _to_row(video: str, act: Happening) -> TruthRow:
    start_s, end_s = round(act.start_s, 3), round(act.end_s, 3)
    return TruthRow(video, start_s, end_s, act.label, act.subject, act.target)
