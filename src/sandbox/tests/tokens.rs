//! How tokens are given, live and end.

use super::*;

fn refresh_form(answer: &Value) -> String {
    format!("grant_type=refresh_token&refresh_token={}", answer["result"]["refreshToken"].as_str().unwrap())
}

#[test]
fn a_token_comes_with_the_documented_keys() {
    let mut caller = Caller::new(Settings::default());
    let result = caller.log_in(FORM)["result"].clone();
    assert_eq!(keys(&result), ["expiresIn", "refreshToken", "token", "tokenHead"]);
    assert_eq!((result["expiresIn"].as_str(), result["tokenHead"].as_str()), (Some("1800"), Some("Bearer")));
    caller.portal.change(|settings| settings.tokens.expires_in = settings::NumberForm::Number);
    assert_eq!(caller.log_in(FORM)["result"]["expiresIn"].as_u64(), Some(1800));
}

#[test]
fn wrong_credentials_and_json_bodies_get_no_token() {
    let caller = Caller::new(Settings::default());
    let wrong = caller.token("client_id=sandbox&client_secret=guess&grant_type=pp_credentials");
    assert_eq!(wrong.answer.status, 401);
    assert_eq!(caller.token("client_id=sandbox&grant_type=pp_credentials").answer.status, 400);
    assert_eq!(caller.send("POST", TOKEN, Some("application/json"), "{}").answer.status, 415);
}

#[test]
fn an_access_token_ends_after_30_minutes_and_a_refresh_token_after_15_days() {
    let mut caller = Caller::new(Settings::default());
    let answer = caller.log_in(FORM);
    caller.wait(seconds(30 * 60 - 1));
    assert_eq!(caller.get(PAGE).answer.status, 200);
    caller.wait(seconds(1));
    assert_eq!(caller.get(PAGE).answer.status, 401);
    caller.clock.set(start().checked_add(seconds(15 * 24 * 3600 - 1)).unwrap());
    caller.log_in(&refresh_form(&answer));
    assert_eq!(caller.get(PAGE).answer.status, 200);
    caller.wait(seconds(1));
    assert_eq!(caller.token(&refresh_form(&answer)).answer.status, 401, "a refresh does not prolong the refresh token");
}

#[test]
fn a_new_token_ends_the_old_one_only_if_the_settings_say_so() {
    for ends in [false, true] {
        let tokens = settings::TokenSettings { new_ends_old: ends, ..settings::TokenSettings::default() };
        let caller = Caller::new(Settings { tokens, ..Settings::default() });
        caller.token(FORM);
        assert_eq!(caller.get(PAGE).answer.status, if ends { 401 } else { 200 });
    }
}

#[test]
fn a_rotated_refresh_token_works_once() {
    let tokens = settings::TokenSettings { rotate_refresh: true, ..settings::TokenSettings::default() };
    let mut caller = Caller::new(Settings { tokens, ..Settings::default() });
    let first = caller.log_in(FORM);
    let second = caller.log_in(&refresh_form(&first));
    assert_ne!(first["result"]["refreshToken"], second["result"]["refreshToken"]);
    assert_eq!(caller.token(&refresh_form(&first)).answer.status, 401);
    assert_eq!(caller.token(&refresh_form(&second)).answer.status, 200);
}

#[test]
fn a_portal_that_lost_its_tokens_answers_401_until_there_is_a_new_one() {
    let mut caller = Caller::new(Settings::default());
    caller.portal.revoke_tokens();
    assert_eq!(caller.get(PAGE).answer.status, 401);
    caller.log_in(FORM);
    assert_eq!(caller.get(PAGE).answer.status, 200);
}
