"""Builds all windows of a benchmark once, part by part, and reads them again."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from half_real.sequences import RealClip
from har.config import PrepareConfig
from har.dataset.prepare import prepare
from pose_parts.bench import SURVFIGHT, UT, load_real_clips
from self_hits_parts.people import SENSORS, load_people
from self_hits_parts.samples import (
    Sample,
    iter_arms,
    iter_clips,
    iter_generator,
    iter_others,
    iter_pairs,
    iter_real,
    iter_rhythm,
    iter_strokes,
    lift_people,
)
from self_hits_parts.windows import (
    Windows,
    cut_windows,
    join_windows,
    load_windows,
    save_windows,
)
from three_class.sequences import Sequences, draw_sequences
from three_class.settings import SequencesConfig

_REAL_VIEWS = {"kinder_gator": 1, "utkinect": 2, "webcam_mit": 1, "webcam": 1}
_STROKES = {"kinder_gator": (1, 2), "utkinect": (1, 3), "webcam_mit": (2, 1), "webcam": (2, 1)}
"""Every so manieth recording gets strokes, and how many."""
_N_RHYTHM, _N_ARMS, _N_GENERATOR, _N_OTHERS = 6, 500, 800, 1500
_N_LIFTED = {UT: 2, SURVFIGHT: 3}
_OTHERS_SEED = 0
_SHORT = {UT: "ut", SURVFIGHT: "survfight"}


def build_windows(data_dir: Path, out: Path, rate_hz: float, only: str = "") -> Windows:
    """Return the windows of all sequences; parts that were written before are read.

    Args:
        data_dir: Has ``motion``, ``survfight`` and ``ut_interaction_set1``.
        out: Parts go to ``OUT/windows-RATE``.
        rate_hz: Steps a second; at another rate than ten only what depth sensors saw.
        only: Of these alone the file of captured motion with this name.
    """
    folder = out / f"windows-{rate_hz:g}"
    folder.mkdir(parents=True, exist_ok=True)
    motion, parts = data_dir / "motion", []

    def take(name: str, draw: Callable[[], Iterable[Sample]]) -> None:
        path = folder / f"{name}.npz"
        if not path.exists():
            save_windows(path, cut_windows(draw(), rate_hz))
            print(f"windows: {path.name}", file=sys.stderr, flush=True)
        parts.append(load_windows(path))

    for seed, name in enumerate([only] if only else SENSORS):
        people = load_people(motion, name)
        every, each = _STROKES[name]
        take(
            f"real-{name}",
            lambda p=people, n=name, s=seed: iter_real(p, rate_hz, _REAL_VIEWS[n], s),
        )
        take(
            f"strokes-{name}",
            lambda p=people[::every], e=each, s=seed: iter_strokes(p, rate_hz, e, s),
        )
        if SENSORS[name] == "kinect":
            take(f"rhythm-{name}", lambda p=people, s=seed: iter_rhythm(p, rate_hz, _N_RHYTHM, s))
    if only:
        return join_windows(parts)
    take("real-sbu", lambda: iter_pairs(motion, rate_hz))
    for name, short in _SHORT.items():
        found: list[RealClip] = []

        def clips(name: str = name, found: list[RealClip] = found) -> list[RealClip]:
            return found or found.extend(_load_clips(data_dir, out, name, rate_hz)) or found

        take(f"real-{short}", lambda c=clips, d=short: iter_clips(c(), d))
        take(f"arms-{short}", lambda c=clips, d=short: iter_arms(c(), d, rate_hz, _N_ARMS, 11))

        def lifted(
            c: Callable = clips, d: str = short, n: int = _N_LIFTED[name]
        ) -> Iterator[Sample]:
            people = lift_people(c(), d, rate_hz)
            yield from iter_strokes(people, rate_hz, n, 12)
            for sample in iter_real(people, rate_hz, 1, 13):
                yield replace(sample, is_plain=False)  # as recorded they are there already

        take(f"strokes-{short}", lifted)
    take("generator", lambda: iter_generator(_N_GENERATOR, 77))
    take("generator-others", lambda: iter_others(_draw_others(), _N_OTHERS))
    return join_windows(parts)


def _load_clips(data_dir: Path, out: Path, name: str, rate_hz: float) -> list[RealClip]:
    manifest = data_dir / name / "manifest.csv"
    store = prepare(manifest, out / "stores" / name, PrepareConfig(), progress=True).store
    return load_real_clips(store, range(len(store.clips)), rate_hz)


def _draw_others() -> Sequences:
    config = SequencesConfig(n_sequences=2 * _N_OTHERS, seed=_OTHERS_SEED)
    return draw_sequences(config, jobs=1)
