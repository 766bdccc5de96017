"""One suite for SQLite and PostgreSQL."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from har.errors import ConfigError, ReviewConflictError, ReviewError
from har.review.store import FoundEvent, Recording, ReviewStore, Verdict, replay

A = Recording(0, "day/a.mp4", 60.0, 25.0, "Anna", ("hit", "playing"), "out/a.scores.csv")
HITS = [FoundEvent(0, 0, "model", "hit", 1.0, 2.5, 0.9, "1", "2")]


@pytest.fixture
def store(review_url):
    opened = ReviewStore(review_url)
    yield opened
    opened.close()


def keep(recording, key="e1", version=1, uuid="u1", **changes):
    made = Verdict(uuid, "Ada", recording, key, version, "keep", "hit", 1.0, 2.5)
    return replace(made, **changes)


def test_what_was_added_is_there_once(store):
    recording = store.add_recording(A, HITS)
    assert store.list_recordings() == [replace(A, id=recording)]
    (event,) = store.list_events(recording)
    assert event == replace(HITS[0], id=event.id, recording=recording)
    more = [*HITS, replace(HITS[0], start_s=5.0, end_s=6.0)]
    assert store.add_recording(replace(A, duration_s=61.0), more) == recording
    assert [item.start_s for item in store.list_events()] == [1.0, 5.0]
    assert store.load_recording(recording).duration_s == 61.0
    with pytest.raises(ReviewError, match="no recording 77"):
        store.load_recording(77)


def test_a_verdict_never_changes_what_the_model_said(store):
    recording = store.add_recording(A, HITS)
    (event,) = store.list_events(recording)
    store.add_verdict(keep(recording, event.key, label="playing", start_s=1.2))
    assert store.list_events(recording) == [event]
    (verdict,) = store.list_verdicts(recording)
    assert (verdict.label, verdict.start_s, verdict.observer) == ("playing", 1.2, "Ada")
    assert verdict.at.endswith("+00:00")


def test_the_newest_counts_and_the_log_keeps_all(store):
    recording = store.add_recording(A, HITS)
    store.add_verdict(keep(recording))
    store.add_verdict(keep(recording, version=2, uuid="u2", kind="reject"))
    store.add_verdict(keep(recording, key="new-1", uuid="u3"))
    store.add_verdict(keep(recording, observer="Ben", uuid="u4"))
    assert [item.uuid for item in store.list_verdicts()] == ["u2", "u3", "u4"]
    assert [item.uuid for item in store.list_verdicts(observer="Ben")] == ["u4"]
    log = store.read_log(recording)
    assert [item.uuid for item in log] == ["u1", "u2", "u3", "u4"]
    assert replay(log) == store.list_verdicts(recording)


def test_a_verdict_that_is_sent_twice_counts_once(store):
    recording = store.add_recording(A, HITS)
    first = store.add_verdict(keep(recording))
    assert store.add_verdict(keep(recording)) == first
    assert len(store.read_log()) == 1


def test_two_windows_do_not_overwrite_one_another(store):
    recording = store.add_recording(A, HITS)
    store.add_verdict(keep(recording))
    store.add_verdict(keep(recording, version=2, uuid="u2", label="playing"))
    with pytest.raises(ReviewConflictError, match="changed in another window") as error:
        store.add_verdict(keep(recording, version=2, uuid="u3", kind="reject"))
    assert error.value.newest.uuid == "u2"
    with pytest.raises(ReviewConflictError, match="at most version 3") as error:
        store.add_verdict(keep(recording, version=9, uuid="u5"))
    assert error.value.newest.uuid == "u2"


def test_many_windows_at_once_lose_nothing_that_was_acknowledged(review_url):
    """Eight threads decide forty times each, partly on the same events."""
    store = ReviewStore(review_url)
    recording = store.add_recording(A, HITS)
    stored, refused = [], []

    def work(number):
        own = ReviewStore(review_url)
        for turn in range(40):
            verdict = keep(recording, f"n{turn % 20}", turn // 20 + 1, f"u{number}-{turn}")
            try:
                stored.append(own.add_verdict(verdict).uuid)
            except ReviewConflictError:
                refused.append(verdict.uuid)
        own.close()

    threads = [threading.Thread(target=work, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log = store.read_log()
    assert sorted(item.uuid for item in log) == sorted(stored)
    assert len(stored) + len(refused) == 320
    assert len({(item.key, item.version) for item in log}) == len(log) == 40
    store.close()


def test_what_was_forgotten_is_gone(store):
    recording = store.add_recording(A, HITS)
    other = store.add_recording(replace(A, path="b.mp4"), HITS)
    store.add_verdict(keep(recording))
    store.add_verdict(keep(other, uuid="u2"))
    assert store.delete_recordings([recording]) == 1
    assert [item.path for item in store.list_recordings()] == ["b.mp4"]
    assert [item.recording for item in store.list_events()] == [other]
    assert [item.uuid for item in store.read_log()] == ["u2"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"label": ""}, "Expected a label"),
        ({"end_s": 0.5}, "0 <= start_s < end_s"),
        ({"end_s": float("nan")}, "times from 0 to"),
        ({"kind": "drop"}, "a verdict with uuid"),
        ({"observer": ""}, "a verdict with uuid"),
        ({"comment": "x" * 501}, "at most 500 letters"),
        ({"label": "a\0b"}, "at most 500 letters"),
        ({"version": 0}, "a version and the number of a recording, from 1"),
    ],
)
def test_what_no_page_sends_is_refused(changes, said):
    with pytest.raises(ConfigError, match=said):
        keep(1, **changes)


def test_a_verdict_on_no_recording_is_refused(store):
    with pytest.raises(ReviewError, match="no recording 9"):
        store.add_verdict(keep(9))


def test_a_database_that_cannot_be_opened_is_named_without_its_password(tmp_path):
    with pytest.raises(ReviewError, match="cannot be opened") as error:
        ReviewStore("postgresql+psycopg://me:secret@127.0.0.1:1/none")
    assert "secret" not in str(error.value)
    with pytest.raises(ReviewError, match="cannot be opened"):
        ReviewStore(f"sqlite:///{tmp_path}/no/such/folder/x.db")


def test_a_database_without_a_review_is_refused_and_not_made(review_url):
    with pytest.raises(ReviewError, match="holds no review"):
        ReviewStore(review_url, must_exist=True)
    with pytest.raises(ReviewError, match="holds no review"):
        ReviewStore(review_url, must_exist=True)  # the first try has left nothing
    ReviewStore(review_url).close()
    ReviewStore(review_url, must_exist=True).close()
