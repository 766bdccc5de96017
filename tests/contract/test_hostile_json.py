"""Files of JSON with any part of them replaced: read, or refused with a reason."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from har.errors import InterchangeError
from har.interchange.events import CodedEvent, Media, build_table
from har.interchange.format import ReadSettings
from har.interchange.formats import FORMATS, read_events, write_events

JSON_FORMATS = [
    item for item in FORMATS if item.read and item.write and item.endings[0] in (".json", ".boris")
]
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.sampled_from([10**400, -1, 0, 1e308, -0.0, 1e-320]),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=8),
        st.sampled_from(["1", "nan", "\ud800", "\x00", "../..", "label", "timelinelabels"]),
    ),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=4), one, max_size=3),
    max_leaves=5,
)  # fmt: skip


def list_places(value: Any, place: tuple = ()) -> list[tuple]:
    """Return the way to every part of a value."""
    parts: Any = ()
    if isinstance(value, (dict, list)):
        parts = value.items() if isinstance(value, dict) else enumerate(value)
    return [place, *(way for key, part in parts for way in list_places(part, (*place, key)))]


def change(values: Any, place: tuple, new: Any, remove: bool) -> Any:
    """Return a value with one part replaced or removed."""
    if not place:
        return new
    values = copy.deepcopy(values)
    parent = values
    for key in place[:-1]:
        parent = parent[key]
    if remove:
        del parent[place[-1]]
    else:
        parent[place[-1]] = new
    return values


def make_document(chosen, folder) -> Any:
    table = build_table(
        [
            CodedEvent("a.mp4", 1, 1.2, "hit", "child", "other", "mk", "loud", score=0.5),
            CodedEvent("a.mp4", 1, 1, "kick", point=True),
            CodedEvent("b.mp4", 0, 0.5, "hit"),
        ],
        [Media("a.mp4", 2.0, 10.0), Media("b.mp4", 1.0, 10.0)],
    )
    path = folder / f"events{chosen.endings[0]}"
    write_events(table, path, chosen.name)
    return path, json.loads(path.read_text())


@pytest.mark.parametrize("chosen", JSON_FORMATS, ids=lambda f: f.name)
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_part_may_be_anything(chosen, data, tmp_path):
    path, values = make_document(chosen, tmp_path)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(list_places(values)))
        values = change(values, place, data.draw(VALUES), data.draw(st.booleans()))
    path.write_text(json.dumps(values))
    for name in (chosen.name, None):
        with suppress(InterchangeError):
            table = read_events(path, name, ReadSettings(fps=10.0))
            assert all(event.label for event in table.events)
