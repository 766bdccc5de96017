from __future__ import annotations

from dataclasses import replace

import pytest

from har.errors import ConfigError
from har.review.project import build_lessons
from har.review.queue import build_queue, compute_progress, draw_samples, judge, parse_order
from har.review.store import FoundEvent, Recording, ReviewStore, Verdict

A, B = Recording(1, "a.mp4", 100.0, group="Anna"), Recording(2, "b.mp4", 50.0)


def found(number, score, recording=1, label="hit", source="model", start_s=None):
    start_s = float(number) if start_s is None else start_s
    return FoundEvent(number, recording, source, label, start_s, start_s + 1, score)


def keep(key, recording=1, label="hit", start_s=1.0, kind="keep"):
    return Verdict(f"{recording}{key}", "Ada", recording, key, 1, kind, label, start_s, start_s + 1)


def ids(queue):
    return [item.event.id for item in queue]


def test_orders():
    events = [found(1, 0.9), found(2, 0.55, 2), found(3, 0.4), found(4, None, 2)]
    assert ids(build_queue([A, B], events, [])) == [4, 2, 3, 1]
    assert ids(build_queue([A, B], events, [], "confident")) == [1, 2, 4, 3]
    assert ids(build_queue([A, B], events, [], "time")) == [1, 3, 2, 4]
    shuffled = ids(build_queue([A, B], events, [], "random"))
    assert sorted(shuffled) == [1, 2, 3, 4]
    assert shuffled == ids(build_queue([A, B], events, [], "random"))
    assert parse_order("time") == "time"
    with pytest.raises(ConfigError, match="received 'best'"):
        parse_order("best")


def test_samples_stand_evenly_among_events_and_codings_are_left_out():
    events = [found(k, 0.5 + k / 100) for k in range(1, 5)]
    events += [
        found(9, None, label="", source="sample"),
        found(10, None, label="", source="sample"),
    ]
    events += [found(11, None, source="coding")]
    assert ids(build_queue([A], events, [])) == [1, 9, 2, 3, 10, 4]
    assert ids(build_queue([A], events, [], label="hit")) == [1, 2, 3, 4]


def test_done_is_what_has_a_verdict_that_was_not_taken_back():
    verdicts = [keep("e1"), keep("e2", kind="reject"), keep("e3", kind="clear")]
    queue = build_queue([A], [found(k, 0.5) for k in (1, 2, 3, 4)], verdicts)
    assert {item.event.id: item.is_done for item in queue} == {1: True, 2: True, 3: False, 4: False}


def test_progress_by_hand():
    """Kept with its label 1, relabeled 1, rejected 1: precision 1/3.

    In the watched sample 10 to 20 s one event of the model is kept and one was added: recall 1/2.
    """
    events = [
        found(1, 0.5, start_s=12.0),
        found(2, 0.5),
        found(3, 0.5, 2),
        replace(found(4, None, label="", source="sample"), start_s=10.0, end_s=20.0),
    ]
    verdicts = [
        keep("e1", start_s=12.0),
        keep("e2", label="kick", start_s=2.0),
        keep("e3", 2, kind="reject"),
        keep("e4", kind="watched"),
        keep("new", start_s=15.0),
        keep("far", start_s=40.0),
    ]
    progress = compute_progress(build_queue([A, B], events, verdicts), verdicts)
    assert (progress.n_items, progress.n_done) == (4, 4)
    assert progress.precision.mean == pytest.approx(1 / 3)
    assert progress.outcomes == {"kept": 1, "mended": 0, "relabeled": 1, "rejected": 1}
    assert progress.recall.mean == 0.5
    nothing = compute_progress(build_queue([A, B], events, []), [])
    assert (nothing.precision.mean, nothing.recall.mean, nothing.n_done) == (None, None, 0)


def test_what_became_of_an_event():
    event = FoundEvent(1, 1, "model", "hit", 2.0, 3.0, 0.5, "1", "")
    same = replace(keep("e1", start_s=2.0004), subject="1")
    assert judge(event, same) == "kept"
    assert judge(event, replace(same, comment="seen")) == "kept"
    assert judge(event, replace(same, start_s=2.1)) == "mended"
    assert judge(event, replace(same, subject="2")) == "mended"
    assert judge(event, replace(same, subject="2", label="kick")) == "relabeled"
    assert judge(event, replace(same, kind="reject")) == "rejected"


def test_samples_do_not_overlap_and_end_with_the_recording():
    drawn = draw_samples(A, 4, 20.0, seed=1)
    assert len({item.start_s for item in drawn}) == 4
    assert all(item.end_s - item.start_s == 20.0 and item.end_s <= 100.0 for item in drawn)
    (whole,) = draw_samples(Recording(1, "s.mp4", 4.0), 3, 20.0, seed=0)
    assert (whole.start_s, whole.end_s) == (0.0, 4.0)
    with pytest.raises(ConfigError, match="samples of 1 to 600 s"):
        draw_samples(A, 1, 0.0, 0)


def test_lessons_are_kept_events_and_rejected_ones_that_nothing_kept_overlaps(tmp_path):
    store = ReviewStore(f"sqlite:///{tmp_path}/review.db")
    spans = ((0.0, 2.0), (2.0, 4.0), (6.0, 7.0), (8.0, 9.0))
    events = [FoundEvent(0, 0, "model", "hit", *span, 0.6) for span in spans]
    number = store.add_recording(Recording(0, "a.mp4", 10.0, None, "child 1"), events)
    store.add_recording(Recording(0, "b.mp4", 10.0), [])
    keys = [event.key for event in store.list_events(number)]
    merged = Verdict("u1", "Ada", number, keys[0], 1, "keep", "hit", 0.0, 4.0)
    store.add_verdict(merged)
    store.add_verdict(Verdict("u2", "Ada", number, keys[1], 1, "reject"))
    store.add_verdict(Verdict("u3", "Ada", number, keys[2], 1, "reject"))
    store.add_verdict(Verdict("u4", "Ben", number, keys[3], 1, "reject"))
    table = build_lessons(store, "Ada", "calm")
    store.close()
    assert [(e.label, e.start_s, e.end_s) for e in table.events] == [
        ("hit", 0.0, 4.0),
        ("calm", 6.0, 7.0),
    ]
    assert [event.weight for event in table.events] == [1.0, 0.6]
    assert [(item.video, item.group) for item in table.media] == [("a.mp4", "child 1")]
