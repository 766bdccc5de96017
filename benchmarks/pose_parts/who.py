"""How often an act is given to the right people, on synthetic motion, where the truth is known.

Two ways. Synthetic recordings are drawn pictures: the pose network must find drawn people in them,
which is said beside. Synthetic sequences leave the pictures out and go through tracker, features
and bundle.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from har.config import PredictConfig, SynthConfig
from har.events.decoder import decode_events, name_people
from har.inference.model import Recognizer
from har.inference.scores import fuse_windows
from har.inference.steps import score_steps
from har.inference.streams import iter_people
from har.inference.video import recognize_video
from har.pose.keypoints import N_KEYPOINTS
from har.pose.tracking import MIN_POINT_SCORE, track_people
from har.result import PoseTracks
from har.synthetic.recordings import FIRST_SCENE, draw_session, iter_motions, write_recordings
from har.synthetic.scene import draw_scene
from har.types import Event, Scores
from pose_parts.bench import Bench
from pose_parts.bundle import OTHERS, SELF
from pose_parts.intervals import Figure, bootstrap_mean
from three_class.sequences import Sequences, draw_sequences
from three_class.settings import SequencesConfig
from three_class.windows import MIN_OWNED, find_owners

NEAR = 0.35
"""Keypoints are of a drawn person who is nearer than this, in heights of the body."""


@dataclass(frozen=True)
class _Act:
    """A true act, and whom it is given to: by names, empty for nobody.

    Attributes:
        label: What is done.
        group: The scene.
        subject: Who really acts.
        target: To whom.
        named: Subject and target over the true time, whether or not an event is found.
        found: Subject and target of the event of that label that overlaps it most, if any.
    """

    label: str
    group: str
    subject: str
    target: str
    named: tuple[str, str]
    found: tuple[str, str] | None


def measure_who(
    bench: Bench,
    n_sequences: int = 1200,
    n_recordings: int = 8,
    recording_min: float = 2.0,
    seed: int = 7_001,
) -> Figure:
    """Measure who is named as subject and target; the seed is none that bundles are trained on."""
    recognizer = bench.load_recognizer()
    drawn = draw_sequences(SequencesConfig(n_sequences=n_sequences, seed=seed), progress=True)
    judged = [
        act for index in range(len(drawn)) for act in _judge_sequence(recognizer, drawn, index)
    ]
    settings = SynthConfig(
        n_clips=0, n_recordings=n_recordings, recording_min=recording_min, variety=0.3, seed=seed
    )
    folder = bench.out / "work" / "who"
    truth = write_recordings(folder, settings, progress=True)
    films = [_judge_recording(recognizer, truth, settings, index) for index in range(n_recordings)]
    return {
        "seed": seed,
        "synthetic_sequences": _sum_up(judged),
        "synthetic_recordings": {
            "variety": settings.variety,
            "minutes": n_recordings * recording_min,
            "drawn_people_found": float(np.mean([film.share_found for film in films])),
            "acts": _sum_up([act for film in films for act in film.acts]),
            "events_beside_any_act": sum(film.n_false for film in films),
        },
    }


def _sum_up(acts: list[_Act]) -> list[Figure]:
    rows = []
    for label in (OTHERS, SELF):
        own = [act for act in acts if act.label == label]
        row: Figure = {"label": label, "acts": len(own)}
        if own:
            row |= _rate("named", [(act, act.named) for act in own], label)
            found = [(act, act.found) for act in own if act.found is not None]
            row["events_found"] = len(found) / len(own)
            row |= _rate("event", found, label) if found else {}
        rows.append(row)
    return rows


def _rate(name: str, answers: list[tuple[_Act, tuple[str, str]]], label: str) -> Figure:
    groups = [act.group for act, _ in answers]
    subjects = np.array([act.subject == who for act, (who, _) in answers])
    rates = {f"{name}_subject_right": bootstrap_mean(groups, subjects)}
    if label == OTHERS:
        targets = np.array([act.target == whom for act, (_, whom) in answers])
        rates[f"{name}_target_right"] = bootstrap_mean(groups, targets)
        rates[f"{name}_both_right"] = bootstrap_mean(groups, subjects & targets)
    return rates


def _judge_sequence(recognizer: Recognizer, drawn: Sequences, index: int) -> Iterable[_Act]:
    label, rate_hz = drawn.label_names[drawn.labels[index]], drawn.rate_hz
    if label not in (SELF, OTHERS):
        return []
    detections = drawn.detections(index)
    found = score_steps(recognizer.pose, iter_people(detections))
    _, scores = fuse_windows(recognizer, {"pose": found}, len(detections.scores) / rate_hz)
    tracks = track_people(detections, rate_hz)
    owners = find_owners(tracks, detections, drawn.owners[drawn.rows(index)])
    names = {
        int(number): str(owner)
        for number, owner in zip(tracks.ids, owners, strict=True)
        if owner >= 0
    }
    start_s, end_s = (float(time_s) for time_s in drawn.spans_s[index])
    target = drawn.targets[index]
    who = str(drawn.subjects[index]), str(target) if target >= 0 else ""
    events = _find_events(recognizer, scores)
    truth = Event(label, start_s, min(end_s, len(detections.scores) / rate_hz), 1.0)
    return [_judge(recognizer, scores, events, truth, who, names, str(drawn.scenes[index]))]


def _find_events(recognizer: Recognizer, scores: Scores) -> tuple[Event, ...]:
    single_person_labels = recognizer.info.single_person_labels
    return name_people(decode_events(scores, recognizer.info.decode), scores, single_person_labels)


def _judge(
    recognizer: Recognizer,
    scores: Scores,
    events: Iterable[Event],
    truth: Event,
    who: tuple[str, str],
    names: dict[int, str],
    group: str,
) -> _Act:
    """Return a true act with whom it is given to."""
    (named,) = name_people([truth], scores, recognizer.info.single_person_labels)
    overlapping = [event for event in events if _overlap_s(event, truth) > 0]
    best = max(overlapping, key=lambda event: _overlap_s(event, truth), default=None)

    def read(event: Event) -> tuple[str, str]:
        return names.get(event.subject, ""), names.get(event.target, "")

    return _Act(truth.label, group, *who, read(named), None if best is None else read(best))


def _overlap_s(event: Event, truth: Event) -> float:
    if event.label != truth.label:
        return 0.0
    return min(event.offset_s, truth.offset_s) - max(event.onset_s, truth.onset_s)


@dataclass(frozen=True)
class _Film:
    """What came of one synthetic recording."""

    acts: list[_Act]
    share_found: float
    n_false: int


def _judge_recording(
    recognizer: Recognizer, truth: Path, settings: SynthConfig, index: int
) -> _Film:
    name = f"recording_{index:03d}.mp4"
    with truth.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["video"] == name]
    config = PredictConfig(keep_places=True)
    result = recognize_video(recognizer, truth.parent / name, config=config)
    times_s, people = compute_true_people(settings, index)
    names, share_found = name_pose_tracks(result.pose_tracks, times_s, people)
    true = [Event(r["label"], float(r["start_s"]), float(r["end_s"]), 1.0) for r in rows]
    acts = [
        _judge(
            recognizer,
            result.scores,
            result.events,
            event,
            (row["subject"], row["target"]),
            names,
            name,
        )
        for row, event in zip(rows, true, strict=True)
        if event.label in (SELF, OTHERS)
    ]
    n_false = sum(all(_overlap_s(event, act) <= 0 for act in true) for event in result.events)
    return _Film(acts, share_found, n_false)


def compute_true_people(
    settings: SynthConfig, index: int
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return where the people of a synthetic recording are drawn.

    Returns:
        (T,) seconds, and the (T, 17, 2) keypoints of each person in pixels of the video.
    """
    scene = draw_scene(settings, FIRST_SCENE + index)
    circumstances = np.random.default_rng([settings.seed, scene.index, 1])
    session = draw_session(circumstances, scene, 60.0 * settings.recording_min)
    motions = list(iter_motions(session, scene, [settings.seed, scene.index, 2]))
    joints = np.concatenate([motion.joints[:, :, :N_KEYPOINTS] for motion in motions])
    pixels, _ = scene.camera.project(joints)
    times_s = np.concatenate([motion.times_s for motion in motions])
    return times_s, {name: pixels[:, who] for who, name in enumerate(session.names)}


def name_pose_tracks(
    pose_tracks: PoseTracks | None, times_s: np.ndarray, people: dict[str, np.ndarray]
) -> tuple[dict[int, str], float]:
    """Return which true person each number is, and the share of people's steps that are seen.

    A number that is no one person for most of its steps has no name.
    """
    if pose_tracks is None or not len(pose_tracks.times_s):
        return {}, 0.0
    at = np.abs(times_s[:, None] - pose_tracks.times_s).argmin(axis=0)
    names = list(people)
    gaps = np.stack([_measure_gaps(pose_tracks.points, people[name][at]) for name in names], axis=1)
    owners = np.where(gaps.min(axis=1) < NEAR, gaps.argmin(axis=1), -1)
    found: dict[int, str] = {}
    for number in np.unique(pose_tracks.numbers):
        own = owners[pose_tracks.numbers == number]
        counts = np.bincount(own + 1, minlength=2)[1:]
        if counts.max() >= MIN_OWNED * len(own):
            found[int(number)] = names[int(counts.argmax())]
    n_steps = round(float(times_s[-1]) / pose_tracks.step_s)
    seen = {
        (time_s, owner)
        for time_s, owner in zip(pose_tracks.times_s.tolist(), owners.tolist(), strict=True)
        if owner >= 0
    }
    return found, len(seen) / max(n_steps * len(names), 1)


def _measure_gaps(points: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Return (M,) mean distances of the keypoints that are seen from the true ones, in heights."""
    height_px = np.maximum(np.ptp(true[..., 1], axis=1), 8.0)
    weights = np.where(points[..., 2] >= MIN_POINT_SCORE, 1.0, 1e-6)
    apart = np.linalg.norm(points[..., :2] - true, axis=-1)
    return (apart * weights).sum(axis=1) / weights.sum(axis=1) / height_px
