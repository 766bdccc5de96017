import csv

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from har.errors import InterchangeError
from har.interchange.events import CodedEvent, Media, build_table
from har.interchange.formats import read_events, write_events

EXAMPLE = """Observation id,testobs,,,,,,,
,,,,,,,,
Media file(s),,,,,,,,
,,,,,,,,
Player #1,D:/simbatest/videos/00_000_000_split2.avi,,,,,,,
,,,,,,,,
Observation date,4/13/2021 12:55,,,,,,,
,,,,,,,,
Time offset (s),0,,,,,,,
,,,,,,,,
independent variables,,,,,,,,
variable,value,,,,,,,
,,,,,,,,
Time,Media file path,Total length,FPS,Subject,Behavior,Behavioral category,Comment,Status
1.876,D:/simbatest/videos/00_000_000_split2.avi,1247.74,15,,attack,,,START
2.701,D:/simbatest/videos/00_000_000_split2.avi,1247.74,15,,attack,,,STOP
245.655,D:/simbatest/videos/00_000_000_split2.avi,1247.74,15,,sniffing,,,START
248.481,D:/simbatest/videos/00_000_000_split2.avi,1247.74,15,,sniffing,,,STOP
"""


def test_what_simba_shows_as_an_example_is_read(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(EXAMPLE)
    table = read_events(path)
    video = "D:/simbatest/videos/00_000_000_split2.avi"
    assert [(e.video, e.start_s, e.end_s, e.label) for e in table.events] == [
        (video, 1.876, 2.701, "attack"),
        (video, 245.655, 248.481, "sniffing"),
    ]
    assert table.media[0].duration_s == 1247.74
    assert table.media[0].fps == 15.0


def read_as_simba(path, fps: float) -> dict[str, list[tuple[int, int]]]:
    """Return the frames of each behavior, found as SimBA does: by the order of rows alone."""
    lines = list(csv.reader(path.read_text().splitlines()))
    assert lines[0][0] == "Observation id"
    assert {len(line) for line in lines} == {9}
    names = next(line for line in lines if line[0] == "Time")
    rows = [dict(zip(names, line, strict=True)) for line in lines[lines.index(names) + 1 :]]
    found = {}
    for label in {row["Behavior"] for row in rows}:
        starts, stops = (
            [
                float(row["Time"])
                for row in rows
                if (row["Behavior"], row["Status"]) == (label, kind)
            ]
            for kind in ("START", "STOP")
        )
        assert len(starts) == len(stops)
        assert all(stop <= start for stop, start in zip(stops, starts[1:], strict=False))
        found[label] = [(int(a * fps), int(b * fps)) for a, b in zip(starts, stops, strict=True)]
    return found


def test_events_are_written_so_that_simba_takes_them(tmp_path):
    table = build_table(
        [
            CodedEvent("d/a.mp4", 1, 2, "attack", "m1"),
            CodedEvent("d/a.mp4", 1.5, 3, "attack", "m2"),
            CodedEvent("d/a.mp4", 3, 4, "attack", "m1", comment="loud"),
            CodedEvent("d/a.mp4", 5, 5, "sniff", point=True),
        ],
        [Media("d/a.mp4", 60.0, 10.0)],
    )
    path = tmp_path / "a.csv"
    notes = write_events(table, path, "simba")
    assert notes == [
        "SimBA does not hold: subject, point",
        "Events of one subject and label that overlap were joined: attack at 1 s in d/a.mp4",
    ]
    assert read_as_simba(path, 10.0) == {"attack": [(10, 30), (30, 40)], "sniff": [(50, 51)]}
    back = read_events(path)
    assert [(e.start_s, e.end_s, e.label, e.comment) for e in back.events] == [
        (1.0, 3.0, "attack", ""),
        (3.0, 4.0, "attack", "loud"),
        (5.0, 5.1, "sniff", ""),
    ]
    assert back.media == table.media
    with pytest.raises(InterchangeError, match="SimBA counts frames"):
        write_events(build_table(table.events), path, "simba")


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    spans=st.lists(
        st.tuples(
            st.integers(0, 1000), st.integers(1, 200), st.sampled_from(["a b", "打つ", "=x"])
        ),
        max_size=12,
    )
)
def test_every_moment_keeps_its_labels(spans, tmp_path):
    events = [CodedEvent("a.mp4", at / 10, (at + n) / 10, label) for at, n, label in spans]
    path = tmp_path / "a.csv"
    write_events(build_table(events, [Media("a.mp4", 200.0, 10.0)]), path, "simba")

    def to_moments(found):
        return {
            (event.label, moment)
            for event in found
            for moment in range(round(event.start_s * 10), round(event.end_s * 10))
        }

    assert to_moments(read_events(path).events) == to_moments(events)
