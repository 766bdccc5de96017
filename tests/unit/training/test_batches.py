"""Batches repeat with the seed and epoch, pad at the end, and weigh classes alike."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from har.config import AugmentConfig, InputConfig, TemporalConfig
from har.network.temporal_head import build_clip_classifier, build_temporal
from har.sampling.times import compute_stack_indices, compute_step_times, compute_window_starts
from har.training.batches import (
    NO_CHANGE,
    Change,
    FeatureBatches,
    PixelBatches,
    Sampling,
    compute_loss_weights,
    load_stacks,
)


@pytest.fixture(scope="module")
def spec(bar_store):
    return InputConfig(rate_hz=8, n_steps=6, motion_crop=1).window_spec(
        bar_store.size, bar_store.max_rate_hz
    )


def pixel_batches(store, spec, **changes):
    values = {"n_steps": 6, "per_clip": 2, "batch_size": 5, "training": True, "seed": 1}
    clips = range(len(store.clips))
    return PixelBatches(store, clips, spec, Sampling(**(values | changes)), AugmentConfig())


def test_a_class_three_times_as_rare_weighs_three_times_as_much():
    found = compute_loss_weights(np.array([0, 0, 0, 1]), 3).tolist()
    assert found == pytest.approx([2 / 3, 2 / 3, 2 / 3, 2])


def test_clips_share_what_their_class_weighs():
    weights = np.array([1.0, 0.5, 0.0, 0.2])
    found = compute_loss_weights(np.array([0, 0, 0, 1]), 2, weights).tolist()
    assert found == pytest.approx([4 / 3, 2 / 3, 0, 2])


def test_a_clip_of_weight_0_is_not_there_and_weights_reach_the_loss():
    """The loss of one batch of all clips, by hand, and as training computes it."""
    rng = np.random.default_rng(0)
    variants = [[rng.normal(size=(5, 4))] for _ in range(6)]
    targets, weights = np.array([0, 1, 0, 1, 0, 0]), np.array([1.0, 1, 0.25, 1, 1, 0])
    model = build_clip_classifier(build_temporal(TemporalConfig(units=4, dropout=0.0), 4, 2), 4)
    model.set_weights([rng.uniform(0.1, 1.0, value.shape) for value in model.get_weights()])
    model.compile(loss=keras.losses.CategoricalCrossentropy(from_logits=True), jit_compile=False)

    def measure(n_clips, own):
        how = Sampling(5, 1, 8, training=False, seed=0)
        batches = FeatureBatches(variants[:n_clips], targets[:n_clips], 2, how, own)
        logits = np.asarray(model(batches[0][0]), np.float64)
        losses = np.logaddexp.reduce(logits, axis=1) - logits[np.arange(n_clips), targets[:n_clips]]
        return model.evaluate(batches, verbose=0), losses

    weighted, losses = measure(6, weights)
    left_out, _ = measure(5, weights[:5])
    alike, _ = measure(5, None)
    shares = np.array([1 / 2.25, 1 / 2, 0.25 / 2.25, 1 / 2, 1 / 2.25, 0]) / 2
    assert weighted == pytest.approx(float(losses @ shares), rel=1e-5)
    assert left_out == pytest.approx(weighted, rel=1e-6)
    assert abs(alike - weighted) > 1e-3


def test_an_epoch_draws_every_clip_alike_and_can_be_repeated(bar_store, spec):
    batches = pixel_batches(bar_store, spec)
    n_items = 2 * len(bar_store.clips)
    assert len(batches) == -(-n_items // 5)
    labels = np.concatenate([batches[index][1] for index in range(len(batches))])
    assert labels.sum(axis=0).tolist() == [n_items / 2, n_items / 2]
    first = batches[0][0][0]
    batches.set_epoch(1)
    assert not np.array_equal(batches[0][0][0], first)
    batches.set_epoch(0)
    assert np.array_equal(batches[0][0][0], first)


def test_shapes_and_dtypes(bar_store, spec):
    (stacks, mask), labels, weights = pixel_batches(bar_store, spec)[0]
    assert stacks.shape == (5, 6, *bar_store.size, spec.n_channels)
    assert stacks.dtype == np.uint8
    assert mask.shape == (5, 6)
    assert labels.shape == (5, 2)
    assert weights.tolist() == [1.0] * 5


def test_validation_is_the_same_every_time_and_not_changed(bar_store, spec):
    batches = pixel_batches(bar_store, spec, training=False, per_clip=1)
    (stacks, _), _, _ = batches[0]
    clip_id = bar_store.clips[0].clip_id
    steps = compute_step_times(1.0, 8.0)[:6]
    assert np.array_equal(stacks[0], load_stacks(bar_store, clip_id, spec, steps, NO_CHANGE))


def test_short_clips_are_padded_and_masked(bar_store, spec):
    batches = pixel_batches(bar_store, spec, n_steps=12, training=False)
    (stacks, mask), _, _ = batches[0]
    assert mask[0].tolist() == [1.0] * 8 + [0.0] * 4
    assert stacks[0, 8:].max() == 0


def test_a_window_is_seen_as_in_the_whole_clip_wherever_it_starts(bar_store, spec):
    near = replace(spec, motion_crop=2)
    batches = pixel_batches(bar_store, near, n_steps=4, training=False, per_clip=3)
    (stacks, _), _, _ = batches[0]
    clip_id = bar_store.clips[0].clip_id
    whole = load_stacks(bar_store, clip_id, near, compute_step_times(1.0, 8.0), NO_CHANGE)
    for found, start in zip(stacks[:3], (0, 2, 4), strict=True):
        assert np.array_equal(found, whole[start : start + 4])


def test_playing_twice_as_fast_shows_twice_the_motion(bar_store, spec):
    clip = next(clip for clip in bar_store.clips if clip.label == "moves")
    steps = np.array([0.2])
    slow = load_stacks(bar_store, clip.clip_id, spec, steps, NO_CHANGE)
    fast = load_stacks(bar_store, clip.clip_id, spec, steps, Change(speed=2.0))
    times = bar_store.load_times(clip.clip_id)
    indices = compute_stack_indices(times, np.array([0.4]), (0.0,))
    center = spec.offsets_s.index(0.0)
    frames = bar_store.open_frames(clip.clip_id)
    assert np.array_equal(fast[0, ..., center], frames[indices[0, 0]])
    assert np.abs(fast.astype(int)[..., 0] - fast[..., -1]).sum() != 0
    assert slow.shape == fast.shape


def test_feature_batches_take_windows_of_any_view_in_training_and_all_of_the_first_after():
    rng = np.random.default_rng(0)
    variants = [[rng.normal(size=(n, 3)) + view * 100 for view in range(2)] for n in (4, 10)]
    targets = np.array([0, 1])
    fixed = FeatureBatches(variants, targets, 2, Sampling(4, 1, 8, training=False, seed=0))
    (values, mask), labels, _ = fixed[0]
    assert len(values) == 1 + len(compute_window_starts(10, 4, 2))
    assert np.allclose(values[0], variants[0][0], atol=1e-6)
    assert mask.min() == 1.0
    assert labels.argmax(axis=1).tolist() == [0, 1, 1, 1, 1]
    drawn = FeatureBatches(variants, targets, 2, Sampling(4, 20, 40, training=True, seed=0))
    (values, _), _, _ = drawn[0]
    assert {bool(window.mean() > 50) for window in values} == {True, False}
