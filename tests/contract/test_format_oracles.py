"""What is written, as the tools' own readers take it; each is skipped where its tool is absent."""

from __future__ import annotations

import json
import os
import subprocess
from itertools import pairwise
from xml.sax.saxutils import quoteattr

import pytest

from har.interchange.events import CodedEvent, Media, build_table
from har.interchange.formats import read_events, write_events

TEXTS = ["hit", "=1+1", "打つ <&>", 'say "hi"', "Kind größer"]
MEDIA = Media("day 1/a.mp4", 60.0, 25.0)
EVENTS = [
    CodedEvent(
        MEDIA.video,
        start / 25,
        (start + length) / 25,
        TEXTS[start % 5],
        TEXTS[length % 5] if start % 2 else "",
        annotator="mk" if start % 3 else "",
        point=length == 0,
        score=None if start % 4 else 0.5,
    )
    for start in range(0, 120, 3)
    for length in (0, 40, 41)
]
TABLE = build_table(EVENTS, [MEDIA])

PYTHON = os.environ.get("HAR_LABEL_STUDIO_PYTHON", "")
"""The Python of an environment with label-studio-sdk, which brings too much for this one."""

CHECK = """
import json, sys
from label_studio_sdk.label_interface import LabelInterface
interface = LabelInterface(sys.argv[1])
errors = []
for task in json.load(open(sys.argv[2], encoding="utf-8")):
    errors += [] if interface.validate_task({"data": task["data"]}) else ["data"]
    for prediction in task["predictions"]:
        errors += interface.validate_prediction(prediction, return_errors=True)
print(json.dumps(errors))
"""


def test_pympi_finds_every_annotation_in_place(tmp_path):
    elan = pytest.importorskip("pympi", reason="pip install pympi-ling").Elan
    path = tmp_path / "a.eaf"
    write_events(TABLE, path)
    document = elan.Eaf(str(path))
    found = []
    for tier in document.get_tier_names():
        values = document.get_parameters_for_tier(tier)
        spans = sorted(document.get_annotation_data_for_tier(tier))
        assert all(one[1] <= two[0] for one, two in pairwise(spans))
        found += [
            (start, end, label, values.get("PARTICIPANT", ""), values.get("ANNOTATOR", ""))
            for start, end, label in spans
        ]
    assert sorted(found) == sorted(
        (
            round(e.start_s * 1000),
            max(round(e.end_s * 1000), round(e.start_s * 1000) + 1),
            *(e.label, e.subject, e.annotator),
        )
        for e in EVENTS
    )
    (media,) = document.get_linked_files()
    assert media["RELATIVE_MEDIA_URL"] == "./day 1/a.mp4"
    assert document.get_linguistic_type_names()


def test_what_pympi_writes_is_read(tmp_path):
    elan = pytest.importorskip("pympi", reason="pip install pympi-ling").Elan
    document = elan.Eaf(author="mk")
    document.add_linked_file("file:///films/a.mp4", relpath="./a.mp4", mimetype="video/mp4")
    document.add_tier("acts", part="child", ann="mk")
    for number, text in enumerate(TEXTS):
        document.add_annotation("acts", 1000 * number, 1000 * number + 500, text)
    path = tmp_path / "a.eaf"
    document.to_file(str(path))
    assert read_events(path).events == tuple(
        CodedEvent("/films/a.mp4", number, number + 0.5, text, "child", annotator="mk")
        for number, text in enumerate(TEXTS)
    )


@pytest.mark.skipif(not PYTHON, reason="HAR_LABEL_STUDIO_PYTHON names no Python")
def test_label_studio_accepts_tasks(tmp_path):
    path = tmp_path / "tasks.json"
    write_events(TABLE, path, "label-studio")
    labels = "".join(f"<Label value={quoteattr(text)}/>" for text in TEXTS)
    config = (
        '<View><Video name="video" value="$video" frameRate="$fps"/>'
        f'<TimelineLabels name="label" toName="video">{labels}</TimelineLabels></View>'
    )

    def check() -> list[str]:
        command = [PYTHON, "-W", "ignore", "-c", CHECK, config, str(path)]
        return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)

    assert check() == []
    tasks = json.loads(path.read_text())
    tasks[0]["predictions"][0]["result"][0]["value"]["ranges"] = []
    path.write_text(json.dumps(tasks))
    assert len(check()) == 1
