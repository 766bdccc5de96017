from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from har.cli import har

HEAD = "video,label,start_s,end_s\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "ann.csv").write_text(f"{HEAD}a.mp4,Hit,10,14\nb.mp4,Hit,50,54\n")
    (tmp_path / "ben.csv").write_text(f"{HEAD}a.mp4,Hit,11,14\nb.mp4,Hit,70,71\n")
    (tmp_path / "found.csv").write_text(
        "video,label,start_s,end_s,score\na.mp4,fight,10,14,0.9\nb.mp4,fight,50,52,0.8\n"
    )
    return tmp_path


def run(folder, *words):
    words = [str(folder / word) if str(word).endswith(".csv") else str(word) for word in words]
    return CliRunner().invoke(har, ["agree", *words, "--out", str(folder / "out")])


def test_a_table_and_a_sentence_for_each_figure(folder):
    done = run(folder, "ann.csv", "ben.csv")
    assert done.exit_code == 0, done.output
    assert "2 recordings in 2 groups" in done.stderr
    assert "Mean duration-per-occurrence" in done.stderr
    assert "ann and ben" in done.stderr
    assert "50 % of the events of ann are events of ben, too" in done.stderr
    assert "Only 2 groups" in done.stderr
    assert (folder / "out" / "agreement.csv").is_file()


def test_people_stand_beside_the_model(folder):
    done = run(folder, "ann.csv", "ben.csv", "found.csv", "--map", "Hit=fight", "--interval", "5")
    assert done.exit_code == 0, done.output
    assert "people with each other" in done.stderr
    assert "Krippendorff's alpha of ann, ben, found" in done.stderr
    assert json.loads((folder / "out" / "metrics.json").read_text())["interval_s"] == 5.0


def test_quiet_json_is_json_alone(folder):
    done = run(folder, "ann.csv", "ben.csv", "--json", "-q")
    values = json.loads(done.stdout)
    assert [item["name"] for item in values["observers"]] == ["ann", "ben"]
    assert done.stderr == ""


def test_one_observer_is_no_agreement(folder):
    done = run(folder, "ann.csv")
    assert done.exit_code == 1
    assert "two observers or more" in str(done.exception)
