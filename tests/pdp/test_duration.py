import pytest

from pdp.duration import duration_ms


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("30s", 30_000),
        ("15m", 900_000),
        ("4h", 14_400_000),
        ("1h30m", 5_400_000),
        ("1h2m3s", 3_723_000),
        ("90m", 5_400_000),
        ("99999h", 99_999 * 3_600_000),
        ("007m", 420_000),
        *(
            (bad, None)
            for bad in ("", "0s", "0h0m0s", "5", "5d", "h", "1 h", " 1h", "1h ", "1h\n", "-1h", "+1h", "1.5h")
        ),
        *(
            (bad, None)
            for bad in ("1H", "1m1h", "1h1h", "1ms", "100000h", "1e3s", "٣h", "1h30", "PT1H", "1h,30m", "\0")
        ),
    ],
)
def test_duration_is_hours_minutes_and_seconds(text: str, milliseconds: int | None) -> None:
    assert duration_ms(text) == milliseconds
