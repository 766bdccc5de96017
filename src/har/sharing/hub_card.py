"""The page of a bundle on a hub of models: its card, with what machines read before it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from har.bundle import BundleInfo
from har.errors import BundleIntegrityError, ConfigError
from har.escaping import cut_line
from har.training.card import CARD_FILE, build_card

LIBRARY = "har"
TASK = "video-classification"
_LICENSE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}")
_FIGURES = {
    "accuracy": ("accuracy", "Accuracy"),
    "auc": ("roc_auc", "AUC"),
    "macro_f1": ("f1", "Macro F1"),
}
"""By our name of a figure: the hub's name of its kind, and what is shown."""


_USAGE = """## Use

```text
pip install 'human-action-recognition[hub]'
```

```python
import har

model = har.load("{address}")  # add @ and a revision to stay with one version
result = model.predict("recording.mp4")
```
"""


def build_hub_card(
    folder: Path, info: BundleInfo, license_id: str | None, address: str = "hf://OWNER/NAME"
) -> str:
    """Return the hub's page of a bundle: front matter in YAML, then its card and how to use it.

    Figures go into the front matter only where they are cross-validated and no group is divided:
    what a validation part said chose the model as well.

    Args:
        folder: The bundle; a ``card.md`` in it is taken as it is.
        info: Its contract.
        license_id: The hub's short name of a license, such as ``mit``; none is stated for None.
        address: Where the model will be.

    Raises:
        ConfigError: That is no short name of a license.
        BundleIntegrityError: The figures in the contract are not those that har writes.
    """
    if license_id is not None and _LICENSE.fullmatch(license_id) is None:
        raise ConfigError(
            f"Expected a license by its short name such as mit, apache-2.0 or other, "
            f"received {license_id!r}"
        )
    own = folder / CARD_FILE
    try:
        matter = _describe(info, address.rpartition("/")[2], license_id)
        card = own.read_text(encoding="utf-8") if own.is_file() else build_card(info)
    except (KeyError, TypeError, ValueError, AttributeError, OSError) as error:
        raise BundleIntegrityError(
            f"{folder}: figures or card of the bundle cannot be read: {cut_line(repr(error))}"
        ) from error
    head = "\n".join(write_yaml(matter))
    return f"---\n{head}\n---\n\n{card.rstrip()}\n\n{_USAGE.format(address=address)}"


def _describe(info: BundleInfo, name: str, license_id: str | None) -> dict[str, Any]:
    data = "synthetic-data" if info.synthetic_data else "filmed-data"
    found = _list_metrics(info.metrics.get("crossval"))
    return {
        **({} if license_id is None else {"license": license_id}),
        "library_name": LIBRARY,
        "pipeline_tag": TASK,
        "tags": ["har", "action-recognition", "temporal-action-detection", "onnx", data],
        **({"model-index": [_build_index(info, name, found)]} if found else {}),
    }


def _build_index(info: BundleInfo, name: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one entry of the front matter's ``model-index``."""
    crossval = info.metrics["crossval"]
    kind = "synthetic clips" if info.synthetic_data else "filmed clips"
    dataset = f"{crossval['n_clips']} {kind} of {crossval['n_groups']} groups"
    return {
        "name": name,
        "results": [
            {
                "task": {"type": TASK, "name": "Video classification"},
                "dataset": {
                    "type": f"har-store-{info.data_hash[:12]}",
                    "name": f"{dataset}, cross-validated by groups",
                },
                "metrics": found,
            }
        ],
    }


def _list_metrics(crossval: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    if crossval is None or crossval["protocol"] != "grouped":
        return []
    metrics = []
    for key, (kind, shown) in _FIGURES.items():
        figure = crossval[key]
        mean, bounds = figure["mean"], figure["ci95"]
        if mean is None:
            continue
        between = "" if bounds is None else " (95 % interval {:.3f} to {:.3f})".format(*bounds)
        metrics.append({"type": kind, "value": round(float(mean), 4), "name": shown + between})
    return metrics


def write_yaml(value: Mapping[str, Any] | list[Any], indent: str = "") -> Iterator[str]:
    """Return the lines of plain values as YAML; texts are quoted as JSON does, which YAML reads.

    >>> list(write_yaml({"a": [1, {"b": "x: y"}]}))
    ['a:', '  - 1', '  - b: "x: y"']
    """
    items = value.items() if isinstance(value, Mapping) else ((None, item) for item in value)
    for key, item in items:
        start = f"{indent}- " if key is None else f"{indent}{key}:"
        if not isinstance(item, Mapping | list):
            yield f"{start}{'' if key is None else ' '}{json.dumps(item, allow_nan=False)}"
        elif key is None:
            first, *others = write_yaml(item, f"{indent}  ")
            yield from (start + first.lstrip(), *others)
        else:
            yield start
            yield from write_yaml(item, f"{indent}  ")
