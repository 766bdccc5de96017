"""What is drawn: timelines, annotated videos, thumbnails, skeletons."""
