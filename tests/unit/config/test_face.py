"""Settings are checked when they are made, from code and from files."""

import json
import re
import tomllib
from dataclasses import asdict, is_dataclass, replace
from pathlib import Path

import pytest

import har.config
from har.config import (
    RECIPES,
    DecodeConfig,
    InputConfig,
    PrepareConfig,
    TrainConfig,
    load_config,
    update_config,
)
from har.config.loading import MAX_BYTES
from har.errors import ConfigError
from har.types import WindowSpec


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_every_recipe_is_within_bounds(name):
    assert isinstance(update_config(TrainConfig(), RECIPES[name]), TrainConfig)


def test_a_file_changes_what_it_names_and_nothing_else(tmp_path, caplog):
    caplog.set_level("INFO", "har")
    path = tmp_path / "recipe.toml"
    path.write_text("seed = 3\n[temporal]\nkind = 'gru'\n[temporal.fit]\nepochs = 5\n")
    config = load_config(path, TrainConfig())
    assert (config.seed, config.temporal.kind, config.temporal.fit.epochs) == (3, "gru", 5)
    assert config.temporal.units == TrainConfig().temporal.units
    assert caplog.messages == [f"Settings come from {path}"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("color = 1", "There is no setting 'color'"),
        ("[temporal]\nkind = 'rnn'", "kind must be 'lstm', 'gru' or 'tcn', received 'rnn'"),
        (
            "[cnn.fit]\nepochs = -1",
            "epochs must be from 0 to 10000, received -1 .*line 2, table .cnn.fit",
        ),
        ("[cnn]\nfit = 3", "fit must be a table, received 3"),
        ("not toml", "cannot be read"),
        ("[temporal]\nunits = 'many'", "units must be a whole number, received"),
        ("[augment]\nflip = 1", "flip must be true or false, received 1"),
        (
            "[cnn]\nbackbone = 'keras:Mobilenet'",
            "backbone must be 'lite0', 'tiny' or a model of keras.applications such as "
            "'keras:MobileNetV2', received 'keras:Mobilenet'",
        ),
        ("streams = 'poses'", "streams must be one of 'motion', 'pose', 'both', received 'poses'"),
        (
            "cnn.fit = { epoch = 3 }",
            "no setting 'epoch' .*, line 1, .*did you mean 'epochs'",
        ),
    ],
)
def test_a_bad_file_is_refused_with_its_reason_and_place(tmp_path, text, said):
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said) as caught:
        load_config(path, TrainConfig())
    assert str(path) in str(caught.value)
    table = text.split("\n")[0]
    assert table.startswith("[") is (f"{path}, line 2, table {table}" in str(caught.value))


def test_a_file_that_is_far_too_large_is_refused(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text("#" * (MAX_BYTES + 1))
    with pytest.raises(ConfigError, match="larger than 262144 bytes"):
        load_config(path, TrainConfig())
    path.write_text("#" * MAX_BYTES)
    assert load_config(path, TrainConfig()) == TrainConfig()


def test_every_default_is_in_one_module_and_the_face_only_names_them():
    folder = Path(har.config.__file__).parent
    face = (folder / "__init__.py").read_text()
    assert len(face.splitlines()) < 120
    assert "class " not in face
    assert "def " not in face
    for path in folder.glob("[a-z]*.py"):
        for name in re.findall(r"^class ([A-Z]\w+Config)", path.read_text(), re.MULTILINE):
            assert hasattr(har.config, name), name


ADVANCED = """
seed = 4
[temporal]
units = 32
[temporal.fit]
epochs = 5
[advanced]
mixed_precision = true
[advanced.temporal]
recent_steps = 3
[advanced.temporal.fit]
patience = 2
[advanced.pose]
units = 16
[advanced.pose.fit]
epochs = 7
"""


def test_what_few_people_need_is_under_advanced(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(ADVANCED)
    base = replace(TrainConfig(), mixed_precision=False)
    config = load_config(path, base)
    assert (config.seed, config.mixed_precision) == (4, True)
    assert (config.temporal.units, config.temporal.recent_steps) == (32, 3)
    assert (config.temporal.fit.epochs, config.temporal.fit.patience) == (5, 2)
    assert (config.pose.units, config.pose.fit.epochs) == (16, 7)
    assert update_config(base, tomllib.loads(ADVANCED)) == config


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[cnn]\npooling = 'avg'", "pooling has moved to the table [advanced.cnn] ({path}, line 2"),
        (
            "[cnn.fit]\npatience = 2",
            "patience has moved to the table [advanced.cnn.fit] ({path}, line 2",
        ),
        ("[pose.fit]\nepochs = 7", "fit has moved to the table [advanced.pose] ({path}, line 1"),
        ("[input]\nlags_s = [[0.0, -0.1]]", "has moved to the table [advanced.input]"),
    ],
)
def test_a_setting_in_its_former_place_works_and_warns(tmp_path, text, said):
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    with pytest.warns(FutureWarning) as caught:
        config = load_config(path, TrainConfig())
    (message,) = [str(item.message) for item in caught]
    assert said.format(path=path) in message
    assert config == update_config(TrainConfig(), tomllib.loads(text)) != TrainConfig()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[advanced]\nseed = 3",
            r"seed is no advanced setting; move it above all tables \(.*recipe.toml, line 2\)",
        ),
        (
            "[advanced.cnn.fit]\nepochs = 3",
            "epochs is no advanced setting; move it to the table .cnn.fit. .*line 2",
        ),
        (
            "[advanced.input]\nzoom = 2",
            "motion_crop is no advanced setting; move it to the table .input.",
        ),
        ("[advanced.cnn]\ncolor = 3", "There is no setting 'color'"),
        (
            "[advanced.cnn]\ntrain_from = -1",
            "train_from must be from 0 to 1000, received -1 .*line 2",
        ),
        ("advanced = 3", "There is no setting 'advanced'"),
    ],
)
def test_what_is_wrong_under_advanced_is_refused(tmp_path, text, said):
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said):
        load_config(path, TrainConfig())


def test_about_fifteen_settings_of_training_are_basic_and_all_of_them_exist():
    assert len({path.rpartition(".")[2] for path in TrainConfig.BASIC}) == 15
    for path in TrainConfig.BASIC:
        value = TrainConfig()
        for name in path.split("."):
            value = getattr(value, name)
        assert not is_dataclass(value), path


@pytest.mark.parametrize(
    "make",
    [
        lambda: PrepareConfig(long_side=100),
        lambda: PrepareConfig(size=(100, 96)),
        lambda: InputConfig(lags_s=((0.0, 0.0),)),
        lambda: InputConfig(lags_s=()),
        lambda: DecodeConfig(onset=0.3, offset=0.4),
    ],
)
def test_out_of_bounds_is_refused(make):
    with pytest.raises(ConfigError, match="received"):
        make()


def test_window_spec_survives_json_and_names_its_frames():
    spec = InputConfig().window_spec((128, 224), 30.0)
    assert WindowSpec.from_json(json.loads(json.dumps(asdict(spec)))) == spec
    assert spec.offsets_s == (-0.08, -0.04, 0.0, 0.08)
    assert (spec.n_channels, spec.color, spec.window_s) == (4, "gray", 2.0)
    rgb = InputConfig(input="rgb").window_spec((128, 224), 30.0)
    assert (rgb.offsets_s, rgb.n_channels, rgb.color) == ((0.0,), 3, "rgb")
