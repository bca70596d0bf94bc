"""Rates of the masks, Arrow in to Arrow out on one core, each beside a reference of the same run.

python tests/bench/bench_mask.py [rows]
"""

import base64
import hashlib
import hmac
import importlib.util
import os
import statistics
import sys
import time

import numpy as np
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from pyarrow import compute

import masker
from masker.keys import Keyring, KeyVersion

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
KEYS = Keyring("bench", [KeyVersion(1, "active", hashlib.sha256(b"bench").digest(), "2026-01-01T00:00:00Z")])
DOMAINS = {
    "id": {"mask": "token"},
    "name": {"mask": "token", "canonical": ["trim", "lower"]},
    "pseudo": {"mask": "pseudonym"},
    "card": {"mask": "fpe", "alphabet": "0123456789"},
    "card128": {"mask": "fpe", "alphabet": "0123456789", "aes": 128},
    "visit": {"mask": "date_shift", "days": 30},
}
RANDOM = np.random.default_rng(4)


def rate(action, count, repeats=5):
    """Median values a second, in millions; the first run compiles."""
    action()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return count / statistics.median(times) / 1e6


def line(name, mine, reference="", other=None):
    ratio = f"{mine / other:10.2f} x" if other else " " * 12
    print(f"{name:44} {mine:9.2f} M/s {ratio}  {reference} {f'{other:.3f} M/s' if other else ''}", flush=True)


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


def columns():
    digits = [f"{number:019d}" for number in RANDOM.integers(0, 10**18, ROWS)]
    lengths = RANDOM.integers(13, 20, ROWS).tolist()
    mixed = [
        None if row % 50 == 0 else "-".join(text[i : i + 4] for i in range(0, size, 4)) if row % 3 == 0 else text[:size]
        for row, (text, size) in enumerate(zip(digits, lengths, strict=True))
    ]
    hosts = ["example.com", "mail.example.org", "corp.example.net"]
    emails = [f"{'abcdefgh'[: 3 + row % 6]}.{text[-6:]}@{hosts[row % 3]}" for row, text in enumerate(digits)]
    return {
        "card": pa.array([text[3:] for text in digits]),
        "mixed": pa.array(mixed),
        "email": pa.array(emails),
    }


def ff3_rate(values):
    if importlib.util.find_spec("ff3") is None:
        return None
    from ff3 import FF3Cipher  # noqa: PLC0415 - not a dependency

    cipher = FF3Cipher("EF4359D8D580AA4F7F036D6F04FC6A94", "D8E7920AFA330A73")
    return rate(lambda: [cipher.encrypt(value) for value in values], len(values), 3)


def fpe(data):
    ff3 = ff3_rate(data["card"].to_pylist()[:3000])
    line(
        "FF1 AES-256, 13-19 digits, separators, nulls",
        masked(data["mixed"], {"domain": "card"}),
        "ff3 a value",
        ff3,
    )
    for bits, domain in ((256, "card"), (128, "card128")):
        mine = masked(data["card"], {"domain": domain})
        line(f"FF1 AES-{bits}, 16 digits", mine, "AES limit, 10 blocks", aes_limit(bits) / 10)


def ids(data):
    sample = [value.encode() for value in data["email"].to_pylist()[:100_000]]
    siv, strings = AESSIV(bytes(range(64))), [b"placet/token/v1", b"tok", b"abcdef"]
    slow = rate(lambda: [base64.urlsafe_b64encode(siv.encrypt(v, strings)) for v in sample], len(sample))
    bare = rate(lambda: [siv.encrypt(value, strings) for value in sample], len(sample))
    line("token, e-mails", masked(data["email"], {"domain": "id"}), "AESSIV a value", bare)
    line("token, 16 characters", masked(data["card"], {"domain": "id"}), "AESSIV + base64", slow)
    numbers = pa.array(RANDOM.integers(0, 10**9, ROWS))
    line("token, int64", masked(numbers, {"domain": "id"}), "AESSIV a value", bare)
    cards = [value.encode() for value in data["card"].to_pylist()[:100_000]]
    slow = rate(lambda: [hmac.digest(b"k" * 32, value, "sha256") for value in cards], len(cards))
    line("pseudonym, 16 characters", masked(data["card"], {"domain": "pseudo"}), "hmac.digest a value", slow)


def plain(data):
    cards = data["card"]
    slow = rate(lambda: compute.binary_replace_slice(cards, 0, 12, "*" * 12), ROWS)
    line(
        "partial, last 4 of 16",
        masked(cards, {"mask": "partial", "keep_last": 4}),
        "pyarrow replace_slice",
        slow,
    )
    line("redact, text", masked(cards, {"mask": "redact"}))
    line("generalize zip3", masked(cards, {"mask": "generalize", "to": "zip3"}))
    numbers = pa.array(RANDOM.integers(0, 10**6, ROWS))
    line("generalize round, int64", masked(numbers, {"mask": "generalize", "to": "round", "step": 100}))
    line("generalize clamp, int64", masked(numbers, {"mask": "generalize", "to": "clamp", "most": 90}))
    days = pa.array(RANDOM.integers(0, 20_000, ROWS).astype(np.int32), pa.date32())
    line("generalize year, date32", masked(days, {"mask": "generalize", "to": "year"}))
    texts = compute.strftime(days, "%Y-%m-%d")
    line("generalize year, text", masked(texts, {"mask": "generalize", "to": "year", "format": "%Y-%m-%d"}))


def shifts(data):
    days = pa.array(RANDOM.integers(0, 20_000, ROWS).astype(np.int32), pa.date32())
    numbers = pa.array(RANDOM.integers(0, 10**9, ROWS))
    few = compute.cast(pa.array(RANDOM.integers(0, 1000, ROWS)), pa.string()).dictionary_encode()
    rule = {"domain": "visit", "entity": "who"}
    for name, entity in (("int64", numbers), ("dictionary", few), ("text", data["email"])):
        line(f"date_shift date32, {name} entity", masked(days, rule, who=entity))


def febrl(data):
    """4 tokens, 1 fpe, the rest partial, generalize or redact."""
    cards = data["card"]
    head = compute.utf8_slice_codeunits
    table = pa.table(
        {
            "rec_id": data["email"],
            "given_name": head(data["email"], 0, 7),
            "surname": head(data["email"], 0, 9),
            "address_1": head(data["email"], 0, 18),
            "soc_sec_id": head(cards, 0, 7),
            "street_number": head(cards, 0, 3),
            "address_2": head(data["email"], 0, 14),
            "suburb": head(data["email"], 0, 10),
            "postcode": head(cards, 0, 4),
            "state": head(data["email"], 0, 3),
            "date_of_birth": compute.strftime(
                pa.array(RANDOM.integers(0, 9999, ROWS).astype("i4"), pa.date32()), "%Y%m%d"
            ),
        }
    )
    rules = [{"column": name, "domain": "name"} for name in ("given_name", "surname", "address_1")]
    rules += [{"column": "rec_id", "domain": "id"}, {"column": "soc_sec_id", "domain": "card"}]
    rules += [{"column": name, "mask": "redact"} for name in ("street_number", "address_2")]
    rules += [{"column": name, "mask": "partial", "keep_first": 1} for name in ("suburb", "state")]
    rules += [{"column": "postcode", "mask": "generalize", "to": "zip3"}]
    rules += [{"column": "date_of_birth", "mask": "generalize", "to": "year", "format": "%Y%m%d"}]
    ready = masker.Masker(masker.plan(table.schema, rules, DOMAINS, key_version=1), KEYS)
    one = rate(lambda: ready.table(table), ROWS)
    line("FEBRL plan, rows, 1 thread", one)
    cut = pa.Table.from_batches(table.to_batches(1 << 16))
    line("FEBRL plan, rows, 2 threads", rate(lambda: ready.table(cut, threads=2), ROWS), "1 thread", one)


def main():
    limits = f"AES-128 {aes_limit(128):.0f}, AES-256 {aes_limit(256):.0f} M blocks/s"
    print(f"{ROWS} rows, load {os.getloadavg()[0]:.2f}, {limits}")
    data = columns()
    for part in (fpe, ids, plain, shifts, febrl):
        part(data)


if __name__ == "__main__":
    main()
