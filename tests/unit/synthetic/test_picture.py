import dataclasses

import numpy as np
import pytest

from har.config import SynthConfig
from har.synthetic.camera import make_camera
from har.synthetic.motion import draw_motion
from har.synthetic.people import compute_capsules
from har.synthetic.picture import (
    compute_faces,
    draw_film,
    draw_picture,
    iter_images,
    paint_box,
)
from har.synthetic.scene import CAST, draw_scene
from har.synthetic.stage import Box

CONFIG = SynthConfig(variety=0.0, size=(120, 160))


@pytest.fixture(scope="module")
def drawn():
    scene = draw_scene(CONFIG, 1)
    motion = draw_motion(scene, 0, 0, "playing", 0.6)
    place, clip = np.random.default_rng(0), np.random.default_rng(1)
    picture = draw_picture(place, clip, scene.camera, CAST, 0.0)
    return scene, motion, picture


def test_people_are_drawn_where_their_joints_are(drawn):
    scene, motion, picture = drawn
    images = np.stack(list(iter_images(motion, scene.camera, picture)))
    assert images.shape == (len(motion.times_s), 120, 160, 3)
    assert images.dtype == np.uint8
    changed = np.abs(images[0].astype(int) - picture.background).max(axis=-1) > 25
    pixels, _ = scene.camera.project(motion.joints[0])
    inside = (pixels > 0).all(axis=-1) & (pixels < [160, 120]).all(axis=-1)
    x, y = pixels[inside].astype(int).T
    assert changed[y, x].mean() > 0.8
    low, high = pixels.min(axis=(0, 1)), pixels.max(axis=(0, 1))
    outside = np.ones_like(changed)
    outside[
        max(int(low[1]) - 15, 0) : int(high[1]) + 15, max(int(low[0]) - 25, 0) : int(high[0]) + 25
    ] = False
    assert changed[outside].mean() < 0.01


def test_still_people_make_still_pictures_but_for_noise(drawn):
    scene, motion, picture = drawn
    still = dataclasses.replace(
        motion, joints=np.repeat(motion.joints[:1], len(motion.times_s), axis=0)
    )
    images = np.stack(list(iter_images(still, scene.camera, picture))).astype(int)
    assert np.abs(np.diff(images, axis=0)).mean() < 4.0


def test_a_capsule_worked_out_by_hand():
    outline = compute_capsules(np.zeros(2), np.array([10.0, 0.0]), np.array([2.0, 1.0]))
    assert outline.shape == (12, 2)
    assert outline[:, 0].min() == pytest.approx(-2.0 * np.cos(np.pi / 10))
    assert outline[:, 0].max() == pytest.approx(10.0 + np.cos(np.pi / 10))
    assert outline[:, 1].min() == pytest.approx(-2.0)
    assert outline[:, 1].max() == pytest.approx(2.0)


def test_a_block_shows_only_the_faces_that_look_at_the_eye():
    box = Box("stool", (0.0, 0.0), (0.4, 0.4, 0.5), 0.0)
    faces = compute_faces(box, np.array([0.0, -3.0, 2.0]))
    middles = sorted(tuple(corners.mean(axis=0).round(3).tolist()) for corners, _ in faces)
    assert middles == [(0.0, -0.2, 0.25), (0.0, 0.0, 0.5)]


def test_the_nearer_block_is_painted_over_the_farther():
    camera = make_camera(np.array([0.0, -3.0, 1.0]), np.array([0.0, 0.0, 0.4]), 1.0, (120, 160))
    far, near = (Box("stool", (0.0, y), (0.6, 0.1, 0.8), 0.0) for y in (1.0, -1.0))
    image = np.zeros((120, 160, 3), dtype=np.uint8)
    parts = [*paint_box(near, camera, (200, 0, 0)), *paint_box(far, camera, (0, 200, 0))]
    for _, paint in sorted(parts, key=lambda part: -part[0]):
        paint(image)
    (x, y), _ = camera.project(np.array([0.0, -1.05, 0.4]))
    red, green, _ = image[int(y), int(x)]
    assert red > 100
    assert green == 0


def test_film_keeps_shape_and_repeats_with_its_seed():
    image = np.full((40, 60, 3), 128, dtype=np.uint8)
    first, second = (
        draw_film(np.random.default_rng(4), (40, 60), 1.0).expose(image.copy(), 0.3)
        for _ in range(2)
    )
    assert first.shape == image.shape
    assert (first == second).all()
    assert first.std() > 0.5
