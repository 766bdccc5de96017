"""One suite over every format of events: round trips, odd content, damaged files."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from har.errors import InterchangeError, MissingDependencyError
from har.interchange.events import CodedEvent, EventTable, Media, build_table
from har.interchange.format import ReadSettings, WriteSettings
from har.interchange.formats import FORMATS, Format, read_events, write_events

OPTIONAL = {
    "subject": "",
    "target": "",
    "annotator": "",
    "comment": "",
    "point": False,
    "score": None,
}
FPS = 25.0
BOTH = [item for item in FORMATS if item.read and item.write]


def draw_texts():
    """Return texts that break what is careless: formulas, marks, quotes, other scripts."""
    odd = ["=1+1", "@x", "a;b,c", 'say "hi"', "<b>&amp;", "Kind größer", "打つ", "-", "'=x", "a\tb"]
    letters = st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp", "Zs"), max_codepoint=0x2FFF)
    plain = st.text(letters, min_size=1, max_size=12)
    return st.one_of(st.sampled_from(odd), plain)


@st.composite
def draw_tables(draw):
    """Return tables on a grid of 40 ms: overlapping, empty and very long events, several videos."""
    events = []
    videos = ["a.mp4", "day 1/b.mp4"][: draw(st.integers(1, 2))]
    for _ in range(draw(st.integers(0, 8))):
        start = draw(st.integers(0, 20_000_000))
        point = draw(st.booleans())
        length = 0 if point else draw(st.integers(1, 100_000))
        events.append(
            CodedEvent(
                draw(st.sampled_from(videos)),
                round(start * 0.04, 3),
                round((start + length) * 0.04, 3),
                draw(draw_texts()),
                draw(st.one_of(st.just(""), draw_texts())),
                draw(st.one_of(st.just(""), draw_texts())),
                draw(st.one_of(st.just(""), draw_texts())),
                draw(st.one_of(st.just(""), draw_texts())),
                point,
                draw(st.one_of(st.none(), st.sampled_from([0.0, 0.25, 1.0]))),
            )
        )
    media = [Media(video, duration_s=1e8, fps=FPS) for video in videos]
    return build_table(events, media)


def reduce(event: CodedEvent, kept: frozenset[str]) -> CodedEvent:
    """Return an event without the fields that a format does not hold."""
    lost = {name: value for name, value in OPTIONAL.items() if name not in kept}
    if "point" in lost and event.start_s == event.end_s:
        del lost["point"]
    return replace(event, **lost)


def to_keys(table: EventTable, kept: frozenset[str]) -> list[tuple]:
    """Return what must be equal after a round trip, in an order of its own."""
    events = (reduce(event, kept) for event in table.events)
    return sorted(
        (
            *(e.video, round(e.start_s, 3), round(e.end_s, 3), e.label, e.subject, e.target),
            *(e.annotator, e.comment, e.point, -1 if e.score is None else round(e.score, 4)),
        )
        for e in events
    )


def round_trip(table: EventTable, chosen: Format, folder) -> EventTable:
    path = folder / f"events{chosen.endings[0]}"
    write_events(table, path, chosen.name, WriteSettings(fps=FPS))
    return read_events(path, chosen.name)


@pytest.mark.parametrize("chosen", [item for item in BOTH if item.is_exact], ids=lambda f: f.name)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(table=draw_tables())
def test_what_was_written_is_read_again(chosen, table, tmp_path_factory):
    back = round_trip(table, chosen, tmp_path_factory.mktemp("t"))
    assert to_keys(back, chosen.keeps) == to_keys(table, chosen.keeps)
    assert {item.video for item in back.media} == {item.video for item in table.media}


@pytest.mark.parametrize("chosen", BOTH, ids=lambda f: f.name)
def test_a_written_file_needs_no_name_of_its_format(chosen, tmp_path):
    table = build_table(
        [CodedEvent("a.mp4", 1, 2.52, "hit", "child"), CodedEvent("a.mp4", 3, 4, "打つ;,=1")],
        [Media("a.mp4", 10.0, FPS)],
    )
    path = tmp_path / f"a{chosen.endings[0]}"
    write_events(table, path, chosen.name)
    options = ReadSettings(fps=FPS)
    found = read_events(path, None, options)
    assert found == read_events(path, chosen.name, options)
    assert [event.label for event in found.events] == ["hit", "打つ;,=1"]


@pytest.mark.parametrize("chosen", [item for item in FORMATS if item.read], ids=lambda f: f.name)
@settings(max_examples=40, deadline=None)
@given(data=st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(chosen, data, tmp_path_factory):
    path = tmp_path_factory.mktemp("t") / f"events{chosen.endings[0]}"
    path.write_bytes(data)
    for name in (chosen.name, None):
        with suppress(InterchangeError, MissingDependencyError):
            read_events(path, name)


@pytest.mark.parametrize("chosen", BOTH, ids=lambda f: f.name)
@settings(max_examples=40, deadline=None)
@given(place=st.integers(0, 10_000), value=st.integers(0, 255), cut=st.booleans())
def test_a_damaged_file_is_read_or_refused(chosen, place, value, cut, tmp_path_factory):
    folder = tmp_path_factory.mktemp("t")
    table = build_table(
        [CodedEvent("a.mp4", 1, 2.52, "hit", "child"), CodedEvent("a.mp4", 3, 4, "kick")],
        [Media("a.mp4", 10.0, FPS)],
    )
    path = folder / f"events{chosen.endings[0]}"
    write_events(table, path, chosen.name)
    data = bytearray(path.read_bytes())
    place %= len(data)
    data[place] = value
    path.write_bytes(data[:place] if cut else data)
    with suppress(InterchangeError):
        read_events(path, chosen.name)


NAMES = (
    *(
        "../../x.mp4",
        "/etc/x.mp4",
        "a\0b.mp4",
        "X.MP4",
        "x.avi",
        "..",
        ".",
        "/",
        ".mp4",
        "._x",
        "~$x",
    ),
    *(
        "n" * 300 + ".mp4",
        "\u00fc" * 140,
        "\u00e9.mp4",
        "e\u0301.mp4",
        "a\nb",
        "\udcff.mp4",
        "C:\\a\\b.mp4",
    ),
)


@pytest.mark.parametrize("chosen", [item for item in FORMATS if item.write], ids=lambda f: f.name)
def test_no_name_of_a_video_leaves_the_folder_or_stops_the_others(chosen, tmp_path):
    out = tmp_path / "deep" / "in" / "out"
    out.mkdir(parents=True)
    table = build_table(
        [CodedEvent(name, 1, 2, "hit") for name in NAMES],
        [Media(name, 10.0, FPS) for name in NAMES],
    )
    path = out if chosen.one_video else out / f"events{chosen.endings[0]}"
    write_events(table, path, chosen.name)
    written = [item for item in tmp_path.rglob("*") if item.is_file()]
    assert {item.parent for item in written} == {out}
    assert len(written) == (len(NAMES) if chosen.one_video else 1)
    assert len({item.name.casefold() for item in written}) == len(written)
    if chosen.read:
        assert len(read_events(path, chosen.name, ReadSettings(fps=FPS)).events) == len(NAMES)


def test_what_a_workbook_would_cut_is_refused(tmp_path):
    table = build_table([CodedEvent("a.mp4", 1, 2, "hit", comment="x" * 40_000)])
    with pytest.raises(InterchangeError, match=r"Line 2 does not fit .* write CSV to e\.csv"):
        write_events(table, tmp_path / "e.xlsx")
    assert not list(tmp_path.iterdir())
