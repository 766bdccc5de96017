"""The generator's hits to oneself, and the same strokes in the air beside the body."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from har.pose.tracking import track_people
from har.sampling.times import compute_nearest_indices
from har.synthetic.acts.hits import SELF_HITS
from har.synthetic.acts.strokes import Act, Deed
from har.synthetic.layout import draw_layout
from har.synthetic.motion import LABELS, perform
from har.synthetic.stage import Stage
from three_class.arm_body import ArmBody
from three_class.detecting import detect_people
from three_class.encounter import draw_encounter
from three_class.sequences import draw_setting
from three_class.settings import SequencesConfig
from three_class.sight import compute_sight
from three_class.strokes import FREE, compute_clearance
from three_class.windows import find_owners

FIRST_SCENE = 3_000_000
"""Beyond all that a bundle has learnt from."""
STYLES = tuple(style for style in SELF_HITS if style.need == "nothing")


@dataclass(frozen=True)
class Drawn:
    """One sequence's actor as the pose network would see them.

    Attributes:
        points: (T, 17, 3), zeros where not seen.
        scene: The group.
        style: What is done.
        span_s: From when to when.
    """

    points: np.ndarray
    scene: int
    style: str
    span_s: tuple[float, float]


def draw_actor(config: SequencesConfig, index: int, is_control: bool) -> Drawn | None:
    """Draw a sequence of hitting oneself, or its control; None where the actor is not followed.

    All but where the hands go is the same in the two.
    """
    at = draw_setting(config, index, FIRST_SCENE)
    scene, scene_index, slot, times_s = at.scene, at.scene_index, at.slot, at.times_s
    frames_s = np.arange(max(round(at.length_s * scene.fps), 2)) / scene.fps
    circumstances = np.random.default_rng([config.seed, scene_index, 1, slot])
    layout = draw_encounter(
        circumstances, draw_layout(circumstances, scene, frames_s, pair=False)
    ).layout
    details = np.random.default_rng(
        [config.seed, scene_index, 2, slot, LABELS.index("hitting_self")]
    )
    style = STYLES[int(details.integers(len(STYLES)))]
    aside = np.random.default_rng([config.seed, scene_index, 8, slot])
    done = dataclasses.replace(style, act=put_beside(style.act, aside)) if is_control else style
    deed = Deed(0, layout.partner, layout.beats, layout.side, details)
    perform(layout.stage, [*layout.pastimes, (done, deed)])
    bodies = tuple(player.body for player in layout.stage.players)
    joints = layout.stage.solve()[compute_nearest_indices(frames_s, times_s)]
    sight = compute_sight(joints, bodies, at.filming.camera, at.filming.moves_px)
    detections, owners = detect_people(sight, at.noise, config.rate_hz)
    tracks = track_people(detections, config.rate_hz)
    columns = np.flatnonzero(find_owners(tracks, detections, owners) == 0)
    if not len(columns):
        return None
    seen = (tracks.points[:, columns][..., 2].max(axis=2) > 0).sum(axis=0)
    points = tracks.points[:, columns[int(seen.argmax())]]
    return Drawn(points, scene_index, style.name, (layout.beats.start_s, layout.beats.end_s))


def put_beside(act: Act, rng: np.random.Generator) -> Act:
    """Return an act whose hands go where it sends them, but moved to beside the body."""

    def beside(stage: Stage, deed: Deed) -> Iterator[None]:
        inner = act(stage, deed)
        next(inner)
        yield
        lanes = stage.players[deed.actor].keys
        known = {id(key) for lane in lanes for key in lane}
        next(inner, None)
        fresh = [
            (side, key)
            for side, lane in enumerate(lanes)
            for key in lane
            if id(key) not in known and not isinstance(key.where, str)
        ]
        if not fresh:
            return
        places = [key.where for _, key in fresh if not isinstance(key.where, str)]
        shift = _draw_shift(stage, deed, places, fresh[0][0], rng)
        for side, lane in enumerate(lanes):
            sign = 1.0 if side == 0 else -1.0
            own = {id(key) for at, key in fresh if at == side}
            lane[:] = [
                dataclasses.replace(
                    key, where=key.where + _turn(stage, deed, shift * np.array([1.0, sign, 1.0]))
                )
                if id(key) in own
                else key
                for key in lane
            ]

    return beside


def _turn(stage: Stage, deed: Deed, shift: np.ndarray) -> np.ndarray:
    """Return (T, 3) meters of a shift forward, to the left and up."""
    return stage.base(deed.actor).facing @ shift


def _draw_shift(
    stage: Stage, deed: Deed, places: list[np.ndarray], side: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw meters forward, outward and up that bring a hand beside the body and within reach."""
    body, base = stage.players[deed.actor].body, stage.base(deed.actor)
    nearest = int(np.abs(stage.times_s - deed.beats.contacts_s[0]).argmin())
    at = slice(nearest, nearest + 1)
    legs = base.legs[at]
    zeros = np.zeros((1, 2, 3))
    whole = ArmBody(
        base.shoulders[at],
        zeros,
        zeros,
        legs[:, :, 0],
        legs[:, :, 1],
        base.skull[at],
        np.zeros((1, 3, 3)),
        body.arm_reach,
        np.zeros((2, 2)),
    )
    sign = 1.0 if side == 0 else -1.0
    target = min((place[at] for place in places), key=lambda p: compute_clearance(whole, p)[0])
    shoulder = base.shoulders[at, side]
    best, most = np.zeros(3), -np.inf
    for _ in range(60):
        way = rng.standard_normal(3) * [0.8, 1.0, 0.8]
        shift = way / max(float(np.linalg.norm(way)), 1e-9) * rng.uniform(0.35, 0.95)
        shift = shift * body.arm_reach
        place = target + _turn(stage, deed, shift * np.array([1.0, sign, 1.0]))[at]
        free = float(compute_clearance(whole, place)[0]) - FREE
        room = 0.97 - float(np.linalg.norm(place - shoulder)) / body.arm_reach
        if shift[0] > -0.2 * body.arm_reach and min(free, room) > most:
            best, most = shift, min(free, room)
        if most > 0:
            break
    return best
