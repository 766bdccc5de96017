"""The three-class bundle: what it learns from, its thresholds, and the folder that is written."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np

from har.bundle import POSE_GRAPH_FILE, BundleInfo, PoseContract, load_info
from har.config import DecodeConfig
from har.dataset.store import Store
from har.inference.detector import compute_detector_hash
from har.learned import build_mark, join_marks
from har.network.saving import load_pose, save_bundle
from har.pose.features import PoseWindow, compute_window
from har.sampling.times import compute_window_starts
from har.training.card import write_card
from har.types import PictureSpec
from three_class.joining import take_self_branch
from three_class.parts import follow_clips, follow_motion, take_own_hits, take_tracks
from three_class.people import N_STEPS, RATE_HZ, People, follow_owners, take_synthetic
from three_class.recipe import Part, learn
from three_class.sequences import Sequences, draw_sequences
from three_class.settings import THREE_CLASS, UNKNOWN, LearnConfig, SequencesConfig
from three_class.threshold import Answers, Head, choose_bias, score_recordings

LABELS = ("hitting_others", "hitting_self", "playing")
OTHERS, SELF, PLAYING = range(3)
SPEC = THREE_CLASS.pose_spec(LABELS, LABELS[PLAYING], compute_detector_hash())
DOMAINS = ("synthetic", "webcams", "fights")
LEARNT = ("synthetic", "webcams")
"""What the shipped bundle learns from: fights among it make it worse elsewhere.

Source: docs/decisions/025-what-carries-over.md.
"""
SIZE, MAX_RATE_HZ = (192, 320), 30.0
"""(H, W) and most frames a second of the pictures that the bundle will look at."""
FIGHT = "fight"
_SEEDS, _HELD_SEED, _N_HELD = (0, 1, 2), 3, 1200
_N_FIGHT_STROKES = 4
"""How often strokes are drawn onto the people of fights, most of whom are not seen well enough."""
_HOP = 6
_SHARES = {
    "synthetic": (1.0, 0.5, 2.0),
    "fights": (0.5, 0.0, 0.5),
    "webcams": (0.0, 0.0, 0.6),
    "strokes on webcams": (0.0, 0.25, 0.2),
    "strokes on fights": (0.0, 0.25, 0.2),
}
"""How much all windows of each label weigh together."""


@dataclass(frozen=True)
class Tracked:
    """Real people who are followed: for each recording (T, P, 17, 3), and whose it is.

    Attributes:
        tracks: Of each recording.
        groups: Of each recording.
        has_hits: Whether somebody hits another in it.
    """

    tracks: list[np.ndarray]
    groups: list[str]
    has_hits: list[bool]


@dataclass(frozen=True)
class Sources:
    """All that the bundle learns from and chooses its thresholds by.

    Attributes:
        fights: Clips of Surveillance Camera Fight.
        webcams: People at webcams, who hit nobody.
        synthetic: Synthetic sequences to learn from.
        held: Others of other scenes, for the thresholds.
        data_hash: Of the store of the clips.
        marks: Of its videos.
    """

    fights: Tracked
    webcams: Tracked
    synthetic: tuple[Sequences, ...]
    held: Sequences
    data_hash: str
    marks: tuple[str, ...]

    @classmethod
    def load(cls, store: Store, webcams: Path, n_sequences: int) -> Sources:
        """Follow the real people and draw the synthetic ones."""
        tracks, subjects = follow_motion(webcams)
        n_each = n_sequences // len(_SEEDS)
        return cls(
            fights=Tracked(
                follow_clips(store),
                [clip.group for clip in store.clips],
                [clip.label == FIGHT for clip in store.clips],
            ),
            webcams=Tracked(tracks, subjects, [False] * len(tracks)),
            synthetic=tuple(
                draw_sequences(SequencesConfig(n_each, seed=seed), progress=True) for seed in _SEEDS
            ),
            held=draw_sequences(SequencesConfig(_N_HELD, seed=_HELD_SEED), progress=True),
            data_hash=store.data_hash,
            marks=join_marks(build_mark(c.video_bytes, c.video_hash) for c in store.clips),
        )


def build_parts(sources: Sources, learnt: Collection[str], seed: int = 0) -> list[Part]:
    """Return what is learnt from, each domain by its weight."""
    rng = np.random.default_rng(seed)
    found: dict[str, People] = {}
    if "synthetic" in learnt:
        parts = [take_synthetic(sequences, PLAYING) for sequences in sources.synthetic]
        found["synthetic"] = People.join(parts)
    if "fights" in learnt:
        fights = sources.fights
        labels = [UNKNOWN if has_hits else PLAYING for has_hits in fights.has_hits]
        found["fights"] = take_tracks(fights.tracks, labels, fights.groups)
        found["strokes on fights"] = draw_strokes(fights, rng, _N_FIGHT_STROKES, has_thighs=True)
    if "webcams" in learnt:
        webcams = sources.webcams
        labels = [PLAYING] * len(webcams.tracks)
        found["webcams"] = take_tracks(webcams.tracks, labels, webcams.groups)
        found["strokes on webcams"] = draw_strokes(webcams, rng, 1, has_thighs=False)
    return [Part(people, _SHARES[name]) for name, people in found.items()]


def draw_strokes(
    people: Tracked, rng: np.random.Generator, times: int, *, has_thighs: bool
) -> People:
    """Return people with strokes drawn on, hits and their controls."""
    tracks, groups = people.tracks * times, people.groups * times
    return take_own_hits(tracks, groups, rng, has_thighs=has_thighs, hit=SELF, background=PLAYING)


def train(
    sources: Sources,
    config: LearnConfig,
    learnt: Collection[str],
    say: Callable[[str], None] = print,
) -> keras.Model:
    """Return the head, learnt from some domains."""
    parts = build_parts(sources, learnt, config.seed)
    return learn(parts, THREE_CLASS, SPEC, LABELS, LABELS[PLAYING], config, config.seed, say)


def choose(
    sources: Sources, head: Head, domains: Collection[str] = DOMAINS, seed: int = 100
) -> np.ndarray:
    """Return the bias of each label, see `choose_bias`, chosen on some domains.

    Strokes are drawn anew.
    """
    others: list[tuple[Answers, np.ndarray]] = []
    calm: list[Answers] = []
    if "fights" in domains:
        of_fights = _score(head, sources.fights.tracks)
        others.append((of_fights, np.array(sources.fights.has_hits)))
        calm.append(of_fights)
    if "synthetic" in domains:
        held, labels = sources.held, sources.held.labels
        of_held = _score(head, [_follow(held, row) for row in range(len(held))])
        others.append((of_held, labels == OTHERS))
        calm.append(of_held.take(labels != SELF))
    if "webcams" in domains:
        rng = np.random.default_rng(seed)
        strokes = draw_strokes(sources.webcams, rng, 1, has_thighs=False)
        controls = [points[0][:, None] for points in strokes.points[strokes.labels == PLAYING]]
        calm += [_score(head, sources.webcams.tracks), _score(head, controls)]
    return choose_bias(others, calm, LABELS, LABELS[PLAYING], LABELS[SELF])


def _follow(sequences: Sequences, row: int) -> np.ndarray:
    rows = sequences.rows(row)
    return follow_owners(sequences.points[rows], sequences.owners[rows])


def _score(head: Head, tracks: list[np.ndarray]) -> Answers:
    return score_recordings(head, [cut_windows(track) for track in tracks], SPEC, PLAYING)


def cut_windows(track: np.ndarray) -> list[PoseWindow]:
    """Return the windows of one recording's people."""
    starts = compute_window_starts(len(track), N_STEPS, _HOP)
    return [compute_window(track[start : start + N_STEPS], RATE_HZ) for start in starts]


def to_head(model: keras.Model) -> Head:
    """Return what gives logits of many windows, some hundred at a time."""

    def compute(features: np.ndarray) -> np.ndarray:
        starts = range(0, len(features), 512)
        parts = [model(features[start : start + 512]) for start in starts]
        return np.concatenate([np.asarray(keras.ops.convert_to_numpy(part)) for part in parts])

    return compute


def make(
    sources: Sources,
    out: Path,
    config: LearnConfig,
    learnt: Collection[str] = LEARNT,
    chosen_on: Collection[str] = DOMAINS,
    self_from: Path | None = None,
) -> BundleInfo:
    """Train, choose the thresholds and write the bundle.

    Args:
        sources: What it learns from.
        out: Its folder.
        config: How it learns.
        learnt: Domains that it learns from, of `DOMAINS`.
        chosen_on: Those that the thresholds are chosen on.
        self_from: A bundle of the same labels whose branch for hitting oneself is taken in place of
            the one that is learnt.
    """
    model = train(sources, config, learnt)
    return write(sources, model, out, config, learnt, chosen_on, self_from)


def write(
    sources: Sources,
    model: keras.Model,
    out: Path,
    config: LearnConfig,
    learnt: Collection[str],
    chosen_on: Collection[str],
    self_from: Path | None = None,
) -> BundleInfo:
    """Choose the thresholds of a head that `train` gave and write the bundle, see `make`."""
    if self_from is not None:
        _, source = load_pose(self_from)
        model = take_self_branch(model, source, THREE_CLASS, SPEC, LABELS, LABELS[PLAYING])
    bias = choose(sources, to_head(model), chosen_on)
    info = BundleInfo(
        stage="lstm",
        labels=LABELS,
        pose=PoseContract(SPEC, PictureSpec(SIZE, "gray", MAX_RATE_HZ), THREE_CLASS.weight),
        bias=tuple(round(float(value), 4) for value in bias),
        decode=DecodeConfig(background=LABELS[PLAYING]),
        data_hash=sources.data_hash if "fights" in learnt else "",
        held_out=False,
        learned_from=sources.marks if "fights" in {*learnt, *chosen_on} else (),
        recipe={
            "streams": "pose",
            "pose": asdict(THREE_CLASS),
            "learn": asdict(config),
            "shares": _SHARES,
            "learnt": sorted(learnt),
            "chosen_on": sorted(chosen_on),
            "self_from": "" if self_from is None else load_info(self_from).files[POSE_GRAPH_FILE],
        },
    )
    info = save_bundle(out, info, pose=model, half=True)
    write_card(out)
    return info
