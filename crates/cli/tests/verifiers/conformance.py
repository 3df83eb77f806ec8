"""Keeps what is generated on this machine: no endpoint that a test makes calls another host."""

import schemathesis

HERE = "http://127.0.0.1:9/hooks"


@schemathesis.hook
def map_body(_context, body):
    for name in ("url", "Url"):
        if isinstance(body, dict) and isinstance(body.get(name), str) and "://" in body[name]:
            body = {**body, name: HERE}
    return body
