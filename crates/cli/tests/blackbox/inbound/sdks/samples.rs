//! What providers send: requests as their documentation shows them, and some that are hard on whoever re-encodes anything.

use super::{Language, Provider, Sample};

const JSON: (&str, &str) = ("content-type", "application/json");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");
/// The header by which Twilio says how it signed.
pub const SETTINGS: &str = "x-twilio-webhooks-signature-settings";
const SHARED_KEY: (&str, &str) = (SETTINGS, "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256");

const URL: &str = "https://hooks.example.com/in";

/// A JSON body to that URL.
const SAMPLE: Sample = Sample {
    url: URL,
    signed_url: None,
    headers: &[JSON],
    body: "",
    change: ("", ""),
    event_type: "",
};

pub const STRIPE: Provider = Provider {
    name: "stripe",
    secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    signs_with: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    other: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx",
    signature: "stripe-signature",
    time: Some("stripe-signature"),
    stale_s: Some(310),
    samples: &[
        Sample {
            body: r#"{
  "id": "evt_1NG8Du2eZvKYlo2CUI79vXWy",
  "object": "event",
  "api_version": "2024-06-20",
  "created": 1686089970,
  "data": {"object": {"id": "pi_3NG8Du2eZvKYlo2C1XMgOV12", "object": "payment_intent", "amount": 2000, "description": "Crème brûlée ☕ — 東京"}},
  "livemode": false,
  "type": "payment_intent.succeeded"
}"#,
            change: ("☕", "☔"),
            event_type: "payment_intent.succeeded",
            ..SAMPLE
        },
        Sample {
            body: "{\"id\":\"evt_2\",\"object\":\"event\",\"type\":\"charge.refunded\",\"data\":{\"object\":{\"receipt_url\":\"https:\\/\\/pay.example.com\\/r\",\"fee\":1.10,\"e\":1E2}}}\r\n",
            change: ("\\/\\/", "//"),
            event_type: "charge.refunded",
            ..SAMPLE
        },
        Sample {
            body: "{\"id\":\"evt_3\",\"object\":\"v2.core.event\",\"type\":\"v1.billing.meter.error_report_triggered\",\"note\":\"\\u00e9\"}\r\n",
            change: ("\r\n", "\n"),
            event_type: "v1.billing.meter.error_report_triggered",
            ..SAMPLE
        },
    ],
    ..Provider::USUAL
};

pub const SLACK: Provider = Provider {
    name: "slack",
    secret: "8f742231b10e8888abcd99yyyzzz85a5",
    signs_with: "8f742231b10e8888abcd99yyyzzz85a5",
    other: "8f742231b10e8888abcd99yyyzzz85a6",
    signature: "x-slack-signature",
    time: Some("x-slack-request-timestamp"),
    stale_s: Some(310),
    samples: &[
        Sample {
            body: r#"{"token":"z26uFbvR1xHJEdHE1OQiO6t8","team_id":"T123ABC456","api_app_id":"A123ABC456","event":{"type":"app_mention","user":"U123ABC456","text":"<@U0LAN0Z89> grüß dich 👋 \ud83d\udc4b","ts":"1515449522.000016","channel":"C123ABC456"},"type":"event_callback","event_id":"Ev123ABC456","event_time":1515449522000016}"#,
            change: ("👋", "👌"),
            event_type: "app_mention",
            ..SAMPLE
        },
        Sample {
            headers: &[FORM],
            body: "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&command=%2Fweather&text=94070+%26+S%C3%A3o+Paulo%21&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2F1&trigger_id=398738663015.47445629121",
            change: ("%2F%2F", "%2f%2f"),
            event_type: "weather",
            ..SAMPLE
        },
        Sample {
            headers: &[FORM],
            body: "payload=%7B%22type%22%3A%22block_actions%22%2C%22trigger_id%22%3A%2213345224609.738474920.8088930838d88f008e0%22%2C%22user%22%3A%7B%22id%22%3A%22U0CA5%22%7D%7D",
            change: ("U0CA5", "U0CA6"),
            event_type: "block_actions",
            ..SAMPLE
        },
    ],
    ..Provider::USUAL
};

pub const TWILIO: Provider = Provider {
    name: "twilio",
    secret: "12345678901234567890123456789012",
    signs_with: "12345678901234567890123456789012",
    other: "12345678901234567890123456789013",
    signature: "x-twilio-signature",
    signs_url: true,
    samples: &[
        Sample {
            url: "https://hooks.example.com/in?foo=1&bar=a%20b",
            headers: &[FORM, ("i-twilio-idempotency-token", "3e8c7d66-0001")],
            body: "ToCountry=US&SmsStatus=received&Body=Hi+%F0%9F%98%80+%2B+caf%C3%A9%0D%0A&FromCity=&To=%2B18005551212&From=%2B14158675309&MessageSid=SM1&NumMedia=0",
            change: ("NumMedia=0", "NumMedia=1"),
            event_type: "received",
            ..SAMPLE
        },
        // The port is in the URL, and Twilio leaves it out; or the other way round.
        Sample {
            url: "https://hooks.example.com:8443/in?foo=1",
            signed_url: Some("https://hooks.example.com/in?foo=1"),
            headers: &[FORM, ("i-twilio-idempotency-token", "3e8c7d66-0002")],
            body: "CallSid=CA1&CallStatus=ringing&Tag=b&Tag=a&Tag=b",
            change: ("ringing", "ringinG"),
            event_type: "ringing",
        },
        Sample {
            url: "https://hooks.example.com/in",
            signed_url: Some("https://hooks.example.com:443/in"),
            headers: &[FORM, ("i-twilio-idempotency-token", "3e8c7d66-0003")],
            body: "CallSid=CA2&CallStatus=completed",
            change: ("CA2", "CA3"),
            event_type: "completed",
        },
        // A body that is no form: the library puts its hash into the URL.
        Sample {
            headers: &[JSON, ("i-twilio-idempotency-token", "3e8c7d66-0004")],
            body: "{\"event\":\"onMessageAdded\",\"Body\":\"caf\\u00e9 é\",\"url\":\"https:\\/\\/a.b\"}\r\n",
            change: ("\r\n", "\n"),
            event_type: "twilio.event",
            ..SAMPLE
        },
        Sample {
            headers: &[FORM, SHARED_KEY, ("i-twilio-idempotency-token", "3e8c7d66-0005")],
            body: "MessageStatus=delivered&MessageSid=SM2&To=%2B18005551212",
            change: ("SM2", "SM3"),
            event_type: "delivered",
            ..SAMPLE
        },
        Sample {
            url: "https://hooks.example.com:8443/in?foo=1",
            headers: &[JSON, SHARED_KEY, ("i-twilio-idempotency-token", "3e8c7d66-0006")],
            body: r#"{"event":"onMessageAdded"}"#,
            change: ("Added", "added"),
            event_type: "twilio.event",
            ..SAMPLE
        },
    ],
    ..Provider::USUAL
};

pub const HUBSPOT: Provider = Provider {
    name: "hubspot",
    secret: "232f48a4-9f47-41d7-b0e2-0f6f0c5ad4a1",
    signs_with: "232f48a4-9f47-41d7-b0e2-0f6f0c5ad4a1",
    other: "232f48a4-9f47-41d7-b0e2-0f6f0c5ad4a2",
    signature: "x-hubspot-signature-v3",
    time: Some("x-hubspot-request-timestamp"),
    stale_s: Some(310),
    signs_url: true,
    samples: &[
        Sample {
            body: r#"[{"eventId":1001,"subscriptionId":33,"portalId":62515,"occurredAt":1564113600000,"subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,"changeSource":"CRM_UI"},{"eventId":1002,"subscriptionType":"contact.creation","objectId":124}]"#,
            change: ("124", "125"),
            event_type: "contact.creation",
            ..SAMPLE
        },
        // Escapes in the URL, some of which HubSpot undoes before it signs.
        Sample {
            url: "https://hooks.example.com:8443/in?next=%2Fa%3Ab%20c&at=%40x%25",
            body: "[{\"eventId\":1003,\"subscriptionType\":\"deal.propertyChange\",\"propertyValue\":\"10 € \\/ Größe\"},{\"eventId\":1004,\"subscriptionType\":\"deal.deletion\"}]\r\n",
            change: ("€", "£"),
            event_type: "batch",
            ..SAMPLE
        },
    ],
    ..Provider::USUAL
};

pub const ADYEN: Provider = Provider {
    name: "adyen",
    secret: "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056",
    signs_with: "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056",
    other: "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA057",
    signature: "hmacsignature",
    samples: &[
        Sample {
            body: r#"{"live":"false","notificationItems":[{"NotificationRequestItem":{"additionalData":{"cardSummary":"7777"},"amount":{"currency":"EUR","value":1130},"eventCode":"AUTHORISATION","eventDate":"2024-01-01T01:02:01.111+02:00","merchantAccountCode":"TestMerchant","merchantReference":"Größe: 1407325143704","pspReference":"7914073381342284","reason":"063840:1111:12/2012","success":"true"}}]}"#,
            change: ("1130", "1131"),
            event_type: "AUTHORISATION",
            ..SAMPLE
        },
        Sample {
            body: r#"{"live":"true","notificationItems":[{"NotificationRequestItem":{"amount":{"currency":"USD","value":0},"eventCode":"REFUND","merchantAccountCode":"Shop\\:1","merchantReference":"a\/b","originalReference":"7914073381342284","pspReference":"8814073381342285","success":"false"}},{"NotificationRequestItem":{"amount":{"currency":"JPY","value":9007199254740993},"eventCode":"CAPTURE","merchantAccountCode":"Shop","merchantReference":"second","pspReference":"8814073381342286","success":"true"}}]}"#,
            change: ("second", "Second"),
            event_type: "batch",
            ..SAMPLE
        },
        Sample {
            body: "{\"data\":{\"id\":\"EVJN42272224222B5JB8BRC84N686ZEUR\",\"reference\":\"café \\u00e9 \\/\",\"amount\":{\"value\":1.10}},\"environment\":\"test\",\"type\":\"balancePlatform.payment.created\"}\r\n",
            change: ("1.10", "1.1"),
            event_type: "balancePlatform.payment.created",
            ..SAMPLE
        },
    ],
    ..Provider::USUAL
};

pub const STANDARD: Provider = Provider {
    name: "standard",
    secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    signs_with: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    other: "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
    signature: "webhook-signature",
    time: Some("webhook-timestamp"),
    stale_s: Some(310),
    samples: &[
        Sample {
            headers: &[JSON, ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek")],
            body: "{\"type\":\"user.created\",\"timestamp\":\"2024-03-01T12:00:00Z\",\"data\":{\"name\":\"Zoë 😀\",\"url\":\"https:\\/\\/a.b\"}}\r\n",
            change: ("Zoë", "Zoé"),
            event_type: "user.created",
            ..SAMPLE
        },
        Sample {
            headers: &[JSON, ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJel")],
            body: r#"{ "type" : "invoice.paid", "data" : { "amount" : 1.10 } }"#,
            change: (" : 1.10", ": 1.10"),
            event_type: "invoice.paid",
            ..SAMPLE
        },
    ],
    ..Provider::USUAL
};

/// Who has a sender of their own may sign by the same standard.
pub const CUSTOM: Provider = Provider { name: "custom", ..STANDARD };

pub const SQUARE: Provider = Provider {
    name: "square",
    secret: "sq-signature-key_1",
    signs_with: "sq-signature-key_1",
    other: "sq-signature-key_2",
    signature: "x-square-hmacsha256-signature",
    signs_url: true,
    samples: &[
        Sample {
            body: r#"{"merchant_id":"6SSW7HV8K2ST5","type":"payment.updated","event_id":"6a8f5f28-54a1-4eb0-a98a-3111513fd4fc","created_at":"2020-02-06T21:27:34.308Z","data":{"type":"payment","id":"hYy9pRFVxpDsO1FB05SunFWUe9JZY","object":{"payment":{"note":"Käse 🧀","receipt_url":"https:\/\/squareup.com\/r"}}}}"#,
            change: ("🧀", "🧁"),
            event_type: "payment.updated",
            ..SAMPLE
        },
        Sample {
            url: "https://hooks.example.com:8443/in?shop=a%20b&n=1",
            body: "{\"type\":\"refund.created\",\"event_id\":\"6a8f5f28-0002\"}\r\n",
            change: ("\r\n", ""),
            event_type: "refund.created",
            ..SAMPLE
        },
    ],
    ..Provider::USUAL
};

pub const SENDGRID: Provider = Provider {
    name: "sendgrid",
    secret: "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEfRktKuBwimTE3i5Wz+AX4iqSMkqr3Gvr6Zj6kaSZo4nYC2Ps+0qa8BsVW5aIqfcg0fLPRgmzQK/ZLscLHu+d/A==",
    signs_with: "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgSWfJAOcDfrni2WnocL9oUp6FY9AhPnyPyfJmEqUrV8ehRANCAAR9GS0q4HCKZMTeLlbP4BfiKpIySqvca+vpmPqRpJmjidgLY+z7SprwGxVbloip9yDR8s9GCbNAr9kuxwse7538",
    other: "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgQ8iilrfgWx6Eu/vbDQg4US2VZGzxdnElmr5F5sSy+GKhRANCAASj/nni+rIKAIH31a+pERHoagXkeFbNYbjJTY+UEyx1NCGtMeAJ9mthxxu6xPkn9nMtSPV7WWq5eyBKgxLECLZi",
    signature: "x-twilio-email-event-webhook-signature",
    time: Some("x-twilio-email-event-webhook-timestamp"),
    samples: &[
        Sample {
            body: "[{\"email\":\"jöhn@example.com\",\"event\":\"delivered\",\"ip\":\"168.1.1.1\",\"sg_event_id\":\"sg-1\",\"sg_message_id\":\"m1\",\"smtp-id\":\"<a@b>\",\"timestamp\":1600112502},\r\n{\"event\":\"delivered\",\"sg_event_id\":\"sg-2\"}]\r\n",
            change: ("}]\r\n", "}]"),
            event_type: "delivered",
            ..SAMPLE
        },
        Sample {
            body: "[{\"event\":\"open\",\"sg_event_id\":\"sg-3\",\"useragent\":\"Mozilla\\/5.0\"},{\"event\":\"click\",\"sg_event_id\":\"sg-4\",\"url\":\"https://a.b/?c=é\"}]\r\n",
            change: ("click", "clicK"),
            event_type: "batch",
            ..SAMPLE
        },
    ],
    ..Provider::USUAL
};

pub const GITHUB: Provider = Provider {
    name: "github",
    language: Language::JavaScript,
    secret: "It's a Secret to Everybody — ☃",
    signs_with: "It's a Secret to Everybody — ☃",
    other: "It's a Secret to Everybody",
    signature: "x-hub-signature-256",
    samples: &[
        Sample {
            headers: &[
                JSON,
                ("x-github-event", "pull_request"),
                ("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
            ],
            body: "{\"action\":\"opened\",\"number\":2,\"pull_request\":{\"title\":\"Füge 🦀 hinzu\",\"url\":\"https:\\/\\/api.example.com\\/2\"}}\n",
            change: ("🦀", "🦞"),
            event_type: "pull_request.opened",
            ..SAMPLE
        },
        Sample {
            headers: &[
                FORM,
                ("x-github-event", "issues"),
                ("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0959"),
            ],
            body: "payload=%7B%22action%22%3A%22closed%22%2C%22issue%22%3A%7B%22number%22%3A1%7D%7D",
            change: ("%22%3A1", "%22%3a1"),
            event_type: "issues.closed",
            ..SAMPLE
        },
    ],
    ..Provider::USUAL
};

pub const LINEAR: Provider = Provider {
    name: "linear",
    language: Language::JavaScript,
    secret: "lin_wh_q1w2e3r4t5",
    signs_with: "lin_wh_q1w2e3r4t5",
    other: "lin_wh_q1w2e3r4t6",
    signature: "linear-signature",
    stale_s: Some(70),
    samples: &[
        Sample {
            headers: &[
                JSON,
                ("linear-event", "Issue"),
                ("linear-delivery", "234d1a4e-b617-4388-90fe-adc3633d6b72"),
            ],
            body: "{\"action\":\"create\",\"type\":\"Issue\",\"actor\":{\"name\":\"Zoë\"},\"createdAt\":\"2020-01-23T12:53:18.084Z\",\"data\":{\"id\":\"539068e2-ae88-4d09-bd75-22eb4a59612f\",\"title\":\"Fix \\/ crème 🍮\",\"priority\":0},\"url\":\"https://linear.app/issue/LIN-1778/foo-bar\",\"webhookTimestamp\":\"{at_ms}\",\"webhookId\":\"000042e3-d123-4980-b49f-8e140eef9329\"}",
            change: ("🍮", "🍰"),
            event_type: "Issue.create",
            ..SAMPLE
        },
        Sample {
            headers: &[
                JSON,
                ("linear-event", "Comment"),
                ("linear-delivery", "234d1a4e-b617-4388-90fe-adc3633d6b73"),
            ],
            body: "{\"action\":\"remove\",\"type\":\"Comment\",\"webhookTimestamp\":\"{at_ms}\",\"data\":{\"body\":\"x\"}}\r\n",
            change: ("\r\n", "\n"),
            event_type: "Comment.remove",
            ..SAMPLE
        },
    ],
    ..Provider::USUAL
};

pub const PADDLE: Provider = Provider {
    name: "paddle",
    language: Language::JavaScript,
    secret: "pdl_ntfset_01gkpjp8bkm3tm53kdgkx6sms7_6h3qd3uFSi9YCD3OLYAShQI90XTI5vEI",
    signs_with: "pdl_ntfset_01gkpjp8bkm3tm53kdgkx6sms7_6h3qd3uFSi9YCD3OLYAShQI90XTI5vEI",
    other: "pdl_ntfset_01gkpjp8bkm3tm53kdgkx6sms7_6h3qd3uFSi9YCD3OLYAShQI90XTI5vEJ",
    signature: "paddle-signature",
    time: Some("paddle-signature"),
    // Five seconds are allowed either way. This leaves nine.
    age_s: -4,
    stale_s: Some(10),
    samples: &[
        Sample {
            body: r#"{"event_id":"evt_01h8bzakzx3hm2fmen703n5q45","event_type":"transaction.completed","occurred_at":"2023-08-21T11:57:47.390028Z","notification_id":"ntf_01h8bzam1z32agrxjwhjgqk8w6","data":{"id":"txn_01h8bx8fmywym11t6swgzba704","status":"completed","custom_data":{"note":"Überraschung 🎁"}}}"#,
            change: ("🎁", "🎀"),
            event_type: "transaction.completed",
            ..SAMPLE
        },
        Sample {
            body: "{\"event_id\":\"evt_02\",\"event_type\":\"subscription.created\",\"data\":{\"url\":\"https:\\/\\/a.b\"}}\r\n",
            change: ("\\/\\/", "//"),
            event_type: "subscription.created",
            ..SAMPLE
        },
    ],
    ..Provider::USUAL
};

pub const DISCORD: Provider = Provider {
    name: "discord",
    language: Language::JavaScript,
    secret: "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8",
    signs_with: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    other: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e20",
    signature: "x-signature-ed25519",
    time: Some("x-signature-timestamp"),
    samples: &[
        Sample {
            body: r#"{"version":1,"application_id":"1234560123453231555","type":1,"event":{"type":"APPLICATION_AUTHORIZED","timestamp":"2024-10-18T14:42:53.064834","data":{"integration_type":1,"scopes":["applications.commands"],"user":{"username":"bôt 🤖"}}}}"#,
            change: ("🤖", "👾"),
            event_type: "APPLICATION_AUTHORIZED",
            ..SAMPLE
        },
        Sample {
            body: "{\"id\":\"846462639134605312\",\"type\":2,\"token\":\"A_UNIQUE_TOKEN\",\"guild_id\":\"290926798626357999\",\"data\":{\"id\":\"771825006014889984\",\"name\":\"card\\/search\"}}\r\n",
            change: ("\r\n", "\n"),
            event_type: "interaction",
            ..SAMPLE
        },
    ],
    ..Provider::USUAL
};
