"""What people of the workspace see: words of others are literal, unless a program puts them into markup."""

from pdp.dev.slack import page
from tests.slack import LINE, USERS, asking, button, modal, rich, workspace

HOSTILE = "*CFO approved* <!channel> [open](https://x) <at>x</at> <https://x|y>"


def test_rich_text_is_literal() -> None:
    drawn = page.blocks([rich(HOSTILE)])
    shown = "*CFO approved* &lt;!channel&gt; [open](https://x) &lt;at&gt;x&lt;/at&gt; &lt;https://x|y&gt;"
    assert drawn == f'<div class="rich">{shown}</div>'


def test_markup_is_drawn_as_markup() -> None:
    drawn = page.blocks([{"type": "section", "text": {"type": "mrkdwn", "text": HOSTILE}}])
    assert "<strong>CFO approved</strong>" in drawn
    assert drawn.count("<mark>") == 3


def test_messages_and_the_modal_of_a_person() -> None:
    space = workspace()
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "Waits"}},
        {"type": "context", "elements": [LINE["text"]]},
        {"type": "divider"},
        button("review"),
        {"type": "actions", "elements": [{**button("open")["elements"][0], "url": "https://placet.example/"}]},
    ]
    space.call("chat.postMessage", {"channel": "CSTEWARDS", "text": "waits", "blocks": blocks})
    drawn = page.of(space, USERS["UBOB"])
    assert '<a href="https://placet.example/"' in drawn
    assert "refresh" in drawn
    space.call("views.open", {"trigger_id": space.trigger("UBOB"), "view": asking()})
    drawn = page.of(space, USERS["UBOB"], "trouble")
    assert "refresh" not in drawn
    assert '<input type="radio" name="verdict" value="DENY" required> Deny' in drawn
    assert '<textarea name="reason" maxlength="2000">' in drawn
    assert "trouble" in drawn
    opened = space.open_view("UBOB")
    assert opened is not None
    opened.typed = {"verdict": "DENY", "reason": "<b> why"}
    drawn = page.of(space, USERS["UBOB"])
    assert '<input type="radio" name="verdict" value="DENY" required checked> Deny' in drawn
    assert '<textarea name="reason" maxlength="2000">\n&lt;b&gt; why</textarea>' in drawn
    space.put(opened, modal())
    assert "refresh" in page.of(space, USERS["UBOB"]), "what a person waits for comes by itself"
    assert "<dialog" not in page.of(space, USERS["UCAROL"])
