"""Draws what `pdp lineage show` found."""

from pathlib import Path

from pdp.cli import exit_code
from pdp.cli.dataset import written
from pdp.lineage import picture
from pdp.lineage.picture import Arrow, Box, Picture
from pdp.say import give
from pdp.sensitivity import sensitivity
from pdp.v1.lineage_pb2 import GetLineageResponse, LineageDataset

MAX_COLUMNS = 20
"""Columns of a box: as many as one reads. Mermaid refuses texts of more than 50,000 characters."""


def draw(answer: GetLineageResponse, *, dot: bool, mermaid: bool, svg: Path | None) -> None:
    """Print it in a notation, or write it to a file."""
    drawn = pictured(answer)
    if dot:
        give(picture.dot(drawn).rstrip("\n"))
    if mermaid:
        give(picture.mermaid(drawn).rstrip("\n"))
    if svg:
        try:
            svg.write_text(picture.svg(drawn))
        except OSError as error:
            exit_code.fail(f"{svg} cannot be written: {error.strerror}", exit_code.USAGE)


def pictured(answer: GetLineageResponse) -> Picture:
    """A box for each dataset with its most sensitive columns, and an arrow for each job between two."""
    boxes = {written(one.dataset): _box(one) for one in answer.datasets}
    arrows = {Arrow(written(one.source), written(one.dataset), one.job_name or one.how): None for one in answer.steps}
    return Picture(boxes, [arrow for arrow in arrows if arrow.tail != arrow.head])


def _box(one: LineageDataset) -> Box:
    ordered = sorted(one.columns, key=lambda column: (sensitivity(column.tags, ()), column.name))
    notes = [f"{column.name}: {' '.join(column.tags)}" for column in ordered[:MAX_COLUMNS]]
    if len(ordered) > MAX_COLUMNS:
        notes.append(f"{len(ordered) - MAX_COLUMNS:,} more columns")
    return Box(written(one.dataset), notes or [" ".join(one.tags)], is_marked=not one.distance)
