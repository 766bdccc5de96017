"""The recipes that are measured: what is shipped, and with the lags that were before."""

from __future__ import annotations

from har.config import RECIPES, TrainConfig, update_config

_LONGER_LAGS = {"lags_s": ((0.0, -0.04), (0.0, -0.12), (0.16, -0.16))}
_FROZEN = update_config(TrainConfig(streams="both"), RECIPES["frozen"])

RECIPES_OF_FIGHTS: dict[str, TrainConfig] = {
    "shipped": _FROZEN,
    "longer_lags": update_config(_FROZEN, {"input": _LONGER_LAGS}),
}
