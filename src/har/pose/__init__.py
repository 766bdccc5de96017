"""People as body keypoints over time: detections, tracks, and features for a network."""
