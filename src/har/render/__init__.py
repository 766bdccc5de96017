"""Pictures of results: timelines, annotated videos, thumbnails, skeletons."""
