"""`python -m tests.fuzz SECONDS`: the targets under atheris, guided by what of our code each input reaches.

An input that is neither refused nor read ends it, and lies in build/fuzz. It is a case for a test then.
"""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["masker.arrow", "pdp.arrow", "pdp.masking"]):
    from tests.fuzz import targets

FOUND = Path("build/fuzz")


def main(seconds: str) -> None:
    """Fuzz for so long, from what is valid on."""
    corpus = FOUND / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(targets.seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
    limits = [f"-max_total_time={seconds}", "-rss_limit_mb=4096", "-timeout=60", "-max_len=16384"]
    atheris.Setup([sys.argv[0], *limits, f"-artifact_prefix={FOUND}/", str(corpus)], targets.one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1])
