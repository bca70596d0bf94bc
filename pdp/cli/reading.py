"""The pane in which an approval is read: it wraps for its width, and knows whether the end was on screen."""

from bisect import bisect_right
from itertools import accumulate

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from pdp.visible import wrapped

FEWEST_COLUMNS = 20
"""Columns for which text is wrapped at least: in less it cannot be read."""


class Reading(VerticalScroll, can_focus=False):
    """Shows one text. Nothing of it is cut: what does not fit scrolls."""

    def __init__(self) -> None:
        super().__init__(id="detail")
        self.read_to_end = False
        self._text = ""
        self._starts, self._rows = [0], 0
        self._place = (0, 0.0)

    def compose(self) -> ComposeResult:
        """Show the text in a widget of its own."""
        yield Static(id="text", markup=False)

    def on_mount(self) -> None:
        """Notice when it scrolls."""
        self.watch(self, "scroll_y", self._scrolled, init=False)

    def show(self, text: str) -> None:
        """Show another text from its beginning. It counts as not read."""
        self._text, self.read_to_end, self._place = text, False, (0, 0.0)
        self._wrap()
        self.scroll_to(y=0, animate=False, immediate=True)
        self._look()

    def on_resize(self) -> None:
        """Wrap for the new width, and keep the line at the top. What was read stays read: it is the same text."""
        place = self._place
        self._wrap()
        self.call_after_refresh(self._go, place)

    def _wrap(self) -> None:
        columns = max(self.scrollable_content_region.width, FEWEST_COLUMNS)
        lines = [wrapped(line, columns) for line in self._text.split("\n")]
        *starts, self._rows = accumulate((line.count("\n") + 1 for line in lines), initial=0)
        self._starts = starts
        self.query_one("#text", Static).update(Text("\n".join(lines), no_wrap=True))

    def _go(self, place: tuple[int, float]) -> None:
        """Scroll to a line, and to where in it the top of the pane was."""
        line, part = place
        if line < len(self._starts):
            row = self._starts[line] + int(part * (self._end(line) - self._starts[line]))
            self.scroll_to(y=row, animate=False, immediate=True)
        self._place = place
        self._look()

    def _end(self, line: int) -> int:
        return self._starts[line + 1] if line + 1 < len(self._starts) else self._rows

    def _scrolled(self) -> None:
        row = int(self.scroll_y)
        line = max(bisect_right(self._starts, row) - 1, 0)
        height = max(self._end(line) - self._starts[line], 1)
        self._place = line, (row - self._starts[line]) / height
        self._look()

    def _look(self) -> None:
        """Whether the end of a text is on screen."""
        if self._text and self.scroll_y + self.scrollable_content_region.height >= self._rows:
            self.read_to_end = True
