"""Events of a stream are those of the whole, as soon as nothing to come can change them."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from har.config import DecodeConfig
from har.errors import ConfigError
from har.events.decoder import OnlineDecoder, decode_events
from har.types import Event, Scores

STEP_S = 0.125
LABELS = ("play", "hit", "kick")

levels = st.sampled_from([0.0, 0.1, 0.3, 0.45, 0.55, 0.65, 0.8, 1.0])
rows = st.lists(st.tuples(levels, levels, st.booleans(), st.sampled_from([1] * 9 + [2, 7, 20])))
limits = st.sampled_from([0.0, 0.125, 0.3, 0.5, 1.0])
rules = st.fixed_dictionaries(
    {
        "onset": st.sampled_from([0.5, 0.6, 0.8]),
        "offset": st.sampled_from([0.2, 0.4, 0.5]),
        "min_s": limits,
        "merge_gap_s": limits,
        "smooth_s": st.sampled_from([0.0, 0.2, 0.375, 1.0]),
        "tail": st.sampled_from([0.0, 0.5, 0.75, 1.0]),
    }
)
configs = st.builds(
    lambda shared, own, background: DecodeConfig(background, **shared, labels={"kick": own}),
    rules,
    rules,
    st.sampled_from(["", "play"]),
)


def _make_scores(drawn: list[tuple[float, float, bool, int]]) -> Scores:
    """Return scores of three labels, with rows of which nothing is known and gaps in time."""
    hit, kick = (np.array([row[i] for row in drawn], np.float32) for i in (0, 1))
    values = np.stack([1 - hit, hit, kick], axis=1)
    values[[row[2] and row[0] == 0.1 for row in drawn]] = 0.0
    times_s = (np.cumsum([row[3] for row in drawn]) - 0.5) * STEP_S
    return Scores(LABELS, times_s, values, STEP_S)


def _push_in_parts(scores: Scores, config: DecodeConfig, cuts: list[int]) -> list[list[Event]]:
    decoder = OnlineDecoder(scores.labels, config)
    parts = np.split(np.arange(len(scores.times_s)), sorted(cuts))
    pushed = [
        decoder.push(scores.times_s[part], scores.values[part], scores.step_s) for part in parts
    ]
    return [*pushed, decoder.flush()]


@given(drawn=rows, config=configs, cuts=st.lists(st.integers(0, 60), max_size=12))
def test_any_cutting_gives_the_events_of_the_whole(
    drawn: list, config: DecodeConfig, cuts: list[int]
) -> None:
    scores = _make_scores(drawn)
    whole = decode_events(scores, config)
    for parts in (cuts, list(range(len(drawn)))):
        events = [event for part in _push_in_parts(scores, config, parts) for event in part]
        assert sorted(events, key=lambda e: (e.onset_s, LABELS.index(e.label))) == list(whole)


@given(drawn=rows, config=configs)
def test_what_is_open_becomes_final_with_the_same_onset_and_no_earlier_end(
    drawn: list, config: DecodeConfig
) -> None:
    scores = _make_scores(drawn)
    decoder, ends_s = OnlineDecoder(scores.labels, config), dict[tuple[str, float], float]()

    def conclude(events: list[Event]) -> None:
        for event in events:
            assert ends_s.pop((event.label, event.onset_s), 0.0) <= event.offset_s

    for row in range(len(drawn)):
        part = slice(row, row + 1)
        conclude(decoder.push(scores.times_s[part], scores.values[part], scores.step_s))
        for event in decoder.open:
            assert event.offset_s - event.onset_s >= config.rule(event.label).min_s - 1e-6
            assert ends_s.get((event.label, event.onset_s), 0.0) <= event.offset_s
            ends_s[event.label, event.onset_s] = event.offset_s
        assert set(ends_s) == {(event.label, event.onset_s) for event in decoder.open}
    conclude(decoder.flush())
    assert not ends_s
    assert decoder.open == ()


def _push_one_label(decoder: OnlineDecoder, values: list[float], start: int = 0) -> list[Event]:
    hit = np.array(values, np.float32)
    times_s = (np.arange(start, start + len(hit)) + 0.5) * STEP_S
    return decoder.push(times_s, np.stack([1 - hit, hit], axis=1), STEP_S)


def test_an_event_is_final_once_the_gap_has_passed() -> None:
    config = DecodeConfig("play", min_s=0.25, merge_gap_s=0.375)
    decoder = OnlineDecoder(("play", "hit"), config)
    assert _push_one_label(decoder, [0.1, 0.9]) == []
    assert decoder.open == ()  # not long enough
    assert _push_one_label(decoder, [0.7], 2) == []
    assert decoder.open == (Event("hit", 0.125, 0.375, 0.8),)
    assert _push_one_label(decoder, [0.1, 0.1], 3) == []
    assert decoder.open == (Event("hit", 0.125, 0.375, 0.8),)
    assert _push_one_label(decoder, [0.1], 5) == [Event("hit", 0.125, 0.375, 0.8)]
    assert decoder.open == ()
    assert decoder.flush() == []


def test_what_goes_on_when_rows_are_missing_ends_there() -> None:
    decoder = OnlineDecoder(("play", "hit"), DecodeConfig("play", min_s=0.0, merge_gap_s=0.5))
    assert _push_one_label(decoder, [0.9, 0.9]) == []
    assert _push_one_label(decoder, [0.8, 0.1], 4) == []  # 0.25 s later: joined
    assert _push_one_label(decoder, [0.9], 20) == [Event("hit", 0.0, 0.625, 0.866667)]
    assert decoder.flush() == [Event("hit", 2.5, 2.625, 0.9)]


def test_a_label_may_have_a_rule_of_its_own() -> None:
    values = np.array([[0.5, 0.45, 0.05], [0.3, 0.65, 0.05], [0.05, 0.25, 0.7]], np.float32)
    scores = Scores(LABELS, (np.arange(3) + 0.5) * STEP_S, values, STEP_S)
    own = {"hit": {"onset": 0.4, "offset": 0.2, "tail": 0.0}}
    config = DecodeConfig("play", min_s=0.0, merge_gap_s=0.0, labels=own)
    assert decode_events(scores, config) == (
        Event("hit", 0.0, 0.375, 0.45),
        Event("kick", 0.25, 0.375, 0.7),
    )


def test_smoothing_is_the_mean_of_known_neighbors() -> None:
    hit = np.array([0.2, 1.0, 0.2, 0.8, 0.0, 0.9, 0.9], np.float32)
    values = np.stack([1 - hit, hit], axis=1)
    values[4] = 0.0  # is uncertain
    scores = Scores(("play", "hit"), (np.arange(7) + 0.5) * STEP_S, values, STEP_S)
    config = DecodeConfig(
        "play", 0.6, 0.5, min_s=0.0, merge_gap_s=0.0, smooth_s=3 * STEP_S, tail=0.0
    )
    # Means over three: .6, .47, .67, .5, is uncertain, .9, .9. The score is that of the rows.
    assert decode_events(scores, config) == (
        Event("hit", 0.0, 0.125, 0.2),
        Event("hit", 0.25, 0.5, 0.5),
        Event("hit", 0.625, 0.875, 0.9),
    )


def test_memory_does_not_grow() -> None:
    decoder = OnlineDecoder(("play", "hit"), DecodeConfig("play", smooth_s=2.0))
    sizes = []
    for start in range(0, 40_000, 100):
        _push_one_label(decoder, [0.9] * 90 + [0.1] * 10, start)
        sizes.append(_measure(decoder, set()))
    assert max(sizes[200:]) <= max(sizes[:200])


def _measure(value: object, seen: set[int]) -> int:
    """Return the bytes of an object and of all that it holds."""
    if id(value) in seen:
        return 0
    seen.add(id(value))
    parts: list[object] = []
    if isinstance(value, dict):
        parts = [*value.keys(), *value.values()]
    elif isinstance(value, list | tuple):
        parts = list(value)
    elif hasattr(value, "__dict__") and not isinstance(value, type):
        parts = [vars(value)]
    held = value.base if isinstance(value, np.ndarray) else None
    return sys.getsizeof(value) + sum(_measure(part, seen) for part in (*parts, held))


@pytest.mark.parametrize("changed", ["back", "same", "step"])
def test_rows_that_do_not_ascend_in_steps_are_refused(changed: str) -> None:
    decoder = OnlineDecoder(("play", "hit"), DecodeConfig("play"))
    _push_one_label(decoder, [0.1, 0.2])
    times_s = {"back": [0.0], "same": [0.3125, 0.3125], "step": [0.3125]}[changed]
    step_s = 0.25 if changed == "step" else STEP_S
    with pytest.raises(ConfigError, match=r"after 0.1875 s.*steps of 0.125 s"):
        decoder.push(np.array(times_s), np.full((len(times_s), 2), 0.5, np.float32), step_s)


@pytest.mark.parametrize(
    "config", [DecodeConfig("none"), DecodeConfig(labels={"none": {"onset": 0.9}})]
)
def test_rules_for_labels_that_there_are_not_are_refused(config: DecodeConfig) -> None:
    with pytest.raises(ConfigError, match=r"\('play', 'hit'\).*'none'"):
        OnlineDecoder(("play", "hit"), config)
