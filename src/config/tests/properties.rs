use proptest::prelude::*;

use super::*;

/// What a slip of the hand, an editor or a bad disk might put into a file.
fn scrap() -> impl Strategy<Value = String> {
    let pieces = [
        "",
        "\"",
        "'",
        "\"\"\"",
        "[",
        "]",
        "[[",
        "]]",
        "[[renewal]]\n",
        "[[renewal.line]]\n",
        "{",
        "}",
        "=",
        ",",
        ".",
        "#",
        "\n",
        "\r\n",
        "\r",
        "\t",
        "\0",
        "\u{1b}[2J",
        "\u{202e}",
        "\u{feff}",
        "é",
        "漢",
        "😀",
        "-1",
        "0",
        "99999999999999999999999",
        "1e9",
        "2027-02-30",
        "2027-03-01T00:00:00Z",
        "true",
        "plan_id = 1\n",
        "line = [{}]\n",
        "notify = 1\n",
        "[portal]\n",
        "a.b.c = 1\n",
        "[renewal]\n",
        "[a.b]\n",
        "_",
        "+",
        "\\",
        "\\u",
    ];
    prop_oneof![4 => prop::sample::select(pieces.to_vec()).prop_map(str::to_owned), 1 => any::<String>()]
}

/// `text` with a few places replaced: where (of 10,000), how much goes, what comes.
fn mutated(text: &str, edits: Vec<(usize, usize, String)>) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for (place, gone, scrap) in edits {
        let from = place * chars.len() / 10_000;
        let to = (from + gone).min(chars.len());
        chars.splice(from..to, scrap.chars());
    }
    chars.into_iter().collect()
}

fn edits() -> impl Strategy<Value = Vec<(usize, usize, String)>> {
    prop::collection::vec((0..10_000_usize, 0..12_usize, scrap()), 1..5)
}

/// Whatever was read, its messages must be drawn too: clean, within the file, and never an empty refusal.
fn survives(source: &str) {
    let Err(found) = parse("renewals.toml", source) else { return };
    let drawn = found.render(false);
    assert!(!drawn.contains(|c: char| shown::is_treacherous(c) && c != '\n'), "{drawn:?}");
    assert!(found.errors() > 0 && found.iter().count() > 0);
    let lines = source.split('\n').count();
    for one in found.iter() {
        assert!((1..=lines).contains(&one.line), "{one:?}");
        assert!(drawn.contains(&format!("renewals.toml:{}:{}\n", one.line, one.column)) || found.len() > 100, "{one:?}\n{drawn}");
        assert!(!one.title.contains("renewd cannot say why"), "{source}");
    }
    found.render(true);
    found.to_json();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_explained(text in any::<String>()) {
        survives(&text);
    }

    #[test]
    fn any_soup_of_toml_is_read_or_explained(pieces in prop::collection::vec(scrap(), 0..40)) {
        survives(&pieces.concat());
    }

    #[test]
    fn the_example_with_any_edits_is_read_or_explained(edits in edits()) {
        survives(&mutated(EXAMPLE, edits));
    }

    #[test]
    fn an_edit_elsewhere_never_uncovers_a_credential(edits in edits()) {
        let line = "client_secret = \"s3cr3tvalue\"\n";
        let (before, after) = EXAMPLE.split_at(EXAMPLE.find("base_url").unwrap());
        let source = format!("{}{line}{}", mutated(before, edits.clone()), mutated(after, edits));
        if let Err(found) = parse("renewals.toml", &source) {
            prop_assert!(!found.render(false).contains("s3cr3t"), "{found}");
        }
    }

    #[test]
    fn any_cron_pattern_is_taken_or_refused(check in "[0-9*/,LW#?a-z -]{0,20}") {
        survives(&format!("timezone = \"UTC\"\n[schedule]\ncheck = \"{check}\"\n"));
    }

    #[test]
    fn an_id_of_any_length_is_exact_or_refused(id in "[0-9]{1,24}") {
        let fits = id.len() <= 20 && !id.starts_with('0');
        for written in [format!("\"{id}\""), id.clone()] {
            let read = parse("renewals.toml", &with_entry(&format!("quantity = 1\npartner_id = {written}")));
            let read = read.ok().and_then(|config| config.entries[0].identity.party.text());
            prop_assert_eq!(read, fits.then(|| id.clone()));
        }
    }
}
