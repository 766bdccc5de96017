from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from har.dataset.splits import Splits, build_folds, build_splits
from har.errors import SplitError
from har.types import Clip


def make_clips(rows):
    """Return a clip for each (label, group) or (label, group, split)."""
    return [
        Clip(f"c{i}", Path(f"{i}.mp4"), row[0], row[1], split=row[2] if len(row) > 2 else None)
        for i, row in enumerate(rows)
    ]


def many(n_groups=12, per_group=4, labels=("hit", "play")):
    return make_clips(
        (labels[i % len(labels)], f"g{g}") for g in range(n_groups) for i in range(per_group)
    )


ROWS = st.lists(
    st.tuples(st.sampled_from(["hit", "play", "rest"]), st.integers(0, 14).map("g{}".format)),
    min_size=2,
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(ROWS, st.integers(2, 5), st.integers(0, 3))
def test_no_fold_divides_a_group_and_every_clip_has_one(rows, n_folds, seed):
    clips = make_clips(rows)
    try:
        folds = build_folds(clips, n_folds, seed)
    except SplitError:
        return
    assert folds.shape == (len(clips),)
    n_folds = min(n_folds, len({clip.group for clip in clips}))
    assert set(folds.tolist()) == set(range(n_folds))
    for group in {clip.group for clip in clips}:
        assert len({fold for fold, c in zip(folds, clips, strict=True) if c.group == group}) == 1
    for fold in range(n_folds):
        left = {c.label for f, c in zip(folds, clips, strict=True) if f != fold}
        assert left == {c.label for c in clips}


@settings(max_examples=60, deadline=None)
@given(ROWS, st.integers(0, 3))
def test_no_part_divides_a_group_and_every_clip_is_in_one(rows, seed):
    clips = make_clips(rows)
    splits = build_splits(clips, 2, seed)
    assert set(splits.parts) == {clip.clip_id for clip in clips}
    by_group = {}
    for clip in clips:
        by_group.setdefault(clip.group, set()).add(splits.parts[clip.clip_id])
    assert all(len(parts) == 1 for parts in by_group.values())
    if splits.possible:
        for part in ("train", "val", "test"):
            assert {c.label for c in clips if c.clip_id in splits.members(part)} == {
                c.label for c in clips
            }
    else:
        assert set(splits.parts.values()) == {"train"}
        assert splits.reason


@settings(max_examples=20, deadline=None)
@given(ROWS, st.integers(0, 3))
def test_splits_survive_their_json(rows, seed):
    splits = build_splits(make_clips(rows), 2, seed)
    assert Splits.from_json(splits.to_json()) == splits


def test_shares_and_balance():
    splits = build_splits(many(30, 4), 5, 0)
    counts = Counter(splits.parts.values())
    assert splits.possible
    assert 0.60 <= counts["train"] / 120 <= 0.70
    assert 0.14 <= counts["val"] / 120 <= 0.20
    assert 0.14 <= counts["test"] / 120 <= 0.20


def test_folds_are_balanced_with_groups_of_one_label_each():
    clips = make_clips((("hit", "play")[g % 2], f"g{g}") for g in range(20) for _ in range(3))
    folds = build_folds(clips, 5, 0)
    for fold in range(5):
        labels = Counter(c.label for f, c in zip(folds, clips, strict=True) if f == fold)
        assert labels == {"hit": 6, "play": 6}


def test_uneven_groups_are_spread():
    sizes = [15, 13, 12, 10, 9, 8, 8, 7, 6, 5, 4, 3]
    clips = make_clips(
        (("hit", "play")[i % 2], f"g{g}") for g, n in enumerate(sizes) for i in range(n)
    )
    counts = np.bincount(build_folds(clips, 4, 0))
    assert counts.sum() == 100
    assert counts.min() >= 22
    assert counts.max() <= 28


def test_same_seed_same_folds_other_seed_others():
    clips = many(20)
    first, again, other = (build_folds(clips, 5, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_random_protocol_divides_groups_and_stays_stratified():
    clips = many(4, 10)
    folds = build_folds(clips, 5, 0, "random")
    for fold in range(5):
        labels = Counter(c.label for f, c in zip(folds, clips, strict=True) if f == fold)
        assert labels == {"hit": 4, "play": 4}
    assert any(
        len({f for f, c in zip(folds, clips, strict=True) if c.group == g}) > 1
        for g in ("g0", "g1")
    )


def test_one_group_a_class_is_not_made_to_leak():
    clips = make_clips([("hit", "room a")] * 10 + [("play", "room b")] * 10)
    splits = build_splits(clips, 5, 0)
    assert not splits.possible
    assert len(splits.members("train")) == 20
    assert splits.folds == {}
    assert "'hit' is found in 1 of the 3 groups" in splits.reason
    with pytest.raises(SplitError, match=r"no val part.*--group-by"):
        splits.members("val")
    for n_folds in (2, 5):
        with pytest.raises(SplitError, match="'hit' is found in 1 of the 2 groups"):
            build_folds(clips, n_folds, 0)
    with pytest.raises(SplitError, match=r"All 10 clips are of one group, .*--group-by"):
        build_folds(clips[:10], 5, 0)


def test_given_split_is_kept():
    clips = make_clips(
        [("hit", "a", "train"), ("play", "b", "train"), ("hit", "c", "test"), ("play", "d", "test")]
    )
    splits = build_splits(clips, 2, 0)
    assert splits.parts == {"c0": "train", "c1": "train", "c2": "test", "c3": "test"}
    assert not splits.possible
    with pytest.raises(SplitError, match="The val part has no clip of 'hit', 'play'"):
        splits.members("val")


def test_given_split_that_divides_a_group_is_refused():
    clips = make_clips([("hit", "a", "train"), ("play", "b", "train"), ("hit", "a", "test")])
    with pytest.raises(
        SplitError, match=r"divides the group 'a': 0\.mp4 is in train, 2\.mp4 in test"
    ):
        build_splits(clips, 2, 0)


def test_broken_json_is_refused():
    with pytest.raises(ValueError, match="field is missing"):
        Splits.from_json({"parts": {}})
    good = build_splits(many(), 2, 0).to_json()
    with pytest.raises(ValueError, match="train, val or test"):
        Splits.from_json({**good, "parts": {"c0": "dev"}})
