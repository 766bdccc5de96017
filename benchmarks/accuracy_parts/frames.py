"""What the methods of others look at: a fixed number of color frames spread over a clip."""

from __future__ import annotations

import cv2
import numpy as np

from har.dataset.store import Store

N_FRAMES = 20


def load_frames(store: Store, clip: int, size: tuple[int, int] | None = None) -> np.ndarray:
    """Return (20, H, W, 3) uint8, spread evenly over a clip; a short clip repeats some.

    Args:
        store: In color.
        clip: Position in ``store.clips``.
        size: (H, W) to which frames are stretched, or None to leave them.
    """
    frames = store.open_frames(store.clips[clip].clip_id)
    places = np.linspace(0, len(frames) - 1, N_FRAMES).round().astype(int)
    chosen = np.asarray(frames[places])
    if size is None:
        return chosen
    return np.stack(
        [cv2.resize(frame, size[::-1], interpolation=cv2.INTER_AREA) for frame in chosen]
    )
