//! What an emulator does that does not keep a rule. That each is held by Box's SDKs is `cargo xtask conformance --break`.

use box_emulator::{Options, Rule, Settings};
use serde_json::json;

use crate::support::{CREDENTIALS, Client, PREVIEW};

fn without(rule: Rule) -> Client {
    let settings = Settings { broken: Some(rule), ..Settings::default() };
    Client::with(Options { settings, ..Options::default() })
}

#[test]
fn a_rule_that_is_not_kept_lets_through_what_it_refuses_and_nothing_else() {
    for rule in [None, Some(Rule::Scope), Some(Rule::Resource), Some(Rule::RevokedToken)] {
        let mut client = rule.map_or_else(Client::new, without);
        let pair = client.login();
        let file = client.id_of(&pair.access, "Garden/Bees.txt");
        let other = client.id_of(&pair.access, "Welcome.md");
        let child = client.child(&pair.access, PREVIEW, &format!("files/{file}"));
        let download = client.get(&child, &format!("/2.0/files/{file}/content")).status;
        assert_eq!(download, if rule == Some(Rule::Scope) { 302 } else { 403 }, "{rule:?}");
        let beside = client.get(&child, &format!("/2.0/files/{other}")).status;
        assert_eq!(beside, if rule == Some(Rule::Resource) { 200 } else { 404 }, "{rule:?}");
        client.revoke(&pair.access);
        assert_eq!(client.works(&pair.access), rule == Some(Rule::RevokedToken), "{rule:?}");
    }
}

#[test]
fn a_code_may_be_reused_or_late_but_not_both() {
    for (rule, waits) in [(Rule::CodeReused, 0), (Rule::CodeExpired, 31)] {
        let mut client = without(rule);
        let code = client.code();
        client.wait(waits);
        assert_eq!(client.redeem(&code).status, 200, "{rule}");
        assert_eq!(client.redeem(&code).status == 200, rule == Rule::CodeReused, "{rule}");
    }
}

#[test]
fn without_the_secret_only_the_client_id_is_asked_for() {
    let mut client = without(Rule::WrongSecret);
    let code = client.code();
    let client_id = CREDENTIALS[0];
    let form = [("grant_type", "authorization_code"), ("code", &code), ("client_secret", "wrong")];
    assert_eq!(client.token(&[&form[..], &[("client_id", "nobody")]].concat()).status, 400);
    assert_eq!(client.token(&[&form[..], &[client_id]].concat()).status, 200);
}

#[test]
fn no_refresh_token_is_ever_used_up() {
    for rotation in ["lazy", "strict"] {
        let mut client = without(Rule::RefreshTokenReused);
        client.settings(json!({"rotation": rotation}));
        let first = client.login();
        let second = client.refresh(&first.refresh).pair();
        assert!(client.works(&second.access));
        assert_eq!(client.refresh(&first.refresh).status, 200, "{rotation}");
    }
}

#[test]
fn callers_neither_see_nor_mend_it() {
    let mut client = without(Rule::CodeReused);
    let refused = client.ask("POST", "/emulator/settings").json(json!({"broken": null})).send();
    assert_eq!(refused.status, 400);
    assert_eq!(client.control("settings", json!({"pkce": false})).get("broken"), None);
    client.control("reset", json!({}));
    let code = client.code();
    assert_eq!([client.redeem(&code).status, client.redeem(&code).status], [200, 200]);
}

#[test]
fn every_rule_has_a_name_and_a_case_of_box_s_sdks_that_holds_it() {
    let cases = include_str!("../../../conformance/cases.toml");
    for rule in Rule::ALL {
        assert_eq!(rule.name().parse(), Ok(rule));
        assert!(cases.contains(&format!("holds = \"{rule}\"")), "nothing holds {rule}");
    }
    assert!("gravity".parse::<Rule>().is_err());
}
