"""The page of a bundle on a hub: what machines read, and what people do."""

from dataclasses import replace

import pytest
import yaml
from bundles import make_bundle

import har
from har.bundle import load_info, save_info
from har.errors import BundleIntegrityError, ConfigError
from har.sharing.hub_card import write_yaml


def read_matter(text: str) -> dict:
    _, head, _ = text.split("---\n", 2)
    return yaml.safe_load(head)


def figure(mean, low, high):
    return {"mean": mean, "ci95": [low, high]}


CROSSVAL = {
    "protocol": "grouped",
    "n_clips": 40,
    "n_groups": 12,
    "n_folds": 5,
    "n_seeds": 3,
    "accuracy": figure(0.81234567, 0.7, 0.9),
    "auc": figure(0.9, 0.85, 0.95),
    "macro_f1": {"mean": None, "ci95": None},
    "baseline": {},
    "calibration": {"ece": 0.05},
}


def describe(folder, metrics, **changes):
    make_bundle(folder)
    info = load_info(folder)
    save_info(folder, replace(info, metrics=metrics, data_hash="0123456789abcdef", **changes))
    return har.describe_model(folder, license="mit")


def test_figures_become_a_model_index(tmp_path):
    text = describe(tmp_path / "my_model", {"crossval": CROSSVAL})
    matter = read_matter(text)
    (index,) = matter.pop("model-index")
    assert matter == {
        "license": "mit",
        "library_name": "har",
        "pipeline_tag": "video-classification",
        "tags": ["har", "action-recognition", "temporal-action-detection", "onnx", "filmed-data"],
    }
    (result,) = index["results"]
    assert index["name"] == "my-model"
    assert result["task"]["type"] == "video-classification"
    assert result["dataset"] == {
        "type": "har-store-0123456789ab",
        "name": "40 filmed clips of 12 groups, cross-validated by groups",
    }
    assert result["metrics"] == [
        {"type": "accuracy", "value": 0.8123, "name": "Accuracy (95 % interval 0.700 to 0.900)"},
        {"type": "roc_auc", "value": 0.9, "name": "AUC (95 % interval 0.850 to 0.950)"},
    ]
    assert "# Model card: still, active" in text
    assert 'har.load("hf://OWNER/my-model")' in text


def test_the_hub_s_own_reader_takes_it(tmp_path):
    hub = pytest.importorskip("huggingface_hub")
    data = hub.ModelCard(describe(tmp_path / "mine", {"crossval": CROSSVAL})).data
    assert (data.library_name, data.pipeline_tag, data.license) == (
        "har",
        "video-classification",
        "mit",
    )
    assert [(item.metric_type, item.metric_value) for item in data.eval_results] == [
        ("accuracy", 0.8123),
        ("roc_auc", 0.9),
    ]


@pytest.mark.parametrize(
    "metrics",
    [
        {},
        {"lstm.val": {"accuracy": 0.99, "n_clips": 10}},
        {"crossval": CROSSVAL | {"protocol": "random"}},
    ],
)
def test_figures_that_flatter_stay_out(metrics, tmp_path):
    assert "model-index" not in read_matter(describe(tmp_path / "mine", metrics))


def test_synthetic_data_is_said(tmp_path):
    text = describe(tmp_path / "mine", {"crossval": CROSSVAL}, synthetic_data=True)
    matter = read_matter(text)
    assert "synthetic-data" in matter["tags"]
    assert "40 synthetic clips" in matter["model-index"][0]["results"][0]["dataset"]["name"]


def test_a_card_of_one_s_own_is_taken(tmp_path):
    folder = make_bundle(tmp_path / "mine")
    (folder / "card.md").write_text("# My words\n")
    text = har.describe_model(folder)
    assert "# My words" in text
    assert "license" not in read_matter(text)


def test_what_cannot_be_said_is_refused(tmp_path):
    folder = make_bundle(tmp_path / "mine")
    for text in ("MIT License", "mit\nevil: 1", ""):
        with pytest.raises(ConfigError, match="short name"):
            har.describe_model(folder, license=text)
    with pytest.raises(BundleIntegrityError, match="cannot be read"):
        describe(folder, {"crossval": {"protocol": "grouped"}})


def test_yaml_is_read_back_as_it_was():
    value = {
        "plain": "a: b # c",
        "odd": 'say "x"\n\u2028 \\ é',
        "list": [1, 2.5, None, True, {"a": [{"b": "c"}, "- d"]}],
        "answer": "yes",
        "nested": {"deep": {"er": ["1.0"]}},
    }
    assert yaml.safe_load("\n".join(write_yaml(value))) == value
