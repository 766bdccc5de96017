"""The commands of all pages run, in the order of the page, on synthetic clips.

Each page has a folder of its own with all files that it names (`project.make_project`), and its
settings are written where it says. What it names of the outside is put in the place of it by
`HERE`, and what can't be had is left out by `NOT_HERE`, each with its reason. The pages in
`docs/start` run with what they make themselves, in `test_pages.py`.
"""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from hub import TOKEN, run_hub
from mosquitto import Mosquitto, find_free_port, find_mosquitto
from postgres import find_bin, run_postgres
from project import make_project, run
from reviewing import decide_all

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
pytestmark = pytest.mark.slow

FENCE = re.compile(r"^( *)```(sh|text|toml)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)

COMMAND = re.compile(r"(?:^|\| )((?:[A-Z_]+=\S+ )*)(?:\S+/)?har ([a-z].*)")

_NOTHING = ("data/.store", "models/har", "results")
NOT_YET = {
    "README.md": _NOTHING,
    "behavior-coding.md": _NOTHING,
    "boris.md": ("results/predict", "coded.csv"),
    "codings.md": _NOTHING,
    "few-clips.md": (*_NOTHING, "models/mine"),
    "own-test-set.md": ("models/mine",),
    "poses.md": _NOTHING,
    "share-models.md": ("models/mine",),
    "training.md": _NOTHING,
}
"""What a page makes itself is not there before."""

BEFORE = {
    "privacy.md": (
        ("watch.toml", '[sources]\nyard = "recording.mp4"\n'),
        ("har", "har review results/predict --db postgresql+psycopg://har@server/review"),
    )
}
"""What a reader of a page has done before."""

HERE = {
    " /archive": " archive",
    " /results": " results",
    "yard=0": "yard=recording.mp4",
    "yard = 0": 'yard = "recording.mp4"',
    '"rtsp://viewer:pass%23word@camera.local/main"': '"recording.mp4"',
    '"rtsp://camera.local/main"': '"recording.mp4"',
    '"rtsp://frigate.local:8554/hall"': '"recording.mp4"',
    '"rtsp://frigate.local:8554/yard_sub"': '"recording.mp4"',
    "file:/run/secrets/hall": "file:hall.txt",
    "--clips 240 --scenes 20": "--clips 6 --scenes 2",
    "--minutes 5": "--minutes 0.1",
    "mlflow:http://127.0.0.1:5000": "mlflow",
}
"""What there is in the place of other machines, cameras and servers."""

NOT_HERE = {
    "har record recorded/ ": "a person must stand before a webcam",
    "s3://": "a server of objects; tests/integration/test_scale_s3.py has one",
    "gs://": "a server of objects, of one firm",
    "--on ray": "a cluster; tests/integration/test_scale.py has one",
    "KERAS_BACKEND=torch": "PyTorch is no part of any extra",
}
"""What is left out, by a part of the line."""


def list_pages() -> list[Path]:
    folders = ("explanation", "how-to", "reference")
    pages = [page for folder in folders for page in (DOCS / folder).glob("*.md")]
    return [page for page in [ROOT / "README.md", *sorted(pages)] if list(iter_steps(page))]


def iter_steps(page: Path) -> Iterator[tuple[str, str]]:
    """Return what a page has its reader do: ``har`` with a line, or a file's name with its text."""
    for indent, kind, body in FENCE.findall(page.read_text()):
        text = re.sub(rf"^{indent}", "", body, flags=re.MULTILINE)
        if kind == "toml":
            if named := re.match(r"# (\w+\.toml)", text):
                yield named[1], text
            continue
        for line in text.replace("\\\n", " ").splitlines():
            if COMMAND.search(line):
                yield "har", line
            elif line.startswith("curl "):
                yield "curl", line


PAGES = list_pages()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder; networks learn in it without being compiled, which takes longer than to learn."""
    import tensorflow as tf

    folder = tmp_path_factory.mktemp("project")
    tf.config.run_functions_eagerly(True)
    make_project(folder)
    yield folder
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Servers that pages speak of, as words to put in the place of theirs."""
    folder = tmp_path_factory.mktemp("outside")
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        hub = stack.enter_context(run_hub())
        patch.setenv("HF_ENDPOINT", hub.address)
        patch.setenv("HF_TOKEN", TOKEN)
        patch.setenv("HF_HOME", str(folder / "hub"))
        patch.setenv("HF_HUB_DISABLE_XET", "1")
        hub.tags.add("v1.0")
        has_server = find_bin() is not None
        url = stack.enter_context(run_postgres()) if has_server else "sqlite:///other.db"
        words = {"postgresql+psycopg://har@server/review": url}
        if find_mosquitto() is not None:
            broker = stack.enter_context(Mosquitto(folder, "password"))
            words['host = "homeassistant.local"'] = f'host = "127.0.0.1"\nport = {broker.port}'
        yield words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_of_a_page_run(
    page: Path,
    project: Path,
    outside: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.copytree(project, tmp_path, dirs_exist_ok=True)
    for name in NOT_YET.get(page.name, ()):
        made = tmp_path / name
        shutil.rmtree(made) if made.is_dir() else made.unlink()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "1")
    monkeypatch.setenv("MQTT_PASSWORD", "password")
    monkeypatch.setenv("BROWSER", "true")
    steps = [*BEFORE.get(page.name, ()), *iter_steps(page)]
    for kind, text in steps:
        here = text
        for word, other in {**HERE, **outside}.items():
            here = here.replace(word, other)
        if kind.endswith(".toml"):
            Path(kind).write_text(here)
        elif here.startswith("har serve"):
            serve(shlex.split(here)[1:], [text for kind, text in steps if kind == "curl"])
        elif kind == "har" and not any(part in text for part in NOT_HERE):
            do(here, monkeypatch)


def do(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a line of a page with its variables, pipe and file."""
    first, pipe, line = line.rpartition(" | ")
    listed = None
    if pipe:
        listed = subprocess.run(["bash", "-c", first], check=True, capture_output=True, text=True)
    line, _, file = os.path.expandvars(line).partition(" > ")
    found = COMMAND.match(line)
    assert found is not None
    variables, words = found.groups()
    with monkeypatch.context() as patch:
        for variable in variables.split():
            name, _, value = variable.partition("=")
            patch.setenv(name, value)
        name, *options = shlex.split(words, comments=True)
        if name == "review":
            decide_all(Path(options[0]), *options[1:])
        else:
            printed = run(words, input=listed and listed.stdout)
            if file:
                Path(file).write_text(printed)


def serve(words: Sequence[str], requests: Sequence[str]) -> None:
    """Start the service, have it answer the page's requests, and end it by Ctrl-C."""
    Path("token").write_text("a-word-of-this-test-only\n")
    port = str(find_free_port())
    command = [sys.executable, "-m", "har", *words, "--port", port, "--token-file", "token"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("Serving at")
        for line in requests if shutil.which("curl") else ():
            here = line.replace("$TOKEN", "a-word-of-this-test-only").replace("8090", port)
            subprocess.run([*shlex.split(here), "-sS", "--fail-with-body"], check=True)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.communicate()
