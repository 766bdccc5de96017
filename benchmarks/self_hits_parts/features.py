"""What a learner gets of a window: the own hands against the own body, without keypoint scores."""

from __future__ import annotations

import numpy as np

from har.pose.features import N_JOINTS, N_OWN, SEEN_COLUMN, SELF_COLUMNS

SCORES = range(2 * N_JOINTS, 3 * N_JOINTS)
COLUMNS = np.array([column for column in SELF_COLUMNS if column not in SCORES])
"""The (d,) columns that tell nothing of the detector."""
_TO_OWN = 5 * N_JOINTS + 3
_NEAR, _DIP = 0.45, 0.2
_DIP_S = 0.2


def mirror_features(features: np.ndarray) -> np.ndarray:
    """Return (N, T, N_OWN) features of people as in a mirror."""
    swap = [0] + [j + (1 if j % 2 else -1) for j in range(1, N_JOINTS)]
    columns, signs = np.arange(N_OWN), np.ones(N_OWN)
    for start in (0, 3 * N_JOINTS):
        for joint in range(N_JOINTS):
            columns[start + 2 * joint : start + 2 * joint + 2] = (
                start + 2 * swap[joint] + np.arange(2)
            )
            signs[start + 2 * joint] = -1.0
    columns[2 * N_JOINTS : 3 * N_JOINTS] = 2 * N_JOINTS + np.array(swap)
    signs[5 * N_JOINTS] = -1.0
    targets = [0, 1, 2, 4, 3, 5]
    for start in (_TO_OWN, _TO_OWN + 12):
        for wrist in (0, 1):
            own = start + 6 * (1 - wrist) + np.array(targets)
            columns[start + 6 * wrist : start + 6 * wrist + 6] = own
    return features[..., columns] * signs


def compute_spread(features: np.ndarray) -> np.ndarray:
    """Return (N, 4 d): mean, spread, least and greatest of each column over the steps seen."""
    values = features[..., COLUMNS].astype(np.float32)
    seen = features[..., SEEN_COLUMN : SEEN_COLUMN + 1] > 0
    count = np.maximum(seen.sum(axis=1), 1)
    mean = (values * seen).sum(axis=1) / count
    spread = np.sqrt((np.square(values - mean[:, None]) * seen).sum(axis=1) / count)
    low = np.where(seen, values, 99.0).min(axis=1)
    high = np.where(seen, values, -99.0).max(axis=1)
    return np.concatenate([mean, spread, low, high], axis=1)


def compute_impact(features: np.ndarray, rate_hz: float) -> np.ndarray:
    """Return (N, D) of how hands come to head, neck, belly and thighs, and how they leave.

    Of each wrist and part: how near, how long, how fast it comes and goes while near; how often it
    dips there and how sharply it turns. Then of both wrists the greater and the lesser.
    """
    n, n_steps = features.shape[:2]
    seen = features[..., SEEN_COLUMN].astype(np.float32)[:, :, None, None]
    gaps = features[..., _TO_OWN : _TO_OWN + 12].astype(np.float32).reshape(n, n_steps, 2, 6)
    gaps = np.concatenate([gaps[..., :3], gaps[..., 3:5].min(axis=3, keepdims=True)], axis=3)
    gaps = np.where(seen > 0, gaps, 4.0)
    step = max(round(_DIP_S * rate_hz), 1)
    change = np.diff(gaps, axis=1) * rate_hz
    both = seen[:, 1:] * seen[:, :-1]
    near = (np.minimum(gaps[:, 1:], gaps[:, :-1]) < 2 * _NEAR) * both
    closing, parting = (np.maximum(sign * change * near, 0.0) for sign in (-1.0, 1.0))
    middle = gaps[:, step:-step]
    before, after = gaps[:, : -2 * step] - middle, gaps[:, 2 * step :] - middle
    windows = np.lib.stride_tricks.sliding_window_view(gaps, 2 * step + 1, axis=1).min(axis=-1)
    is_dip = (middle <= windows) & (middle < 2 * _NEAR)
    sharp = np.where(is_dip, np.minimum(np.minimum(before, after), 2.0), 0.0)
    dips = (sharp > _DIP).sum(axis=1)
    parts = [
        gaps.min(axis=1),
        np.quantile(gaps, 0.25, axis=1),
        np.median(gaps, axis=1),
        (gaps < _NEAR).mean(axis=1),
        (gaps < 2 * _NEAR).mean(axis=1),
        closing.max(axis=1).clip(0, 12),
        parting.max(axis=1).clip(0, 12),
        dips,
        sharp.max(axis=1),
        sharp.sum(axis=1) / np.maximum(dips, 1),
        np.where(is_dip & (sharp > _DIP), np.maximum(1.0 - middle, 0.0), 0.0).sum(axis=1),
    ]
    each = np.stack([part.astype(np.float32) for part in parts], axis=-1)  # (N, 2, 4, F)
    return np.concatenate([each.max(axis=1), each.min(axis=1)], axis=-1).reshape(n, -1)
