from har.pose.keypoints import INDEX, N_KEYPOINTS


def test_keypoints_are_cocos_seventeen():
    assert N_KEYPOINTS == 17
    assert len(INDEX) == 17
    assert [INDEX[name] for name in ("nose", "left_wrist", "right_ankle")] == [0, 9, 16]
