"""Events in files: tables are read back as they were, subtitles by a player's own reader."""

import csv
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from har.errors import OutputError
from har.events.files import join_events, write_event_files, write_events_csv, write_vtt
from har.types import Event

HEADER = ["video", "start_s", "end_s", "label", "score", "subject", "target"]


def _read(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_events_of_all_videos_are_lines_of_one_table(tmp_path: Path) -> None:
    events = (
        Event("hit", 0.0, 1.25, 0.8, 2, 11),
        Event("hit", 3, 4, 1.0),
        Event("hit", 5, 6, 1.0, 3),
    )
    path = tmp_path / "new" / "events.csv"
    write_events_csv(path, [("a,b.mp4", events), ("c.mp4", ())])
    assert _read(path) == [
        HEADER,
        ["a,b.mp4", "0.000", "1.250", "hit", "0.8000", "2", "11"],
        ["a,b.mp4", "3.000", "4.000", "hit", "1.0000", "", ""],
        ["a,b.mp4", "5.000", "6.000", "hit", "1.0000", "3", ""],
    ]


def test_the_folders_table_has_the_events_of_every_video_in_it(tmp_path: Path) -> None:
    for name, start_s in (("b", 1.0), ("a.1", 2.0), ("none", None)):
        events = () if start_s is None else (Event('say "ah"\n', start_s, 3.0, 0.5),)
        write_event_files(tmp_path / name, f"{name}.mp4", events)
    for _ in range(2):  # its own table is no part of it
        assert _read(join_events(tmp_path)) == [
            HEADER,
            ["a.1.mp4", "2.000", "3.000", 'say "ah"\n', "0.5000", "", ""],
            ["b.mp4", "1.000", "3.000", 'say "ah"\n', "0.5000", "", ""],
        ]


@pytest.mark.parametrize("content", [b"", b"video,start\n", b"\xff\xfe"])
def test_a_table_of_something_else_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.events.csv").write_bytes(content)
    with pytest.raises(OutputError, match=r"x\.events\.csv cannot be read as events"):
        join_events(tmp_path)
    assert not (tmp_path / "events.csv").exists()


def _read_cues(path: Path) -> list[tuple[float, float, str]]:
    with av.open(str(path)) as container:
        return [
            (
                float(packet.pts * packet.time_base),
                float((packet.pts + packet.duration) * packet.time_base),
                bytes(packet).decode(),
            )
            for packet in container.demux()
            if packet.size
        ]


def test_a_player_reads_the_subtitles(tmp_path: Path) -> None:
    events = [
        Event("hit & run --> <b>", 3661.25, 3662.0, 0.874, subject=2, target=1),
        Event("two\nlines", 0.0, 0.0001, 1.0),
    ]
    write_vtt(tmp_path / "a.vtt", events)
    assert _read_cues(tmp_path / "a.vtt") == [
        (0.0, 0.001, "two lines 100%"),
        (3661.25, 3662.0, "hit &amp; run --&gt; &lt;b&gt; 2→1 87%"),
    ]


def test_no_events_are_subtitles_without_cues(tmp_path: Path) -> None:
    write_vtt(tmp_path / "a.vtt", [])
    assert (tmp_path / "a.vtt").read_text() == "WEBVTT\n"


@given(
    spans=st.lists(
        st.tuples(st.floats(0, 90_000), st.floats(1e-3, 100)),
        min_size=1,
        max_size=10,
        unique_by=lambda span: round(span[0], 2),  # FFmpeg shows equal cues once
    )
)
def test_all_cues_are_read_in_order(
    tmp_path_factory: pytest.TempPathFactory, spans: list[tuple[float, float]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "cues.vtt"
    write_vtt(path, [Event("hit", start, start + length, 0.5) for start, length in spans])
    found = _read_cues(path)
    for (start, end, _), (first, length) in zip(found, sorted(spans), strict=True):
        assert (start, end) == (
            pytest.approx(first, abs=6e-4),
            pytest.approx(first + length, abs=1.1e-3),
        )
