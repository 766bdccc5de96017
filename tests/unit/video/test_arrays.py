"""Pictures of an array or an iterable as frames."""

import numpy as np

from har.video.arrays import iter_frames

PICTURE = np.zeros((48, 64, 3), np.uint8)


def test_fast_pictures_are_thinned_wherever_their_times_begin():
    images = [(7.0 + i / 60, PICTURE) for i in range(8)]
    times_s = [frame.time_s for frame in iter_frames(images, (48, 64), "gray", 30.0)]
    assert np.allclose(times_s, [0, 2 / 60, 4 / 60, 6 / 60])
