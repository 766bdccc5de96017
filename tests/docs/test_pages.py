"""Pages agree with each other and with the code: links, commands, options, examples."""

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml
from reviewing import decide_all

from har.cli import har
from har.cli.group import iter_commands
from har.cli.project import load_defaults
from har.config import DecodeConfig, TrainConfig, WatchSettings, load_config

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
GENERATED = DOCS / "tutorials"
"""Pages beside notebooks are made from them and not in the repository."""

OTHER_OPTIONS = {
    "--leave-out",
    "--generate",
    "--video_path",
    "--dist",
    "--part",
    "--method",
    "--seeds",
    "--minutes",
    "--repeats",
    "--reference",
    "--logdir",
    "--strict",
    "--validate",
    "--ignore-installed",
    "--only-binary",
    "--python-version",
    "--target",
    "--head",
    "--address",
}
"""Options of scripts, of pytest and of benchmarks, which pages name as well."""


def list_pages() -> list[Path]:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")]
    return sorted(page for page in pages if page.parent != GENERATED)


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


PAGES = list_pages()


def iter_fences(page: Path, kind: str) -> Iterator[str]:
    for indent, language, body in FENCE.findall(page.read_text()):
        if language == kind:
            yield re.sub(rf"^{indent}", "", body, flags=re.MULTILINE)


def strip_fences(text: str) -> str:
    return FENCE.sub("", text)


def slug(heading: str) -> str:
    text = re.sub(r"[`*]", "", heading).strip().lower()
    return re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", text))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_internal_links_resolve(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", strip_fences(page.read_text())):
        if re.match(r"[a-z]+://|mailto:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        if found.parent == GENERATED:
            found = found.with_suffix(".ipynb")
        assert found.exists(), f"{name(page)} links to {target}"
        if anchor and found.suffix == ".md":
            headings = re.findall(r"^#+ (.+)$", strip_fences(found.read_text()), re.MULTILINE)
            assert anchor in {slug(heading) for heading in headings}, f"{name(page)}: {target}"


def test_every_page_is_reached_from_the_menu() -> None:
    menu = yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]
    named: list[str] = []

    def walk(item: object) -> None:
        if isinstance(item, str):
            named.append(item)
        elif isinstance(item, dict):
            for value in item.values():
                walk(value)
        elif isinstance(item, list):
            for value in item:
                walk(value)

    walk(menu)
    notebooks = {path.with_suffix(".md") for path in GENERATED.glob("*.ipynb")}
    pages = {page for page in PAGES if DOCS in page.parents} | notebooks
    assert sorted(named) == sorted(page.relative_to(DOCS).as_posix() for page in pages)


def parse(line: str) -> None:
    """Let the command line parse a line of a page; values of paths and the like need not exist."""
    words = shlex.split(line, comments=True)[1:]
    if words[0] in {"--version", "--help"}:
        return
    if words[0].startswith("-"):
        words = words[1:]
    name, *rest = words
    command = har.commands[name]
    with click.Context(har, info_name="har", **har.context_settings) as parent:
        if isinstance(command, click.Group):
            if not rest:
                return
            name, *rest = rest
            command = command.commands[name]
        command.make_context(name, rest, parent=parent).close()


COMMAND = re.compile(r"(?:[A-Z_]+=\S+ |\.venv/bin/)*(har [a-z].*)")


def iter_named_commands(page: Path) -> Iterator[str]:
    """Return commands in blocks that are not marked as such, and within sentences."""
    for body in iter_fences(page, "text"):
        for line in body.replace("\\\n", " ").splitlines():
            if match := COMMAND.match(line):
                yield match[1]
    for text in re.findall(r"`(har [a-z][^`]*)`", strip_fences(page.read_text())):
        yield " ".join(text.removesuffix(" -").split())


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_in_sentences_parse(
    page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    is_history = page.parent.name in {"decisions", "experiments"}
    for line in () if is_history or page.stem == "glossary" else iter_named_commands(page):
        try:
            parse(re.sub(r"\$[A-Z_]+", "1", line))
        except click.MissingParameter:
            continue
        except (click.ClickException, KeyError) as error:
            message = getattr(error, "message", str(error))
            if "requires an argument" not in message:
                pytest.fail(f"{name(page)}: {line}: {message}")


def test_extras_and_targets_on_pages_exist() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        text = page.read_text()
        for extras in re.findall(
            r"(?:\.|human-action-recognition)\[([a-z-]+(?:,[a-z-]+)*)\]", text
        ):
            assert {*extras.split(",")} <= {*project["optional-dependencies"]}, name(page)
        assert {*re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE)} <= targets, name(page)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_on_pages_parse(
    page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for body in iter_fences(page, "sh"):
        for line in body.replace("\\\n", " ").splitlines():
            if line.startswith("har "):
                try:
                    parse(line)
                except (click.ClickException, KeyError) as error:
                    message = getattr(error, "message", str(error))
                    pytest.fail(f"{name(page)}: {line}: {message}")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_option_and_command_on_pages_exists(page: Path) -> None:
    params = [param for item, _ in iter_commands(har, ()) for param in item.params]
    known = {opt for param in params for opt in (*param.opts, *param.secondary_opts)}
    known |= {"--help", "--version", *OTHER_OPTIONS}
    text = re.sub(
        r"^.*(benchmarks/|scripts/|git |pip |pytest |curl |sudo |docker |podman ).*$",
        "",
        page.read_text(),
        flags=re.MULTILINE,
    )
    used = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9_-]+", text))
    if page.parent.name not in {"decisions", "experiments"}:
        assert used <= known, name(page)
    for word in re.findall(r"`har ([a-z][\w-]*)", text):
        assert word in har.commands or name(page).endswith("glossary.md"), (
            f"{name(page)}: har {word}"
        )


def check_settings(body: str, path: Path) -> None:
    """Read a file of settings as the command does that its first line is for, its secrets made."""
    secret = path.with_name("secret")
    secret.write_text("secret\n")
    path.write_text(re.sub(r'"(env|file):[^"]+"', f'"file:{secret.as_posix()}"', body))
    kind = body.split(maxsplit=2)[1] if body.startswith("# ") else ""
    settings = {
        "recipe.toml": TrainConfig(),
        "recipe.toml:": TrainConfig(),
        "watch.toml:": WatchSettings(),
        "rules.toml": DecodeConfig(),
    }
    if kind in settings:
        load_config(path, settings[kind])
    else:
        load_defaults(path, har.commands)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_settings_on_pages_are_read_without_a_warning(page: Path, tmp_path: Path) -> None:
    for body in iter_fences(page, "toml"):
        check_settings(body, tmp_path / "har.toml")


MAKE_FILES = """
import har, pathlib, shutil
har.synthesize("data", clips=6, scenes=3, recordings=2, minutes=0.3, variety=0, jobs=1)
har.prepare("data/manifest.csv", "data/.store", long_side=64, folds=2, jobs=1)
recording = next(pathlib.Path("data/recordings").glob("*.mp4"))
shutil.copy(recording, "recording.mp4")
shutil.copytree(recording.parent, "recordings")
if not pathlib.Path("coded.csv").exists():
    shutil.copy("data/recordings/truth.csv", "coded.csv")
shutil.copytree(har.load("fight").path, "models/har")
"""


def run_python(script: str, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{script}\n{done.stderr[-2000:]}"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the recordings, the store and the model that examples on pages name."""
    folder = tmp_path_factory.mktemp("files")
    run_python(MAKE_FILES, folder)
    return folder


PAGES_WITH_PYTHON = [
    pytest.param(page, id=name(page), marks=[] if page.name == "README.md" else pytest.mark.slow)
    for page in PAGES
    if list(iter_fences(page, "python"))
]


@pytest.mark.parametrize("page", PAGES_WITH_PYTHON)
def test_examples_in_python_run(page: Path, files: Path, tmp_path: Path) -> None:
    for body in iter_fences(page, "python"):
        shutil.copytree(files, tmp_path, dirs_exist_ok=True)
        run_python(body, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("page", sorted((DOCS / "start").glob("*.md")), ids=name)
def test_the_first_quarter_of_an_hour_works(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All commands of a page run, one after another, in a new folder with the page's settings."""
    for body in iter_fences(page, "toml"):
        (tmp_path / body.split()[1].removesuffix(":")).write_text(body)
    monkeypatch.setenv("BROWSER", "true")
    for line in re.findall(r"^ *(har .+)", page.read_text(), re.MULTILINE):
        words = shlex.split(line)
        if words[1] == "review":
            decide_all(tmp_path / words[2], *words[3:])
            continue
        words = [sys.executable, "-m", *words]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{line}\n{done.stderr[-3000:]}"
    for path in re.findall(r"`((?:practice|results|models)/[\w./-]+\.\w+)`", page.read_text()):
        assert (tmp_path / path).exists(), path


def test_what_people_search_for_is_there() -> None:
    text = "\n".join(page.read_text() for page in PAGES if DOCS in page.parents).lower()
    for word in ("boris", "elan", "excel", "kappa", "privacy", "docker", "windows", "macos"):
        assert word in text, word


def test_pictures_of_the_gallery_are_small_and_shown() -> None:
    text = (DOCS / "gallery.md").read_text()
    files = [path for path in (DOCS / "images" / "gallery").iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 1_500_000
    assert {path.name for path in files} == set(re.findall(r"images/gallery/([\w.]+)", text))


def test_pictures_are_small() -> None:
    for path in DOCS.rglob("*.png"):
        if GENERATED not in path.parents:
            assert path.stat().st_size < 300_000, name(path)


def test_decisions_read_in_a_few_minutes() -> None:
    for page in (DOCS / "decisions").glob("0*.md"):
        assert len(page.read_text().split()) < 800, name(page)


def test_readme_has_two_commands_for_a_fresh_machine() -> None:
    lines = [
        line
        for line in (ROOT / "README.md").read_text().splitlines()
        if line.startswith("python3 -m venv")
    ]
    assert len(lines) == 2
    assert lines[0].endswith("har demo")
    assert "pytest" in lines[1]
