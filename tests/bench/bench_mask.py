"""Rates of the masks, Arrow in to Arrow out on one core, each beside its bar and a reference of the same run.

python -m tests.bench.bench_mask [rows]

Rates are of CPU time, medians of five: others may use the machine. Presidio, ff3 and libffx run in `.venv-bench`, which
`make bench` makes; without it their lines are left out.
"""

import base64
import dataclasses
import hashlib
import hmac
import json
import os
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from pyarrow import compute

import masker
from masker.keys import Keyring, KeyVersion
from tests.bench import febrl

ROWS = int(sys.argv[1]) if sys.argv[1:] and sys.argv[1].isdigit() else 1_000_000
SAMPLE = 2000
COMPILING = 3  # seconds at most
CORES = 1.7  # of two; with less two threads show nothing
PYTHON = Path(".venv-bench/bin/python")
KEYS = Keyring("bench", [KeyVersion(1, "active", hashlib.sha256(b"bench").digest(), "2026-01-01T00:00:00Z")])
DOMAINS = {
    "id": {"mask": "token"},
    "name": {"mask": "token", "canonical": ["trim", "lower"]},
    "pseudo": {"mask": "pseudonym"},
    "card": {"mask": "fpe", "alphabet": "0123456789"},
    "card128": {"mask": "fpe", "alphabet": "0123456789", "aes": 128},
    "visit": {"mask": "date_shift", "days": 30},
}
RULES = [  # 4 tokens, 1 fpe, the rest partial, generalize or redact
    *({"column": name, "domain": "name"} for name in ("given_name", "surname", "address_1")),
    {"column": "rec_id", "domain": "id"},
    {"column": "soc_sec_id", "domain": "card"},
    *({"column": name, "mask": "redact"} for name in ("street_number", "address_2")),
    *({"column": name, "mask": "partial", "keep_first": 1} for name in ("suburb", "state")),
    {"column": "postcode", "mask": "generalize", "to": "zip3"},
    {"column": "date_of_birth", "mask": "generalize", "to": "year", "format": "%Y%m%d", "unfit": "null"},
]
RANDOM = np.random.default_rng(4)


@dataclasses.dataclass(frozen=True)
class Reference:
    """Somebody else's rate, in millions a second, and the share of it that is asked."""

    name: str
    rate: float
    least: float


def rate(action, count, repeats=5):
    """Median values a second, in millions; the first run compiles."""
    action()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        action()
        times.append(time.process_time() - start)
    return count / statistics.median(times) / 1e6


def fastest(actions, rounds=20):
    """The shortest time of each by the clock on the wall, in turns: others on the machine can only lengthen it."""
    times = [[] for _ in actions]
    for _ in range(rounds):
        for action, mine in zip(actions, times, strict=True):
            start = time.perf_counter()
            action()
            mine.append(time.perf_counter() - start)
    return [min(mine) for mine in times]


def line(name, mine, least=0.0, *references):
    """Print a rate, what it must be (millions a second), and its ratio to each reference."""
    told = [f"must {least:g} M/s"] * bool(least)
    missed = mine < least
    for reference in references:
        ratio = mine / reference.rate
        must = f", must {reference.least:g} x" if reference.least else ""
        told.append(f"{ratio:.3g} x {reference.name} ({reference.rate:.3g} M/s{must})")
        missed |= ratio < reference.least
    print(f"{name:42} {mine:8.2f} M/s  {'MISSED' if missed else '      '}  {'; '.join(told)}", flush=True)


def masked(column, rule, **others):
    """Rate of one rule over one column; `others` are columns let through that the rule needs."""
    table = pa.table({"c": column, **others})
    rules = [{"column": "c", "rule": "r", **rule}] + [{"column": name, "mask": "nullify"} for name in others]
    ready = masker.Masker(masker.plan(table.schema, rules, DOMAINS, key_version=1), KEYS)
    return rate(lambda: ready.table(table), len(table))


def aes_limit(bits):
    """Millions of 16-byte blocks a second through OpenSSL, 256 KiB at a time."""
    context = Cipher(algorithms.AES(bytes(bits // 8)), modes.ECB()).encryptor()  # noqa: S305 - its speed is asked
    block, output = bytes(1 << 18), bytearray((1 << 18) + 16)
    return rate(lambda: [context.update_into(block, output) for _ in range(200)], 200 * (1 << 14))


def aes_job(_):
    context = Cipher(algorithms.AES(bytes(32)), modes.ECB()).encryptor()  # noqa: S305 - its speed is asked
    block, output = bytes(1 << 22), bytearray((1 << 22) + 16)
    for _ in range(50):
        context.update_into(block, output)


def columns():
    digits = [f"{number:019d}" for number in RANDOM.integers(0, 10**18, ROWS)]
    lengths = RANDOM.integers(13, 20, ROWS).tolist()
    mixed = [
        None if row % 50 == 0 else "-".join(text[i : i + 4] for i in range(0, size, 4)) if row % 3 == 0 else text[:size]
        for row, (text, size) in enumerate(zip(digits, lengths, strict=True))
    ]
    hosts = ["example.com", "mail.example.org", "corp.example.net"]
    emails = [
        f"{('abcdefghijklmnop' + text[-9:])[-(26 - len(host)) :]}@{host}"
        for text, host in zip(digits, hosts * -(-ROWS // 3), strict=False)
    ]
    return {"card": pa.array([text[3:] for text in digits]), "mixed": pa.array(mixed), "email": pa.array(emails)}


def others(data):
    """Rates of ff3, libffx and Presidio, in millions a second; empty where they are not installed."""
    if not PYTHON.exists():
        print("no ff3, libffx and Presidio: `make bench` installs them")
        return {}
    table = febrl.table(SAMPLE)
    sample = {name: table[name].to_pylist() for name in table.column_names}
    given = json.dumps({"cards": data["card"].to_pylist()[:SAMPLE], "table": sample})
    command = [PYTHON, "tests/bench/mask_references.py"]
    done = subprocess.run(command, input=given, stdout=subprocess.PIPE, text=True, check=True)
    return {name: each / 1e6 for name, each in json.loads(done.stdout).items()}


def fpe(data, found):
    references = [("ff3", 400), ("libffx", 0)]
    line(
        "FF1 AES-256, 13-19 digits, 2 % nulls",
        masked(data["mixed"], {"domain": "card"}),
        0,
        *(Reference(f"{name} a value", found[name], least) for name, least in references if name in found),
    )
    for bits, domain in ((256, "card"), (128, "card128")):
        limit = Reference("AES limit, 10 blocks", aes_limit(bits) / 10, 0.3 if bits == 256 else 0)
        line(f"FF1 AES-{bits}, 16 digits", masked(data["card"], {"domain": domain}), 0, limit)


def ids(data, _found):
    sample = [value.encode() for value in data["email"].to_pylist()[:100_000]]
    siv, strings = AESSIV(bytes(range(64))), [b"placet/token/v1", b"tok", b"abcdef"]
    bare = rate(lambda: [siv.encrypt(value, strings) for value in sample], len(sample))
    spelt = rate(lambda: [base64.urlsafe_b64encode(siv.encrypt(v, strings)) for v in sample], len(sample))
    line("token, 27 characters", masked(data["email"], {"domain": "id"}), 0, Reference("AESSIV a value", bare, 6))
    line("token, 16 characters", masked(data["card"], {"domain": "id"}), 0, Reference("AESSIV + base64", spelt, 0))
    numbers = pa.array(RANDOM.integers(0, 10**9, ROWS))
    line("token, int64", masked(numbers, {"domain": "id"}), 0, Reference("AESSIV a value", bare, 0))
    cards = [value.encode() for value in data["card"].to_pylist()[:100_000]]
    slow = rate(lambda: [hmac.digest(b"k" * 32, value, "sha256") for value in cards], len(cards))
    line("pseudonym, 16 characters", masked(data["card"], {"domain": "pseudo"}), 0, Reference("hmac.digest", slow, 10))


def plain(data, _found):
    cards, general = data["card"], {"mask": "generalize"}
    slow = rate(lambda: compute.binary_replace_slice(cards, 0, 12, "*" * 12), ROWS)
    replaced = Reference("pyarrow replace_slice", slow, 0)
    line("partial, last 4 of 16, text", masked(cards, {"mask": "partial", "keep_last": 4}), 50, replaced)
    line("redact, text", masked(cards, {"mask": "redact"}), 50)
    line("generalize zip3, text", masked(cards, {**general, "to": "zip3"}), 50)
    numbers = pa.array(RANDOM.integers(0, 10**6, ROWS))
    line("redact, int64", masked(numbers, {"mask": "redact"}), 100)
    line("generalize round, int64", masked(numbers, {**general, "to": "round", "step": 100}), 100)
    line("generalize clamp, int64", masked(numbers, {**general, "to": "clamp", "most": 90}), 100)
    days = pa.array(RANDOM.integers(0, 20_000, ROWS).astype(np.int32), pa.date32())
    line("generalize year, date32", masked(days, {**general, "to": "year"}), 100)
    texts = compute.strftime(days, "%Y-%m-%d")
    line("generalize year, text", masked(texts, {**general, "to": "year", "format": "%Y-%m-%d"}), 50)


def shifts(data, _found):
    days = pa.array(RANDOM.integers(0, 20_000, ROWS).astype(np.int32), pa.date32())
    numbers = pa.array(RANDOM.integers(0, 10**9, ROWS))
    few = compute.cast(pa.array(RANDOM.integers(0, 1000, ROWS)), pa.string()).dictionary_encode()
    rule = {"domain": "visit", "entity": "who"}
    for name, entity, least in (("int64", numbers, 100), ("dictionary", few, 100), ("text", data["email"], 25)):
        line(f"date_shift date32, {name} entity", masked(days, rule, who=entity), least)


def whole(_data, found):
    table = febrl.table(ROWS)
    ready = ready_for(table)
    asked = {"presidio_structured": 300, "presidio_batch": 100}
    references = [
        Reference(name.replace("_", " "), found[name], least) for name, least in asked.items() if name in found
    ]
    line("FEBRL plan, rows", rate(lambda: ready.table(table), ROWS), 0, *references)
    cut = pa.Table.from_batches(table.to_batches(1 << 16))
    with ThreadPoolExecutor(2) as pool:
        one, two, alone, both = fastest(
            [
                lambda: ready.table(cut),
                lambda: ready.table(cut, threads=2),
                lambda: aes_job(0),
                lambda: list(pool.map(aes_job, range(2))),
            ]
        )
    given = 2 * alone / both
    least = 1.5 if given > CORES else 0
    line("FEBRL plan, rows, 2 threads, wall clock", ROWS / two / 1e6, 0, Reference("1 thread", ROWS / one / 1e6, least))
    verdict = "" if least else ": others have the cores, no verdict"
    print(f"{'':63}{given:.2f} x is what two threads of AES alone get here and now{verdict}")


def ready_for(table):
    return masker.Masker(masker.plan(table.schema, RULES, DOMAINS, key_version=1), KEYS)


def compiling():
    """CPU time of the FEBRL plan's kernels in fresh processes, which is what the first caller of a process waits."""
    command = [sys.executable, "-m", "tests.bench.bench_mask", "--compile"]
    seconds = sorted(float(subprocess.check_output(command, text=True)) for _ in range(3))
    missed = "MISSED" if seconds[1] > COMPILING else "      "
    told = f"must {COMPILING} s; {seconds[0]:.2f} to {seconds[2]:.2f}"
    print(f"{'FEBRL plan, compiling, CPU':42} {seconds[1]:8.2f} s    {missed}  {told}", flush=True)


def compile_once():
    ready = ready_for(febrl.table(1))
    start = time.process_time()
    ready.warm()
    print(time.process_time() - start)


def main():
    limits = f"AES-128 {aes_limit(128):.0f}, AES-256 {aes_limit(256):.0f} M blocks/s"
    print(f"{ROWS:,} rows, load {os.getloadavg()[0]:.2f}, {limits}", flush=True)
    compiling()
    data = columns()
    found = others(data)
    for part in (fpe, ids, plain, shifts, whole):
        part(data, found)


if __name__ == "__main__":
    compile_once() if "--compile" in sys.argv else main()
