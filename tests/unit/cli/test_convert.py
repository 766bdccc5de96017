from __future__ import annotations

import json
import re

from click.testing import CliRunner

from har.cli import har as command_line

HEADER = "video,start_s,end_s,label"


def run(*words):
    return CliRunner().invoke(command_line, ["convert", *map(str, words)])


def test_a_foreign_table_becomes_ours(tmp_path):
    source = tmp_path / "lab.csv"
    source.write_text("Tape;In;Out;Act\na.mp4;0:00:01,5;0:00:03;Hitting\na.mp4;5;5;Shout\n")
    out = tmp_path / "ours.csv"
    done = run(
        source, out, "--columns", "video=Tape,start=In,end=Out", "--columns", "label=act", "--map",
        "Hitting=hit", "--points", 0.5, "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout) == {
        "path": str(out),
        "n_videos": 1,
        "n_events": 2,
        "labels": {"Shout": 1, "hit": 1},
        "notes": ["lab.csv has point events, without an end, in line 3"],
    }
    assert out.read_text().splitlines()[1:] == [
        "a.mp4,1.500,3.000,hit,,,,,,,",
        "a.mp4,5.000,5.500,Shout,,,,,yes,,",
    ]


def test_several_files_become_one(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.csv").write_text(f"{HEADER}\n{name}.mp4,1,2,hit\n")
    done = run(tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "out.tsv")
    assert done.exit_code == 0, done.stderr
    assert "2 events of 2 videos" in done.stderr
    again = run(tmp_path, tmp_path / "all.csv")
    assert "4 events of 2 videos" in again.stderr


def test_what_is_wrong_is_said(tmp_path):
    source = tmp_path / "a.csv"
    source.write_text(f"{HEADER}\na.mp4,1,2,hit\n")
    for words, said in (
        ((source, tmp_path / "x.abc"), "No format has the ending of x.abc"),
        ((source, tmp_path / "x.csv", "--to", "nope"), "There is no format 'nope'; there are: har"),
        ((source, tmp_path / "x.csv", "--to", "har"), "results of har is read only"),
        ((source, tmp_path / "x.csv", "--points", "0"), "length of point events up to 60 s"),
        ((source, tmp_path / "x.csv", "--columns", "start=Nope"), "names no field and column"),
        ((source, tmp_path / "x.csv", "--columns", "start"), "expected FIELD=COLUMN"),
        ((source, tmp_path / "x.csv", "--map", "kick=a"), "no label 'kick'"),
        ((tmp_path / "none.csv", tmp_path / "x.csv"), "none.csv cannot be read: No such file"),
    ):
        done = run(*words)
        assert done.exit_code in (1, 2)
        assert said in f"{done.stderr}{done.exception}"


def test_cells_are_guarded_for_spreadsheets_unless_told(tmp_path):
    source = tmp_path / "a.csv"
    source.write_text(f"{HEADER}\na.mp4,1,2,=1+1\n")
    run(source, tmp_path / "safe.csv")
    run(source, tmp_path / "raw.csv", "--no-guard")
    assert ",'=1+1," in (tmp_path / "safe.csv").read_text()
    assert ",=1+1," in (tmp_path / "raw.csv").read_text()


def test_a_coding_that_exists_is_not_written_over(tmp_path):
    ann, ben = tmp_path / "ann.csv", tmp_path / "ben.csv"
    ann.write_text(f"{HEADER}\na.mp4,1,2,hit\n")
    ben.write_text(f"{HEADER},mood\na.mp4,3,4,hit,calm\n")
    before = ben.read_bytes()
    for words in ((ann, ben), (ben, ben)):
        done = run(*words)
        assert done.exit_code == 1
        assert re.search(r"ben.csv exists already.*--replace", str(done.exception))
    assert ben.read_bytes() == before
    assert run(ann, ben, "--replace").exit_code == 0
    assert "a.mp4,1.000,2.000,hit" in ben.read_text()


def test_a_column_called_path_names_the_video(tmp_path):
    source = tmp_path / "clips.csv"
    source.write_text("path;label;start_s;end_s\nvid/f0.mp4;fight;0,5;2,0\n")
    done = run(source, tmp_path / "out.csv")
    assert done.exit_code == 0, done.stderr
    assert "video=path" in done.stderr
    assert "vid/f0.mp4,0.500,2.000,fight" in (tmp_path / "out.csv").read_text()


def test_a_folder_of_files_is_called_one(tmp_path):
    source, sheets = tmp_path / "a.csv", tmp_path / "found.boris.xlsx"
    source.write_text(f"{HEADER}\na.mp4,1,2,hit\nb.mp4,1,2,hit\n")
    done = run(source, sheets)
    assert f"{sheets} (a folder, with a file for each video)" in done.stderr
    back = run(sheets / "a.boris.xlsx", tmp_path / "back.csv")
    assert "sheet to import into BORIS, which names no video" in str(back.exception)
