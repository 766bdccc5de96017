"""Jobs wait in turn, tell how far they are, and leave nothing behind."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from har.config import ServeConfig
from har.errors import VideoOpenError
from har.result import Progress
from har.serve.jobs import FullError, Job, JobQueue

WAIT_S = 10.0


class Work:
    """Recognizes at once, or when it is let go; what a video holds says what happens."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun = threading.Event()

    def __call__(
        self, path: Path, progress: Progress
    ) -> tuple[dict[str, object], dict[str, object]]:
        text = path.read_text()
        if text == "broken":
            raise VideoOpenError(f"{path} cannot be read as a video")
        if text == "odd":
            raise ZeroDivisionError("surprise")
        progress(1.0, 4.0)
        self.begun.set()
        if text == "slow":
            assert self.go.wait(WAIT_S)
        progress(4.0, 4.0)
        return {"video": str(path), "events": []}, {"values": [[0.5]]}


@pytest.fixture
def work() -> Work:
    return Work()


def _open(folder: Path, work: Work, **limits: float) -> JobQueue:
    return JobQueue(folder, ServeConfig(**limits), work)  # type: ignore[arg-type]


def _upload(jobs: JobQueue, text: str, name: str = "a.mp4") -> Job:
    job = jobs.begin(name)
    jobs.store(job, len(text))
    job.path.write_text(text)
    jobs.end_upload()
    jobs.submit(job)
    return job


@pytest.fixture
def jobs(tmp_path: Path, work: Work) -> Iterator[JobQueue]:
    with _open(tmp_path, work, max_waiting=3, max_uploads=2, max_stored_mb=1) as queue:
        yield queue
        work.go.set()
    assert not list(tmp_path.iterdir()), "nothing stays"


def test_one_runs_and_tells_how_far_it_is(jobs: JobQueue, work: Work) -> None:
    first, second = _upload(jobs, "slow"), _upload(jobs, "quick")
    assert work.begun.wait(WAIT_S)
    assert first.to_json() == {
        "id": first.id,
        "name": "a.mp4",
        "state": "running",
        "progress": 0.25,
        "error": None,
    }
    assert second.to_json()["state"] == "waiting"
    work.go.set()
    assert second.over.wait(WAIT_S)
    assert [job.state for job in jobs.list_jobs()] == ["done", "done"]
    assert not first.path.exists(), "uploads are deleted"
    assert '"video": "a.mp4"' in first.result_path.read_text()
    assert (first.folder.stat().st_mode & 0o777) == 0o700


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("broken", "film.avi cannot be read as a video"),
        ("odd", "surprise"),
    ],
)
def test_a_bad_video_fails_alone_and_its_path_is_not_shown(
    jobs: JobQueue, text: str, said: str
) -> None:
    bad, good = _upload(jobs, text, "film.avi"), _upload(jobs, "quick")
    assert good.over.wait(WAIT_S)
    assert (bad.state, good.state) == ("failed", "done")
    assert said in bad.error
    assert str(bad.folder) not in bad.error


def test_no_more_than_the_limits(jobs: JobQueue) -> None:
    jobs.begin("a")
    big = jobs.begin("b")
    with pytest.raises(FullError, match="2 uploads are under way"):
        jobs.begin("c")
    jobs.store(big, 900_000)
    with pytest.raises(FullError, match="all the room"):
        jobs.store(big, 100_001)
    jobs.end_upload()
    jobs.begin("c")
    jobs.end_upload()
    with pytest.raises(FullError, match="3 videos wait"):
        jobs.begin("d")
    jobs.remove(big)
    jobs.store(jobs.begin("d"), 1_000_000)


def test_what_is_canceled_ends(jobs: JobQueue, work: Work) -> None:
    running, waiting = _upload(jobs, "slow"), _upload(jobs, "quick")
    assert work.begun.wait(WAIT_S)
    jobs.remove(waiting)
    jobs.remove(running)
    assert jobs.list_jobs() == []
    work.go.set()
    assert waiting.over.wait(WAIT_S)
    assert running.error == "It was canceled"
    assert not running.folder.exists()


def test_long_videos_are_refused(tmp_path: Path, work: Work) -> None:
    with _open(tmp_path, work, max_video_s=3.0) as jobs:
        job = _upload(jobs, "quick")
        assert job.over.wait(WAIT_S)
        assert "longer than the 3 s" in job.error


def test_results_are_forgotten(tmp_path: Path, work: Work) -> None:
    with _open(tmp_path, work, max_results=2) as jobs:
        made = [_upload(jobs, "quick") for _ in range(4)]
        assert made[-1].over.wait(WAIT_S)
        assert jobs.list_jobs() == made[2:]
        assert len(list(tmp_path.iterdir())) == 2
        made[3].ended_at_s = -1e9
        assert jobs.get(made[3].id) is None


@pytest.mark.parametrize(
    ("name", "suffix"), [("a.MOV", ".mov"), ("a", ".mp4"), ("a.b/../c", ".mp4"), ("é.é", ".mp4")]
)
def test_names_of_uploads_are_plain(jobs: JobQueue, name: str, suffix: str) -> None:
    assert jobs.begin(name).path.name == f"upload{suffix}"
