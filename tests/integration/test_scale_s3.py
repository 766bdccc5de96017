"""Videos in S3: a real server of its protocol on this machine, read by the real client."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from bundles import make_bundle
from outputs import read_labels
from videos import make_clip

import har

pytest.importorskip("moto")
pytest.importorskip("flask")
s3fs = pytest.importorskip("s3fs")
pytestmark = [
    pytest.mark.scale,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]
N_CLIPS = 1003
"""More than one answer of the server lists."""


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    names = {"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "secret"}
    more = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": url}
    for name, value in (names | more).items():
        monkeypatch.setenv(name, value)
    words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(words, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        until_s = time.monotonic() + 60
        while time.monotonic() < until_s:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        store = s3fs.S3FileSystem()
        store.mkdir("clinic")
        for name in ("a", "b"):
            make_clip(tmp_path / f"{name}.mp4", n_frames=25)
            store.put(str(tmp_path / f"{name}.mp4"), f"clinic/day 1/{name}.mp4")
        for number in range(N_CLIPS):
            store.pipe(f"clinic/many/{number:04}.mp4", b"no video")
        yield "s3://clinic"
    finally:
        process.terminate()
        process.wait()


def test_videos_of_a_bucket(address: str, tmp_path: Path) -> None:
    from har.addresses import ObjectPath
    from har.scale.objects import list_videos

    assert len(list_videos(ObjectPath(f"{address}/many"))) == N_CLIPS
    options = {"model": make_bundle(tmp_path / "bundle"), "out": tmp_path / "out"}
    options["scratch"] = tmp_path / "scratch"
    found = har.predict(f"{address}/day 1", jobs=2, **options)
    assert len(found.recognized) == 2
    assert sorted(read_labels(tmp_path / "out")) == [
        "s3://clinic/day 1/a.mp4",
        "s3://clinic/day 1/b.mp4",
    ]
    assert list((tmp_path / "scratch").iterdir()) == []
    assert har.predict(f"{address}/day 1", jobs=1, **options).n_unchanged == 2
    with pytest.warns(UserWarning, match="s3://nobody cannot be listed"):
        har.predict("s3://nobody", jobs=1, **options)
