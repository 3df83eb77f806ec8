"""Verifies recorded deliveries without any of Hookyard's own code.

stdin: a JSON list of {"scheme", "secrets": [...], "headers": {name: value}, "body": hex of the raw bytes, "entries": n}.
Every secret must verify, the header must hold exactly `entries` signatures, and a changed body, id or time must not verify.
Ends with 0 and prints how many deliveries it verified, or says on stderr what does not verify and ends with 1.
"""

import base64
import hashlib
import hmac
import json
import sys

import nacl.exceptions
import nacl.signing
import standardwebhooks


class Wrong(Exception):
    pass


def hexmac(secret, message):
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def same(expected, given):
    """Compared in constant time, as every page asks (ALY-SIG-6, ALV-SIG-7)."""
    return hmac.compare_digest(expected.encode(), given.encode())


def standard(secret, headers, body):
    """v1: the PyPI library; it raises when no entry verifies."""
    try:
        standardwebhooks.Webhook(secret).verify(body, headers)
    except Exception as error:  # its own error, or one about the body's form
        raise Wrong(f"standardwebhooks: {error!r}") from error


def v1a(secret, headers, body):
    """v1a: Ed25519 by libsodium, with the public half of the key alone."""
    public = base64.b64decode(secret.removeprefix("whsk_"))[32:]
    key = nacl.signing.VerifyKey(public)
    message = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    for entry in headers["webhook-signature"].split(" "):
        version, signature = entry.split(",")
        if version == "v1a":
            try:
                key.verify(message, base64.b64decode(signature, validate=True))
                return
            except nacl.exceptions.BadSignatureError:
                pass
    raise Wrong("no v1a entry verifies")


def fields(header):
    return [tuple(part.split("=", 1)) for part in header.split(",")]


def aly(secret, headers, body):
    """vendors.md ALY-SIG-1 to -4, ALY-SIG-9."""
    found = dict(fields(headers["x-aly-signature"]))
    if found["t"] != headers["x-aly-timestamp"]:
        raise Wrong("X-Aly-Timestamp is not t")
    if not same(hexmac(secret, found["t"].encode() + b"." + body), found["v1"]):
        raise Wrong("v1 is not the HMAC over t.body")


def alvys(secret, headers, body):
    """vendors.md ALV-SIG-1 to -4; ALV-SIG-11: the form without the event's id must not verify."""
    found = dict(fields(headers["x-alvys-signature"]))
    if found["t"] != headers["x-alvys-timestamp"]:
        raise Wrong("X-Alvys-Timestamp is not t")
    given = [value for name, value in fields(headers["x-alvys-signature"]) if name in ("v1", "v0")]
    without = hexmac(secret, found["t"].encode() + b"." + body)
    if any([same(without, it) for it in given]):
        raise Wrong("signed without the event's id")
    message = f"{found['t']}.{headers['x-alvys-event-id']}.".encode() + body
    if not any([same(hexmac(secret, message), it) for it in given]):
        raise Wrong("neither v1 nor v0 is the HMAC over t.id.body")


def aryeo(secret, headers, body):
    """vendors.md ARY-SIG-1 to -3."""
    if not same(hexmac(secret, body), headers["signature"]):
        raise Wrong("Signature is not the HMAC over the body")


SCHEMES = {
    "standard": (standard, "webhook-signature", " ", ["webhook-id", "webhook-timestamp"]),
    "v1a": (v1a, "webhook-signature", " ", ["webhook-id", "webhook-timestamp"]),
    "aly": (aly, "x-aly-signature", ",", []),
    "alvys": (alvys, "x-alvys-signature", ",", ["x-alvys-event-id"]),
    "aryeo": (aryeo, "signature", ",", []),
}


def must_fail(what, verify, secret, headers, body):
    try:
        verify(secret, headers, body)
    except Wrong:
        return
    raise Wrong(f"it verifies although {what} was changed")


def check(record):
    verify, header, separator, signed = SCHEMES[record["scheme"]]
    headers, body = record["headers"], bytes.fromhex(record["body"])
    entries = [it for it in headers[header].split(separator) if not it.startswith("t=")]
    if len(entries) != record["entries"]:
        raise Wrong(f"{len(entries)} signatures in {headers[header]}")
    for secret in record["secrets"]:
        verify(secret, headers, body)
        must_fail("the body", verify, secret, headers, body + b" ")
        for name in signed:
            if name == "webhook-timestamp":
                other = str(int(headers[name]) + 1)
            else:
                other = headers[name] + "x"
            must_fail(name, verify, secret, {**headers, name: other}, body)


def main():
    records = json.load(sys.stdin)
    for number, record in enumerate(records):
        try:
            check(record)
        except (Wrong, KeyError) as error:
            print(f"delivery {number} ({record['scheme']}): {error!r}\n{record}", file=sys.stderr)
            return 1
    print(len(records))
    return 0


sys.exit(main())
