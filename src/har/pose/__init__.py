"""People as body keypoints over time: detections, tracks and what a network is told of them."""
