"""The parts of `benchmarks/pose.py`: each measures one thing that the pose stream must show."""
