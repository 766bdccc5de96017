"""A Ray cluster of two workers on this machine: whatever is lost, all else is done, and the same.

Needs the extra 'scale'. One test stands behind `slow`, the others behind `scale`.
"""

import gc
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
from bundles import make_bundle
from outputs import read_labels, read_outputs
from stores import make_clips
from videos import make_clip, make_not_a_video
from writes import die_once_at, fill_disk_of_first, kill_at, sleep_at, write_label

import har
from har.bundle import CNN_GRAPH_FILE, TEMPORAL_GRAPH_FILE
from har.config import DecodeConfig, Engine, ScaleConfig
from har.dataset.catalog import Reject
from har.errors import OutputError
from har.inference.folder import Finished, Plan, VideoJob, Write, recognize_folder
from har.result import VideoResult
from har.scale.ray_cluster import joining_cluster
from har.scale.run import recognize_on_cluster

pytest.importorskip("ray")
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning"),
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]
SUPPORT = str(Path(__file__).parents[1] / "support")
TWO = ScaleConfig("ray", n_workers=2, tries=3, limit_s=600)


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """A cluster of this machine; tests that need one share it."""
    with pytest.MonkeyPatch.context() as patch:
        paths = [SUPPORT, *filter(None, [os.environ.get("PYTHONPATH", "")])]
        patch.setenv("PYTHONPATH", os.pathsep.join(paths))
        with joining_cluster(TWO):
            yield
        with warnings.catch_warnings():  # Ray leaves its processes to the collector
            warnings.simplefilter("ignore")
            gc.collect()


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a bundle and six videos, one of which is none."""
    monkeypatch.chdir(tmp_path)
    make_bundle(tmp_path / "bundle", decode=DecodeConfig(background="still"))
    for number, name in enumerate("abcde"):
        make_clip(Path("videos") / f"{name}.mp4", n_frames=20 + number)
    make_not_a_video(Path("videos/noise.mp4"))
    return tmp_path


def list_jobs(out: Path) -> list[VideoJob]:
    return [VideoJob(path, out / path.stem) for path in sorted(Path("videos").iterdir())]


def run(
    work: Path,
    write: Write,
    config: ScaleConfig = TWO,
    out: str = "out",
    engines: Mapping[str, Engine] | None = None,
) -> dict[str, Finished]:
    plan = Plan(work / "bundle", write, engines=engines)
    (work / out).mkdir(exist_ok=True)
    jobs = list_jobs(work / out)
    return {
        item.job.path.stem: item for item in recognize_on_cluster(plan, jobs, work / out, config)
    }


def run_alone(work: Path, write: Write = write_label) -> None:
    list(recognize_folder(Plan(work / "bundle", write), list_jobs(work / "alone")))


def list_done(found: dict[str, Finished]) -> str:
    return "".join(sorted(n for n, item in found.items() if isinstance(item.outcome, VideoResult)))


def check_same(work: Path, but: str = "") -> None:
    """Hold the files of the cluster to those of this machine alone."""
    run_alone(work)
    ours, alone = (read_outputs(work / folder) for folder in ("out", "alone"))
    ours.pop("failed.json", None)
    assert {name: ours[name] for name in alone if name[0] not in but} == {
        name: data for name, data in alone.items() if name[0] not in but
    }
    assert set(ours) <= set(alone)


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
def test_predict_and_prepare_are_as_on_one_machine_to_the_byte(work: Path) -> None:
    with pytest.warns(UserWarning, match="Left out videos/noise"):
        har.predict("videos", model="bundle", out="alone", jobs=1)
    with pytest.warns(UserWarning, match="Left out videos/noise"):
        found = har.predict("videos", model="bundle", out="out", jobs=2, on="ray")
    assert len(found.recognized) == 5
    assert read_outputs(work / "out") == read_outputs(work / "alone")
    make_clips(work / "data", n_groups=2)
    for store, more in (("one", {}), ("ray", {"on": "ray"})):
        har.prepare("data", store, size=(64, 96), folds=2, jobs=2, keypoints=True, **more)
    assert any(name.startswith("keypoints/") for name in read_outputs(work / "one"))
    assert read_outputs(work / "ray") == read_outputs(work / "one")


@pytest.mark.scale
@pytest.mark.skipif(find_spec("openvino") is None, reason="the extra openvino is not installed")
@pytest.mark.usefixtures("cluster")
def test_workers_take_the_engines_of_the_machine_that_started_the_run(work: Path) -> None:
    engines: dict[str, Engine] = {CNN_GRAPH_FILE: "openvino", TEMPORAL_GRAPH_FILE: "onnxruntime"}
    found = run(work, write_label, engines=engines)
    assert list_done(found) == "abcde"
    for item in found.values():
        if isinstance(item.outcome, VideoResult):
            assert item.outcome.engines["frame_cnn"] == "openvino fp32"


@pytest.mark.scale
@pytest.mark.usefixtures("cluster")
def test_a_poisoned_video_is_set_aside_and_tried_again_when_it_is_taken_out(work: Path) -> None:
    found = run(work, kill_at("c.mp4"))
    assert list_done(found) == "abde"
    reject = found["c"].outcome
    assert isinstance(reject, Reject)
    assert "was killed; so ended 3 of 3 tries" in reject.reason
    listed = json.loads((work / "out" / "failed.json").read_text())
    (entry,) = listed["videos"]
    assert (entry["video"], entry["n_tries"]) == ("videos/c.mp4", 3)
    assert "take its entry out" in listed["what"]
    check_same(work, but="c")
    began_s = time.monotonic()
    again = run(work, kill_at("c.mp4"))
    assert time.monotonic() - began_s < 10, "no worker died for it again"
    assert "it was set aside, see " in again["c"].outcome.reason
    assert all(again[name].is_unchanged for name in "abde")
    (work / "out" / "failed.json").unlink()
    assert list_done(run(work, write_label)) == "abcde"
    check_same(work)


@pytest.mark.scale
@pytest.mark.usefixtures("cluster")
def test_a_worker_that_is_killed_mid_run_costs_nothing_but_time(work: Path) -> None:
    found = run(work, die_once_at("b.mp4", work / "died"))
    assert (work / "died").exists()
    assert list_done(found) == "abcde"
    assert not (work / "out" / "failed.json").exists()
    check_same(work)


@pytest.mark.scale
@pytest.mark.usefixtures("cluster")
def test_a_full_disk_on_one_worker_lets_the_other_do_all(work: Path) -> None:
    found = run(work, fill_disk_of_first(work / "full"))
    assert (work / "full").exists()
    assert list_done(found) == "abcde"
    check_same(work)


@pytest.mark.scale
@pytest.mark.usefixtures("cluster")
def test_a_full_disk_everywhere_ends_the_run_as_on_one_machine(work: Path) -> None:
    one = ScaleConfig("ray", n_workers=1)
    with pytest.raises(OutputError, match="not full"):
        run(work, fill_disk_of_first(work / "full"), one)
    assert list_done(run(work, write_label)) == "abcde"
    check_same(work)


@pytest.mark.scale
@pytest.mark.usefixtures("cluster", "work")
def test_features_are_written_and_scored_as_on_one_machine_to_the_byte() -> None:
    for out, more in (("alone", {"jobs": 1}), ("out", {"jobs": 2, "on": "ray"})):
        with pytest.warns(UserWarning, match="Left out videos/noise"):
            har.predict("videos", model="bundle", out=out, keep="features", **more)
        har.predict("alone", model="bundle", out=f"{out}_again", **more)
    ours, alone = (read_outputs(Path(out)) for out in ("out", "alone"))
    assert sum(name.endswith(".features.npz") for name in ours) == 5
    assert ours == alone
    assert len(read_labels(Path("out_again"))) == 5
    assert read_outputs(Path("out_again")) == read_outputs(Path("alone_again"))


@pytest.mark.scale
@pytest.mark.usefixtures("cluster")
def test_a_video_that_never_ends_is_stopped_and_set_aside(work: Path) -> None:
    found = run(work, sleep_at("d.mp4"), ScaleConfig("ray", n_workers=2, tries=2, limit_s=5))
    assert list_done(found) == "abce"
    assert "not done after 0:05 on " in found["d"].outcome.reason
    check_same(work, but="d")


def _wait_for(is_so: Callable[[], bool], most_s: float = 120.0) -> None:
    until_s = time.monotonic() + most_s
    while not is_so():
        assert time.monotonic() < until_s, "waited in vain"
        time.sleep(0.02)


def _find_workers() -> set[int]:
    found = set[int]()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().startswith(b"ray::_Actor"):
                found.add(int(path.parent.name))
        except OSError:
            continue
    return found


@pytest.mark.scale
@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize("lost", ["worker", "driver"])
def test_a_command_whose_worker_or_own_process_is_killed_ends_as_another(
    work: Path, lost: str
) -> None:
    for number in range(40):
        make_clip(Path("videos") / f"more{number}.mp4", n_frames=100)
    words = [sys.executable, "-m", "har", "predict", "videos", "--bundle", "bundle"]
    before = _find_workers()
    with subprocess.Popen([*words, "--out", "out", "--on", "ray", "--jobs", "2"]) as process:
        _wait_for(lambda: len(list(Path("out").glob("*.result.json"))) >= 3)
        process_or_worker = process.pid if lost == "driver" else min(_find_workers() - before)
        os.kill(process_or_worker, signal.SIGKILL)
    assert (process.returncode == 0) == (lost == "worker")
    n_done = len(list(Path("out").glob("*.result.json")))
    if lost == "driver":
        assert 3 <= n_done < 45
        again = [*words, "--out", "out", "--on", "ray", "--jobs", "2"]
        said = subprocess.run(again, check=True, stderr=subprocess.PIPE, text=True).stderr
        assert "were done before and have not changed" in said
    subprocess.run([*words, "--out", "alone"], check=True)
    assert len(read_labels(work / "out")) == 46
    assert read_outputs(work / "out") == read_outputs(work / "alone")


@pytest.mark.scale
def test_another_host_does_it_over_its_port(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have a token: a head that finds one in its home refuses whoever comes without."""
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
    head, client = _find_ports(2)
    words = [sys.executable, "-m", "har", "predict", "videos", "--bundle", "bundle"]
    with _running("--head", "--port", head, "--ray-client-server-port", client, "--num-cpus", "2"):
        _wait_for(lambda: _answers(int(client)), 250.0)
        subprocess.run([*words, "--out", "out", "--on", f"ray://127.0.0.1:{client}"], check=True)
    subprocess.run([*words, "--out", "alone"], check=True)
    assert read_outputs(work / "out") == read_outputs(work / "alone")


@pytest.mark.scale
@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="mounts a disk")
def test_a_machine_whose_disk_is_full_lets_the_other_do_all(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second machine sees the same folder, but what it writes there goes to a full disk."""
    for number in range(40):
        make_clip(Path("videos") / f"more{number}.mp4", n_frames=100)
    (work / "out").mkdir()
    (work / "disk").mkdir()
    (head,) = _find_ports(1)
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{head}")
    words = [sys.executable, "-m", "har", "predict", "videos", "--bundle", "bundle"]
    full = ["unshare", "-m", "sh", "-c", ON_FULL_DISK, "sh", str(work / "disk"), str(work / "out")]
    one = ["--num-cpus", "1"]
    with (
        _running("--head", "--port", head, *one),
        _running("--address", f"127.0.0.1:{head}", *one, before=full) as second,
    ):
        code = [sys.executable, "-c", AWAIT_TWO]
        if subprocess.run(code, check=False, timeout=200).returncode:
            assert second.poll() == CANNOT_MOUNT
            pytest.skip("this machine cannot lay one folder over another")
        again = [*words, "--out", "out", "--on", "ray", "--jobs", "2"]
        done = subprocess.run(again, check=False, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr
    assert "rests for 10 s" in done.stderr
    assert "No space left on device" in done.stderr
    subprocess.run([*words, "--out", "alone"], check=True)
    assert len(read_labels(work / "out")) == 46
    assert read_outputs(work / "out") == read_outputs(work / "alone")


CANNOT_MOUNT = 77
ON_FULL_DISK = f"""
mount -t tmpfs -o size=64k tmpfs "$1" && mkdir "$1/up" "$1/work" &&
mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/up,workdir=$1/work" "$2" || exit {CANNOT_MOUNT}
head -c 1000000 /dev/zero > "$1/rest"
shift 2
exec "$@"
"""
AWAIT_TWO = """
import ray, time
ray.init(address="auto", log_to_driver=False)
until_s = time.monotonic() + 120
while ray.cluster_resources().get("CPU", 0) < 2:
    if time.monotonic() > until_s:
        raise SystemExit(1)
    time.sleep(0.2)
"""


def _find_ports(count: int) -> list[str]:
    with ExitStack() as free:
        sockets = [free.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [str(each.getsockname()[1]) for each in sockets]


@contextmanager
def _running(*words: str, before: Sequence[str] = ()) -> Iterator[subprocess.Popen[bytes]]:
    """One machine of a cluster, as 'ray start' makes it."""
    start = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", *words]
    quiet = {"RAY_USAGE_STATS_ENABLED": "0", "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    is_head = "--head" in words
    process = subprocess.Popen(
        [*before, *start, *(["--include-dashboard", "false"] if is_head else [])],
        env={**os.environ, **quiet},
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.scale
def test_a_host_that_is_not_there_is_one_line(work: Path) -> None:
    words = [sys.executable, "-m", "har", "predict", "videos", "--bundle", "bundle"]
    done = subprocess.run(
        [*words, "--on", "ray://127.0.0.1:1"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "The Ray cluster ray://127.0.0.1:1 is not reached: " in done.stderr
    assert "set RAY_AUTH_MODE=token" in done.stderr
    assert "Traceback" not in done.stderr
