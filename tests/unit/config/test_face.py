"""Settings are checked when they are made, from code and from files."""

import json
import re
from dataclasses import asdict
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


def test_a_file_changes_what_it_names_and_nothing_else(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text("seed = 3\n[temporal]\nkind = 'gru'\n[temporal.fit]\nepochs = 5\n")
    config = load_config(path, TrainConfig())
    assert (config.seed, config.temporal.kind, config.temporal.fit.epochs) == (3, "gru", 5)
    assert config.temporal.units == TrainConfig().temporal.units


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("color = 1", "Unknown setting 'color'"),
        ("[temporal]\nkind = 'rnn'", "kind='rnn'"),
        ("[cnn.fit]\nepochs = -1", "epochs=-1"),
        ("[cnn]\nfit = 3", "fit of the kind"),
        ("not toml", "cannot be read"),
        ("[temporal]\nunits = 'many'", "units of the kind"),
        ("[augment]\nflip = 1", "flip of the kind"),
    ],
)
def test_a_bad_file_is_refused_with_its_reason_and_place(tmp_path, text, said):
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said) as caught:
        load_config(path, TrainConfig())
    assert str(path) in str(caught.value)
    table = text.split("\n")[0]
    assert table.startswith("[") is (f"{path}, table {table}" in str(caught.value))


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
    assert spec.offsets_s == (-0.16, -0.12, -0.04, 0.0, 0.16)
    assert (spec.n_channels, spec.color, spec.window_s) == (5, "gray", 2.0)
    rgb = InputConfig(input="rgb").window_spec((128, 224), 30.0)
    assert (rgb.offsets_s, rgb.n_channels, rgb.color) == ((0.0,), 3, "rgb")
