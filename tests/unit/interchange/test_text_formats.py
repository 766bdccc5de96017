import pytest

from har.errors import InterchangeError
from har.interchange.events import CodedEvent, Media, build_table
from har.interchange.format import ReadSettings
from har.interchange.formats import choose_format, read_events, write_events

CVAT = (
    "id\tfilename\tstart\tstop\tlabel\tsource\tscore\tsubject\ttranscript\n"
    "1\tfilms/a.mp4\t00:00:00.000\t00:00:02.450\thit\tmanual\t1\tchild\tHello, world.\n"
    "2\tfilms/a.mp4\t00:01:03.100\t00:01:04.000\tkick\tauto\t0.5\t\t\n"
)


def test_intervals_of_cvat_are_read(tmp_path):
    path = tmp_path / "x.tsv"
    path.write_text(CVAT)
    table = read_events(path)
    assert table.events == (
        CodedEvent("films/a.mp4", 0, 2.45, "hit", "child", score=1.0),
        CodedEvent("films/a.mp4", 63.1, 64, "kick", score=0.5),
    )
    path.write_text("start\tstop\tlabel\n00:00:01.5\t00:00:02\tcry\n")
    table = read_events(path, "cvat", ReadSettings(video="b.mp4"))
    assert table.events == (CodedEvent("b.mp4", 1.5, 2, "cry"),)
    with pytest.raises(InterchangeError, match="filename"):
        read_events(path, "cvat")


def test_subtitles_say_who_does_what(tmp_path):
    table = build_table(
        [
            CodedEvent("a.mp4", 61, 62.5, "hit <hard>", "2", "1", score=0.874),
            CodedEvent("a.mp4", 1, 1, "a --> b\n", point=True),
        ]
    )
    write_events(table, tmp_path / "a.vtt")
    assert (tmp_path / "a.vtt").read_text() == (
        "WEBVTT\n\n"
        "1\n00:00:01.000 --> 00:00:01.001\na --&gt; b\n\n"
        "2\n00:01:01.000 --> 00:01:02.500\nhit &lt;hard&gt; 2→1 87%\n"
    )
    write_events(table, tmp_path / "a.srt")
    assert (tmp_path / "a.srt").read_text() == (
        "1\n00:00:01,000 --> 00:00:01,001\na → b\n\n"
        "2\n00:01:01,000 --> 00:01:02,500\nhit <hard> 2→1 87%\n"
    )
    with pytest.raises(InterchangeError, match="written only, not read"):
        read_events(tmp_path / "a.srt", "srt")


def test_several_videos_are_a_folder_of_subtitles(tmp_path):
    table = build_table([], [Media("day 1/a.mp4"), Media("day 2/a.mp4")])
    write_events(table, tmp_path / "all.vtt")
    assert sorted(path.name for path in (tmp_path / "all.vtt").iterdir()) == ["a-2.vtt", "a.vtt"]


def test_an_ending_that_several_have_is_the_one_named_like_it(tmp_path):
    assert choose_format(tmp_path / "x.csv").name == "csv"
    assert choose_format(tmp_path / "x.tsv").name == "tsv"
    assert choose_format(tmp_path / "x.EAF").name == "elan"
    with pytest.raises(InterchangeError, match="activitynet, via, label-studio, feral"):
        choose_format(tmp_path / "x.json")
