"""Sessions from a film and from a camera, with the real network on a drawn person."""

import csv
import dataclasses

import numpy as np
import pytest
from puppet import FPS, iter_times, make_film, paint_moment, paint_people

from har.capture.script import plan_slots
from har.capture.session import Session, compute_clip_size
from har.config import CaptureConfig
from har.dataset.catalog import scan
from har.errors import ManifestError, VideoError, VideoNotFoundError
from har.inference.detector import PoseDetector
from har.types import Frame
from har.video.file.reader import open_video

CONFIG = CaptureConfig(
    person="p1", partner="p2", place="lab", postures=("pair",), take_s=1.2, ready_s=1.0, settle_s=0
)
PAIR = (0.3, 0.7)


class Notes:
    """A screen that remembers."""

    def __init__(self):
        self.lines, self.live, self.waits, self.rings = [], [], [], 0

    def say(self, text):
        self.lines.append(text)

    def show(self, text):
        self.live.append(text)

    def ring(self):
        self.rings += 1

    def wait(self, text):
        self.waits.append(text)


SLOTS = plan_slots(CONFIG)
NAMES = [slot.take.name for slot in SLOTS]
WEAK = {
    0: lambda _: paint_people(()),
    1: lambda time_s: paint_moment(time_s, (0.5,)),
    2: lambda _: paint_people(PAIR),
    3: lambda time_s: paint_moment(time_s, PAIR, light=0.15),
}
N_FILMED = 7


def paint_script(weak):
    """Return the pictures of the first slots; ``weak`` says what is wrong in which of them."""
    for time_s in iter_times(SLOTS[N_FILMED - 1].end_s):
        slot = next((i for i, s in enumerate(SLOTS) if s.start_s <= time_s < s.end_s), None)
        yield weak[slot](time_s) if slot in weak else paint_moment(time_s, PAIR)


@pytest.fixture(scope="module")
def detector():
    return PoseDetector(n_threads=1)


@pytest.fixture(scope="module")
def first(tmp_path_factory, detector):
    """A film of the first seven takes, four of them weak, and what became of it."""
    out = tmp_path_factory.mktemp("recorded") / "out"
    film = make_film(out.parent / "weak.mp4", paint_script(WEAK))
    return out, film, Session(out, CONFIG, detector, Notes()).run_film(film)


def test_good_takes_are_kept_and_weak_ones_left_out_with_the_reason(first):
    _, _, result = first
    reasons = {item.take: item.reason for item in result.refused}
    assert list(reasons) == [*NAMES[:4], *NAMES[N_FILMED:]]
    words = ["Nobody", "Two people", "No hand", "too dark"] + ["0.0 s of 1.2 s"] * 11
    assert [word in reason for word, reason in zip(words, reasons.values(), strict=True)] == [
        True
    ] * 15
    assert [row.path.split("p1-lab-")[1] for row in result.rows] == [
        f"{name}.mp4" for name in NAMES[4:N_FILMED]
    ]


def test_a_clip_shows_its_take_and_no_more(first):
    out, film, result = first
    with open_video(out / result.rows[1].path) as video:
        kept = list(video)
    with open_video(film, start_s=SLOTS[5].start_s, end_s=SLOTS[5].end_s) as video:
        filmed = list(video)
    assert [round(frame.time_s, 3) for frame in kept] == [i / FPS for i in range(12)]
    differences = [np.abs(a.image.astype(int) - b.image) for a, b in zip(kept, filmed, strict=True)]
    assert np.mean(differences) < 2


def test_the_summary_counts_what_is_there(first):
    out, _, result = first
    values = result.to_json()
    assert (values["n_takes"], values["n_there"], values["n_new"]) == (18, 3, 3)
    assert sum(values["labels"].values()) == values["all"]["n_clips"] == 3
    assert len(values["refused"]) == 15
    assert values["manifest"] == str(out / "manifest.csv")


@pytest.fixture(scope="module")
def second(first, detector):
    """A better film of the same takes."""
    out, _, _ = first
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.mp4")}
    film = make_film(out.parent / "good.mp4", paint_script({}))
    return out, before, Session(out, CONFIG, detector, Notes()).run_film(film)


def test_a_second_run_takes_only_what_is_missing(second):
    _, before, result = second
    assert len(before) == 3
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in before.items())
    assert (result.n_new, len(result.rows)) == (4, N_FILMED)


def test_the_manifest_is_one_that_prepare_takes(second):
    out, _, result = second
    with (out / "manifest.csv").open(newline="") as file:
        rows = {row["path"].split("p1-lab-")[1]: row for row in csv.DictReader(file)}
    assert set(rows) == {f"{name}.mp4" for name in NAMES[:N_FILMED]}
    assert list(rows[f"{NAMES[0]}.mp4"])[:6] == [
        *("path", "label", "group", "subject", "target", "style")
    ]
    for take in (slot.take for slot in SLOTS[:N_FILMED]):
        row = rows[f"{take.name}.mp4"]
        assert (row["label"], row["subject"], row["target"]) == (
            *(take.label, take.actor, take.target),
        )
        assert (row["person"], row["partner"], row["place"]) == ("p1", "p2", "lab")
    catalog = scan(out)
    assert len(catalog.clips) == len(result.rows)
    assert not catalog.rejects
    assert {clip.label for clip in catalog.clips} == {"hitting_others", "playing"}
    assert {clip.group for clip in catalog.clips} == {"p1-lab"}


def test_another_person_adds_to_the_folder(second, detector):
    out = second[0]
    config = CaptureConfig(person="p7", postures=("standing",), take_s=1.0, ready_s=1.0, settle_s=0)
    film, notes = make_film(out.parent / "p7.mp4", map(paint_moment, iter_times(4.0))), Notes()
    result = Session(out, config, detector, notes).run_film(film)
    assert "The film has 4 s, the script 66 s" in notes.lines[0]
    assert result.n_new == len(result.rows) == 2
    assert len(result.all_rows) == N_FILMED + 2
    assert {clip.group for clip in scan(out).clips} == {"p1-lab", "p7-here"}
    assert (out / "sheets" / "p7-here.png").is_file()
    assert (out / "sheets" / "p1-lab.png").is_file()


def lead(out, detector, pictures, config=CONFIG):
    """Run a session with a camera that gives these pictures; at their end Ctrl-C is pressed."""

    def iter_frames():
        for index, picture in enumerate(pictures):
            yield Frame(index, index / FPS, picture)
        raise KeyboardInterrupt

    notes = Notes()
    return notes, Session(out, config, detector, notes).run_camera(iter_frames())


def act(length_s):
    return [paint_moment(time_s, PAIR) for time_s in iter_times(length_s)]


@pytest.fixture(scope="module")
def led(tmp_path_factory, detector):
    """Nobody at first, then the picture is right; the first take is weak, then two good ones."""
    pictures = [paint_people(())] * 12 + [paint_people(PAIR)] * 40 + act(5.5)
    return lead(tmp_path_factory.mktemp("led"), detector, pictures)


def test_people_are_told_at_once_what_to_change(led):
    notes, _ = led
    assert len(notes.waits) == 1
    assert "TWO PEOPLE" in notes.waits[0]
    assert any("Nobody is seen" in line for line in notes.live)
    assert "The picture is right." in notes.lines
    assert any(line.startswith("ready in 1 s | 2 people | head .") for line in notes.live)
    assert any(line.startswith("NOW 1 s | 2 people | head .") for line in notes.live)


def test_a_weak_take_is_asked_for_again(led):
    notes, result = led
    asked = [line for line in notes.lines if line.startswith("[")]
    assert asked[0] == asked[1] == f"[1 of 18] {SLOTS[0].take.cue}"
    assert asked[2] == f"[2 of 18] {SLOTS[1].take.cue}"
    assert [line for line in notes.lines if "Too weak" in line and "No hand has moved" in line]
    assert result.refused == ()


def test_stopping_keeps_what_is_there(led):
    notes, result = led
    assert "Stopped" in notes.lines[-1]
    assert result.n_new == 2
    assert all((result.manifest.parent / row.path).is_file() for row in result.rows)
    assert result.sheet is not None


def test_a_take_that_stays_weak_is_left_out_after_the_last_try(tmp_path, detector):
    config = dataclasses.replace(CONFIG, max_tries=2)
    pictures = [paint_people(PAIR)] * 12 + [paint_people(())] * 50
    notes, result = lead(tmp_path, detector, pictures, config)
    assert [item.take for item in result.refused] == [NAMES[0]]
    assert (result.sheet, result.n_new) == (None, 0)
    assert sum("Too weak" in line for line in notes.lines) == 2


def test_a_picture_that_is_never_right_does_not_stop_the_session(tmp_path, detector):
    def iter_frames():
        for index in range(30):
            yield Frame(index, index * 2.0, paint_people(()))
        raise KeyboardInterrupt

    notes = Notes()
    Session(tmp_path, CONFIG, detector, notes).run_camera(iter_frames())
    assert any("not right yet" in line for line in notes.lines)
    assert any(line.startswith("[1 of 18]") for line in notes.lines)


def test_no_film_or_a_broken_one_is_an_error(tmp_path, detector):
    session = Session(tmp_path / "out", CONFIG, detector, Notes())
    with pytest.raises(VideoNotFoundError, match=r"nowhere\.mp4"):
        session.run_film(tmp_path / "nowhere.mp4")
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(VideoError, match=r"text\.mp4"):
        session.run_film(tmp_path / "text.mp4")
    assert not (tmp_path / "out").exists()


def test_a_folder_with_another_manifest_is_refused(tmp_path, detector):
    (tmp_path / "manifest.csv").write_text("path,label\na.mp4,fight\n")
    with pytest.raises(ManifestError, match="folder of its own"):
        Session(tmp_path, CONFIG, detector, Notes())


@pytest.mark.parametrize("size", [(240, 320), (1080, 1920), (1920, 1080), (241, 321), (5, 9000)])
def test_clips_are_even_and_no_larger_than_what_was_filmed(size):
    height, width = compute_clip_size(*size)
    assert height % 2 == width % 2 == 0
    assert max(height, width) <= min(640, max(size))
