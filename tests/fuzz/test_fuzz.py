"""Thousands of damaged inputs: each is of use or refused in words, in bounded time and memory.

    pytest -m fuzz -s tests/fuzz

Cases are drawn by a seed, so a case that fails is found again by its number.
"""

from pathlib import Path

import pytest
from fuzz_cases import Bundles, Tables, Videos, make_videos
from fuzzing import CASE_S, Cases, run_cases
from videos import make_clip

pytestmark = [
    pytest.mark.fuzz,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="measures with Linux"),
]
N_CASES = 2000


@pytest.mark.parametrize(("kind", "peak_mb"), [(Videos, 500), (Tables, 300), (Bundles, 1000)])
def test_whatever_comes_in_is_of_use_or_refused(
    tmp_path: Path, kind: type[Cases], peak_mb: float
) -> None:
    folder = tmp_path / "inputs"
    folder.mkdir()
    if kind is Videos:
        make_videos(folder)
    if kind is Tables:
        for label in ("fight", "noFight"):
            for n in range(3):
                make_clip(folder / "vid" / f"{label}{n}.mp4")
    outcome = run_cases(kind, folder, range(N_CASES))
    print(f"\n{kind.__name__}: {outcome}")
    assert outcome.faults == []
    assert outcome.longest_s < CASE_S
    assert outcome.peak_mb < peak_mb
    assert outcome.counts["good"] > N_CASES // 20
    assert outcome.counts["refused"] > N_CASES // 20
