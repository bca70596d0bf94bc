"""Finds texts that rules compare with and that are not written as callers write them. Pure.

1. A text with blanks around it is refused, for nobody sees them. `deceit` refuses Unicode forms other than NFC.
2. A list with one text in two cases is warned of. A third case is another text.
"""

from collections.abc import Iterator, Sequence

from pdp.policy.compared import Compared, comparisons, origins
from pdp.policy.finding import Finding
from pdp.policy.untyped import Typing, shown
from pdp.visible import visible


def unlike_sent(typing: Typing) -> Iterator[Finding]:
    """A finding for each text that is compared with what a caller sends and that no caller means."""
    for each in _compared(typing):
        told = f" of `{each.listing}`" if each.listing else ""
        if each.text != each.text.strip() and each.text.strip():
            sentence = f'`"{visible(each.text)}"`{told} has blanks around it; write `"{each.text.strip()}"`'
            yield each.branch.module.finding(each.node, "odd-text", sentence)


def doubled(typing: Typing) -> Iterator[Finding]:
    """A finding for each list that has one text in two cases."""
    lists: dict[str, list[Compared]] = {}
    for each in _compared(typing):
        if each.listing:
            lists.setdefault(each.listing, []).append(each)
    for listing, items in lists.items():
        if two := _in_two_cases([each.text for each in items]):
            name = shown(items[0].asked)
            sentence = (
                f"`{listing}` has `{two[0]}` and `{two[1]}`, so a third case passes for another text; write "
                f'"{two[0].lower()}" alone, and ask about `lower({name})`'
            )
            yield items[0].branch.module.finding(items[0].node, "doubled-text", sentence)


def _compared(typing: Typing) -> Iterator[Compared]:
    yield from (each for each in comparisons(typing) if origins(typing, each.branch, each.asked))


def _in_two_cases(texts: Sequence[str]) -> Sequence[str]:
    """Two texts of which only the case differs; empty if there are none."""
    known: dict[str, str] = {}
    for text in texts:
        if known.setdefault(text.casefold(), text) != text:
            return known[text.casefold()], text
    return ()
