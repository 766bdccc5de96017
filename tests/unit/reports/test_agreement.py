"""Codings of files: who observes, which recordings count, how long they are."""

from __future__ import annotations

import csv
import json

import pytest
from videos import make_clip

from har.config import AgreeConfig
from har.errors import ConfigError
from har.interchange.events import CodedEvent, EventTable, Media, build_table
from har.learned import NOTE
from har.metrics.agreement import Agreement
from har.reports.agreement import agree, read_codings
from har.reports.agreement_text import (
    NAMES,
    explain_ceiling,
    explain_pair,
    format_value,
    write_agreement,
)

ANN = "video,label,start_s,end_s,group\na.mp4,hit,10,14,c1\nb.mp4,hit,50,54,c2\n"
BEN = "video,label,start_s,end_s\na.mp4,hit,11,14\nb.mp4,hit,70,71\n"


def write_results(folder, **videos: list[tuple[float, float]]):
    """Write results as har does, of videos of 100 s."""
    values = [
        {
            "video": f"/films/{stem}.mp4",
            "totals": {"duration_s": 100.0, "labels": [{"label": "hit"}, {"label": "kick"}]},
            "events": [
                {"label": "hit", "onset_s": onset_s, "offset_s": offset_s, "score": 0.9}
                for onset_s, offset_s in spans
            ],
        }
        for stem, spans in videos.items()
    ]
    folder.mkdir(exist_ok=True)
    (folder / "results.json").write_text(json.dumps(values))
    return folder / "results.json"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "ann.csv").write_text(ANN)
    (tmp_path / "ben.csv").write_text(BEN)
    write_results(tmp_path / "predict", a=[(10, 14)], b=[])
    return tmp_path


def compare(*sources, models=(), **options) -> Agreement:
    config = options.pop("config", None)
    return agree(read_codings(sources, models), config, **options)


def test_two_people_and_a_model(folder):
    found = compare(folder / "ann.csv", folder / "ben.csv", folder / "predict")
    assert [(item.name, item.is_model) for item in found.observers] == [
        ("ann", False),
        ("ben", False),
        ("model", True),
    ]
    assert [pair.kind for pair in found.pairs] == ["people", "model", "model"]
    assert (found.n_recordings, found.n_groups, found.hours) == (2, 2, pytest.approx(200 / 3600))
    assert {item.group for item in found.per_recording} == {"c1", "c2"}
    assert found.labels == ("hit",)  # kick can be found, but nobody coded it
    people, with_ann, _ = (pair.overall.figures for pair in found.pairs)
    assert (people["recall"].mean, people["onset_error_s"].mean) == (0.5, 1.0)
    assert (with_ann["recall"].mean, with_ann["precision"].mean) == (0.5, 1.0)
    assert len(found.ceilings) == 2
    assert found.notes[-1].startswith("Only 2 groups of recordings")


def test_long_results_are_known_as_such(folder):
    # The key that follows the events stands beyond the part of a file that is looked at.
    path = write_results(folder / "long", a=[(k / 50, k / 50 + 0.01) for k in range(4000)], b=[])
    values = json.loads(path.read_text())
    for item in values:
        item["totals"] = item.pop("totals")
    path.write_text(json.dumps(values))
    (coding,) = read_codings([path])
    assert (coding.observer.is_model, len(coding.table.events)) == (True, 4000)


def test_models_are_known_by_their_scores_or_named(folder):
    text = "video,label,start_s,end_s,score\na.mp4,hit,10,14,0.9\nb.mp4,hit,1,2,0.8\n"
    (folder / "found.csv").write_text(text)
    (folder / "boris.csv").write_text(BEN)
    codings = read_codings([folder / "ann.csv", folder / "found.csv", folder / "boris.csv"])
    assert [item.observer.is_model for item in codings] == [False, True, False]
    for model in ("boris", folder / "boris.csv"):
        codings = read_codings([folder / "ann.csv", folder / "boris.csv"], [model])
        assert [item.observer.is_model for item in codings] == [False, True]
    with pytest.raises(ConfigError, match="no observer 'eva'; there are: ann"):
        read_codings([folder / "ann.csv"], ["eva"])


def test_a_file_of_several_annotators_is_as_many_observers(tmp_path):
    rows = ["a.mp4,hit,1,2,Ann", "a.mp4,hit,1,3,Ben", "b.mp4,hit,5,6,Ann", "b.mp4,hit,5,6,Ben"]
    text = "\n".join(["video,label,start_s,end_s,annotator", *rows, "c.mp4,hit,1,2,Ann"])
    (tmp_path / "both.csv").write_text(text)
    found = compare(tmp_path / "both.csv")
    assert [item.name for item in found.observers] == ["Ann", "Ben"]
    assert found.n_recordings == 2
    (note,) = [note for note in found.notes if "c.mp4" in note]
    assert "taken for not watched" in note
    (tmp_path / "one.csv").write_text(ANN)
    with pytest.raises(ConfigError, match="received one"):
        compare(tmp_path / "one.csv")


def test_observers_of_one_name_are_called_by_their_files(folder):
    (folder / "other").mkdir()
    (folder / "other" / "ann.csv").write_text(BEN)
    codings = read_codings([folder / "ann.csv", folder / "other" / "ann.csv"])
    assert [item.observer.name for item in codings] == [
        str(folder / "ann.csv"),
        str(folder / "other" / "ann.csv"),
    ]
    with pytest.raises(ConfigError, match="given twice"):
        read_codings([folder / "ann.csv", folder / "ann.csv"])
    table = build_table([CodedEvent("a", 1, 2, "hit", annotator=name) for name in ("Ann", "Ben")])
    with pytest.raises(ConfigError, match="called 'Ann'"):
        read_codings([table, table])


def test_only_recordings_that_all_coded_count_and_the_others_are_named(folder):
    (folder / "ben.csv").write_text(BEN + "c.mp4,hit,1,2\nd.mp4,,,\n")
    (folder / "ann.csv").write_text(ANN + "e.mp4,hit,1,2,\n")
    found = compare(folder / "ann.csv", folder / "ben.csv")
    assert found.n_recordings == 2
    assert "Coded by ann but not by all others, so left out: e.mp4" in found.notes
    assert "Coded by ben but not by all others, so left out: c.mp4, d.mp4" in found.notes
    (folder / "ben.csv").write_text("video,label,start_s,end_s\nz.mp4,hit,1,2\n")
    with pytest.raises(ConfigError, match=r"ann has 'a\.mp4', ben has 'z\.mp4'"):
        compare(folder / "ann.csv", folder / "ben.csv")


def test_two_names_of_one_video_are_refused(folder):
    (folder / "ann.csv").write_text(ANN + "x/a.avi,hit,1,2,\n")
    (folder / "ben.csv").write_text("video,label,start_s,end_s\na,hit,1,2\n")
    with pytest.raises(ConfigError, match="may be several videos"):
        compare(folder / "ann.csv", folder / "ben.csv")


def test_lengths_come_from_the_media_or_are_guessed(folder):
    plain = compare(folder / "ann.csv", folder / "ben.csv")
    assert plain.hours == pytest.approx((14 + 71) / 3600)
    assert any("last event is taken for the end" in note for note in plain.notes)
    make_clip(folder / "films" / "a.mp4", n_frames=500)  # 20 s at 25 a second
    (folder / "films" / "b.mp4").write_text("no video")
    found = compare(folder / "ann.csv", folder / "ben.csv", media=folder / "films")
    assert found.hours == pytest.approx((20 + 71) / 3600)
    assert f"There is no readable video in {folder / 'films'} of: b.mp4" in found.notes
    with pytest.raises(ConfigError, match="no folder"):
        compare(folder / "ann.csv", folder / "ben.csv", media=folder / "none")


def test_of_unknown_length_and_without_events_nothing_can_be_said(folder):
    for name, text in (("ann", ANN), ("ben", BEN)):
        (folder / f"{name}.csv").write_text(f"{text}d.mp4,,,\n")
    found = compare(folder / "ann.csv", folder / "ben.csv")
    assert found.n_recordings == 2
    assert any("Nobody coded an event" in note and "d.mp4" in note for note in found.notes)


def test_points_count_by_their_moment_and_last_a_stated_time():
    film = Media("a.mp4", duration_s=60.0)
    first = EventTable((CodedEvent("a.mp4", 9.9, 9.9, "hit", point=True),), (film,))
    second = EventTable((CodedEvent("a.mp4", 10.1, 10.1, "hit", point=True),), (film,))
    found = compare(first, second, config=AgreeConfig(point_s=0.5))
    (row,) = (item for item in found.per_recording if item.label)
    assert row.figures["mean_count_per_interval"] == pytest.approx(4 / 6)  # at both sides of 10 s
    assert found.budgets[0].time_s == pytest.approx(0.5)
    assert found.pairs[0].overall.figures["f1@0.1"].mean == 1.0  # .3 of .7 s
    assert any("count as 0.5 s long" in note for note in found.notes)


def test_events_are_cut_at_the_end_and_later_ones_are_named():
    film = Media("a.mp4", duration_s=10.0)
    first = EventTable((CodedEvent("a.mp4", 8, 10.02, "hit"),), (film,))
    second = EventTable((CodedEvent("a.mp4", 8, 9, "hit"), CodedEvent("a.mp4", 20, 21, "hit")), ())
    second = EventTable(second.events, (Media("a.mp4"),))
    found = compare(first, second)
    assert [item.time_s for item in found.budgets if not item.recording] == [2.0, 1.0]
    assert any("do not count: hit at 20 s in a.mp4 (10.0 s)" in note for note in found.notes)


def test_tables_need_not_name_their_videos():
    hit = CodedEvent("a.mp4", 1, 2, "hit")
    found = compare(EventTable((hit,)), EventTable((hit,)))
    assert [item.name for item in found.observers] == ["coding 1", "coding 2"]
    assert found.pairs[0].overall.figures["f1@0.5"].mean == 1.0


def test_labels_of_people_are_mapped_to_the_models(folder):
    (folder / "ann.csv").write_text(ANN.replace("hit", "Hitting others") + "a.mp4,Eating,1,2,\n")
    sources = (folder / "ann.csv", folder / "predict")
    with pytest.raises(ConfigError, match="does not know: 'Eating', 'Hitting others'"):
        compare(*sources)
    found = compare(*sources, renames={"Hitting others": "hit", "Eating": ""})
    assert found.labels == ("hit",)
    assert found.pairs[0].overall.figures["recall"].mean == 0.5
    with pytest.raises(ConfigError, match="no label 'Biting' to rename"):
        compare(*sources, renames={"Biting": "hit"})


def test_background_is_no_behavior_and_labels_can_be_chosen(folder):
    (folder / "ann.csv").write_text(ANN + "a.mp4,kick,1,2,\na.mp4,playing,20,30,\n")
    assert compare(folder / "ann.csv", folder / "ben.csv").labels == ("hit", "kick")
    assert compare(folder / "ann.csv", folder / "ben.csv", labels=["kick"]).labels == ("kick",)


def test_every_figure_has_its_sentence(folder):
    found = compare(folder / "ann.csv", folder / "ben.csv", folder / "predict")
    (pair, *_) = found.pairs
    said = dict(explain_pair(found, pair))
    quartiles = {"onset_error_q1_s", "onset_error_q3_s"}
    assert set(said) == set(NAMES) - quartiles
    assert "on average 100 % of the larger one (recordings: 100 % to 100 %)" in said["total_count"]
    assert said["recall"].startswith("50 % of the events of ann are events of ben")
    assert (
        said["onset_error_s"] == "Of events that both have, ben begins them 1.00 s later (median)."
    )
    assert "{" not in "".join(said.values())
    text = explain_ceiling(found.ceilings[0], "f1@0.1")
    assert text.startswith("F1 at overlap (tIoU) 0.1: people with each other 50 %")
    assert "do not show that it agrees less" in text


def test_values_are_shown_as_analysts_write_them():
    assert format_value("scored_interval", 2 / 3) == "67 %"
    assert format_value("kappa", 0.6666) == "0.67"
    assert format_value("recall", None) == "-"


def test_tables_hold_every_recording_and_label(folder):
    (folder / "ann.csv").write_text(ANN.replace("a.mp4", "=a.mp4"))
    (folder / "ben.csv").write_text(BEN.replace("a.mp4", "=a.mp4"))
    found = compare(folder / "ann.csv", folder / "ben.csv")
    write_agreement(folder / "out", found)
    values = json.loads((folder / "out" / "metrics.json").read_text())
    assert values["pairs"][0]["overall"]["total_count"]["mean"] == 1.0
    with (folder / "out" / "agreement.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["recording"], row["label"], row["total_count"]) for row in rows] == [
        ("'=a.mp4", "", "1"),
        ("'=a.mp4", "hit", "1"),
        ("b.mp4", "", "1"),
        ("b.mp4", "hit", "1"),
    ]
    with (folder / "out" / "budgets.csv").open(newline="") as file:
        assert next(csv.DictReader(file))["n_events"] == "2"


def test_labels_that_are_background_are_left_out_with_a_word(folder):
    ben = folder / "ben.csv"
    ben.write_text(BEN + "a.mp4,playing,20,30\nb.mp4,Playing,1,2\nb.mp4,playing,5,6\n")
    found = compare(folder / "ann.csv", ben)
    assert found.labels == ("hit",)
    (note,) = [note for note in found.notes if note.startswith("Not counted")]
    assert "'Playing' (1 event), 'playing' (2 events); --label" in note
    chosen = compare(folder / "ann.csv", ben, labels=["hit", "playing"])
    assert chosen.labels == ("hit", "playing")
    assert not [note for note in chosen.notes if note.startswith("Not counted")]


def test_a_label_that_nobody_has_is_refused(folder):
    sources = (folder / "ann.csv", folder / "ben.csv")
    with pytest.raises(ConfigError, match=r"no label 'hti' in the codings; there are: 'hit'$"):
        compare(*sources, labels=["hti"])
    assert compare(*sources, folder / "predict", labels=["kick"]).labels == ("kick",)  # a model's


def test_codings_with_nothing_in_common_are_refused_by_name(folder):
    cut = folder / "cut.csv"
    cut.write_text("video,label,start_s,end_s\ntape7.mp4,hit,1,2\n")
    with pytest.raises(ConfigError, match=r"ann has 'a\.mp4', cut has 'tape7\.mp4'"):
        compare(folder / "ann.csv", cut)
    for name in ("x", "y"):
        (folder / f"{name}.csv").write_text("video,label,start_s,end_s\na.mp4,Other,1,2\n")
    with pytest.raises(ConfigError, match=r"no event that counts.*'Other' \(2 events\)"):
        compare(folder / "x.csv", folder / "y.csv")


def test_videos_that_may_be_others_are_named():
    ours = build_table([CodedEvent("day1/cam.mp4", 1, 2, "hit")], [Media("day1/cam.mp4", 20.0)])
    theirs = build_table([CodedEvent("day2/cam.mp4", 1, 2, "hit")], [Media("day2/cam.mp4", 30.0)])
    notes = agree(read_codings([ours, theirs])).notes
    assert "Taken for one video, as the files are called alike: day1/cam.mp4 and day2/cam.mp4" in (
        notes
    )
    assert [note for note in notes if note.endswith("of one video: day1/cam.mp4 (20 s, 30 s)")]


def test_times_that_are_no_seconds_are_refused_before_they_fill_the_memory():
    table = build_table([CodedEvent("a", 9e8, 9e8 + 1, "hit")])
    with pytest.raises(ConfigError, match=r"longest is a with 9e\+08 s: check that its times are"):
        agree(read_codings([table, table]))


def test_recordings_that_the_model_has_learned_from_are_named(folder):
    path = folder / "predict" / "results.json"
    entries = json.loads(path.read_text())
    entries[0]["note"] = NOTE
    path.write_text(json.dumps(entries))
    notes = compare(folder / "ann.csv", folder / "predict").notes
    (said,) = [note for note in notes if "learned" in note]
    assert said == (
        "The model has learned from these recordings, so figures on them are no honest ones: a.mp4"
    )
