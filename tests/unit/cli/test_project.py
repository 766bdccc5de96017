"""A har.toml gives defaults, found upwards; whatever is wrong in it is named with its line."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from har.cli import har
from har.cli.project import find_project, load_defaults
from har.config.loading import MAX_BYTES
from har.errors import ConfigError


def write(folder, text):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "har.toml"
    path.write_text(text, encoding="utf-8")
    return path


def load(folder, text):
    return load_defaults(write(folder, text), har.commands)


def run(*words, cwd, env=None):
    """Call the command line in a folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(cwd)
        return CliRunner().invoke(har, [*map(str, words)], env=env)


def test_the_nearest_file_upwards_counts_and_none_above_home(tmp_path):
    home = tmp_path / "home"
    deep = home / "study" / "day1"
    deep.mkdir(parents=True)
    write(tmp_path, "")
    assert find_project(deep, home) is None
    assert find_project(deep, tmp_path / "elsewhere") == tmp_path / "har.toml"
    of_home = write(home, "")
    assert find_project(deep, home) == of_home
    of_study = write(home / "study", "")
    assert find_project(deep, home) == of_study
    assert find_project(home, home) == of_home


def test_command_line_then_variable_then_file_then_default(tmp_path):
    write(tmp_path, "[synth]\nclips = 0\nseed = 7\nrecordings = 0\njson = true\n")
    done = run("synth", "out", cwd=tmp_path)
    assert json.loads(done.stdout)["n_clips"] == 0
    done = run("synth", "out", cwd=tmp_path, env={"HAR_SYNTH_CLIPS": "-1"})
    assert "n_clips must be from 0 to 1000000, received -1" in str(done.exception)
    done = run("synth", "out", "--clips", -2, cwd=tmp_path, env={"HAR_SYNTH_CLIPS": "-1"})
    assert "n_clips must be from 0 to 1000000, received -2" in str(done.exception)
    helped = " ".join(run("synth", "--help", cwd=tmp_path).stdout.split())
    assert "Same seed, same bytes. [default: 7]" in helped


def test_paths_are_meant_from_the_file_s_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    inner = tmp_path / "study"
    text = (
        'store = "clips/.store"\n[predict]\nout = "coded"\nbundle = "fight"\ndecode = "/x.json"\n'
    )
    found = load(inner, text)
    assert found["predict"] == {
        "out": str(inner / "coded"),
        "model": "fight",
        "decode": "/x.json",
    }
    assert found["train"] == {"store": str(inner / "clips/.store")}
    (inner / "fight").mkdir()
    assert load(inner, text)["predict"]["model"] == str(inner / "fight")
    monkeypatch.chdir(inner)
    assert load(inner, text)["predict"]["out"] == "coded"


def test_the_shared_bundle_is_for_commands_that_read_one(tmp_path):
    found = load(tmp_path, 'bundle = "fight"\n[events]\nbundle = "three-class"\n')
    names = {"bundle", "model"}
    having = {name: values.popitem()[1] for name, values in found.items() if names & {*values}}
    assert having == {
        "predict": "fight",
        "watch": "fight",
        "evaluate": "fight",
        "export": "fight",
        "review": "fight",
        "serve": "fight",
        "events": "three-class",
    }


def test_an_argument_has_a_default_too(tmp_path):
    write(tmp_path, 'bundle = "nowhere"\nstore = "no-store"\n')
    done = run("evaluate", cwd=tmp_path)
    assert "There is no bundle in nowhere" in str(done.exception)


def test_options_that_can_be_repeated_take_a_list_or_one(tmp_path):
    found = load(
        tmp_path, '[predict]\nset = ["min_s=1", "onset=0.7"]\n[record]\nonly = "sitting"\n'
    )
    assert found["predict"]["changes"] == ["min_s=1", "onset=0.7"]
    assert found["record"]["postures"] == ["sitting"]
    assert load(tmp_path, "[tune]\nfalse_alarms_per_hour = 1\n")["tune"] == {
        "false_alarms_per_hour": 1
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[predikt]\nout = 1", "Unknown table 'predikt' in {path}, line 1; known are"),
        ("a = 1", "Unknown setting 'a' in {path}, line 1; known are the settings bundle, store"),
        ("[store]\nx = 1", "Unknown table 'store' in {path}, line 1"),
        ("predict = 3", "Unknown setting 'predict' in {path}, line 1"),
        ("\n[train]\nseed = 1\n\nrezipe = 'x'", "'rezipe' in {path}, line 5, table [train]"),
        ("[train]\nrezipe = 'x'", "'har train' has annotator, background, config, final, from, "),
        ("[train]\nseed = 1\n[predict]\nseed = 1", "'seed' in {path}, line 4, table [predict]"),
        ("[train]\nrecipe = 'x'", "line 2, table [train]: 'x' is not one of 'frozen', 'full'"),
        ("[train]\nseed = 1.5", "Expected seed in {path}, line 2, table [train] as a whole number"),
        ("[train]\nseed = true", "received True"),
        ("[predict]\nout = 3", "as a text, received 3"),
        ("[predict]\nannotate = 1", "as true or false, received 1"),
        ("[predict]\nset = [1]", "as a text, or a list of such, received [1]"),
        ("[predict]\nout = ['a', 'b']", "as a text, received ['a', 'b']"),
        ("store = []", "Expected store in {path}, line 1 as a text, received []"),
        ("[watch]\nduration = -1", "line 2, table [watch]: -1.0 is not in the range x>0"),
        ("x = = 1", "The project file {path} is no TOML: Invalid value (at line 1, column 5)"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_place(tmp_path, text, said):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert said.format(path=tmp_path / "har.toml") in str(caught.value)


def test_a_file_that_is_far_too_large_is_not_read(tmp_path):
    with pytest.raises(ConfigError, match="larger than 262144 bytes"):
        load(tmp_path, "#" * (MAX_BYTES + 1))
    assert load(tmp_path, "#" * MAX_BYTES)["train"] == {}


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = write(tmp_path, "")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_defaults(path, har.commands)


def test_an_error_ends_any_command_with_code_1(tmp_path):
    write(tmp_path, "[predikt]\n")
    words = [sys.executable, "-m", "har", "synth", "out"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, "Error: Unknown table 'predikt'" in done.stderr) == (1, True)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [("-v", "synth", "out"), ("synth", "out", "-v")])
def test_verbose_says_which_file_was_used(tmp_path, words):
    path = write(tmp_path, "[synth]\nclips = 0\n")
    assert f"Defaults come from {path}" in run(*words, cwd=tmp_path).stderr
    assert "Defaults" not in run("synth", "out", cwd=tmp_path).stderr


def test_the_file_can_make_a_command_quiet_and_the_command_line_goes_before(tmp_path):
    write(tmp_path, "[synth]\nclips = 0\nquiet = true\n")
    assert run("synth", "out", cwd=tmp_path).stderr == ""
    assert "Defaults" in run("synth", "out", "-v", cwd=tmp_path).stderr
