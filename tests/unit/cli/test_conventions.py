"""What all commands share: amount of output, colors, variables, former names, help, completion."""

import logging
import os
import pty
import subprocess
import sys
import time
import warnings

import click
import pytest
from click.testing import CliRunner

import har.cli
from har.cli import group
from har.cli import har as command_line
from har.cli.group import ENTRIES, find_long_name
from har.cli.output import (
    QUIET,
    VERBOSE,
    print_json,
    say,
    say_table,
    set_verbosity,
    style,
    unlogged,
    warn,
)


@pytest.fixture(autouse=True)
def _normal_output():
    yield
    set_verbosity(0)


def call(*words, env=None, stdin=None):
    return CliRunner().invoke(command_line, [*map(str, words)], env=env, input=stdin)


def run(*words, cwd=None, **more):
    command = [sys.executable, "-m", "har", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, **more)


def test_help_shows_every_command_under_its_task_with_all_its_words(monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    text = call("--help").stdout
    tasks = ["Try it:", "Data:", "Train:", "Recognize:", "Evaluate:", "Live:"]
    assert [line for line in text.splitlines() if line in tasks] == tasks
    whole = " ".join(text.split())
    for name, entry in ENTRIES.items():
        assert f"{name} {entry.help}" in whole
    assert "..." not in text.replace("[ARGS]...", "")


@pytest.mark.parametrize("name", ENTRIES)
def test_the_help_of_the_list_is_the_command_s_own(name):
    paragraph = command_line.commands[name].help.split("\n\n")[0]
    assert " ".join(paragraph.split()).startswith(ENTRIES[name].help)


def test_help_is_quick():
    least_s = float("inf")
    for _ in range(5):
        began_s = time.perf_counter()
        run("--help")
        least_s = min(least_s, time.perf_counter() - began_s)
    assert least_s < 0.3


def test_help_loads_no_command():
    code = (
        "import sys, har.cli\n"
        "try: har.cli.har(['--help'])\n"
        "except SystemExit: print(sorted(name for name in sys.modules if name.startswith('har')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.splitlines()[-1]
    assert "har.cli.group" in loaded
    assert "har.config" not in loaded
    assert "har.cli.predict" not in loaded


@pytest.mark.parametrize("name", ENTRIES)
def test_every_command_can_be_quiet_or_verbose(name):
    names = {opt for param in command_line.commands[name].params for opt in param.opts}
    assert {"-v", "--verbose", "-q", "--quiet"} <= names


@click.command()
@click.option("--json", "as_json", is_flag=True)
def fake(as_json):
    logging.getLogger("har.part").info("small steps")
    logging.getLogger("har.part").warning("a doubt")
    say("on the way")
    if as_json:
        print_json({"n": 1})
    say_table(["n"], [[1]])
    warn("look here")


@pytest.fixture
def _fake(monkeypatch):
    entries = {**ENTRIES, "fake": group.Entry("Try it", "fake", "Say something.")}
    monkeypatch.setattr(group, "ENTRIES", entries)
    monkeypatch.setitem(sys.modules, "har.cli.fake", type(sys)("har.cli.fake"))
    monkeypatch.setattr(sys.modules["har.cli.fake"], "fake", fake, raising=False)
    monkeypatch.setattr(fake, "params", [item for item in fake.params if item.name == "as_json"])
    yield
    command_line.commands.pop("fake", None)


@pytest.mark.usefixtures("_fake")
@pytest.mark.parametrize(
    ("words", "lines"),
    [
        ((), ["Warning: a doubt", "on the way", "n", "-", "1", "Warning: look here"]),
        (("-q",), ["n", "-", "1", "Warning: look here"]),
        (("-q", "--json"), ["Warning: look here"]),
    ],
)
def test_quiet_leaves_out_what_is_no_result(words, lines):
    assert call("fake", *words).stderr.splitlines() == lines
    assert call(*words[:1], "fake", *words[1:]).stderr.splitlines() == lines


@pytest.mark.usefixtures("_fake")
def test_verbose_shows_the_log_of_the_library():
    text = call("fake", "-v").stderr
    assert "har.part: small steps" in text
    assert "small steps" not in call("fake").stderr


@pytest.mark.usefixtures("_fake")
def test_what_is_nearer_to_the_command_line_decides_how_much_is_shown():
    assert "on the way" not in call("fake", env={"HAR_FAKE_QUIET": "1"}).stderr
    assert "on the way" not in call("fake", env={"HAR_QUIET": "1"}).stderr
    assert "small steps" in call("fake", "-v", env={"HAR_FAKE_QUIET": "1"}).stderr
    assert "small steps" in call("-v", "fake", env={"HAR_FAKE_QUIET": "1"}).stderr


def test_progress_is_hidden_where_it_is_quiet():
    from har import progress

    set_verbosity(QUIET)
    assert not progress.LOG.isEnabledFor(logging.INFO)
    set_verbosity(VERBOSE)
    assert progress.LOG.isEnabledFor(logging.INFO)


def test_the_log_can_be_left_to_a_screen(capsys):
    set_verbosity(0)
    log = logging.getLogger("har.x")
    with unlogged():
        assert not any(type(item).__module__ == "har.cli.output" for item in log.parent.handlers)
    log.warning("but here")
    assert capsys.readouterr().err == "Warning: but here\n"


def test_colors_are_for_terminals_without_no_color(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys, "stderr", open(os.devnull, "w"))  # noqa: SIM115, PTH123
    assert style("Error:", "red") == "Error:"
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert style("Error:", "red") == "\x1b[31m\x1b[1mError:\x1b[0m"
    monkeypatch.setenv("NO_COLOR", "1")
    assert style("Error:", "red") == "Error:"
    sys.stderr.close()


@pytest.mark.parametrize(("no_color", "colored"), [("", True), ("1", False)])
def test_errors_are_colored_on_a_terminal(tmp_path, no_color, colored):
    person, terminal = pty.openpty()
    try:
        subprocess.run(
            [sys.executable, "-m", "har", "prepare", "nowhere"],
            stderr=terminal,
            check=False,
            cwd=tmp_path,
            env={**os.environ, "NO_COLOR": no_color},
        )
        shown = os.read(person, 10_000).decode()
    finally:
        os.close(person)
        os.close(terminal)
    assert "nowhere" in shown
    assert ("\x1b[" in shown) == colored


def test_every_option_has_a_variable_of_its_own():
    seen = set()
    for name, command in command_line.commands.items():
        for param in command.params:
            option = find_long_name(param)
            if option is not None:
                expected = f"HAR_{name}_{option}".upper().replace("-", "_")
                assert param.envvar[0] == expected
                seen.update(param.envvar)
    assert {"HAR_PREDICT_OUT", "HAR_SCORE_EVENTS_LABEL", "HAR_NOTIFY"} <= seen
    assert "HAR_ENGINE" not in seen


def test_a_variable_gives_an_option_and_the_command_line_goes_before(tmp_path):
    env = {"HAR_SYNTH_CLIPS": "0", "HAR_SYNTH_JSON": "1"}
    done = call("synth", tmp_path, env=env)
    assert '"n_clips": 0' in done.stdout
    done = call("synth", tmp_path, "--clips", "x", env=env)
    assert done.exit_code == 2
    done = call("synth", tmp_path, env={"HAR_SYNTH_CLIPS": "many"})
    assert (done.exit_code, "'many' is not a valid integer" in done.stderr) == (2, True)


def test_a_former_command_works_and_says_its_new_name(tmp_path):
    done = run("stage", "out", "--list", "--only", "sitting", cwd=tmp_path)
    assert done.returncode == 0
    assert "SITTING" in done.stdout
    assert "Warning: 'har stage' is now called 'har record'" in done.stderr
    assert "  stage" not in run("--help").stdout


def test_a_former_option_works_and_says_its_new_name():
    for words in (("--truth", "none.csv"), ("--truth=none.csv",)):
        done = call("tune", "nowhere", *words)
        assert done.stderr.startswith("Warning: --truth is now called --reference")
        assert "no such option" not in done.stderr.lower()
    assert "--truth" not in call("tune", "nowhere", "--reference=none.csv").stderr
    assert "--truth" not in call("tune", "--help").stdout


def test_a_warning_of_the_library_is_one_plain_line(capsys, monkeypatch):
    monkeypatch.setattr(warnings, "showwarning", har.cli._show_warning)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("shrink is now called downsample", FutureWarning, stacklevel=1)
    assert capsys.readouterr().err == "Warning: shrink is now called downsample\n"


@pytest.mark.parametrize("listed", ["a.mp4\nb c.mp4\n\n", "a.mp4\r\nb c.mp4", "a.mp4\0b c.mp4\0"])
def test_predict_reads_a_list_of_files_from_standard_input(monkeypatch, listed):
    seen = []
    predict = command_line.commands["predict"]
    monkeypatch.setattr(predict, "callback", lambda videos, **_: seen.extend(map(str, videos)))
    assert call("predict", "-", "c.mp4", stdin=listed).exit_code == 0
    assert seen == ["c.mp4", "a.mp4", "b c.mp4"]


def test_an_empty_list_is_wrong_usage():
    done = call("predict", "-", stdin="\n\n")
    assert (done.exit_code, "standard input names no file" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("shell", "words", "found"),
    [
        ("bash", "har pre", {"plain,predict", "plain,prepare"}),
        ("zsh", "har pre", {"predict", "prepare"}),
        ("fish", "har predict --thumb", {"plain,--thumbnails"}),
    ],
)
def test_shells_complete_commands_and_options(shell, words, found):
    env = {
        **os.environ,
        "_HAR_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": words.split()[-1] if shell == "fish" else str(len(words.split()) - 1),
    }
    done = run(env=env)
    assert found <= {line.split("\t")[0] for line in done.stdout.splitlines()}
    assert done.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_get_a_script(shell):
    done = run(env={**os.environ, "_HAR_COMPLETE": f"{shell}_source"})
    assert "_HAR_COMPLETE" in done.stdout
