import numpy as np
import pytest

from har.config import SynthConfig
from har.synthetic.layout import draw_layout
from har.synthetic.motion import draw_style as draw_clip_style
from har.synthetic.scene import draw_scene
from three_class.encounter import (
    GREETINGS,
    HELD_S,
    draw_encounter,
    draw_held,
    draw_meeting,
    draw_style,
)

LENGTHS_S = (2.0, 3.5, 5.0)


def draw_layouts(length_s, n=30):
    """Layouts of pairs who come together."""
    times_s = np.arange(round(length_s * 25)) / 25
    for index in range(n):
        scene = draw_scene(SynthConfig(seed=3), index)
        rng = np.random.default_rng(index)
        yield scene, draw_encounter(rng, draw_layout(rng, scene, times_s, pair=True)).layout


@pytest.mark.parametrize("length_s", LENGTHS_S)
def test_strokes_stay_within_the_sequence(length_s):
    for _, layout in draw_layouts(length_s):
        beats = layout.beats
        assert 0.0 <= beats.start_s < beats.contacts_s[0] <= beats.contacts_s[-1]
        assert beats.end_s <= length_s


@pytest.mark.parametrize("length_s", LENGTHS_S)
def test_a_greeting_is_one_slow_contact_that_is_held(length_s):
    for index, (_, layout) in enumerate(draw_layouts(length_s)):
        held = draw_held(np.random.default_rng(index), layout)
        (contact_s,) = held.contacts_s
        assert held.start_s == layout.beats.start_s
        assert held.start_s < contact_s < held.end_s <= length_s
        assert held.end_s - contact_s <= HELD_S[1]
        assert held.stroke_s > layout.beats.stroke_s


def test_people_who_meet_greet_each_other_more_often():
    def draw_clip(rng, layout):
        return draw_clip_style(rng, "playing", layout.stage, (0, layout.partner), 1.0)

    def draw_met(rng, layout):
        return draw_style(rng, "playing", layout, 1.0)

    in_clips, met = (
        np.mean(
            [
                draw(np.random.default_rng(k), layout).name in GREETINGS
                for k, (_, layout) in enumerate(draw_layouts(3.0, 150))
            ]
        )
        for draw in (draw_clip, draw_met)
    )
    assert met > 2.0 * in_clips
    assert met > 0.05


def test_nobody_jumps_when_people_meet():
    for index in range(20):
        scene = draw_scene(SynthConfig(seed=3), index)
        for label in ("hitting_others", "playing"):
            motion = draw_meeting(scene, 3, 0, label, 3.0)
            hips = motion.joints[:, :, 11:13].mean(axis=2)
            speed_m_s = np.linalg.norm(np.diff(hips, axis=0), axis=-1) * scene.fps
            assert speed_m_s.max() < 9.0, motion.acts
