from itertools import product

import numpy as np
import pytest

from har.config import SynthConfig
from har.synthetic.body import JOINT, N_JOINTS
from har.synthetic.motion import LABELS, STYLES, draw_motion
from har.synthetic.scene import draw_scene

N_SCENES = 40
HANDS = [JOINT["left_hand"], JOINT["right_hand"]]
HEAD_HITS = {"fist_head", "slap_head", "slap_face", "hit_head_once", "hit_head_and_stay"}
SWUNG_HANDS = {"slap", "punch", "push"}


@pytest.fixture(scope="module")
def motions():
    """Motions of the full range, as {(scene, slot, label): (scene, motion)}."""
    config = SynthConfig(variety=1.0, seed=7)
    drawn = {}
    for index in range(N_SCENES):
        scene = draw_scene(config, index)
        for slot, label in product(range(2), LABELS):
            drawn[index, slot, label] = scene, draw_motion(scene, config.seed, slot, label, 2.0)
    return drawn


def test_shapes_names_and_truth(motions):
    for (_, _, label), (scene, motion) in motions.items():
        n_people = len(motion.names)
        assert motion.joints.shape == (round(2.0 * scene.fps), n_people, N_JOINTS, 3)
        assert np.isfinite(motion.joints).all()
        (act,) = motion.acts
        assert act.label == label
        assert act.subject in motion.names
        assert (act.target in motion.names) == (label == "hitting_others")
        assert act.target != act.subject
        assert 0.0 <= act.start_s < act.contacts_s[0] <= act.contacts_s[-1] <= act.end_s <= 2.0


def test_the_same_seed_gives_the_same_motion(motions):
    scene, motion = motions[3, 1, "playing"]
    again = draw_motion(draw_scene(SynthConfig(variety=1.0, seed=7), 3), 7, 1, "playing", 2.0)
    assert (again.joints == motion.joints).all()
    other = draw_motion(scene, 8, 1, "playing", 2.0)
    assert other.joints.shape != motion.joints.shape or (other.joints != motion.joints).any()


def test_nothing_moves_faster_than_a_body_can(motions):
    """Elbows may whip round where a hand passes close by its own shoulder."""
    elbows = [JOINT["left_elbow"], JOINT["right_elbow"]]
    trunk = [JOINT[f"{side}_{part}"] for side in ("left", "right") for part in ("hip", "shoulder")]
    others = [joint for joint in range(N_JOINTS) if joint not in elbows]
    for scene, motion in motions.values():
        speed_m_s = np.linalg.norm(np.diff(motion.joints, axis=0), axis=-1) * scene.fps
        assert speed_m_s[:, :, others].max() < 15.0, motion.acts
        assert speed_m_s[:, :, elbows].max() < 23.0, motion.acts
        assert speed_m_s[:, :, trunk].max() < 7.0, motion.acts


def test_bones_never_stretch(motions):
    for _, motion in motions.values():
        for side, (start, end) in product(
            ("left", "right"), (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"))
        ):
            bone = motion.joints[:, :, JOINT[f"{side}_{end}"]]
            bone = np.linalg.norm(bone - motion.joints[:, :, JOINT[f"{side}_{start}"]], axis=-1)
            assert np.ptp(bone, axis=0).max() < 1e-6


def test_nobody_sinks_into_the_floor(motions):
    for _, motion in motions.values():
        assert motion.joints[..., 2].min() > -0.05, motion.acts


def test_circumstances_do_not_know_the_class(motions):
    """Who is there, how many, where everyone is before the act and when it begins."""
    for index, slot in product(range(N_SCENES), range(2)):
        _, self_hit = motions[index, slot, "hitting_self"]
        _, play = motions[index, slot, "playing"]
        assert self_hit.names == play.names
        assert self_hit.acts[0].contacts_s == play.acts[0].contacts_s
        assert self_hit.acts[0].subject == play.acts[0].subject
        before = round(0.9 * self_hit.acts[0].start_s * len(self_hit.times_s) / 2.0)
        assert self_hit.furniture == play.furniture
        hips = [JOINT["left_hip"], JOINT["right_hip"]]
        if play.acts[0].style not in {"tussle", "chase", "hug"} and before > 1:
            first = self_hit.joints[:before, 0, hips], play.joints[:before, 0, hips]
            assert first[0] == pytest.approx(first[1], abs=0.08)


def test_hitting_others_differs_in_people_only_where_there_was_nobody(motions):
    for index, slot in product(range(N_SCENES), range(2)):
        _, hit = motions[index, slot, "hitting_others"]
        _, play = motions[index, slot, "playing"]
        assert len(hit.names) == max(len(play.names), 2)


def nearest_hand_m(motion, place, contact_s):
    """Meters from the actor's nearer hand to a place, at the frames beside a contact."""
    at = np.abs(motion.times_s - contact_s).argsort()[:3]
    away = motion.joints[at][:, 0, HANDS] - place[at][:, None]
    return float(np.linalg.norm(away, axis=-1).min())


def test_a_hit_to_the_head_touches_the_head_and_a_swat_does_not(motions):
    n_hits = 0
    for scene, motion in motions.values():
        act = motion.acts[0]
        skull = motion.joints[:, 0, [JOINT["left_ear"], JOINT["right_ear"]]].mean(axis=1)
        body = motion.bodies[0]
        if act.style in HEAD_HITS:
            n_hits += 1
            far = min(nearest_hand_m(motion, skull, time_s) for time_s in act.contacts_s)
            allowed = 1.35 * body.head[2] + body.hand_radius + 4.0 / scene.fps * 0.12
            assert far < allowed, (act, far, allowed)
        if act.style == "swat_fly":
            moments = [nearest_hand_m(motion, skull, time_s) for time_s in act.contacts_s]
            assert min(moments) > body.head[1] + body.hand_radius + 0.02
    assert n_hits > 20


def test_hits_on_others_mostly_land(motions):
    """The hand comes to the skin of head or trunk of the target, but for sitting far apart."""
    landed = []
    for scene, motion in motions.values():
        act = motion.acts[0]
        if act.style not in SWUNG_HANDS:
            continue
        who, body = motion.names.index(act.target), motion.bodies[motion.names.index(act.target)]
        joints = motion.joints[:, who]
        ears = joints[:, [JOINT["left_ear"], JOINT["right_ear"]]].mean(axis=1)
        tops = joints[:, [JOINT["left_shoulder"], JOINT["right_shoulder"]]]
        hips = joints[:, [JOINT["left_hip"], JOINT["right_hip"]]].mean(axis=1)
        chest = hips + 0.75 * (tops.mean(axis=1) - hips)
        belly = hips + 0.4 * (tops.mean(axis=1) - hips)
        places = [ears, chest, belly, tops[:, 0], tops[:, 1]]
        far = min(nearest_hand_m(motion, place, act.contacts_s[0]) for place in places)
        landed.append(far < body.head[2] + 0.05 + 0.6 / scene.fps)
    assert len(landed) > 30
    assert np.mean(landed) > 0.9


def test_every_style_can_be_drawn():
    config = SynthConfig(variety=1.0, seed=1)
    for label in LABELS:
        missing = {style.name for style in STYLES[label]}
        for index in range(1500):
            if not missing:
                break
            scene = draw_scene(config, index)
            missing.discard(draw_motion(scene, 1, 0, label, 1.0).acts[0].style)
        assert not missing


def test_plain_scenes_keep_to_plain_styles_and_two_people():
    config = SynthConfig(variety=0.0)
    for index, label in product(range(12), LABELS):
        motion = draw_motion(draw_scene(config, index), 0, 0, label, 2.0)
        rarity = {style.name: style.rarity for style in STYLES[label]}
        assert rarity[motion.acts[0].style] == 0.0
        assert len(motion.names) == 2
