//! No message shows a credential, whatever is wrong with the line.

use super::*;

const SECRET: &str = "s3cr3tvalue";

fn shown(source: &str) -> String {
    let found = mistakes(source);
    format!("{}{}{}", found.render(false), found.render(true), found.to_json())
}

#[test]
fn a_credential_is_masked_on_valid_and_on_broken_lines() {
    for line in [
        "client_id = \"s3cr3tvalue\"",
        "client_secret = 's3cr3tvalue'",
        "clientSecret=\"s3cr3tvalue\"",
        "cleint_secert = \"s3cr3tvalue\"",
        "client_secret = \"s3cr3tvalue",
        "client_secret = s3cr3tvalue",
        "client_secret: s3cr3tvalue",
        "client_secret \"s3cr3tvalue\"",
        "\"client-secret\" = \"s3cr3tvalue\"",
        "client_secret = \"\"\"\ns3cr3tvalue\"\"\"",
        "client_secret = \"\"\"\nx\ns3cr3tvalue",
        "client_secret =\n\"s3cr3tvalue\"",
        "client_secret = [\n\"s3cr3tvalue",
        "password = \"s3cr3tvalue\"",
        "token = \"x\" \"s3cr3tvalue\"",
        "base_url = \"https://user:s3cr3tvalue@portal.example.com\"",
        "proxy = \"http://s3cr3tvalue@proxy\"",
        "proxy = \"http://u:s3cr3t/s3cr3tvalue@proxy\"",
        "quantty = 5 # client_secret: s3cr3tvalue",
        "my_key = \"s3cr3tvalue\"",
        "oauth = { secret = \"s3cr3tvalue\" }",
        "api-key = \"s3cr3tvalue\"",
    ] {
        for source in [format!("timezone = \"UTC\"\n[portal]\n{line}\n"), with_entry(&format!("quantity = 1\n{line}"))] {
            let shown = shown(&source);
            assert!(!shown.contains(SECRET), "{line}\n{shown}");
        }
    }
}

#[test]
fn the_path_of_a_webhook_is_its_password() {
    for line in ["webhook = \"http://chat.example.com/hooks/s3cr3tvalue\"", "webhook = \"https://chat.example.com/s3cr3tvalue"] {
        let shown = shown(&format!("timezone = \"UTC\"\n[notify]\n{line}\n"));
        assert!(!shown.contains(SECRET), "{shown}");
        assert!(shown.contains("chat.example.com"), "{shown}");
    }
}

#[test]
fn every_way_to_write_a_credential_is_told_where_it_goes() {
    for key in ["client_id", "client_secret", "clientId", "client-secret", "token", "password", "access_token", "API_KEY"] {
        for table in ["[portal]", "[defaults]", "[[renewal]]", ""] {
            let source = format!("timezone = \"UTC\"\n{table}\n{key} = 1\n");
            let found = mistakes(&source);
            let said = found.iter().find(|one| one.title == "credentials never stand in the file");
            assert!(said.is_some_and(|one| one.help.contains("RENEWD_CLIENT_SECRET_FILE")), "{table} {key}\n{found}");
        }
    }
}

#[test]
fn no_key_of_the_file_is_taken_for_a_credential() {
    for key in keys::FILE.iter().chain(&keys::PORTAL).chain(&keys::RENEWAL).chain(&keys::NOTIFY).chain(&keys::LIMITS) {
        assert!(!secret::is_secret(key.name), "{}", key.name);
    }
}
