# ruff: noqa: PLC0415 - what is not installed is left out
"""What others need for the same: ff3, libffx and Presidio, in a venv of their own (`make .venv-bench/.installed`).

Reads {"cards": [...], "table": {column: [...]}} from standard input and writes values, or rows, a second of CPU time.
"""

import contextlib
import json
import statistics
import sys
import time

KEY, TWEAK = "EF4359D8D580AA4F7F036D6F04FC6A94", "D8E7920AFA330A73"
SALT = b"0123456789abcdef"


def rate(action, count, repeats=3):
    """Median values a second."""
    action()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        action()
        times.append(time.process_time() - start)
    return count / statistics.median(times)


def ff3(given):
    from ff3 import FF3Cipher

    cipher = FF3Cipher(KEY, TWEAK)
    return rate(lambda: [cipher.encrypt(value) for value in given["cards"]], len(given["cards"]))


def libffx(given):
    from ffx import FF1

    cipher = FF1(bytes.fromhex(KEY), radix=10)
    return rate(lambda: [cipher.encrypt(value) for value in given["cards"]], len(given["cards"]))


def presidio_structured(given):
    import pandas as pd
    from presidio_anonymizer.entities import OperatorConfig
    from presidio_structured import StructuredEngine
    from presidio_structured.config import StructuredAnalysis

    frame = pd.DataFrame(given["table"]).fillna("")
    engine, analysis = StructuredEngine(), StructuredAnalysis(dict.fromkeys(frame.columns, "PERSON"))
    hashed = {"PERSON": OperatorConfig("hash", {"hash_type": "sha256", "salt": SALT})}
    return rate(lambda: engine.anonymize(frame, analysis, operators=hashed), len(frame))


def presidio_batch(given):
    from presidio_anonymizer import BatchAnonymizerEngine
    from presidio_anonymizer.entities import OperatorConfig, RecognizerResult

    hashed = {"PERSON": OperatorConfig("hash", {"hash_type": "sha256", "salt": SALT})}
    texts = [value or "-" for column in given["table"].values() for value in column]
    spans = [[RecognizerResult("PERSON", 0, len(text), 1.0)] for text in texts]
    engine = BatchAnonymizerEngine()
    rows = len(next(iter(given["table"].values())))
    return rate(lambda: engine.anonymize_list(texts, spans, operators=hashed), rows)


def main():
    given = json.load(sys.stdin)
    found = {}
    for reference in (ff3, libffx, presidio_structured, presidio_batch):
        with contextlib.suppress(ImportError), contextlib.redirect_stdout(sys.stderr):
            found[reference.__name__] = reference(given)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
