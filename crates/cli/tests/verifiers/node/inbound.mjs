// Signs and verifies webhooks with the providers' own libraries, none of Hookyard's code.
//
// The first argument is the provider. stdin: one JSON object a line; stdout: one JSON object for each.
// {"do": "sign", "secret", "url", "headers", "body", "age_s"}: as the provider would, `age_s` seconds ago; answers
// {"url", "headers", "body"} of the request. Where the library only verifies, the signature is node:crypto's.
// {"do": "verify", "secret", "url", "headers", "body"}: answers {"valid"}.
// Header names are in small letters. Anything else that goes wrong ends the script.
//
// Run as `node --input-type=module --eval`, in the folder that holds node_modules.

import { createHmac, createPrivateKey, sign as asymmetric } from "node:crypto";
import { createInterface } from "node:readline";

const hmac = (secret, message) => createHmac("sha256", secret).update(message).digest("hex");

async function github() {
  const { sign, verify } = await import("@octokit/webhooks-methods");
  const HEADER = "x-hub-signature-256";
  return {
    async sign(it) {
      it.headers[HEADER] = await sign(it.secret, it.body);
    },
    // The library wants to be asked about requests with a signature only.
    verify: async (it) => HEADER in it.headers && verify(it.secret, it.body, it.headers[HEADER]),
  };
}

async function linear() {
  const { LinearWebhookClient, LINEAR_WEBHOOK_SIGNATURE_HEADER: HEADER } =
    await import("@linear/sdk/webhooks");
  const REFUSALS = ["Invalid webhook signature", "Invalid webhook timestamp", "Missing webhook timestamp"];
  return {
    // The time is a field of the body.
    sign(it, at) {
      it.body = it.body.replace('"{at_ms}"', String(at * 1000));
      it.headers[HEADER] = hmac(it.secret, it.body);
    },
    verify(it) {
      try {
        return new LinearWebhookClient(it.secret).verify(it.body, it.headers[HEADER] ?? "");
      } catch (error) {
        if (REFUSALS.includes(error.message)) return false;
        throw error;
      }
    },
  };
}

async function paddle() {
  const { Paddle } = await import("@paddle/paddle-node-sdk");
  const { webhooks } = new Paddle("no requests are made");
  const HEADER = "paddle-signature";
  return {
    sign(it, at) {
      it.headers[HEADER] = `ts=${at};h1=${hmac(it.secret, `${at}:${it.body}`)}`;
    },
    verify: async (it) =>
      HEADER in it.headers && webhooks.isSignatureValid(it.body, it.secret, it.headers[HEADER]),
  };
}

async function discord() {
  const { verifyKey } = await import("discord-interactions");
  const [SIGNATURE, TIMESTAMP] = ["x-signature-ed25519", "x-signature-timestamp"];
  // What stands before the 32 bytes of a private key in PKCS #8.
  const PKCS8 = "302e020100300506032b657004220420";
  return {
    sign(it, at) {
      const key = Buffer.from(PKCS8 + it.secret, "hex");
      const privateKey = createPrivateKey({ key, format: "der", type: "pkcs8" });
      it.headers[TIMESTAMP] = String(at);
      it.headers[SIGNATURE] = asymmetric(null, Buffer.from(at + it.body), privateKey).toString("hex");
    },
    verify: (it) =>
      verifyKey(it.body, it.headers[SIGNATURE] ?? "", it.headers[TIMESTAMP] ?? "", it.secret),
  };
}

const PROVIDERS = { discord, github, linear, paddle };

const provider = await PROVIDERS[process.argv[1]]();
for await (const line of createInterface({ input: process.stdin })) {
  const it = JSON.parse(line);
  if (it.do === "sign") {
    await provider.sign(it, Math.floor(Date.now() / 1000) - it.age_s);
    const { url, headers, body } = it;
    console.log(JSON.stringify({ url, headers, body }));
  } else {
    console.log(JSON.stringify({ valid: (await provider.verify(it)) === true }));
  }
}
