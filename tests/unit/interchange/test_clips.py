from __future__ import annotations

import pytest
from videos import make_clip

import har
from har.errors import ConfigError, NoClipsError
from har.interchange.clips import CodingOptions, build_catalog
from har.interchange.events import CodedEvent, Media, build_table


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two recordings of 10 s."""
    place = tmp_path_factory.mktemp("media")
    for n_frames, name in ((100, "a.mp4"), (101, "day/b.mp4")):  # of different bytes
        make_clip(place / name, n_frames=n_frames, fps=10)
    return place


def build(folder, events, media=(), **options):
    return build_catalog(build_table(events, media), [folder], CodingOptions(**options))


def span(clip):
    return clip.path.name, clip.label, clip.start_s, clip.end_s


def test_each_event_is_a_clip_of_its_recording(folder):
    catalog = build(
        folder,
        [
            CodedEvent("a.mp4", 1, 2.5, "hit", "child 1"),
            CodedEvent("C:\\films\\B.MP4", 4, 4, "kick", point=True),
        ],
        point_s=0.5,
    )
    assert [span(clip) for clip in catalog.clips] == [
        ("a.mp4", "hit", 1, 2.5),
        ("b.mp4", "kick", 4, 4.5),
    ]
    assert [clip.subject for clip in catalog.clips] == ["child 1", ""]
    assert [clip.group for clip in catalog.clips] == ["video a.mp4", "video C:\\films\\B.MP4"]
    assert catalog.group_source == "recordings"


def test_groups_of_the_coding_and_of_a_pattern(folder):
    events = [CodedEvent("a.mp4", 1, 2, "hit"), CodedEvent("b.mp4", 1, 2, "kick")]
    catalog = build(folder, events, [Media("a.mp4", group="Anna"), Media("b.mp4")])
    assert [clip.group for clip in catalog.clips] == ["Anna", "video b.mp4"]
    assert catalog.group_source == "column group"
    by_name = build(folder, events, group_by=r"([ab])\.mp4")
    assert [clip.group for clip in by_name.clips] == ["a", "b"]


def test_events_of_one_label_that_overlap_are_one_clip(folder):
    events = [CodedEvent("a.mp4", 1, 3, "hit", "x"), CodedEvent("a.mp4", 2, 5, "hit", "y")]
    (clip,) = build(folder, events).clips
    assert (clip.start_s, clip.end_s, clip.subject, clip.weight) == (1, 5, "", 1.0)


def test_a_clip_weighs_as_much_as_the_weightiest_of_its_events(folder):
    events = [CodedEvent("a.mp4", k, k + 2, "hit", weight=0.2 * k) for k in (1, 2, 5)]
    assert [clip.weight for clip in build(folder, events).clips] == [0.4, 1.0]


def test_a_clip_that_would_show_both_labels_is_left_out(folder):
    events = [CodedEvent("a.mp4", 0, 4, "hit"), CodedEvent("a.mp4", 3, 4.5, "kick")]
    catalog = build(folder, events)
    assert [span(clip) for clip in catalog.clips] == [("a.mp4", "hit", 0, 4)]
    (reject,) = catalog.rejects
    assert "kick from 3 to 4.5 s overlaps other labels for 1.00 s" in reject.reason


def test_background_is_cut_where_nothing_is_coded(folder):
    """Free are 0 to 1.5 and 4.5 to 10 s (b: 0 to 10): 1 + 2 + 5 places of 2 s, two are taken."""
    events = [
        CodedEvent("a.mp4", 2, 4, "hit"),
        CodedEvent("b.mp4", 12, 14, "hit"),
        CodedEvent("b.mp4", 14, 16, "kick"),
    ]
    media = [Media("a.mp4", 10.0), Media("b.mp4", 10.0)]
    catalog = build(folder, events, media, background="calm")
    found = [span(clip) for clip in catalog.clips if clip.label == "calm"]
    assert found == [("a.mp4", "calm", 6.5, 8.5), ("b.mp4", "calm", 6.0, 8.0)]
    for _, _, start_s, end_s in found:
        assert all(end_s <= e.start_s - 0.5 or start_s >= e.end_s + 0.5 for e in events[:1])


def test_what_has_no_file_or_no_line_is_named(folder):
    events = [CodedEvent("a.mp4", 1, 2, "hit"), CodedEvent("c.mp4", 1, 2, "hit")]
    catalog = build(folder, events)
    assert [reject.reason for reject in catalog.rejects] == [
        "coded (1 event), but no such file is there"
    ]
    assert catalog.notes == ("Videos without a line in the coding are left out: b.mp4",)
    with pytest.raises(NoClipsError, match="None of the 1 videos of the coding"):
        build(folder, [CodedEvent("c.mp4", 1, 2, "hit")])


def test_one_of_several_annotators_is_chosen(folder):
    events = [
        CodedEvent("a.mp4", 1, 2, "hit", annotator="Ben"),
        CodedEvent("a.mp4", 5, 6, "kick", annotator="Ada"),
        CodedEvent("a.mp4", 8, 9, "hit"),
    ]
    with pytest.raises(ConfigError, match=r'Ada, Ben.*twice. Choose one with --annotator "Ada"'):
        build(folder, events)
    found = build(folder, events, annotator="Ada")
    assert [span(clip)[1:3] for clip in found.clips] == [("kick", 5), ("hit", 8)]
    with pytest.raises(ConfigError, match="no annotator 'Eve'; it has: Ada, Ben"):
        build(folder, events, annotator="Eve")


def test_a_coding_becomes_a_store(folder, tmp_path):
    events = [
        CodedEvent(video, start, start + 1, label)
        for video in ("a.mp4", "b.mp4")
        for start, label in ((1, "Hit"), (5, "kick"))
    ]
    coding = tmp_path / "coded.csv"
    har.write_events(events, coding)
    store = har.prepare(
        coding,
        tmp_path / "store",
        media=folder,
        renames={"Hit": "hit"},
        folds=2,
        long_side=64,
        jobs=1,
    )
    assert store.labels == ("hit", "kick")
    assert sorted({clip.group for clip in store.clips}) == ["video a.mp4", "video b.mp4"]
    again = har.prepare(
        har.read_events(coding), tmp_path / "store", media=folder, folds=2, long_side=64, jobs=1
    )
    assert (again.labels, again.n_reused) == (("Hit", "kick"), 4)


def test_a_coding_without_its_recordings_is_named(folder, tmp_path):
    coding = tmp_path / "coded.csv"
    har.write_events([CodedEvent("a.mp4", 1, 2, "hit")], coding)
    with pytest.raises(ConfigError, match="is a coding of recordings; name the folder"):
        har.prepare(coding, tmp_path / "store")
    with pytest.raises(ConfigError, match="are for a coding of recordings"):
        har.prepare(folder, tmp_path / "store", background="calm")


def test_no_background_is_cut_where_only_others_watched(folder):
    events = [
        CodedEvent("a.mp4", 1, 2, "hit", annotator="Ada"),
        CodedEvent("b.mp4", 1, 9, "hit", annotator="Ben"),
    ]
    found = build(folder, events, annotator="Ada", background="calm")
    assert {clip.path.name for clip in found.clips} == {"a.mp4"}
    assert "Coded by others but not by Ada, so left out: b.mp4" in found.notes


def test_background_is_not_called_like_what_is_coded(folder):
    with pytest.raises(ConfigError, match="cannot be called 'hit': the coding has events of that"):
        build(folder, [CodedEvent("a.mp4", 1, 2, "hit")], background="hit")


def test_background_is_within_the_video_whatever_the_coding_says(folder):
    events = [CodedEvent("a.mp4", 10 * k, 10 * k + 1, "hit") for k in range(8)]
    found = build(folder, events, [Media("a.mp4", 90.0)], background="calm")
    calm = [clip for clip in found.clips if clip.label == "calm"]
    assert len(calm) == 8
    assert all(clip.end_s is not None and clip.end_s <= 10.0 for clip in calm)


def test_a_video_of_another_folder_is_named(folder):
    found = build(folder, [CodedEvent("night/b.mp4", 1, 2, "hit")])
    assert [note for note in found.notes if "called alike: night/b.mp4 and" in note]


def test_one_recording_under_two_names_is_one_group(tmp_path):
    for number, name in enumerate(("a.mp4", "b.mp4", "c.mp4")):
        make_clip(tmp_path / name, n_frames=100 + number, fps=10)
    (tmp_path / "copy.mp4").write_bytes((tmp_path / "a.mp4").read_bytes())
    events = [
        CodedEvent(f"{name}.mp4", start, start + 1, label)
        for name in ("a", "b", "c", "copy")
        for start, label in ((1, "hit"), (5, "kick"))
    ]
    table = build_table(events)
    store = har.prepare(table, tmp_path / "store", media=tmp_path, folds=2, long_side=64, jobs=1)
    groups = {clip.path.name: clip.group for clip in store.clips}
    assert groups["copy.mp4"] == groups["a.mp4"]
    assert len(set(groups.values())) == 3
    for part in (store.splits.parts, store.splits.folds):
        of_group = {(clip.group, part[clip.clip_id]) for clip in store.clips}
        assert len(of_group) == 3
    (said,) = [text for text in store.report.warnings if "share a recording" in text]
    assert said.endswith("count as one: 'video a.mp4' and 'video copy.mp4'")
