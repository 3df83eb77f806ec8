"""Signs and verifies webhooks with the providers' own libraries, none of Hookyard's code.

    inbound.py PROVIDER

stdin: one JSON object a line; stdout: one JSON object for each.
{"do": "sign", "secret", "url", "headers", "body", "age_s"}: as the provider would, `age_s` seconds ago; answers
{"url", "headers", "body"} of the request. Where the library only verifies, the signature is the standard library's or
`cryptography`'s.
{"do": "verify", "secret", "url", "headers", "body"}: answers {"valid"}.
Header names are in small letters. Anything else that goes wrong ends the script.
"""

import base64
import hashlib
import hmac
import json
import logging
import re
import sys
import time
from datetime import datetime, timezone
from urllib.parse import parse_qsl


class Stripe:
    HEADER = "stripe-signature"

    def __init__(self):
        import stripe

        self.library = stripe.WebhookSignature
        self.refused = stripe.SignatureVerificationError

    def sign(self, it, at):
        made = self.library.generate_signature_header(it["body"], it["secret"], timestamp=at)
        it["headers"][self.HEADER] = made

    def verify(self, it):
        try:
            header = it["headers"].get(self.HEADER)
            return self.library.verify_header(it["body"], header, it["secret"], tolerance=300)
        except self.refused:
            return False


class Slack:
    def __init__(self):
        from slack_sdk.signature import SignatureVerifier

        self.library = SignatureVerifier

    def sign(self, it, at):
        made = self.library(it["secret"]).generate_signature(timestamp=str(at), body=it["body"])
        it["headers"] |= {"x-slack-request-timestamp": str(at), "x-slack-signature": made}

    def verify(self, it):
        return self.library(it["secret"]).is_valid_request(it["body"], it["headers"])


class Fields:
    """A form as web frameworks give it: a name may have several values."""

    def __init__(self, body):
        self.pairs = parse_qsl(body, keep_blank_values=True)

    def __iter__(self):
        return (name for name, _ in self.pairs)

    def __len__(self):
        return len(self.pairs)

    def getall(self, name):
        return [value for it, value in self.pairs if it == name]


class Twilio:
    HEADER = "x-twilio-signature"
    SETTINGS = "x-twilio-webhooks-signature-settings"

    def __init__(self):
        from twilio.request_validator import RequestValidator, get_signature_algorithm

        # It warns of what it refuses.
        logging.disable(logging.WARNING)
        self.library = RequestValidator
        self.algorithm = get_signature_algorithm

    def parts(self, it):
        is_form = it["headers"].get("content-type", "").startswith("application/x-www-form-urlencoded")
        algorithm = self.algorithm(it["headers"].get(self.SETTINGS))
        return self.library(it["secret"]), Fields(it["body"]) if is_form else it["body"], algorithm

    def sign(self, it, at):
        library, fields, algorithm = self.parts(it)
        if isinstance(fields, str) and fields:
            joint = "&" if "?" in it["url"] else "?"
            it["url"] += f"{joint}bodySHA256={library.compute_hash(fields)}"
            fields = {}
        it["headers"][self.HEADER] = library.compute_signature(it["url"], fields, algorithm)

    def verify(self, it):
        library, fields, algorithm = self.parts(it)
        signature = it["headers"].get(self.HEADER, "")
        # The library joins a text that is no form to the URL as it is; without a hash in the URL it cannot be signed.
        if isinstance(fields, str) and "bodySHA256" not in it["url"]:
            return fields == "" and library.validate(it["url"], {}, signature, algorithm)
        return library.validate(it["url"], fields, signature, algorithm)


class HubSpot:
    HEADERS = ("x-hubspot-signature-v3", "x-hubspot-request-timestamp")
    # The escapes that HubSpot's documentation has undone before the URL is signed; the library leaves that to its caller.
    ESCAPES = re.compile("%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)

    def __init__(self):
        from hubspot.exceptions import InvalidSignatureTimestampError
        from hubspot.utils.signature import Signature

        self.library = Signature
        self.refused = InvalidSignatureTimestampError

    def signed_url(self, it):
        return self.ESCAPES.sub(lambda found: chr(int(found[1], 16)), it["url"])

    def sign(self, it, at):
        at = str(at * 1000)
        url = self.signed_url(it)
        made = self.library.get_signature(it["secret"], it["body"], "v3", url, "POST", at)
        it["headers"] |= dict(zip(self.HEADERS, (made, at)))

    def verify(self, it):
        signature, at = (it["headers"].get(name) for name in self.HEADERS)
        url = self.signed_url(it)
        try:
            return self.library.is_valid(signature or "", it["secret"], it["body"], url, "POST", "v3", at)
        except self.refused:
            return False


class Adyen:
    """Payments are signed in each item of the body, everything else in a header."""

    HEADER = "hmacsignature"

    def __init__(self):
        import Adyen.util

        self.library = Adyen.util

    def sign(self, it, at):
        body = json.loads(it["body"])
        if "notificationItems" not in body:
            made = self.library.generate_payload_sig(it["body"].encode(), it["secret"])
            it["headers"][self.HEADER] = made.decode()
            return
        for item in body["notificationItems"]:
            item = item["NotificationRequestItem"]
            made = self.library.generate_notification_sig(item, it["secret"]).decode()
            item.setdefault("additionalData", {})["hmacSignature"] = made
        it["body"] = json.dumps(body, ensure_ascii=False)

    def verify(self, it):
        body = json.loads(it["body"])
        # The library looks at the first item alone, so it is asked about each.
        if "notificationItems" in body:
            valid = self.library.is_valid_hmac_notification
            return all(valid({"notificationItems": [item]}, it["secret"]) for item in body["notificationItems"])
        signature = it["headers"].get(self.HEADER, "")
        return self.library.is_valid_hmac_payload(signature, it["secret"], it["body"].encode())


class Square:
    HEADER = "x-square-hmacsha256-signature"

    def __init__(self):
        from square.utils.webhooks_helper import verify_signature

        self.library = verify_signature

    def sign(self, it, at):
        message = (it["url"] + it["body"]).encode()
        made = hmac.new(it["secret"].encode(), message, hashlib.sha256).digest()
        it["headers"][self.HEADER] = base64.b64encode(made).decode()

    def verify(self, it):
        return self.library(
            request_body=it["body"],
            signature_header=it["headers"].get(self.HEADER, ""),
            signature_key=it["secret"],
            notification_url=it["url"],
        )


class SendGrid:
    HEADERS = ("x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp")

    def __init__(self):
        from sendgrid.helpers.eventwebhook import EventWebhook

        self.library = EventWebhook

    def sign(self, it, at):
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        key = serialization.load_der_private_key(base64.b64decode(it["secret"]), None)
        made = key.sign((str(at) + it["body"]).encode(), ec.ECDSA(hashes.SHA256()))
        it["headers"] |= dict(zip(self.HEADERS, (base64.b64encode(made).decode(), str(at))))

    def verify(self, it):
        signature, at = (it["headers"].get(name, "") for name in self.HEADERS)
        return self.library(it["secret"]).verify_signature(it["body"], signature, at)


class Standard:
    def __init__(self):
        import standardwebhooks

        self.library = standardwebhooks.Webhook
        self.refused = standardwebhooks.WebhookVerificationError

    def sign(self, it, at):
        message = it["headers"]["webhook-id"]
        time_of = datetime.fromtimestamp(at, timezone.utc)
        made = self.library(it["secret"]).sign(message, time_of, it["body"])
        it["headers"] |= {"webhook-timestamp": str(at), "webhook-signature": made}

    def verify(self, it):
        try:
            self.library(it["secret"]).verify(it["body"], it["headers"], json_parse=False)
            return True
        except self.refused:
            return False


PROVIDERS = {
    "adyen": Adyen,
    "custom": Standard,
    "hubspot": HubSpot,
    "sendgrid": SendGrid,
    "slack": Slack,
    "square": Square,
    "standard": Standard,
    "stripe": Stripe,
    "twilio": Twilio,
}


def main():
    provider = PROVIDERS[sys.argv[1]]()
    for line in sys.stdin:
        it = json.loads(line)
        if it["do"] == "sign":
            provider.sign(it, int(time.time()) - it["age_s"])
            answer = {name: it[name] for name in ("url", "headers", "body")}
        else:
            answer = {"valid": bool(provider.verify(it))}
        print(json.dumps(answer), flush=True)


main()
