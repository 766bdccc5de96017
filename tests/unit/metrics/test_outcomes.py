from __future__ import annotations

from har.metrics.events import CodedRecording, compute_event_metrics
from har.metrics.outcomes import count_recordings, list_matches
from har.types import Event


def event(onset_s, offset_s, label="hit", score=0.8):
    return Event(label, onset_s, offset_s, score)


A = CodedRecording("a", (event(1, 3), event(10, 12)), (event(2, 4), event(20, 21)), 1800.0)
B = CodedRecording("b", (event(5, 6, "kick"),), (event(5.5, 6.5, "kick"),), None, "child")


def test_every_event_is_listed_once_with_its_place():
    """1-3 against 2-4 share 1 of 3 s; 5-6 against 5.5-6.5 share 0.5 of 1.5 s."""
    found = [item.to_json() for item in list_matches(["hit", "kick"], [A, B])]
    assert [(i["video"], i["kind"], i["overlap"], i["onset_error_s"]) for i in found] == [
        ("a", "hit", 0.333, 1.0),
        ("a", "miss", 0.0, None),
        ("a", "false alarm", 0.0, None),
        ("b", "hit", 0.333, 0.5),
    ]
    assert found[0] == {
        "video": "a",
        "kind": "hit",
        "label": "hit",
        "coded_start_s": 1,
        "coded_end_s": 3,
        "found_start_s": 2,
        "found_end_s": 4,
        "overlap": 0.333,
        "onset_error_s": 1,
        "score": 0.8,
    }
    assert (found[1]["found_start_s"], found[1]["score"], found[2]["coded_end_s"]) == (None,) * 3


def test_lists_and_figures_are_of_the_same_pairs():
    recordings = [A, B]
    matches = list_matches(["hit", "kick"], recordings)
    figures = compute_event_metrics(["hit", "kick"], recordings).overall.figures
    n_hits = sum(match.kind == "hit" for match in matches)
    assert figures["recall"].mean == n_hits / 3
    assert figures["precision"].mean == n_hits / 3


def test_the_worst_recording_comes_first():
    counts = count_recordings(list_matches(["hit", "kick"], [B, A]), [B, A])
    assert [(i.video, i.n_hits, i.n_misses, i.n_false) for i in counts] == [
        ("a", 1, 1, 1),
        ("b", 1, 0, 0),
    ]
    assert counts[0].to_json()["false_alarms_per_hour"] == 2.0
    assert counts[1].to_json() == {
        "video": "b",
        "group": "child",
        "duration_s": None,
        "n_hits": 1,
        "n_misses": 0,
        "n_false": 0,
        "recall": 1.0,
        "precision": 1.0,
        "false_alarms_per_hour": None,
    }
