"""Settings of live cameras that would not work together are refused."""

import pytest

from har.config import WatchConfig
from har.errors import ConfigError


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"frozen_s": 20.0}, "Expected lost_s at least 20, received lost_s=10.0"),
        ({"max_late_s": 6.0}, "Expected jump_s over 6, received jump_s=5.0"),
        ({"max_wait_s": 0.0}, "Expected max_wait_s from 0.05 to 60"),
        ({"n_overlap": 0}, "Expected n_overlap from 1 to 512"),
    ],
)
def test_wrong_settings_are_refused(changes: dict[str, float], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        WatchConfig(**changes)  # type: ignore[arg-type]
