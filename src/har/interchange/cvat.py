"""CVAT's "Generic TSV": intervals of recordings, with a column for each attribute of labels.

    id  filename  start  stop  label  source  score  ...

Attributes that are called subject, target, annotator or comment are taken; ``source`` says only
whether a person or a program made an interval.

Source: https://docs.cvat.ai/docs/dataset_management/formats/format-generic-tsv/.
"""

from __future__ import annotations

from dataclasses import replace

from har.interchange.events import EventTable
from har.interchange.format import Format, Source
from har.interchange.tables import read_csv
from har.tables import begins_like

_COLUMNS = {"video": "filename", "start": "start", "end": "stop", "label": "label"}


def _matches(source: Source) -> bool:
    header = source.head.partition(b"\n")[0]
    return b"\t" in header and begins_like(source.path, (*_COLUMNS.values(), "source"))


def read_cvat(source: Source) -> EventTable:
    """Read the intervals.

    Raises:
        InterchangeError: A column is missing, or a line makes no sense.
        TableError: The file is no table.
    """
    columns = {**_COLUMNS, **source.settings.columns}
    if source.settings.video and not begins_like(source.path, ("filename",)):
        del columns["video"]
    return read_csv(Source(source.path, replace(source.settings, columns=columns)))


FORMAT = Format("cvat", "CVAT Generic TSV", (".tsv",), _matches, read_cvat)
