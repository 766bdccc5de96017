from pathlib import Path

import pytest

from har.errors import InterchangeError
from har.interchange import elan
from har.interchange.events import CodedEvent, Media, build_table
from har.interchange.format import ReadSettings
from har.interchange.formats import read_events, write_events

DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" DATE="2026-01-01T10:00:00+00:00" FORMAT="3.0" VERSION="3.0">
  <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">
    <MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/Lab films/day 1.mp4" MIME_TYPE="video/mp4"
        RELATIVE_MEDIA_URL="./day 1.mp4"/>
  </HEADER>
  <TIME_ORDER>
    <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="1000"/>
    <TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="2500"/>
    <TIME_SLOT TIME_SLOT_ID="ts3"/>
    <TIME_SLOT TIME_SLOT_ID="ts4" TIME_VALUE="9000"/>
  </TIME_ORDER>
  <TIER TIER_ID="acts" PARTICIPANT="child" ANNOTATOR="MK" LINGUISTIC_TYPE_REF="default">
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
      <ANNOTATION_VALUE> hit &lt;hard&gt; </ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts2" TIME_SLOT_REF2="ts3">
      <ANNOTATION_VALUE>kick</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
  </TIER>
  <TIER TIER_ID="crying" LINGUISTIC_TYPE_REF="default">
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a3" TIME_SLOT_REF1="ts2" TIME_SLOT_REF2="ts4">
      <ANNOTATION_VALUE/></ALIGNABLE_ANNOTATION></ANNOTATION>
  </TIER>
  <TIER TIER_ID="why" PARENT_REF="acts" LINGUISTIC_TYPE_REF="note">
    <ANNOTATION><REF_ANNOTATION ANNOTATION_ID="a4" ANNOTATION_REF="a1">
      <ANNOTATION_VALUE>toy</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION>
  </TIER>
</ANNOTATION_DOCUMENT>
"""


def read(folder: Path, text: str | bytes, settings: ReadSettings | None = None):
    path = folder / "day1.eaf"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_events(path, settings=settings)


def test_values_are_labels_and_what_has_no_time_is_said(tmp_path):
    table = read(tmp_path, DOCUMENT)
    video = "C:/Lab films/day 1.mp4"
    assert table.events == (
        CodedEvent(video, 1.0, 2.5, "hit <hard>", "child", annotator="MK"),
        CodedEvent(video, 2.5, 9.0, "crying"),
    )
    assert table.notes == (
        "Annotations without times of their own are left out, in tier: acts",
        "Annotations that depend on others are left out, in tier: why (1)",
    )


def test_tiers_may_be_the_labels(tmp_path):
    table = read(tmp_path, DOCUMENT, ReadSettings(columns={"label": "tier"}))
    assert [(event.label, event.comment) for event in table.events] == [
        ("acts", "hit <hard>"),
        ("crying", ""),
    ]


@pytest.mark.parametrize("columns", [{"label": "acts"}, {"start": "tier"}])
def test_nothing_else_of_a_tier_may_be_named(columns, tmp_path):
    with pytest.raises(InterchangeError, match="only label=tier"):
        read(tmp_path, DOCUMENT, ReadSettings(columns=columns))


def test_a_later_begin_of_the_video_and_utf_16_are_understood(tmp_path):
    text = DOCUMENT.replace('MIME_TYPE="video/mp4"', 'MIME_TYPE="video/mp4" TIME_ORIGIN="500"')
    table = read(tmp_path, text.replace("UTF-8", "UTF-16").encode("utf-16"))
    assert table.events[0].start_s == 1.5
    assert "begins 0.5 s into its video" in table.notes[-1]


def test_of_several_cameras_the_first_counts(tmp_path):
    other = '<MEDIA_DESCRIPTOR MEDIA_URL="file:///b.mp4" MIME_TYPE="video/mp4"/>'
    table = read(tmp_path, DOCUMENT.replace("</HEADER>", f"{other}</HEADER>"))
    assert table.media == (Media("C:/Lab films/day 1.mp4"),)
    assert "has several videos" in table.notes[-1]


def test_a_file_without_a_video_takes_its_own_name(tmp_path):
    text = DOCUMENT.replace("MEDIA_DESCRIPTOR", "MEDIA_SAMPLE")
    table = read(tmp_path, text)
    assert table.media == (Media("day1"),)
    assert table.notes[-1] == "day1.eaf names no video; it is taken as day1"
    table = read(tmp_path, text, ReadSettings(video="b.mp4"))
    assert table.media == (Media("b.mp4"),)
    assert not any("names no video" in note for note in table.notes)


BOMB = """<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>"""
OTHER = "<!DOCTYPE a SYSTEM 'file:///etc/passwd'>"
START = "<ANNOTATION_DOC"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (DOCUMENT.replace(START, BOMB + START, 1), "document type"),
        (DOCUMENT.replace(START, OTHER + START, 1), "document type"),
        (DOCUMENT.replace("hit", "&xxe;"), "undefined entity"),
        (DOCUMENT.replace("milliseconds", "PAL-frames"), "'PAL-frames'"),
        (DOCUMENT.replace('"1000"', '"9999"'), "annotation a1 of tier acts: expected 0 <= start_s"),
        (DOCUMENT.replace('"1000"', '"1e3"'), "invalid literal"),
        (DOCUMENT.replace('"1000"', f'"{"9" * 4000}"'), "too large"),
        (DOCUMENT.replace("ANNOTATION_DOCUMENT", "HTML"), "no document of ELAN"),
        (DOCUMENT[:300], "damaged as XML"),
        (DOCUMENT.replace("UTF-8", "no-such"), "unknown encoding"),
        ("<ANNOTATION_DOCUMENT>" + "<a>" * 100_000, "no document of ELAN"),
    ],
)  # fmt: skip
def test_what_is_unsafe_or_damaged_is_refused(text, why, tmp_path):
    with pytest.raises(InterchangeError, match="cannot be read as a file of ELAN") as caught:
        read_after_format(tmp_path, text)
    assert why in str(caught.value)


def test_a_document_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(elan, "MAX_ELEMENTS", 1000)
    with pytest.raises(InterchangeError, match="more than 1,000 elements"):
        read_after_format(tmp_path, "<ANNOTATION_DOCUMENT>" + "<TIER/>" * 1000)


def read_after_format(folder: Path, text: str):
    path = folder / "day1.eaf"
    path.write_text(text)
    return read_events(path, "elan")


def test_overlaps_stand_in_tiers_of_their_own_and_points_last_a_millisecond(tmp_path):
    table = build_table(
        [
            CodedEvent("/films/a.mp4", 1, 4, "hit", "child"),
            CodedEvent("/films/a.mp4", 2, 3, "hit", "child"),
            CodedEvent("/films/a.mp4", 4, 5, "hit", "child"),
            CodedEvent("/films/a.mp4", 2, 2, "hit", "child", point=True),
            CodedEvent("/films/a.mp4", 6, 6.5, "hit\x1b\r", point=True),
        ]
    )
    path = tmp_path / "a.eaf"
    notes = write_events(table, path)
    assert notes == [
        "Control characters, which XML cannot hold, were written as escapes in: hit\\x1b\\r"
    ]
    text = path.read_text()
    assert [line.strip() for line in text.splitlines() if "<TIER" in line] == [
        '<TIER LINGUISTIC_TYPE_REF="event" TIER_ID="hit@child" PARTICIPANT="child">',
        '<TIER LINGUISTIC_TYPE_REF="event" TIER_ID="hit@child 2" PARTICIPANT="child">',
        '<TIER LINGUISTIC_TYPE_REF="point_event" TIER_ID="hit@child 3" PARTICIPANT="child">',
        '<TIER LINGUISTIC_TYPE_REF="point_event" TIER_ID="hit\\x1b\\r">',
    ]
    assert 'MEDIA_URL="file:///films/a.mp4" RELATIVE_MEDIA_URL="./a.mp4"' in text
    back = read_events(path)
    assert [event.label for event in back.events[:-1]] == ["hit"] * 4
    assert back.events[:-1] == table.events[:-1]
    assert back.events[-1].point
    assert back.media == table.media
