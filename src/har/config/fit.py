"""Settings of one stage's optimization."""

from __future__ import annotations

from dataclasses import dataclass

from har.config.bounds import check_range


@dataclass(frozen=True)
class FitConfig:
    """One stage's optimization.

    Attributes:
        epochs: At most this many; 0 leaves the stage's weights as they start.
        patience: Epochs without a better validation loss before stopping.
        learning_rate: AdamW's peak; it falls along a half cosine.
        weight_decay: AdamW's.
        batch_clips: Clips in a step.
        label_smoothing: 0 to 0.5.
    """

    epochs: int
    patience: int
    learning_rate: float
    weight_decay: float
    batch_clips: int
    label_smoothing: float = 0.05

    def __post_init__(self) -> None:
        check_range(
            self,
            epochs=(0, 10_000),
            patience=(1, 10_000),
            learning_rate=(1e-8, 1.0),
            weight_decay=(0.0, 1.0),
            batch_clips=(1, 4096),
            label_smoothing=(0.0, 0.5),
        )
