import numpy as np

from har.pose.keypoints import INDEX, KEYPOINTS, MIRRORED, N_KEYPOINTS


def test_keypoints_are_cocos_seventeen():
    assert N_KEYPOINTS == 17
    assert len(INDEX) == 17
    assert [INDEX[name] for name in ("nose", "left_wrist", "right_ankle")] == [0, 9, 16]


def test_a_mirror_exchanges_left_and_right():
    assert MIRRORED[INDEX["nose"]] == INDEX["nose"]
    assert MIRRORED == (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15)
    assert np.array(KEYPOINTS)[list(MIRRORED)][9] == "right_wrist"
