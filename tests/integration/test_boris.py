"""The real BORIS opens what is written, and what it exports and saves is read.

Run it by ``pytest -m boris``, see CONTRIBUTING.md. BORIS (GPL-3.0) is a tool to test against, in an
environment of its own; nothing of it is imported here.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from videos import make_video

from har.interchange.events import CodedEvent, Media, build_table, merge_overlaps
from har.interchange.formats import read_events, write_events

VERSION = "10.0.2"

EXPORT = """
import json, sys
from types import SimpleNamespace
project, sheet, out = sys.argv[1:]
sys.argv = ["boris", "--ipc"]
from PySide6.QtWidgets import QApplication
app = QApplication(sys.argv)
from boris import config as cfg, db_functions, dialog, export_events, export_observation
from boris import import_observations, project_functions, select_observations, select_subj_behav
from boris import time_budget_functions

_, _, pj, message = project_functions.open_project_json(project)
found = {"error": pj.get("error"), "message": message}
found["integrity"] = project_functions.check_project_integrity(pj, "s", project, False)
names = list(pj["observations"])
subjects = [item["name"] for item in pj["subjects_conf"].values()] + [cfg.NO_FOCAL_SUBJECT]
codes = [item["code"] for item in pj["behaviors_conf"].values()]
chosen = {
    cfg.SELECTED_SUBJECTS: subjects, cfg.SELECTED_BEHAVIORS: codes, "time": cfg.TIME_FULL_OBS,
    cfg.INCLUDE_MODIFIERS: True, cfg.EXCLUDE_NON_CODED_MODIFIERS: True,
    cfg.EXCLUDE_BEHAVIORS: True,
}
found["events"] = {
    name: [[float(row[0]), *row[1:5]] for row in item["events"]]
    for name, item in pj["observations"].items()
}
# What a person would choose in the windows; all else is the exporter as it is.
select_observations.select_observations2 = lambda *_, **__: (None, names)
select_subj_behav.choose_obs_subj_behav_category = lambda *_, **__: chosen
dialog.MessageDialog = lambda *_, **__: cfg.YES
for kind, ending in ((cfg.CSV, "csv"), (cfg.TSV, "tsv"), (cfg.XLSX, "xlsx")):
    save = lambda *_, **__: (f"{out}/aggregated.{ending}", kind)
    option = SimpleNamespace(DontConfirmOverwrite=None)
    export_events.QFileDialog = SimpleNamespace(Option=option, getSaveFileName=save)
    export_events.export_aggregated_events(SimpleNamespace(pj=pj))
    for place, name in enumerate(names):
        done, why = export_observation.export_tabular_events(
            pj, chosen, name, pj["observations"][name], pj["behaviors_conf"],
            f"{out}/tabular{place}.{ending}", ending,
        )
        assert done, why
cursor = db_functions.load_events_in_db(pj, subjects, names, codes)
budget, _ = time_budget_functions.time_budget_analysis(
    pj["behaviors_conf"], cursor, names, chosen
)
found["budget"] = [
    [item["subject"], item["behavior"], item["modifiers"], item["number"], item["duration"]]
    for item in budget if int(item["number"])
]
import_observations.QMessageBox = SimpleNamespace(
    information=print, StandardButton=SimpleNamespace(Ok=None, NoButton=None)
)
pj["observations"][names[0]]["events"] = []
window = SimpleNamespace(
    pj=pj, observationId=names[0], load_tw_events=print, project_changed=lambda: None
)
import_observations.load_observations_from_spreadsheet(window, sheet)
found["imported"] = [[float(row[0]), *row[1:]] for row in pj["observations"][names[0]]["events"]]
print(json.dumps(found, default=str))
"""

WINDOW = """
import json, os, sys
project, name, saved, picture = sys.argv[1:]
sys.argv = ["boris", "-n", "-f"]
import locale, shutil, time
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
app = QApplication(sys.argv)
locale.setlocale(locale.LC_NUMERIC, "C")
from boris import config as cfg, core, observation_operations, project_functions

window = core.MainWindow(shutil.which("ffmpeg"))
window.MPV_IPC_MODE = False
path, changed, pj, _ = project_functions.open_project_json(project)
window.load_project(path, changed, pj)
window.resize(1480, 900)
window.show()
failed = observation_operations.load_observation(window, name, cfg.OBS_START)
window.dw_info.close()
window.resizeDocks([window.dwEvents, window.dwEthogram], [1000, 420], Qt.Orientation.Horizontal)
window.seek_mediaplayer(core.dec(2))
until = time.monotonic() + 5
while time.monotonic() < until:
    app.processEvents()
model = window.tv_events.model()
rows = [
    [str(model.data(model.index(row, column), Qt.ItemDataRole.DisplayRole)) for column in range(7)]
    for row in range(model.rowCount())
]
app.primaryScreen().grabWindow(0).save(picture)
code = window.save_project_json(saved)
title = window.windowTitle()
print(json.dumps({"failed": failed, "rows": rows, "saved": code, "title": title}))
sys.stdout.flush()
os._exit(0)
"""

pytestmark = [pytest.mark.boris, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The Python that has BORIS: the one that is named, or a fresh environment."""
    if named := os.environ.get("HAR_BORIS_PYTHON"):
        return Path(named)
    folder = tmp_path_factory.mktemp("boris")
    found = shutil.which("python3.13")
    if found is None or subprocess.run([found, "-m", "venv", folder]).returncode:
        pytest.skip("BORIS needs Python 3.13; name one that has it by HAR_BORIS_PYTHON")
    subprocess.run(
        [folder / "bin" / "pip", "-q", "install", f"boris-behav-obs=={VERSION}"], check=True
    )
    return folder / "bin" / "python"


def run(python, code, *words, folder, **environment):
    script = folder / "script.py"
    script.write_text(code, encoding="utf-8")
    done = subprocess.run(
        [python, "-W", "ignore", script, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=os.environ | {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)} | environment,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def make_table():
    """Return predictions with subjects, overlaps, several videos, Unicode and points."""
    day, night = "day 1.mp4", "Nächte/打つ.mp4"
    events = [
        CodedEvent(day, 1.2, 5.0, "hit", "child 1", "child 2", score=0.875),
        CodedEvent(day, 2.0, 3.0, "hit", "child 1", "child 2", score=0.5),
        CodedEvent(day, 4.0, 6.5, "hit", "child 1", "Kind größer (links)|x"),
        CodedEvent(day, 2.0, 3.0, "hit", "Kind größer"),
        CodedEvent(day, 2.0, 3.0, "hit", annotator="AB", comment='said "no", twice'),
        CodedEvent(day, 4.5, 4.5, "hit", "child 1", "child 2", point=True),
        CodedEvent(day, 7.0, 7.0, "schlägt =1+1", point=True),
        CodedEvent(night, 0.0, 0.04, "打つ", "child 1"),
        CodedEvent(night, 0.04, 3599.999, "打つ", "child 1", comment="touches"),
        CodedEvent(night, 3600.0, 3600.0, "schlägt =1+1", "child 1", point=True),
    ]
    media = [Media(day, 10.0, 25.0, "class 3"), Media(night, 3600.0, 29.97), Media("empty.mp4")]
    return build_table(events, media, ["hit", "played"])


def to_set(events):
    return sorted(map(repr, events))


@pytest.fixture(scope="module")
def exported(python, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    write_events(make_table(), folder / "predictions.boris")
    first = build_table(make_table().of_video("day 1.mp4")[:2])
    write_events(first, folder / "day.boris.xlsx")
    words = (folder / "predictions.boris", folder / "day.boris.xlsx", folder)
    return folder, run(python, EXPORT, *words, folder=folder, QT_QPA_PLATFORM="offscreen")


def test_boris_opens_a_project_and_finds_nothing_amiss(exported):
    _, found = exported
    assert (found["error"], found["message"], found["integrity"]) == (None, "", "")
    hit = "target: child 2"
    assert found["events"]["day 1.mp4"] == [
        [1.2, "child 1", "hit", hit, "[score 0.875]"],
        [2.0, "Kind größer", "hit", "", ""],
        [3.0, "Kind größer", "hit", "", ""],
        [4.0, "child 1", "hit", "target: Kind größer (links)%7Cx", ""],
        [4.5, "child 1", "hit [point]", hit, ""],
        [5.0, "child 1", "hit", hit, ""],
        [6.5, "child 1", "hit", "target: Kind größer (links)%7Cx", ""],
        [7.0, "", "schlägt =1+1", "", ""],
    ]
    assert [row[0] for row in found["events"]["打つ.mp4"]] == [0, 0.04, 0.04, 3599.999, 3600]
    assert found["events"]["empty.mp4"] == []


@pytest.mark.parametrize("ending", ["csv", "tsv", "xlsx"])
def test_what_boris_exports_is_what_was_written(exported, ending):
    folder, _ = exported
    expected, _ = merge_overlaps(make_table().events)
    table = read_events(folder / f"aggregated.{ending}")
    assert to_set(table.events) == to_set(expected)
    assert table.media == tuple(item for item in make_table().media if item.video != "empty.mp4")
    assert table.notes == ()
    rows = [read_events(folder / f"tabular{place}.{ending}") for place in range(4)]
    assert to_set(event for part in rows for event in part.events) == to_set(expected)


def test_our_aggregated_table_is_that_of_boris(exported, tmp_path):
    folder, _ = exported
    write_events(make_table(), tmp_path / "ours.boris.csv")
    ours, theirs = tmp_path / "ours.boris.csv", folder / "aggregated.csv"
    header = ours.read_text(encoding="utf-8").splitlines()[0]
    assert header == theirs.read_text(encoding="utf-8").splitlines()[0]
    merged, _ = merge_overlaps(read_events(ours).events)
    assert to_set(merged) == to_set(read_events(theirs).events)


def test_boris_counts_what_was_written(exported):
    _, found = exported
    budget = {tuple(item[:3]): item[3:] for item in found["budget"]}
    assert budget["child 1", "hit", "target: child 2"] == [1, 3.8]
    assert budget["child 1", "hit", "target: Kind größer (links)%7Cx"] == [1, 2.5]
    assert budget["child 1", "打つ", ""] == [2, 3599.999]
    assert budget["No focal subject", "schlägt =1+1", ""] == [1, "NA"]


def test_boris_imports_the_sheet(exported):
    _, found = exported
    assert found["imported"] == [
        [1.2, "child 1", "hit", "target: child 2", "[score 0.875]"],
        [5.0, "child 1", "hit", "target: child 2", ""],
    ]


def test_the_window_of_boris_shows_the_events_and_saves_the_project(python, tmp_path):
    if shutil.which("Xvfb") is None:
        pytest.skip("needs Xvfb")
    for name in ("day 1.mp4", "other.mp4"):
        make_video(tmp_path / name, [index / 25 for index in range(250)], (180, 320))
    table = make_table()
    write_events(table, tmp_path / "predictions.boris")
    read, write = os.pipe()
    with subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1500x920x24", "-nolisten", "tcp"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    ) as screen:
        try:
            os.close(write)
            display = os.read(read, 16).decode().strip()
            found = run(
                *(python, WINDOW, tmp_path / "predictions.boris", "day 1.mp4"),
                *(tmp_path / "saved.boris", tmp_path / "window.png"),
                folder=tmp_path,
                DISPLAY=f":{display}",
                QT_QPA_PLATFORM="xcb",
            )
        finally:
            os.close(read)
            screen.terminate()
    assert (found["failed"], found["saved"]) == ("", 0)
    assert "predictions" in found["title"]
    assert [(row[0], row[2], row[3], row[4]) for row in found["rows"]] == [
        ("00:00:01.200", "child 1", "hit", "START"),
        ("00:00:02.000", "Kind größer", "hit", "START"),
        ("00:00:03.000", "Kind größer", "hit", "STOP"),
        ("00:00:04.000", "child 1", "hit", "START"),
        ("00:00:04.500", "child 1", "hit [point]", ""),
        ("00:00:05.000", "child 1", "hit", "STOP"),
        ("00:00:06.500", "child 1", "hit", "STOP"),
        ("00:00:07.000", "", "schlägt =1+1", ""),
    ]
    assert (tmp_path / "window.png").stat().st_size > 20_000
    expected, _ = merge_overlaps(table.events)
    assert to_set(read_events(tmp_path / "saved.boris").events) == to_set(expected)
