"""Long synthetic recordings, with a truth file of who did what when."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from har.config import SynthConfig
from har.files import write_csv
from har.parallel import run_jobs
from har.synthetic.acts.strokes import Deed
from har.synthetic.clips import keep_only
from har.synthetic.curves import ease_smooth
from har.synthetic.manner import (
    compute_near_distance,
    compute_way,
    draw_accompaniment,
    draw_beats,
    draw_places,
    draw_player,
    draw_reaction,
    place_seat,
)
from har.synthetic.motion import (
    LABELS,
    Happening,
    Label,
    Motion,
    describe,
    draw_style,
    perform,
    to_motion,
)
from har.synthetic.picture import draw_picture, iter_images
from har.synthetic.scene import CAST, N_CAST, Scene, draw_scene
from har.synthetic.stage import Beats, Box, Player, Stage
from har.video.file.writer import open_writer

DECK: tuple[Label | None, ...] = (*LABELS, "playing", "playing", None, None)
"""What is done in as many spans, in an order that is drawn; None is nothing."""

REST_S = 0.45
BYSTANDER = 2
"""The player who is not within reach of the others without walking."""


@dataclass(frozen=True)
class Span:
    """A part of a session in which at most one act is done.

    Attributes:
        start_s: Begins at rest here.
        end_s: Ends at rest here.
        actor: Who acts, if anyone does.
        partner: Whom it may concern, or None.
        beats: When strokes would land.
        is_last: Ends after the session does, so that nothing is done in it.
    """

    start_s: float
    end_s: float
    actor: int
    partner: int | None
    beats: Beats
    is_last: bool


@dataclass(frozen=True)
class Session:
    """People and place over a long time, before it is drawn what they do."""

    times_s: np.ndarray
    players: list[Player]
    names: tuple[str, ...]
    furniture: list[Box]
    piece: Box | None
    spans: list[Span]


def draw_session(rng: np.random.Generator, scene: Scene, length_s: float) -> Session:
    """Draw people, place, walk and spans over ``length_s`` seconds."""
    times_s = np.arange(max(round(length_s * scene.fps), 2)) / scene.fps
    n = 2 + int(rng.random() < 0.5 * scene.variety)
    roles = rng.permutation(N_CAST)
    players = [draw_player(rng, scene, int(role), times_s) for role in roles]
    piece = scene.piece if rng.random() < 0.7 else None
    places, yaws = draw_places(rng, scene, players, True, piece)
    furniture = list(scene.furniture)
    for player, place, yaw in zip(players[:n], places, yaws, strict=False):
        player.controls.root += place
        player.controls.yaw += yaw
        seat = place_seat(player, place)
        furniture += [] if seat is None else [seat]
    players = players[:n]
    spans = _draw_spans(rng, players, float(times_s[-1]))
    for span in spans:
        _draw_approach(rng, players, times_s, span)
    names = tuple(f"p{role + 1}" for role in roles[:n])
    return Session(times_s, players, names, furniture, piece, spans)


def iter_motions(session: Session, scene: Scene, seed: list[int]) -> Iterator[Motion]:
    """Return the motion of one span after another; together they cover the session."""
    kinds = _draw_kinds(np.random.default_rng([*seed, len(session.spans)]), len(session.spans))
    for number, span in enumerate(session.spans):
        rng = np.random.default_rng([*seed, number])
        inside = (session.times_s >= span.start_s) & (session.times_s < span.end_s)
        indices = np.flatnonzero(inside)
        if len(indices) == 0:
            continue
        window = slice(int(indices[0]), int(indices[-1]) + 1)
        players = [
            Player(p.body, p.controls.window(window), p.posture, p.rest) for p in session.players
        ]
        furniture = list(session.furniture)
        stage = Stage(session.times_s[window], players, furniture, session.piece)
        yield _act_span(rng, stage, span, kinds[number], (session.names, scene.variety))


def _draw_kinds(rng: np.random.Generator, n: int) -> list[Label | None]:
    """Draw what is done in each span: decks, one after the other, each shuffled."""
    kinds: list[Label | None] = []
    while len(kinds) < n:
        kinds += [DECK[index] for index in rng.permutation(len(DECK))]
    return kinds[:n]


def _act_span(
    rng: np.random.Generator,
    stage: Stage,
    span: Span,
    kind: Label | None,
    cast: tuple[tuple[str, ...], float],
) -> Motion:
    """Draw what goes along with the strokes, then the act itself, if there is one."""
    names, variety = cast
    draw_accompaniment(rng, stage.players[span.actor], stage.times_s, span.beats, variety)
    if span.partner is not None:
        places = [stage.players[who].controls.root[0] for who in (span.actor, span.partner)]
        draw_reaction(rng, stage, span.partner, span.beats, compute_way(*places), variety)
    side = int(rng.random() < 0.8)
    if kind == "hitting_others" and span.partner is None:
        kind = "playing"
    if kind is None or span.is_last:
        return to_motion(stage, names, [])
    style = draw_style(rng, kind, stage, (span.actor, span.partner), variety)
    deed = Deed(span.actor, span.partner, span.beats, side, rng)
    perform(stage, [(style, deed)])
    return to_motion(stage, names, [describe(kind, style, deed, names)])


def _draw_spans(rng: np.random.Generator, players: list[Player], length_s: float) -> list[Span]:
    """Draw spans that cover the whole length, all of one distribution."""
    spans, start_s = [], 0.0
    while start_s < length_s:
        lead_s, act_s, tail_s = rng.uniform([0.8, 1.8, 0.8], [2.5, 6.0, 1.6])
        actor, partner = (int(who) for who in rng.permutation(len(players))[:2])
        beats = draw_beats(rng, start_s + lead_s, start_s + lead_s + act_s)
        end_s = beats.end_s + REST_S + tail_s
        is_far = BYSTANDER in (actor, partner) and players[actor].posture != "stand"
        whom = None if is_far else partner
        spans.append(Span(start_s, end_s, actor, whom, beats, is_last=end_s > length_s))
        start_s = end_s
    return spans


def _draw_approach(
    rng: np.random.Generator, players: list[Player], times_s: np.ndarray, span: Span
) -> None:
    """Have the actor turn and walk up to the partner before the act, and back after it."""
    near = rng.uniform(0.95, 1.1)
    at = int(np.searchsorted(times_s, span.start_s))
    if span.partner is None or at >= len(times_s):
        return
    actor, partner = players[span.actor], players[span.partner]
    way = partner.controls.root[at] - actor.controls.root[at]
    apart_m = float(np.linalg.norm(way)) - near * compute_near_distance(actor.body, partner.body)
    come = ease_smooth((times_s - span.start_s) / (span.beats.start_s - span.start_s + 0.1))
    leave_s = span.beats.end_s + REST_S
    gate = come * ease_smooth((span.end_s - times_s) / (span.end_s - leave_s))
    if actor.posture == "stand":
        actor.controls.root += (apart_m * gate)[:, None] * way / max(np.linalg.norm(way), 1e-6)
    for player, toward in ((actor, way), (partner, -way)):
        turned = float(np.arctan2(toward[1], toward[0])) - float(player.controls.yaw[at])
        player.controls.yaw += gate * ((turned + np.pi) % (2.0 * np.pi) - np.pi)


TRUTH_NAME = "truth.csv"
NOTE_NAME = "recordings.settings.json"
TruthRow = tuple[str, float, float, str, str, str]
COLUMNS = ("video", "start_s", "end_s", "label", "subject", "target")
FIRST_SCENE = 1_000_000
"""Recordings have scenes of their own, beyond those of any clip."""


def write_recordings(
    out_dir: Path, config: SynthConfig, jobs: int = 0, progress: bool = False
) -> Path:
    """Write ``recording_000.mp4`` and on, and the truth about them.

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
    found = run_jobs(_write_recording_task, tasks, jobs, progress, "synthetic recordings")
    truth = out_dir / TRUTH_NAME
    write_csv(truth, COLUMNS, (row for rows in found for row in rows))
    return truth


def _write_recording_task(
    task: tuple[Path, SynthConfig, int],
) -> list[TruthRow]:
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
    """Return who did what when, in seconds of the recording."""
    start_s, end_s = round(act.start_s, 3), round(act.end_s, 3)
    return video, start_s, end_s, act.label, act.subject, act.target
