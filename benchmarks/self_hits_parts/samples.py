"""All sequences: four ways of making hits with their controls, and real people who do not.

Each is one person's keypoints at the product's rate. A hit and its control share person, time,
view, noise, rhythm and arm; only where the hand lands is another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from half_real.acts import ACTS
from half_real.sequences import RealClip, build_half_real, compose_aside, find_bodies
from har.pose.tracking import track_people
from har.sampling.times import compute_nearest_indices, compute_step_times
from self_hits_parts.generator import draw_actor
from self_hits_parts.people import (
    Person,
    View,
    build_body,
    draw_view,
    show,
)
from self_hits_parts.reaimed import aim_swing, draw_aim, find_swing, is_struck
from three_class.arm_body import ArmBody, lift_body
from three_class.self_hits import LENGTH_S, draw_sound, is_sound
from three_class.sequences import Sequences
from three_class.settings import SequencesConfig
from three_class.windows import find_owners

FAMILIES = ("generator", "arms", "strokes", "rhythm")
_CALM_KINDS = ("Raise", "Wave", "Push", "Swipe", "Fly", "Swim", "Throw", "Punch", "Climb", "Point")
_CALM_KINDS += ("Signal", "Draw", "Make")
NEAR_MISSES = {
    "kinder_gator": _CALM_KINDS,
    "utkinect": ("waveHands", "clapHands", "throw", "push", "pull"),
    "webcam_mit": (),
    "webcam": (),
}
"""How acts begin in which hands are raised, wave, clap, draw, or go to head, face and chest."""


@dataclass(frozen=True)
class Sample:
    """One person in one sequence.

    Attributes:
        family: One of `FAMILIES`, or ``real``.
        kind: ``hit``, ``control`` (a hit's strokes beside the body), ``other`` (drawn and no hit),
            ``real``.
        domain: Whose bodies these are.
        group: A split never divides it.
        action: What is done.
        sequence: The same for all people of one sequence.
        points: (T, 17, 3) at the rate asked for.
        span_s: From when to when the act lasts.
        is_plain: Real, and seen as it was recorded.
    """

    family: str
    kind: str
    domain: str
    group: str
    action: str
    sequence: str
    points: np.ndarray
    span_s: tuple[float, float] = (-1e9, 1e9)
    is_plain: bool = False


def is_near_miss(domain: str, action: str) -> bool:
    """Return whether a real act is a near miss of hitting oneself.

    >>> is_near_miss("kinder_gator children", "Jump"), is_near_miss("webcam", "headache")
    (False, True)
    """
    starts = NEAR_MISSES.get(domain.split()[0])
    if starts is None or action == "IDLE":
        return False
    return action.startswith(starts) if starts else True


def resample(points: np.ndarray, rate_hz: float, to_hz: float) -> np.ndarray:
    """Return (N, 17, 3) keypoints at another rate: the nearest frames, as the product has it."""
    steps_s = compute_step_times(len(points) / rate_hz, to_hz)
    rows = compute_nearest_indices((np.arange(len(points)) + 0.5) / rate_hz, steps_s)
    return points[rows]


def iter_real(people: list[Person], rate_hz: float, n_views: int, seed: int) -> Iterator[Sample]:
    """Return people as they were recorded, and under drawn views."""
    rng = np.random.default_rng(seed)
    for row, person in enumerate(people):
        still = np.zeros(len(person.body.head))
        for turn in range(1 + n_views):
            view = draw_view(rng) if turn else View()
            points = show(person, person.body, still, view)
            yield _label(
                person, "real", "real", row, resample(points, person.rate_hz, rate_hz), turn
            )


def iter_strokes(people: list[Person], rate_hz: float, n_each: int, seed: int) -> Iterator[Sample]:
    """Return strokes of least jerk with their controls, on people who really do something else."""
    rng = np.random.default_rng(seed)
    for row, person in enumerate(people):
        for turn in range(n_each):
            part = _cut(person, rng)
            found = draw_sound(part.body, part.rate_hz, rng)
            if found is None:
                continue
            stroke, moved = found
            end_s = stroke.beats_s[-1] + stroke.dwell_s + stroke.back_s
            span = (float(stroke.beats_s[0] - stroke.stroke_s), float(end_s))
            yield from _pair(part, "strokes", moved, span, draw_view(rng), (row, turn), rate_hz)


def iter_rhythm(people: list[Person], rate_hz: float, n_each: int, seed: int) -> Iterator[Sample]:
    """Return real struck rhythms re-aimed, with their controls."""
    rng = np.random.default_rng(seed)
    for row, person in enumerate(filter(is_struck, people)):
        found = find_swing(person)
        if found is None:
            continue
        side, swing = found
        for turn in range(n_each):
            for _ in range(8):
                aim = draw_aim(person, swing, side, rng)
                moved = [aim_swing(person, swing, aim, flag) for flag in (False, True)]
                if is_sound(moved, side, moved[0][1]):
                    break
            else:
                continue
            span = (swing.first / person.rate_hz, swing.last / person.rate_hz)
            view = draw_view(rng)
            pair = _pair(person, "rhythm", moved, span, view, (row, turn), rate_hz)
            yield from (_shorten(sample, rate_hz) for sample in pair)


def _shorten(sample: Sample, rate_hz: float) -> Sample:
    """Return at most the time around the act that other families have."""
    start = max(int((sample.span_s[0] - 1.0) * rate_hz), 0)
    stop = start + int(LENGTH_S[1] * rate_hz)
    low, high = (end - start / rate_hz for end in sample.span_s)
    values = {**vars(sample), "points": sample.points[start:stop], "span_s": (low, high)}
    return Sample(**values)


def _cut(person: Person, rng: np.random.Generator) -> Person:
    n_steps = len(person.body.head)
    n = min(n_steps, int(rng.uniform(*LENGTH_S) * person.rate_hz))
    start = int(rng.integers(n_steps - n + 1))
    return person.cut(slice(start, start + n))


def _pair(
    person: Person,
    family: str,
    moved: list[tuple[ArmBody, np.ndarray]],
    span_s: tuple[float, float],
    view: View,
    number: tuple[int, int],
    rate_hz: float,
) -> Iterator[Sample]:
    for kind, (body, share) in zip(("hit", "control"), moved, strict=True):
        points = resample(show(person, body, share, view), person.rate_hz, rate_hz)
        name = f"{family} {person.domain} {number[0]} {number[1]} {kind}"
        yield Sample(family, kind, person.domain, person.group, person.action, name, points, span_s)


def _label(
    person: Person, family: str, kind: str, row: int, points: np.ndarray, turn: int
) -> Sample:
    name = f"{person.domain} {row} {turn}"
    return Sample(
        family, kind, person.domain, person.group, person.action, name, points, is_plain=turn == 0
    )


def iter_generator(n_pairs: int, seed: int) -> Iterator[Sample]:
    """Return the generator's hits and their controls."""
    config = SequencesConfig(seed=seed)
    for index in range(n_pairs):
        for kind in ("hit", "control"):
            drawn = draw_actor(config, index, kind == "control")
            if drawn is not None:
                yield Sample(
                    "generator",
                    kind,
                    "synthetic",
                    f"scene {drawn.scene}",
                    drawn.style,
                    f"generator {index} {kind}",
                    drawn.points,
                    drawn.span_s,
                )


def iter_others(sequences: Sequences, n: int) -> Iterator[Sample]:
    """Return actors of the generator who play or hit others."""
    names = sequences.label_names
    ends = np.cumsum(sequences.lengths)
    rows = [k for k in range(len(sequences)) if names[sequences.labels[k]] != "hitting_self"][:n]
    for k in rows:
        span = slice(int(ends[k] - sequences.lengths[k]), int(ends[k]))
        detections = sequences.detections(k)
        tracks = track_people(detections, sequences.rate_hz)
        owners = find_owners(tracks, detections, sequences.owners[span])
        for column in np.flatnonzero(owners == sequences.subjects[k])[:1]:
            yield Sample(
                "generator",
                "other",
                "synthetic",
                f"scene {int(sequences.scenes[k])}",
                sequences.style_names[sequences.styles[k]],
                f"generator other {k}",
                tracks.points[:, column],
                (float(sequences.spans_s[k][0]), float(sequences.spans_s[k][1])),
            )


def iter_clips(clips: list[RealClip], domain: str) -> Iterator[Sample]:
    """Return everyone in real clips."""
    for clip in clips:
        for column in range(clip.tracks.points.shape[1]):
            points = clip.tracks.points[:, column]
            seen = np.flatnonzero(points[..., 2].max(axis=1) > 0)
            if len(seen) < 8:
                continue
            yield Sample(
                "real",
                "real",
                domain,
                f"{domain} {clip.group}",
                clip.label,
                f"{domain} {clip.clip_id}",
                points[seen[0] : seen[-1] + 1],
                is_plain=True,
            )


def iter_arms(
    clips: list[RealClip], domain: str, rate_hz: float, n_pairs: int, seed: int
) -> Iterator[Sample]:
    """Return half-real arms: hits with their controls, and drawn gestures that are none."""
    rng = np.random.default_rng(seed)
    bodies, _ = find_bodies(clips)
    names = [name for name, act in ACTS.items() if act.kind == "hit"]
    for turn in range(n_pairs):
        row, person = bodies[int(rng.integers(len(bodies)))]
        name = names[turn % len(names)]
        samples, rhythm = compose_aside(clips[row], person, name, rate_hz, rng)
        for kind, made in zip(("hit", "control"), samples, strict=True):
            yield Sample(
                "arms",
                kind,
                domain,
                f"{domain} {made.group}",
                name,
                f"arms {domain} {turn} {kind}",
                made.points[:, person],
                (rhythm.start_s, rhythm.end_s),
            )
    for turn, made in enumerate(build_half_real(clips, rate_hz, seed, n_pairs // 2, 0).samples):
        if made.kind == "near_miss":
            yield Sample(
                "arms",
                "other",
                domain,
                f"{domain} {made.group}",
                made.act,
                f"arms {domain} other {turn}",
                made.points[:, made.person],
            )


def iter_pairs(folder: Path, rate_hz: float) -> Iterator[Sample]:
    """Return the people of SBU's pairs, each by themselves, as recorded."""
    with np.load(folder / "sbu_pairs.npz", allow_pickle=False) as file:
        data = {key: file[key] for key in file.files}
    joints = [str(joint) for joint in data["joints"]]
    for row, (start, stop) in enumerate(zip(data["starts"][:-1], data["starts"][1:], strict=True)):
        own_hz = float(data["fps"][row])
        for who in (0, 1):
            places = data["points"][start:stop, who].astype(np.float64) * [-1.0, -1.0, 1.0]
            body, ankles = build_body(places, joints, own_hz)
            group, action = f"sbu {data['subject'][row]}", str(data["action"][row])
            person = Person("sbu", group, action, own_hz, body, None, ankles)
            points = show(person, body, np.zeros(len(places)), View())
            points = resample(points, own_hz, rate_hz)
            yield Sample("real", "real", "sbu", group, action, f"sbu {row}", points, is_plain=True)


def lift_people(clips: list[RealClip], domain: str, rate_hz: float) -> list[Person]:
    """Return those in real clips who are seen well enough to lift them out of the picture."""
    bodies, _ = find_bodies(clips)
    found = []
    for row, column in bodies:
        clip = clips[row]
        points = clip.tracks.points[:, column]
        seen = np.flatnonzero(points[..., 2].max(axis=1) > 0)
        points = points[seen[0] : seen[-1] + 1]
        body = lift_body(points, rate_hz)
        found.append(Person(domain, f"{domain} {clip.group}", clip.label, rate_hz, body, points))
    return found
