//! Refresh tokens: two ways in which Box was seen to rotate them.

use serde_json::json;

use crate::support::{Answer, Client};

#[track_caller]
fn is_dead(answer: &Answer) {
    answer.is_oauth(400, "invalid_grant", "Invalid refresh token");
}

#[track_caller]
fn is_expired(answer: &Answer) {
    answer.is_oauth(400, "invalid_grant", "Refresh token has expired");
}

mod lazy {
    use super::*;

    #[test]
    fn a_replay_brings_the_same_pair_with_less_life_until_it_is_used() {
        let mut client = Client::new();
        let first = client.login();
        let second = client.refresh(&first.refresh).pair();
        assert_ne!(second.access, first.access);
        client.wait(10);
        let replay = client.refresh(&first.refresh).pair();
        assert_eq!((&replay.access, &replay.refresh), (&second.access, &second.refresh));
        assert_eq!(replay.expires_in, second.expires_in - 10);
        assert!(client.works(&first.access), "nothing is settled yet");
    }

    #[test]
    fn the_first_use_of_the_new_access_token_ends_the_old_pair() {
        let mut client = Client::new();
        let first = client.login();
        let second = client.refresh(&first.refresh).pair();
        assert!(client.works(&first.access));
        assert!(client.works(&second.access));
        client.get(&first.access, "/2.0/users/me").is_unauthorized();
        is_expired(&client.refresh(&first.refresh));
        assert_eq!(client.state_of(&first.refresh), "superseded");
        assert_eq!(client.refresh(&second.refresh).status, 200);
    }

    #[test]
    fn the_first_use_of_the_new_refresh_token_ends_the_old_pair() {
        let mut client = Client::new();
        let first = client.login();
        let second = client.refresh(&first.refresh).pair();
        let third = client.refresh(&second.refresh).pair();
        is_expired(&client.refresh(&first.refresh));
        assert!(!client.works(&first.access));
        assert!(client.works(&second.access), "the second pair waits for the third to be used");
        assert!(client.works(&third.access));
        assert!(!client.works(&second.access));
    }

    #[test]
    fn an_exchange_is_a_use_and_a_refused_one_is_not() {
        let mut client = Client::new();
        let first = client.login();
        let second = client.refresh(&first.refresh).pair();
        assert_eq!(client.exchange(&second.access, "gcm", None).status, 400);
        assert!(client.works(&first.access));
        assert_eq!(client.exchange(&second.access, "item_preview", None).status, 200);
        assert!(!client.works(&first.access));
    }

    #[test]
    fn a_call_that_a_fault_swallowed_is_no_use() {
        let mut client = Client::new();
        let first = client.login();
        let second = client.refresh(&first.refresh).pair();
        client.control("faults", json!({"method": "GET", "path": "/2.0/users/me", "status": 503}));
        assert_eq!(client.get(&second.access, "/2.0/users/me").status, 503);
        assert!(client.works(&first.access));
    }

    #[test]
    fn a_lost_answer_can_be_asked_for_again() {
        let mut client = Client::new();
        let first = client.login();
        client.control(
            "faults",
            json!({"path": "/oauth2/token", "grant_type": "refresh_token", "drop": "after"}),
        );
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", &*first.refresh),
            crate::support::CREDENTIALS[0],
            crate::support::CREDENTIALS[1],
        ];
        assert!(client.ask("POST", "/oauth2/token").form(&form).reply().drop_connection);
        let lost = client.ledger().iter().filter(|row| row["kind"] == "refresh").count();
        assert_eq!(lost, 2, "it was processed");
        let second = client.refresh(&first.refresh).pair();
        assert!(client.works(&second.access));
        assert_eq!(client.ledger().iter().filter(|row| row["kind"] == "refresh").count(), 2);
    }

    #[test]
    fn a_pending_access_token_that_ran_out_is_replaced_on_replay() {
        let mut client = Client::new();
        let first = client.login();
        let second = client.refresh(&first.refresh).pair();
        client.wait(5_000);
        let replay = client.refresh(&first.refresh).pair();
        assert_ne!(replay.access, second.access);
        assert_eq!(replay.refresh, second.refresh);
        assert!(client.works(&replay.access));
    }

    #[test]
    fn a_replay_has_as_much_time_as_it_is_told() {
        let mut client = Client::new();
        client.settings(json!({"replay_seconds": 30}));
        let first = client.login();
        let second = client.refresh(&first.refresh).pair();
        client.wait(30);
        assert_eq!(client.refresh(&first.refresh).pair().access, second.access);
        client.wait(1);
        is_dead(&client.refresh(&first.refresh));
        assert!(client.works(&first.access), "until the new pair is used");
        client.settings(json!({"replay_seconds": null}));
        is_dead(&client.refresh(&first.refresh));
        assert!(client.works(&second.access) && !client.works(&first.access));
    }

    #[test]
    fn if_told_a_replay_brings_another_pair_and_pushes_the_one_before_it_out() {
        let mut client = Client::new();
        client.settings(json!({"replay_brings_new_pair": true}));
        let first = client.login();
        let second = client.refresh(&first.refresh).pair();
        let third = client.refresh(&first.refresh).pair();
        assert!(third.access != second.access && third.refresh != second.refresh);
        is_expired(&client.refresh(&second.refresh));
        assert!(!client.works(&second.access));
        let live =
            client.ledger().into_iter().filter(|row| row["kind"] == "refresh" && row["state"] == "live");
        assert_eq!(live.count(), 2);
        assert!(client.works(&first.access) && client.works(&third.access));
        is_expired(&client.refresh(&first.refresh));
        assert_eq!(client.refresh(&third.refresh).status, 200);
    }

    #[test]
    fn at_most_two_refresh_tokens_live_at_a_time() {
        let mut client = Client::new();
        let mut pair = client.login();
        for _ in 0..5 {
            let next = client.refresh(&pair.refresh).pair();
            let live =
                client.ledger().into_iter().filter(|row| row["kind"] == "refresh" && row["state"] == "live");
            assert_eq!(live.count(), 2);
            pair = next;
        }
    }
}

mod strict {
    use super::*;

    fn strict() -> Client {
        let mut client = Client::new();
        client.settings(json!({"rotation": "strict"}));
        client
    }

    #[test]
    fn a_refresh_token_is_dead_once_redeemed() {
        let mut client = strict();
        let first = client.login();
        let second = client.refresh(&first.refresh).pair();
        is_dead(&client.refresh(&first.refresh));
        assert_eq!(client.state_of(&first.refresh), "used");
        assert_eq!(client.refresh(&second.refresh).status, 200);
    }

    #[test]
    fn a_lost_answer_is_lost() {
        let mut client = strict();
        let first = client.login();
        client.control("faults", json!({"path": "/oauth2/token", "drop": "after"}));
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", &*first.refresh),
            crate::support::CREDENTIALS[0],
            crate::support::CREDENTIALS[1],
        ];
        assert!(client.ask("POST", "/oauth2/token").form(&form).reply().drop_connection);
        is_dead(&client.refresh(&first.refresh));
    }

    #[test]
    fn the_old_access_token_dies_at_the_first_use_of_the_new_one() {
        let mut client = strict();
        let first = client.login();
        let second = client.refresh(&first.refresh).pair();
        assert!(client.works(&first.access));
        assert!(client.works(&second.access));
        assert!(!client.works(&first.access));
    }
}

#[test]
fn a_refresh_token_lives_60_days_and_the_next_one_its_own_60() {
    let mut client = Client::new();
    let first = client.login();
    client.wait(59 * 24 * 60 * 60);
    let second = client.refresh(&first.refresh).pair();
    assert!(client.works(&second.access));
    client.wait(59 * 24 * 60 * 60);
    let third = client.refresh(&second.refresh).pair();
    assert!(client.works(&third.access));
    client.wait(60 * 24 * 60 * 60);
    is_expired(&client.refresh(&third.refresh));
}

#[test]
fn what_was_never_a_refresh_token_is_invalid() {
    let mut client = Client::new();
    let pair = client.login();
    let code = client.code();
    for value in ["guessed", &pair.access, &code] {
        is_dead(&client.refresh(value));
    }
}

#[test]
fn an_access_token_ends_by_itself() {
    let mut client = Client::new();
    let pair = client.login();
    client.wait(pair.expires_in - 1);
    assert!(client.works(&pair.access));
    client.wait(1);
    client.get(&pair.access, "/2.0/users/me").is_unauthorized();
    assert_eq!(client.refresh(&pair.refresh).status, 200, "and its refresh token does not");
}
