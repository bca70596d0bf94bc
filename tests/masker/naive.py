"""The slow twins: every mask once more, value by value, from the standards and with big integers."""

import base64
import datetime as dt
import functools
import ipaddress
import re

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def aes(key, block):
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)  # noqa: S305


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


def double(block):
    number = int.from_bytes(block, "big") << 1
    return ((number ^ 0x87) % (1 << 128) if number >> 128 else number).to_bytes(16, "big")


def cmac(key, message):
    """RFC 4493."""
    k1 = double(aes(key, bytes(16)))
    whole = message and len(message) % 16 == 0
    padded = message if whole else message + b"\x80" + bytes(-(len(message) + 1) % 16)
    last = xor(padded[-16:], k1 if whole else double(k1))
    state = bytes(16)
    for block in [padded[i : i + 16] for i in range(0, len(padded) - 16, 16)] + [last]:
        state = aes(key, xor(state, block))
    return state


def siv(key, associated, plain):
    """RFC 5297, encryption; V || C."""
    mac, stream = key[: len(key) // 2], key[len(key) // 2 :]
    state = cmac(mac, bytes(16))
    for string in associated:
        state = xor(double(state), cmac(mac, string))
    if len(plain) >= 16:
        final = plain[:-16] + xor(plain[-16:], state)
    else:
        final = xor(double(state), plain + b"\x80" + bytes(15 - len(plain)))
    tag = cmac(mac, final)
    counter = int.from_bytes(tag, "big") & ~(1 << 63 | 1 << 31)
    cipher = b""
    for number, start in enumerate(range(0, len(plain), 16)):
        pad = aes(stream, (counter + number).to_bytes(16, "big"))
        cipher += bytes(a ^ b for a, b in zip(plain[start : start + 16], pad, strict=False))
    return tag + cipher


def derive(secret, realm, domain, scheme, version, length):
    """Section A's key derivation, with somebody else's HKDF."""
    info = b"placet/mask/v1"
    for part in (realm, domain, scheme, str(version)):
        info += len(part.encode()).to_bytes(2, "big") + part.encode()
    return HKDF(hashes.SHA256(), length, None, info).derive(secret)


def key_id(secret, realm, domain, version):
    raw = derive(secret, realm, domain, "token.id", version, 64)
    return base64.b32encode(raw).decode().lower()[:6]


def token(key, kind, name, value):
    sealed = siv(key, [b"placet/token/v1", kind.encode(), name.encode()], value)
    return f"{kind}_{name}" + base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def pseudonym(key, value):
    return base64.b32encode(cmac(key, value)).decode().lower().rstrip("=")


def ff1(key, tweak, digits, radix, *, decrypt=False):
    """SP 800-38G, algorithms 7 and 8, step by step."""
    n, t = len(digits), len(tweak)
    u = n // 2
    v = n - u
    b = ((radix**v - 1).bit_length() + 7) // 8
    d = 4 * -(-b // 4) + 4
    head = bytes([1, 2, 1]) + radix.to_bytes(3, "big") + bytes([10, u % 256])
    head += n.to_bytes(4, "big") + t.to_bytes(4, "big")

    def number(part):
        return functools.reduce(lambda total, digit: total * radix + digit, part, 0)

    def rounds(i, half):
        text = head + tweak + bytes((-t - b - 1) % 16) + bytes([i]) + half.to_bytes(b, "big")
        r = bytes(16)
        for start in range(0, len(text), 16):
            r = aes(key, xor(r, text[start : start + 16]))
        s = r
        for j in range(1, -(-d // 16)):
            s += aes(key, xor(r, j.to_bytes(16, "big")))
        return int.from_bytes(s[:d], "big")

    left, right, moduli = number(digits[:u]), number(digits[u:]), (radix**u, radix**v)
    if decrypt:
        for i in range(9, -1, -1):
            left, right = (right - rounds(i, left)) % moduli[i % 2], left
    else:
        for i in range(10):
            left, right = right, (left + rounds(i, right)) % moduli[i % 2]

    def spelled(value, size):
        return [value // radix**place % radix for place in range(size - 1, -1, -1)]

    return spelled(left, u) + spelled(right, v)


def luhn(digits):
    total = sum(sum(divmod(2 * digit, 10)) for digit in digits[-1::-2]) + sum(digits[-2::-2])
    return -total % 10


def fpe(key, value, alphabet, *, separators=" -", prefix=0, suffix=0, luhn_add=None, decrypt=False):
    """Return the value, "unfit" or "short"; the key has the domain's size."""
    if any(c not in alphabet and c not in separators for c in value):
        return "unfit"
    digits = [alphabet.index(c) for c in value if c in alphabet]
    if len(digits) > 128:
        return "unfit"
    tail = suffix if luhn_add is None else 1
    window = digits[prefix : len(digits) - tail]
    if len(digits) < prefix + tail + 2 or len(alphabet) ** len(window) < 10**6:
        return "short"
    if luhn_add is not None:
        wanted = (luhn(digits[:-1]) + (luhn_add if decrypt else 0)) % 10
        if digits[-1] != wanted:
            return "unfit"
    kept = digits[:prefix] + (digits[len(digits) - suffix :] if suffix else [])
    tweak = bytes([prefix]) + "".join(alphabet[digit] for digit in kept).encode() if prefix or suffix else b""
    made = digits[:prefix] + ff1(key, tweak, window, len(alphabet), decrypt=decrypt)
    made += digits[len(digits) - tail :] if tail else []
    if luhn_add is not None:
        made[-1] = (luhn(made[:-1]) + (0 if decrypt else luhn_add)) % 10
    left = iter(made)
    return "".join(alphabet[next(left)] if c in alphabet else c for c in value)


def partial(value, first, last, character):
    if len(value) < 2 * (first + last):
        return character * len(value)
    return value[:first] + character * (len(value) - first - last) + value[len(value) - last :]


def zip3(value):
    good = len(value) >= 4 and all(c.isascii() and c.isalnum() for c in value[:4])
    return value[:3] if good else None


def network(value):
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return None
    bits = 24 if address.version == 4 else 48
    return str(
        ipaddress.ip_network((int(address) >> (address.max_prefixlen - bits) << (address.max_prefixlen - bits), bits))
    )


def shift(key, entity, reach, unit):
    number = int.from_bytes(cmac(key, entity)[:8], "big") % (2 * reach)
    return unit * (number - reach if number < reach else number - reach + 1)


def parsed(value, date_format):
    """Fixed digits only, unlike strptime: year, month, day or None."""
    widths = {"Y": r"([0-9]{4})", "m": r"([0-9]{2})", "d": r"([0-9]{2})"}
    pattern = re.sub("%([Ymd])", lambda found: widths[found[1]], date_format)
    found = re.fullmatch(pattern, value)
    if not found:
        return None
    fields = dict(zip(re.findall("%([Ymd])", date_format), map(int, found.groups()), strict=True))
    try:
        return dt.date(fields["Y"], fields["m"], fields["d"])
    except ValueError:
        return None


def spelled(day, date_format):
    return date_format.replace("%Y", f"{day.year:04}").replace("%m", f"{day.month:02}").replace("%d", f"{day.day:02}")


def period(day, name):
    months = {"month": 1, "quarter": 3, "year": 12, "5years": 60}[name]
    count = (day.year * 12 + day.month - 1) // months * months
    return dt.date(count // 12, count % 12 + 1, 1) if count >= 12 else None


def age(born, today, cap):
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return None if years < 0 else min(years, cap)
