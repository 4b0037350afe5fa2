//! What is refused, and that one mistake hides no other.

use super::*;

#[test]
fn ten_mistakes_in_one_file_are_ten_messages() {
    let source = "timezone = \"Europe/Berln\"\n\
        [portal]\nbase_url = \"ftp://x\"\n\
        [schedule]\ncheck = \"61 * * * * *\"\n\
        [defaults]\nproduct = \"rm-premium\"\nservice_id = \"12x\"\nbilling_id = 7\nlead = 14\n\
        [limits]\nmax_orders_per_day = 0\n\
        [[renewal]]\nname = \"one\"\nquantty = 10\nexpires_on = 2027-02-30\nquantity = 1\n\
        [[renewal]]\nname = \"two\"\nexpires_on = 20270301\nquantity = \"1\"\n";
    let found = mistakes(source);
    let lines: Vec<usize> = found.iter().map(|one| one.line).collect();
    assert_eq!(lines, [1, 3, 5, 8, 10, 12, 15, 16, 20, 21], "{found}");
}

#[test]
fn broken_toml_hides_neither_other_broken_lines_nor_other_mistakes() {
    let source =
        format!("{TOP}lead = 14 days\ncolor = \"red\"\n[[renewal]]\nname = one\nexpires_on = 2027-03-01\nquantity = 0\n");
    let lines: Vec<usize> = mistakes(&source).iter().map(|one| one.line).collect();
    assert_eq!(lines, [6, 7, 9, 11]);
}

#[test]
fn a_broken_header_does_not_make_the_ones_below_it_stand_twice() {
    let source = EXAMPLE.replace("[limits]", "[limits");
    assert_eq!(titles(&source), ["this is not TOML: unclosed table, expected `]`"]);
}

#[test]
fn a_key_that_stands_twice_is_reported_at_the_second() {
    assert_eq!(
        only(&with_entry("quantity = 1\nquantity = 2")),
        "10:1 this key stands twice in one table | the second one | take one of them out; a new entry begins with [[renewal]]"
    );
}

#[test]
fn a_wrong_default_is_said_once_however_many_inherit_it() {
    let entries: Vec<String> =
        (0..50).map(|n| format!("[[renewal]]\nname = \"n{n}\"\nexpires_on = 2027-03-01\nbatch = \"b{n}\"\n")).collect();
    for wrong in
        ["quantity = -1", "quantity = 1\ncycle = \"monthly\"", "quantity = 1\nlead = \"0 days\"", "quantity = 1\nplan_id = 4"]
    {
        assert_eq!(titles(&format!("{TOP}{wrong}\n{}", entries.concat())).len(), 1, "{wrong}");
    }
}

#[test]
fn each_product_asks_for_what_it_needs_and_refuses_the_rest() {
    let cases = [
        ("", "`quantity` is missing in [[renewal]]"),
        ("quantity = 1\nserial = \"A1\"", "rm-premium has no serial number"),
        ("quantity = 1\nplan_id = 3", "rm-premium is not renewed by a `plan_id`"),
        ("quantity = 1\ncycle = \"monthly\"", "rm-premium is sold annually only"),
        ("quantity = 1\nyears = 2", "rm-premium is sold for one year at a time"),
        ("product = \"white-label\"\nservice_id = 6\nquantity = 1", "white-label has no quantity"),
        ("product = \"white-label\"", "`service_id` is missing in [[renewal]]"),
        ("product = \"remote-management\"", "`plan_id` is missing in [[renewal]]"),
        ("product = \"remote-management\"\nplan_id = 3\nservice_id = 4", "remote-management is not renewed by a `service_id`"),
        ("product = \"p-series-software\"\nplan_id = 3\nquantity = 1", "`serial` is missing in [[renewal]]"),
        ("product = \"p-series-appliance\"\nplan_id = 3\nserial = \"A\"", "`cycle` is missing in [[renewal]]"),
        (
            "product = \"p-series-appliance\"\nplan_id = 3\nserial = \"A\"\ncycle = \"monthly\"\nyears = 2",
            "`years` contradicts `cycle = \"monthly\"`",
        ),
        (
            "product = \"p-series-appliance\"\nplan_id = 3\nserial = \"A\"\nyears = 6",
            "`years` must be a whole number from 1 to 5",
        ),
    ];
    for (lines, title) in cases {
        assert_eq!(titles(&with_entry(lines)), [title], "{lines}");
    }
}

#[test]
fn lines_that_do_not_belong_together_are_refused() {
    let cloud = "product = \"p-series-cloud\"\nserial = \"A1\"\n";
    let plan = "[[renewal.line]]\nplan_id = 10\nquantity = 2\n";
    let cases = [
        (format!("{cloud}quantity = 2\n{plan}"), "`quantity` stands beside [[renewal.line]]"),
        (
            format!("{cloud}{plan}[[renewal.line]]\nplan_id = 11\nquantity = 1"),
            "an order of p-series-cloud has one line with a `plan_id`",
        ),
        (format!("{cloud}[[renewal.line]]\nservice_id = 11"), "`line` is missing in [[renewal]]"),
        (format!("{cloud}{plan}[[renewal.line]]\nservice_id = 10"), "the id 10 stands in two lines of one order"),
        (format!("{cloud}{plan}[[renewal.line]]\nquantity = 1"), "`plan_id` is missing in [[renewal.line]]"),
        (format!("{cloud}{plan}[[renewal.line]]\nplan_id = 1\nservice_id = 2"), "a line names a plan or a service, not both"),
        (format!("{cloud}line = []"), "an order has at least one line"),
        (format!("{cloud}line = 5"), "`line` must be a list of tables"),
        (plan.to_owned(), "rm-premium is not renewed by a `plan_id`"),
    ];
    for (lines, title) in cases {
        assert_eq!(titles(&with_entry(&lines)), [title], "{lines}");
    }
}

#[test]
fn the_keys_of_defaults_beside_lines_are_no_mistake() {
    let source = "timezone = \"UTC\"\n[defaults]\nproduct = \"p-series-cloud\"\nbilling_id = 1\nquantity = 4\nplan_id = 9\n\
        [[renewal]]\nname = \"a\"\nserial = \"S\"\nexpires_on = 2027-03-01\n[[renewal.line]]\nplan_id = 10\nquantity = 2\n";
    assert_eq!(parse("renewals.toml", source).unwrap().entries[0].lines[0].quantity, Some(2));
}

#[test]
fn a_service_beside_a_plan_belongs_to_one_entry_only() {
    let entry = |name: &str, plan: u32| {
        format!(
            "[[renewal]]\nname = \"{name}\"\nproduct = \"p-series-cloud\"\nserial = \"{name}\"\nexpires_on = 2027-03-01\n\
             [[renewal.line]]\nplan_id = {plan}\nquantity = 2\n[[renewal.line]]\nservice_id = 77\n"
        )
    };
    let two = format!("{TOP}{}{}", entry("a1", 1), entry("A1", 2));
    assert_eq!(titles(&two), ["`A1` and `a1` are the same subscription"]);
    assert!(parse("renewals.toml", &format!("{TOP}{}{}", entry("a1", 1), entry("b1", 2))).is_ok());
}

#[test]
fn one_device_belongs_to_one_customer() {
    let entry = |name: &str, partner: u32| {
        format!(
            "[[renewal]]\nname = \"{name}\"\nproduct = \"p-series-appliance\"\nserial = \"3631A2200005\"\npartner_id = {partner}\nplan_id = {partner}\n\
             years = 1\nexpires_on = 2027-03-01\n"
        )
    };
    let two = format!("{TOP}{}{}", entry("a", 800), entry("b", 900));
    assert_eq!(titles(&two), ["`b` and `a` have the same serial number and different customers"]);
    let spelled = format!("{TOP}{}{}", entry("a", 800), entry("b", 900).replace("3631A2200005", "3631-a220-0005"));
    assert_eq!(titles(&spelled), ["`b` and `a` have the same serial number and different customers"]);
}

#[test]
fn two_entries_of_one_name_are_refused_although_one_is_wrong_otherwise() {
    let source = with_entry("quantity = 1") + "[[renewal]]\nname = \"one\"\nexpires_on = 5\nquantity = 1\npartner_id = 4\n";
    let found = mistakes(&source);
    let labels: Vec<&str> = found.iter().map(|one| one.label.as_str()).collect();
    assert_eq!(labels, ["the first one begins in line 6", "this is a whole number"]);
}

#[test]
fn the_same_subscription_is_found_although_one_is_wrong_otherwise() {
    let source = with_entry("quantity = 1") + "[[renewal]]\nname = \"two\"\nexpires_on = 5\nquantity = 1\n";
    assert_eq!(titles(&source)[0], "`two` and `one` are the same subscription");
}

#[test]
fn lead_and_grace_end_at_the_middle_of_the_term() {
    assert!(parse("renewals.toml", &with_entry("quantity = 1\nlead = \"182 days\"\ngrace = \"182 days\"")).is_ok());
    let long = titles(&with_entry("quantity = 1\nlead = \"183 days\"\ngrace = \"27 weeks\""));
    assert_eq!(
        long,
        [
            "`lead` of 183 days is more than half a term of this renewal",
            "`grace` of 189 days is more than half a term of this renewal"
        ]
    );
    let monthly = "product = \"p-series-appliance\"\nplan_id = 3\nserial = \"A\"\ncycle = \"monthly\"\n";
    assert!(parse("renewals.toml", &with_entry(monthly)).is_ok());
    assert_eq!(titles(&with_entry(&format!("{monthly}lead = \"15 days\""))).len(), 1);
    let inherited = with_entry(monthly).replace("[defaults]", "[defaults]\nlead = \"20 days\"");
    assert!(only(&inherited).starts_with("7:1 `lead` of 20 days"));
}

#[test]
fn an_order_that_could_never_go_out_is_refused_where_its_quantity_stands() {
    let source = with_entry("quantity = 501");
    assert!(
        only(&source)
            .starts_with("9:12 a quantity of 501 is beyond `max_quantity_per_order = 500` | this would never be ordered")
    );
    let daily = with_entry("quantity = 400") + "[limits]\nmax_quantity_per_day = 399\n";
    assert!(only(&daily).starts_with("9:12 a quantity of 400 is beyond `max_quantity_per_day = 399`"));
}

#[test]
fn values_that_cannot_be_meant_are_refused() {
    for lines in [
        "quantity = 1.0",
        "quantity = 1_000_001",
        "quantity = -9223372036854775809",
        "quantity = 99999999999999999999999999999999999999999",
        "quantity = 1\nname = \"\"",
        "quantity = 1\npartner_id = 0123",
        "quantity = 1\npartner_id = -5",
        "quantity = 1\npartner_id = 0x10",
        "quantity = 1\npartner_id = 3.07e18",
        "quantity = 1\norder_at = \"24:00\"",
        "quantity = 1\norder_at = \"9:00\"",
        "quantity = 1\norder_at = \"09:00:30\"",
        "quantity = 1\nlead = \"14\"",
        "quantity = 1\nlead = \"36 hours\"",
        "quantity = 1\nlead = \"-1 days\"",
        "quantity = 1\nlead = \"99999999999999999999 weeks\"",
        "quantity = 1\nlead = \"18446744073709551615 weeks\"",
        "quantity = 1\napproval = \"Auto\"",
        "quantity = 1\nfar = \"yes\"",
        "quantity = 1\nbatch = \" x\"",
    ] {
        assert!(parse("renewals.toml", &with_entry(lines)).is_err(), "{lines}");
    }
    for day in ["0207-03-01", "2207-03-01", "\"2027-3-1\"", "\"20270301\"", "\"2027-02-29\"", "09:00:00", "\"2027-03-01T00:00\""]
    {
        assert!(parse("renewals.toml", &with_entry("quantity = 1").replace("2027-03-01", day)).is_err(), "{day}");
    }
}

#[test]
fn names_that_the_command_line_cannot_take_are_refused() {
    for name in ["", "-v", " a", "a ", "a\\u202eb", "a\\nb", "\\u200b"] {
        let source = with_entry("quantity = 1").replace("\"one\"", &format!("\"{name}\""));
        assert_eq!(titles(&source), ["`name` must be a plain text of 1 to 100 characters"], "{name}");
    }
}

#[test]
fn codes_that_would_call_an_order_of_unknown_fate_unplaced_are_refused() {
    let with = |code: &str| parse("renewals.toml", &format!("timezone = \"UTC\"\n[portal]\nvalidation_codes = [\"{code}\"]"));
    for code in ["*", "p*", "succ*", "success", "succes*", "a b", ""] {
        assert!(with(code).is_err(), "{code}");
    }
    assert!(with("parameter_*").is_ok() && with("E42").is_ok());
}

#[test]
fn a_pattern_is_taken_only_if_the_scheduler_takes_it() {
    let with = |check: &str| parse("renewals.toml", &format!("timezone = \"UTC\"\n[schedule]\ncheck = \"{check}\""));
    for good in ["0 * * * * *", "*/30 * * * * *", "0 0 9-17 * JAN MON"] {
        assert!(with(good).is_ok(), "{good}");
    }
    for bad in ["", "* * * * *", "0 * * * * * *", "60 * * * * *", "a b c d e f", "@daily", "0 * * * * é"] {
        assert!(with(bad).is_err(), "{bad}");
    }
}

#[test]
fn zones_are_found_in_the_iana_database_or_guessed() {
    let zone = |name: &str| only(&format!("timezone = \"{name}\""));
    assert!(zone("Europe/Berln").contains("did you mean \"Europe/Berlin\"?"));
    assert!(zone("CEST-2").contains("no zone is called so"));
    assert!(zone("Etc/Unknown").contains("IANA"));
}

#[test]
fn what_stands_in_place_of_a_table_is_refused() {
    for source in [
        "portal = 5",
        "renewal = 5",
        "renewal = [5]",
        "[renewal]",
        "notify = true",
        "notify = \"some\"",
        "[[portal]]",
        "limits = []",
    ] {
        assert_eq!(titles(&format!("timezone = \"UTC\"\n{source}")).len(), 1, "{source}");
    }
}

#[test]
fn nesting_without_end_is_a_mistake_and_no_crash() {
    for piece in ["[", "{a=", "[[renewal.line"] {
        assert!(parse("renewals.toml", &format!("timezone = \"UTC\"\nx = {}", piece.repeat(50_000))).is_err());
    }
}

#[test]
fn an_id_in_defaults_without_its_product_is_refused() {
    let source = "timezone = \"UTC\"\n[defaults]\nservice_id = 5\n";
    assert!(only(source).starts_with("3:14 `service_id` in [defaults] belongs to one product, and none is named"));
}
