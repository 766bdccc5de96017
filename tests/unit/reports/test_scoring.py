from __future__ import annotations

import json

import pytest
from coded import make_scores

from har.config import DecodeConfig
from har.errors import ConfigError, OutputError
from har.events.files import save_scores
from har.interchange.coding import note_background, read_coding
from har.metrics.intervals import warn_few_groups
from har.reports.events import write_event_score
from har.reports.scoring import load_scored, score_events

FEW = warn_few_groups(2, "groups of recordings")
BACKGROUND = note_background(["playing"])
TRUTH = "video,label,start_s,end_s\na.mp4,hit,10,14\na.mp4,playing,20,30\nb.mp4,hit,50,54\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "truth.csv").write_text(TRUTH)
    save_scores(tmp_path / "a.scores.csv", make_scores(1800, [(10, 14, 0.9), (70, 74, 0.8)]))
    save_scores(tmp_path / "b.scores.csv", make_scores(1800, [(50, 54, 0.5)]))
    return tmp_path


def write_results(folder, **events: list[tuple[float, float]]):
    values = [
        {
            "video": f"/films/{stem}.mp4",
            "totals": {"duration_s": 1800.0, "labels": [{"label": "hit", "n_events": 0}]},
            "events": [
                {"label": "hit", "onset_s": onset_s, "offset_s": offset_s, "score": 0.9}
                for onset_s, offset_s in spans
            ],
        }
        for stem, spans in events.items()
    ]
    (folder / "results.json").write_text(json.dumps(values))
    return folder / "results.json"


def test_results_against_truth(folder):
    results = write_results(folder, a=[(11, 14), (70, 74)], b=[])
    found = score_events(results, folder / "truth.csv")
    figures = found.metrics.overall.figures
    assert [item.label for item in found.metrics.per_label] == ["hit"]  # playing is background
    assert (found.metrics.n_recordings, found.metrics.hours) == (2, 1.0)
    assert (figures["recall"].mean, figures["precision"].mean) == (0.5, 0.5)
    assert figures["false_alarms_per_hour"].mean == 1.0
    assert figures["onset_error_s"].mean == 1.0
    assert "'playing' (1 event); --label" in BACKGROUND
    assert (found.curves, found.notes) == ((), (BACKGROUND, FEW))


@pytest.mark.parametrize("kind", ["features", "keypoints"])
def test_results_of_kept_files_are_those_of_the_video(folder, kind):
    results = write_results(folder, a=[(11, 14), (70, 74)], b=[])
    results.write_text(results.read_text().replace(".mp4", f".{kind}.npz"))
    figures = score_events(results, folder / "truth.csv").metrics.overall.figures
    assert (figures["recall"].mean, figures["precision"].mean) == (0.5, 0.5)


def test_a_folder_of_results_stands_for_them(folder):
    results = write_results(folder, a=[(11, 14)], b=[])
    found = score_events(folder, folder / "truth.csv")
    assert found.metrics == score_events(results, folder / "truth.csv").metrics


def test_found_events_and_coding_exchanged_are_refused(folder):
    results = write_results(folder, a=[(11, 14)], b=[])
    with pytest.raises(ConfigError, match=r"the found events come first.*Exchange the two"):
        score_events(folder / "truth.csv", results)


def test_videos_on_one_side_only_are_named(folder):
    results = write_results(folder, a=[(10, 14)], c=[(1, 2)])
    found = score_events(results, folder / "truth.csv")
    assert found.metrics.n_recordings == 1
    assert found.metrics.overall.figures["recall"].mean == 1.0  # b was not recognized at all
    assert found.metrics.overall.figures["false_alarms_per_hour"].mean == 0.0  # c was not coded
    *videos, background = found.notes
    assert [note.split(": ")[1] for note in videos] == ["/films/c.mp4", "b.mp4"]
    assert background == BACKGROUND


def test_a_label_that_the_model_does_not_know_is_refused_not_scored_zero(folder):
    results = write_results(folder, a=[(10, 14)], b=[])
    (folder / "truth.csv").write_text(TRUTH.replace("hit", "Hit"))
    with pytest.raises(ConfigError, match=r"'Hit' and 'hit' differ in case.*--map \"Hit=hit\""):
        score_events(results, folder / "truth.csv")
    found = score_events(results, folder / "truth.csv", renames={"Hit": "hit"})
    assert found.metrics.overall.figures["recall"].mean == 0.5


def test_the_labels_of_a_model_are_known_from_results_without_events(folder):
    results = write_results(folder, a=[], b=[])
    (folder / "truth.csv").write_text(TRUTH.replace("hit", "kick"))
    with pytest.raises(ConfigError, match="does not know: 'kick'"):
        score_events(results, folder / "truth.csv")
    (folder / "truth.csv").write_text(TRUTH)
    assert score_events(results, folder / "truth.csv").metrics.overall.figures["recall"].mean == 0.0


def test_of_a_table_of_events_a_label_that_was_not_found_is_noted(folder):
    (folder / "events.csv").write_text("video,start_s,end_s,label\na.mp4,10,14,hit\n")
    (folder / "truth.csv").write_text(TRUTH + "a.mp4,kick,1,2\n")
    found = score_events(folder / "events.csv", folder / "truth.csv")
    assert found.notes == (
        "Coded, but no found event has such a label; --map renames one: kick",
        BACKGROUND,
        FEW,
    )
    (folder / "truth.csv").write_text(TRUTH.replace("hit", "kick"))
    with pytest.raises(ConfigError, match="does not know: 'kick'"):
        score_events(folder / "events.csv", folder / "truth.csv")


def test_events_after_the_end_of_the_video_are_told(folder):
    (folder / "truth.csv").write_text(TRUTH + "a.mp4,hit,5000,5004\n")
    found = score_events(write_results(folder, a=[(10, 14)], b=[]), folder / "truth.csv")
    assert found.notes == (
        "Coded events begin after the end of their video and count as not found: "
        "a.mp4 (hit at 5000 s, the video has 1800.0 s)",
        BACKGROUND,
        FEW,
    )


def test_of_a_table_of_events_a_missing_video_has_none(folder):
    (folder / "events.csv").write_text("video,start_s,end_s,label,score\na.mp4,10,14,hit,0.9\n")
    found = score_events(folder / "events.csv", folder / "truth.csv")
    assert found.metrics.overall.figures["recall"].mean == 0.5
    assert found.metrics.hours is None
    scored = score_events(folder / "events.csv", folder / "truth.csv", [folder])
    assert scored.metrics.hours == pytest.approx(1.0)


def test_scores_give_the_curve_with_the_events_on_it(folder):
    results = write_results(folder, a=[(10, 14), (70, 74)], b=[])
    (curve,) = score_events(results, folder / "truth.csv", [folder]).curves
    assert (curve.label, curve.n_true, curve.hours) == ("hit", 2, pytest.approx(1.0))
    assert (curve.chosen.threshold, curve.chosen.recall) == (None, 0.5)
    assert max(point.recall for point in curve.points) == 1.0
    own = DecodeConfig("playing", min_s=60.0)
    (long,) = score_events(results, folder / "truth.csv", [folder], decode=own).curves
    assert max(point.recall for point in long.points) == 0.0


def test_one_label_may_be_asked_for(folder):
    results = write_results(folder, a=[(10, 14)])
    found = score_events(results, folder / "truth.csv", labels=["playing"])
    assert [(item.label, item.n_true) for item in found.metrics.per_label] == [("playing", 1)]


def test_what_is_written_can_be_read(folder):
    results = write_results(folder, a=[(10, 14)], b=[])
    found = score_events(results, folder / "truth.csv", [folder])
    page = write_event_score(folder / "out", found, "Mine")
    values = json.loads((folder / "out" / "metrics.json").read_text())
    assert values["overall"]["recall"]["mean"] == 0.5
    assert values["curves"][0]["chosen"]["recall"] == 0.5
    text = page.read_text(encoding="utf-8")
    assert "Recall against false alarms" in text
    assert "a.mp4: person and model over time" in text


def test_scores_are_joined_with_the_truth(folder):
    coded = read_coding(folder / "truth.csv").videos
    save_scores(folder / "c.scores.csv", make_scores(60, []))
    scored, notes = load_scored([folder], coded)
    assert [(item.name, len(item.truth)) for item in scored] == [
        ("a.mp4", 2),
        ("b.mp4", 1),
    ]
    assert notes == [
        "Not in the reference coding, so left out (one that was watched and in which nothing "
        "happens needs a line with empty label and times): c"
    ]
    one, notes = load_scored([folder / "a.scores.csv"], coded)
    assert [item.name for item in one] == ["a.mp4"]
    assert "b.mp4" in notes[0]


def test_two_files_of_scores_of_one_video_are_refused(folder):
    save_scores(folder / "other" / "a.mp4.scores.csv", make_scores(60, []))
    with pytest.raises(ConfigError, match=r"both scores of a\.mp4"):
        load_scored([folder, folder / "other"], read_coding(folder / "truth.csv").videos)


def test_a_folder_without_scores_is_refused(folder):
    (folder / "empty").mkdir()
    with pytest.raises(OutputError, match="empty"):
        load_scored([folder / "empty"], ())


def test_two_results_of_one_video_are_refused(folder):
    results = write_results(folder, a=[])
    values = json.loads(results.read_text())
    values.append({**values[0], "video": "/other/a.mp4"})
    results.write_text(json.dumps(values))
    with pytest.raises(ConfigError, match=r"a\.mp4 of the reference coding"):
        score_events(results, folder / "truth.csv")


def test_results_of_other_recordings_are_named(folder):
    results = write_results(folder, tape7=[(10, 14)])
    with pytest.raises(ConfigError, match=r"is '/films/tape7\.mp4', that of .*truth\.csv 'a\.mp4'"):
        score_events(results, folder / "truth.csv")


def test_a_reference_of_two_annotators_is_scored_against_one(folder):
    rows = "a.mp4,hit,10,14,Ann\na.mp4,hit,10,14,Ben\na.mp4,hit,90,94,Ben\n"
    (folder / "both.csv").write_text(f"video,label,start_s,end_s,annotator\n{rows}")
    write_results(folder, a=[(10, 14)])
    with pytest.raises(ConfigError, match="several annotators"):
        score_events(folder / "results.json", folder / "both.csv")
    for annotator, recall in (("Ann", 1.0), ("Ben", 0.5)):
        found = score_events(folder / "results.json", folder / "both.csv", annotator=annotator)
        assert found.metrics.overall.figures["recall"].mean == recall
