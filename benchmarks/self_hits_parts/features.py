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
_WRISTS = [5, 6]


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


_REACH = np.array([0.45, 0.55, 0.55, 0.5, 0.35], dtype=np.float32)
"""How near head, neck, belly, thighs and the other wrist a hand is that touches them, in trunks."""
_SPAN_S = 0.3
_LEAST_DIP = 0.12
_HARD, _HARDER = 0.6, 1.2
_LEAST_TURN = 0.8
_BANDS = ((0.0, 0.25), (0.25, 0.5), (0.5, 0.8), (0.8, 9.0))


def compute_contact(features: np.ndarray, rate_hz: float) -> np.ndarray:
    """Return (N, D) of single contacts, and of where hands turn.

    A contact is a moment at which a wrist is nearest to a part of the body for three tenths of a
    second on either side; it counts by how fast the hand comes and goes, whichever is less, and by
    how near it is. Turns are counted by how far from the own body they happen.
    """
    values = features.astype(np.float32)
    seen = values[..., SEEN_COLUMN] > 0
    gaps = _take_gaps(values, seen)
    near = np.exp(-np.square(gaps / _REACH))
    force, depth, stay = _find_contacts(gaps, seen, rate_hz)
    felt = force * near
    ordered = np.sort(felt, axis=1)[:, ::-1]
    parts = [ordered[:, 0], ordered[:, 1], ordered[:, 2], felt.sum(axis=1)]
    parts += [(felt > least).sum(axis=1) for least in (_HARD, _HARDER)]
    parts += [(depth * near).max(axis=1), (depth * near).sum(axis=1), (stay * near).max(axis=1)]
    found = [reduced for part in parts for reduced in (part.max(axis=1), part.sum(axis=1))]
    beside = force * (1.0 - near)
    found += [beside.max(axis=(1, 2)), beside.sum(axis=(1, 2))]
    found += _describe_turns(values, seen, gaps[..., :4].min(axis=3), rate_hz)
    trunk = 5 * N_JOINTS + np.arange(2)
    found += [np.abs(values[..., trunk]).mean(axis=1), values[..., :2].std(axis=1)]
    found.append(values[..., 1].mean(axis=1))
    return np.concatenate([np.reshape(p, (len(p), -1)).astype(np.float32) for p in found], axis=1)


def _take_gaps(values: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Return (N, T, 2, 5): of each wrist to head, neck, belly, nearer thigh and other wrist."""
    gaps = values[..., _TO_OWN : _TO_OWN + 12].reshape(*seen.shape, 2, 6)
    thighs = gaps[..., 3:5].min(axis=3, keepdims=True)
    gaps = np.concatenate([gaps[..., :3], thighs, gaps[..., 5:]], axis=3)
    return np.where(seen[..., None, None], gaps, np.float32(4.0))


def _find_contacts(
    gaps: np.ndarray, seen: np.ndarray, rate_hz: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return speed, depth and length of contacts, each (N, T, 2, 5) and 0 where there is none."""
    span, n_steps = max(round(_SPAN_S * rate_hz), 1), gaps.shape[1]
    padded = np.pad(gaps, ((0, 0), (span, span), (0, 0), (0, 0)), mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * span + 1, axis=1)
    before, after = around[..., :span].max(axis=-1) - gaps, around[..., span + 1 :].max(-1) - gaps
    change = np.diff(padded, axis=1) * rate_hz
    change = np.lib.stride_tricks.sliding_window_view(change, span, axis=1)
    closing, parting = -change[:, :n_steps].min(-1), change[:, span : span + n_steps].max(-1)
    is_low = (gaps <= around[..., span - 1]) & (gaps <= around[..., span + 1])
    is_low &= (before > _LEAST_DIP) & (after > _LEAST_DIP) & seen[..., None, None]
    is_low[:, [0, -1]] = False
    stay = (around < gaps[..., None] + _LEAST_DIP).mean(axis=-1)
    speed = np.clip(np.minimum(closing, parting), 0.0, 6.0)
    return speed * is_low, np.clip(np.minimum(before, after), 0.0, 1.5) * is_low, stay * is_low


def _describe_turns(
    values: np.ndarray, seen: np.ndarray, body: np.ndarray, rate_hz: float
) -> list[np.ndarray]:
    """Return measures of where wrists turn back, how fast they are and how near the body."""
    places = values[..., : 2 * N_JOINTS].reshape(*seen.shape, N_JOINTS, 2)[:, :, _WRISTS]
    velocity = np.diff(places, axis=1) * rate_hz
    first, second = velocity[:, :-1], velocity[:, 1:]
    speeds = [np.linalg.norm(part, axis=-1) for part in (first, second)]
    fast = np.maximum(*speeds)
    turns = ((first * second).sum(axis=-1) < 0) & (fast > _LEAST_TURN) & seen[:, 1:-1, None]
    inner = body[:, 1:-1]
    found = []
    for low, high in _BANDS:
        here = turns & (inner >= low) & (inner < high)
        found += [(np.clip(fast, 0.0, 6.0) * here).sum(axis=(1, 2)), here.sum(axis=(1, 2))]
    speed = np.clip(np.linalg.norm(velocity, axis=-1), 0.0, 15.0)
    found += [
        speed.max(axis=(1, 2)),
        speed.mean(axis=1).max(axis=1),
        speed.mean(axis=1).min(axis=1),
    ]
    jolt = np.clip(np.linalg.norm(second - first, axis=-1) * rate_hz, 0.0, 120.0)
    near = np.exp(-np.square(inner / _NEAR))
    found += [(jolt * near).max(axis=(1, 2)), (jolt * (1.0 - near)).max(axis=(1, 2))]
    ranked = np.sort(inner, axis=1)
    rows = [int(0.1 * ranked.shape[1]), ranked.shape[1] // 2, int(0.8 * ranked.shape[1])]
    return found + [ranked[:, row].min(axis=1) for row in rows]


def compute_measures(features: np.ndarray, rate_hz: float) -> np.ndarray:
    """Return (N, D) of all measures of windows."""
    parts = (compute_contact(features, rate_hz), compute_impact(features, rate_hz))
    return np.concatenate([compute_spread(features), *parts], axis=1)
