"""Whether a file holds the tokens that an approval to unmask is for: it is for tokens by their hash alone."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pdp.cli import exit_code
from pdp.cli.mask_files import refusals
from pdp.cli.rereading import reopened, whole_shape
from pdp.say import say
from pdp.v1.approval_pb2 import Approval
from pdp.view.unmasking import DIGEST, TREE, bound_context, texts

if TYPE_CHECKING:
    from masker.arrow.sources import Source
    from pdp.cli.scope import Scope


async def require_tokens(held: Approval, path: str, scope: "Scope") -> None:
    """Say whether an approval is for the tokens in a file, and exit where it is for others."""
    bound = bound_context(held)
    if not bound:
        exit_code.fail(f"{path}: this approval is for no tokens", exit_code.APPROVAL_ENDED)
    with refusals():
        async with reopened(path, scope) as opened:
            found = await asyncio.to_thread(_hash, bound, opened, scope)
    if found != (bound.get(TREE) or bound.get(DIGEST)):
        differs = "this approval is for other tokens, or for these in another order, shape or key version"
        exit_code.fail(f"{path}: {differs}", exit_code.APPROVAL_ENDED)
    say(f"{path}: this approval is for exactly these tokens")


def _hash(bound: dict[str, Any], opened: "Callable[[], Source]", scope: "Scope") -> str:
    from pdp.arrow import chunks, table, token_tree
    from pdp.client.unmasking import announced
    from pdp.v1.mask_pb2 import MaskScope

    columns = texts(bound.get("columns"))
    shape = whole_shape(opened)
    with opened() as source:
        if TREE not in bound:
            whole = table.whole(source.batches(), source.schema)
            return token_tree.tokens_digest(whole, columns, is_records=source.is_records)
        made = chunks.cut(source.batches(), source.schema)
        named = dict(zip(columns, texts(bound.get("column_domains")), strict=False))
        message = MaskScope(masked_key_version=scope.masked_key_version)
        return token_tree.root(announced(message, shape, named, made))
