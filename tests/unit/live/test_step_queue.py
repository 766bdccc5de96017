"""Steps that wait too long are passed over, and none is lost from the time grid."""

import threading
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from har.live.step_queue import Step, StepQueue
from har.sampling.stacks import Stack


def _step(number: int, n_steps: int = 1) -> Step:
    return Step(Stack(np.full((1, 1, 1), number, np.uint8), n_steps), float(number))


def _read(steps: list[Step]) -> list[tuple[int, int]]:
    return [(int(step.stack.image[0, 0, 0]), step.stack.n_steps) for step in steps]


def test_what_is_put_is_taken_once() -> None:
    wake = threading.Event()
    box = StepQueue({"motion": 4, "pose": 4}, wake)
    box.begin(0, 2.5)
    box.put({"motion": [], "pose": []})
    assert not wake.is_set()
    assert box.take() == []
    box.put({"motion": [_step(0)], "pose": [_step(1), _step(2)]})
    assert wake.is_set()
    (part,) = box.take()
    assert (part.number, part.begun_s, part.span_s) == (0, 2.5, None)
    assert _read(part.steps["motion"]) == [(0, 1)]
    assert _read(part.steps["pose"]) == [(1, 1), (2, 1)]
    assert box.take() == []


def test_the_newest_win_and_stand_for_those_passed_over() -> None:
    box = StepQueue({"motion": 2, "pose": 3}, threading.Event())
    box.begin(0, 0.0)
    for number in range(5):
        motion = _step(number, n_steps=2 if number == 1 else 1)
        box.put({"motion": [motion], "pose": [_step(number)]})
    (part,) = box.take()
    assert _read(part.steps["motion"]) == [(3, 5), (4, 1)]
    assert _read(part.steps["pose"]) == [(2, 3), (3, 1), (4, 1)]
    assert box.n_dropped == 4 + 2
    assert part.steps["motion"][0].arrived_s == 3.0


def test_what_stands_for_a_step_that_moved_is_encoded() -> None:
    """A still step takes what was found last; of what was passed over nothing was found."""
    box = StepQueue({"motion": 1}, threading.Event())
    box.begin(0, 0.0)
    for moved in (False, True):
        stacks = [replace(_step(number).stack, is_still=True) for number in range(2)]
        stacks[0] = replace(stacks[0], is_still=not moved)
        box.put({"motion": [Step(stack, 0.0) for stack in stacks]})
        (part,) = box.take()
        (step,) = part.steps["motion"]
        assert step.stack.is_still is not moved


def test_an_end_is_told_with_the_steps_before_it_and_a_new_stretch_is_apart() -> None:
    box = StepQueue({"motion": 2, "pose": 2}, threading.Event())
    box.begin(0, 0.0)
    box.put({"motion": [_step(0)]})
    box.end(1.25)
    box.begin(1, 9.0)
    box.put({"motion": [_step(1)]})
    first, second = box.take()
    assert (first.number, first.span_s, _read(first.steps["motion"])) == (0, 1.25, [(0, 1)])
    assert (second.number, second.span_s, _read(second.steps["motion"])) == (1, None, [(1, 1)])
    box.end(0.5)
    (end,) = box.take()
    assert (end.number, end.span_s, end.steps["motion"]) == (1, 0.5, [])
    assert box.take() == []


@given(
    most=st.integers(1, 4),
    puts=st.lists(st.lists(st.integers(1, 5), max_size=6), max_size=12),
    is_taken=st.lists(st.booleans(), min_size=12, max_size=12),
)
def test_there_are_always_as_many_steps_as_were_put(
    most: int, puts: list[list[int]], is_taken: list[bool]
) -> None:
    box = StepQueue({"motion": most, "pose": 1}, threading.Event())
    box.begin(0, 0.0)
    n_taken = 0
    for counts, is_now in zip(puts, is_taken, strict=False):
        box.put({"motion": [_step(0, count) for count in counts]})
        for part in box.take() if is_now else []:
            assert len(part.steps["motion"]) <= most
            n_taken += sum(count for _, count in _read(part.steps["motion"]))
    n_taken += sum(count for part in box.take() for _, count in _read(part.steps["motion"]))
    assert n_taken == sum(map(sum, puts))
