"""Receivers as the vendors' pages on verification tell their customers to write them. None of Hookyard's own code.

usage: receivers.py aly|alvys|aryeo|standard [--now SECONDS] [--tls good|stranger|old]

Serves on a free port of this machine, whatever the path, and says `listening on PORT`. A JSON list of secrets on stdin is
what it verifies with from then on; it says `ok`. `--now` is a time to take instead of the clock's. With `--tls` it speaks TLS:
with the certificate in `tls`, with that of a stranger whom nobody vouches for, or no newer version than 1.1. Ends with stdin.

A delivery that verifies is answered 200; the body always says what was found.
"""

import argparse
import hashlib
import hmac
import json
import pathlib
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import standardwebhooks

TOLERANCE_S = 300


class Refused(Exception):
    """What the receiver answers instead of 200."""

    def __init__(self, status, reason):
        super().__init__(reason)
        self.status, self.reason = status, reason


def hexmac(secret, message):
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def is_one_of(expected, given):
    """Whether one of the signatures given is one of those expected: every pair compared in constant time."""
    pairs = [hmac.compare_digest(a.encode(), b.encode()) for a in expected for b in given]
    return any(pairs)


def stamped(header, names, status):
    """The time and the signatures of `t=…,v1=…`."""
    if header is None:
        raise Refused(status, "the signature header is missing")
    parts = [part.strip().split("=", 1) for part in header.split(",")]
    times = [part[1] for part in parts if len(part) == 2 and part[0] == "t"]
    given = [part[1] for part in parts if len(part) == 2 and part[0] in names]
    if len(times) != 1 or not times[0].isdigit() or not given:
        raise Refused(status, "the signature header is malformed")
    return times[0], given


def fresh(moment, now, status):
    if abs(now - int(moment)) > TOLERANCE_S:
        raise Refused(status, "the timestamp is stale")


def aly(headers, body, secrets, now):
    """ALY-SIG-1 to -7; ALY-REG-10: it accepts several secrets while one is replaced."""
    if len(body) > 1_000_000:
        raise Refused(413, "the body is over 1 MB")
    moment, given = stamped(headers.get("X-Aly-Signature"), ["v1"], 400)
    if len(given) != 1:
        raise Refused(400, "the signature header is malformed")
    fresh(moment, now, 400)
    message = moment.encode() + b"." + body
    if not is_one_of([hexmac(secret, message) for secret in secrets], given):
        raise Refused(400, "the signature does not match")
    return {"received": json.loads(body).get("id")}


def alvys(headers, body, secrets, now):
    """ALV-VER-1 to -3; ALV-SIG-1 to -3, -6 to -9."""
    if headers.get("X-Alvys-Event") == "webhook.verification":
        return {"challenge": json.loads(body)["challenge"]}
    moment, given = stamped(headers.get("X-Alvys-Signature"), ["v1", "v0"], 401)
    fresh(moment, now, 401)
    event = headers.get("X-Alvys-Event-Id")
    if event is None:
        raise Refused(401, "the event's id is missing")
    message = f"{moment}.{event}.".encode() + body
    if not is_one_of([hexmac(secret, message) for secret in secrets], given):
        raise Refused(401, "the signature does not match")
    return {"received": json.loads(body).get("id")}


def aryeo(headers, body, secrets, now):
    """ARY-SIG-1 to -3, -6: the raw bytes, and nothing that says when."""
    given = headers.get("Signature")
    if given is None:
        raise Refused(401, "the signature header is missing")
    if not is_one_of([hexmac(secret, body) for secret in secrets], [given]):
        raise Refused(401, "the signature does not match")
    return {"received": json.loads(body).get("id")}


def standard(headers, body, secrets, now):
    """Standard Webhooks, which Alumia's deliveries are signed by: the library of PyPI, which reads the clock by itself."""
    given = {name.lower(): value for name, value in headers.items()}
    for secret in secrets:
        try:
            standardwebhooks.Webhook(secret).verify(body, given)
        except standardwebhooks.WebhookVerificationError:
            continue
        return {"received": given["webhook-id"]}
    raise Refused(401, "the signature does not match")


VENDORS = {"aly": aly, "alvys": alvys, "aryeo": aryeo, "standard": standard}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    verify, secrets, now_s = None, [], None

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        now = time.time() if Handler.now_s is None else Handler.now_s
        try:
            status, said = 200, Handler.verify(self.headers, body, Handler.secrets, now)
        except Refused as refused:
            status, said = refused.status, {"error": refused.reason}
        text = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def tls(kind):
    """`tls/authority.pem` vouches for `receiver.pem` until 2120; its key was thrown away. Nobody vouches for `stranger.pem`."""
    folder = pathlib.Path(__file__).parent / "tls"
    name = "stranger" if kind == "stranger" else "receiver"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key.pem")
    if kind == "old":
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    return context


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A handshake that failed is the other side's to report."""


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("vendor", choices=VENDORS)
    arguments.add_argument("--now", type=int)
    arguments.add_argument("--tls", choices=["good", "stranger", "old"])
    given = arguments.parse_args()
    Handler.verify, Handler.now_s = staticmethod(VENDORS[given.vendor]), given.now
    server = Server(("127.0.0.1", 0), Handler)
    if given.tls:
        # The handshake is made where the request is read, in the connection's own thread.
        context = tls(given.tls)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"listening on {server.server_port}", flush=True)
    for line in sys.stdin:
        Handler.secrets = json.loads(line)
        print("ok", flush=True)


main()
