//! Every refusal of the token endpoints whose words were seen at Box, in one table: what provokes it, Box's answer word
//! by word, and who saw it. (DOC is <https://developer.box.com/guides/api-calls/permissions-and-errors/common-errors/>.)

use serde_json::{Value, json};

use crate::signer::{JWT_APP, JWT_BEARER, Signer, bring};
use crate::support::{Answer, CREDENTIALS, Client};

struct Seen {
    what: &'static str,
    provoke: fn(&mut Client) -> Answer,
    error: &'static str,
    description: &'static str,
    source: &'static str,
}

const SEEN: [Seen; 19] = [
    Seen {
        what: "no grant type",
        provoke: |client| client.client_token(&[]),
        error: "invalid_request",
        description: "Invalid grant_type parameter or parameter missing",
        source: "box-windows-sdk-v2#550",
    },
    Seen {
        what: "a code older than 30 seconds",
        provoke: |client| {
            let code = client.code();
            client.wait(30);
            client.redeem(&code)
        },
        error: "invalid_grant",
        description: "The authorization code has expired",
        source: "box-java-sdk#172, #246",
    },
    Seen {
        what: "a code that was used",
        provoke: |client| {
            let code = client.code();
            client.redeem(&code).pair();
            client.redeem(&code)
        },
        error: "invalid_grant",
        description: "Auth code doesn't exist or is invalid for the client",
        source: "drotiro/boxfs2#12",
    },
    Seen {
        what: "a refresh token that was superseded",
        provoke: |client| {
            let first = client.login();
            let second = client.refresh(&first.refresh).pair();
            assert!(client.works(&second.access));
            client.refresh(&first.refresh)
        },
        error: "invalid_grant",
        description: "Refresh token has expired",
        source: "box-java-sdk#165, cyberduck#13003",
    },
    Seen {
        what: "a refresh token that was revoked",
        provoke: |client| {
            let pair = client.login();
            client.revoke(&pair.refresh);
            client.refresh(&pair.refresh)
        },
        error: "invalid_grant",
        description: "Invalid refresh token",
        source: "box-python-sdk#71, #587",
    },
    Seen {
        what: "a refresh without the token",
        provoke: |client| client.client_token(&[("grant_type", "refresh_token")]),
        error: "invalid_request",
        description: "No \"refresh_token\" parameter found",
        source: "box-python-sdk#618",
    },
    Seen {
        what: "a wrong secret",
        provoke: |client| {
            let wrong = [CREDENTIALS[0], ("client_secret", "wrong")];
            client.token(&[&[("grant_type", "refresh_token"), ("refresh_token", "any")], &wrong[..]].concat())
        },
        error: "invalid_client",
        description: "The client credentials are invalid",
        source: "DOC; scribejava#842",
    },
    Seen {
        what: "a grant that the app has not",
        provoke: |client| client.client_token(&[("grant_type", "client_credentials")]),
        error: "invalid_request",
        description: "The grant type is unauthorized for this client_id",
        source: "DOC; golchha21/BoxPHPAPI#33",
    },
    Seen {
        what: "an app that no admin let in",
        provoke: |client| {
            let mut signer = Signer::new(client);
            client.edit_app(JWT_APP, "authorized", json!(false));
            signer.ask(client, "enterprise", "900000001")
        },
        error: "unauthorized_client",
        description: "This app is not authorized by the enterprise admin",
        source: "DOC; boxcli#154",
    },
    Seen {
        what: "client credentials for another enterprise",
        provoke: |client| {
            client.token(&[
                ("grant_type", "client_credentials"),
                ("client_id", "keyhole-ccg"),
                ("client_secret", "keyhole-ccg-secret-not-a-secret"),
                ("box_subject_type", "enterprise"),
                ("box_subject_id", "900000002"),
            ])
        },
        error: "invalid_grant",
        description: "Grant credentials are invalid",
        source: "https://developer.box.com/guides/authentication/client-credentials/",
    },
    Seen {
        what: "an assertion too far ahead",
        provoke: |client| {
            let exp = client.now_ms / 1000 + 61;
            with(client, "exp", json!(exp))
        },
        error: "invalid_grant",
        description: "Current date/time MUST be before the expiration date/time listed in the 'exp' claim",
        source: "box-node-sdk#109",
    },
    Seen {
        what: "an assertion made by a clock that is ahead",
        provoke: |client| {
            let iat = client.now_ms / 1000 + 1;
            with(client, "iat", json!(iat))
        },
        error: "invalid_grant",
        description: "Current date/time MUST be after or equal to the not-before date/time listed in the 'nbf' or \
                      'iat' claim",
        source: "box-node-sdk#96",
    },
    Seen {
        what: "an assertion with a short id",
        provoke: |client| with(client, "jti", json!("short")),
        error: "invalid_grant",
        description: "Please check the 'jti' claim. A unique 'jti' value is required.",
        source: "box-node-sdk#403",
    },
    Seen {
        what: "an assertion for nobody",
        provoke: |client| with(client, "sub", json!("nobody")),
        error: "invalid_grant",
        description: "Please check the 'sub' claim. The 'sub' specified is invalid.",
        source: "box-python-sdk#868, #822; support.box.com 360043691734",
    },
    Seen {
        what: "an assertion of another app",
        provoke: |client| with(client, "iss", json!("keyhole-dev")),
        error: "invalid_grant",
        description: "Please check the 'iss' claim. The client id specified is invalid.",
        source: "gildas/go-box errors.go",
    },
    Seen {
        what: "an assertion signed with an unknown key",
        provoke: |client| {
            let mut signer = Signer::new(client);
            let claims = signer.claims(client, "enterprise", "900000001");
            bring(client, &signer.sign_as(&json!({"alg": "RS256", "kid": "unknown"}), &claims))
        },
        error: "invalid_grant",
        description: "OpenSSL unable to verify data: ",
        source: "box/samples, box-node-lambda-sample/README.md",
    },
    Seen {
        what: "an assertion for a user whom the app may not speak for",
        provoke: |client| {
            let mut signer = Signer::new(client);
            client.edit_app(JWT_APP, "may_act_as_users", json!(false));
            signer.ask(client, "user", "1100000001")
        },
        error: "invalid_request",
        description: "Cannot obtain user token based on the enterprise configuration for your app",
        source: "box-java-sdk#439, support.box.com 360044192553",
    },
    Seen {
        what: "an assertion with a wrong secret",
        provoke: |client| {
            let form = [("grant_type", JWT_BEARER), ("client_id", JWT_APP), ("client_secret", "wrong")];
            client.token(&form)
        },
        error: "invalid_client",
        description: "The client credentials are invalid",
        source: "box/samples, box-node-lambda-sample/README.md",
    },
    Seen {
        what: "an exchange for what the user does not see",
        provoke: |client| {
            let pair = client.login();
            client.exchange(&pair.access, "item_preview", Some("https://api.box.com/2.0/files/12"))
        },
        error: "invalid_resource",
        description: "The target resource is invalid.",
        source: "box-node-sdk#168, box-python-sdk#532",
    },
];

/// An assertion that is good but for one claim.
fn with(client: &mut Client, name: &str, value: Value) -> Answer {
    let mut signer = Signer::new(client);
    let mut claims = signer.claims(client, "enterprise", "900000001");
    claims[name] = value;
    bring(client, &signer.sign(&claims))
}

#[test]
fn what_was_seen_at_box_is_said_here_word_by_word() {
    for Seen { what, provoke, error, description, source } in SEEN {
        let answer = provoke(&mut Client::new());
        let expected = json!({"error": error, "error_description": description});
        assert_eq!((answer.status, answer.json()), (400, expected), "{what}, seen in {source}");
    }
}
