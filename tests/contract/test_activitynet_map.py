"""ActivityNet's figure, by its definition and from its files, against the one that har prints."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from har.interchange.coding import read_coding
from har.interchange.events import CodedEvent, Media, build_table
from har.interchange.formats import write_events
from har.metrics.events import AP_IOUS, CodedRecording, compute_event_metrics

LABELS = ("hit", "kick", "打つ")


def overlap(one: list[float], other: list[float]) -> float:
    shared = max(0.0, min(one[1], other[1]) - max(one[0], other[0]))
    return shared / (one[1] - one[0] + other[1] - other[0] - shared)


def compute_precision(truth: Path, predicted: Path, label: str, min_iou: float) -> float:
    """Return a label's average precision: the area under the highest precision at each recall."""
    database = json.loads(truth.read_text())["database"]
    results = json.loads(predicted.read_text())["results"]
    coded = {
        video: [item["segment"] for item in values["annotations"] if item["label"] == label]
        for video, values in database.items()
    }
    ranked = sorted(
        (-item["score"], video, item["segment"])
        for video, items in results.items()
        for item in items
        if item["label"] == label
    )
    taken: set[tuple[str, int]] = set()
    points = []
    for n_ranked, (_, video, segment) in enumerate(ranked, 1):
        by_overlap = sorted(
            ((overlap(segment, one), place) for place, one in enumerate(coded[video])), reverse=True
        )
        for iou, place in by_overlap:
            if iou >= min_iou and (video, place) not in taken:
                taken.add((video, place))
                break
        points.append((len(taken) / sum(map(len, coded.values())), len(taken) / n_ranked))
    area, last = 0.0, 0.0
    for place, (recall, _) in enumerate(points):
        area += (recall - last) * max(precision for _, precision in points[place:])
        last = recall
    return area


def make_tables(seed: int):
    rng = np.random.default_rng(seed)
    media = [Media(f"v{number}.mp4", 600.0) for number in range(5)]
    coded, found = [], []
    for item in media:
        for _ in range(12):
            label, start = str(rng.choice(LABELS)), float(rng.uniform(0, 500))
            end = start + float(rng.uniform(1, 40))
            coded.append(CodedEvent(item.video, start, end, label))
            for _ in range(int(rng.integers(0, 3))):
                first, last = sorted(np.add((start, end), rng.normal(0, 6, 2)))
                span = max(0.0, float(first)), max(0.0, float(last)) + 0.1
                score = float(rng.uniform(0, 1))
                found.append(CodedEvent(item.video, *span, label, score=score))
    return build_table(coded, media), build_table(found, media)


@pytest.mark.parametrize("seed", range(5))
def test_predictions_give_the_same_figure(seed, tmp_path):
    truth, predicted = tmp_path / "truth.json", tmp_path / "predicted.json"
    for table, path in zip(make_tables(seed), (truth, predicted), strict=True):
        write_events(table, path, "activitynet")
    coding, found = read_coding(truth), read_coding(predicted)
    recordings = [
        CodedRecording(ours.video, ours.events, theirs.events, ours.duration_s)
        for ours, theirs in zip(coding.videos, found.videos, strict=True)
    ]
    metrics = compute_event_metrics(LABELS, recordings, n_resamples=10)
    for label, of_label in zip(LABELS, metrics.per_label, strict=True):
        for iou in AP_IOUS:
            expected = compute_precision(truth, predicted, label, iou)
            assert of_label.figures[f"ap@{iou:g}"].mean == pytest.approx(expected, abs=1e-9)
    mean = np.mean(
        [compute_precision(truth, predicted, label, iou) for label in LABELS for iou in AP_IOUS]
    )
    assert 0.05 < mean < 0.95
    assert metrics.overall.figures["ap"].mean == pytest.approx(mean, abs=1e-9)
