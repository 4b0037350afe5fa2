//! The ids of the file: partners, billing contacts, products, plans and services, and what is shown of purchased products (sections 3, 6
//! and 7 of the vendor's guide).

use std::collections::BTreeSet;

use url::form_urlencoded;

use super::{Findings, Portal, Verdict};
use crate::config::Config;
use crate::portal::wire::ProductInfo;
use crate::renewal::subscription::{Entry, Party};

/// How many partners are asked for a price each, and how many products for what was purchased: nobody knows how many calls are welcome.
const MOST_ASKED: usize = 3;

pub(super) async fn ask(portal: &Portal, config: &Config, findings: &mut Findings) {
    partners(portal, config, findings).await;
    contacts(portal, config, findings).await;
    products(portal, config, findings).await;
    services(portal, config, findings).await;
    purchased(portal, config, findings).await;
}

async fn partners(portal: &Portal, config: &Config, findings: &mut Findings) {
    const ASSUMED: &str = "every partner of the file is a user of this account";
    let list = match portal.partners().await {
        Ok(list) => list.value,
        Err(error) => return findings.add(Verdict::Bad, ASSUMED, error.to_string(), ""),
    };
    let known: BTreeSet<&str> = list.rows.iter().filter_map(|row| row.partner_id.as_deref()).collect();
    let missing: Vec<String> = config
        .entries
        .iter()
        .filter_map(|entry| entry.identity.party.text().map(|id| (entry, id)))
        .filter(|(_, id)| !known.contains(id.as_str()))
        .map(|(entry, id)| format!("{} ({id})", entry.name))
        .collect();
    listed(findings, ASSUMED, &missing, "compare with `renewd discover partners`");
    whole(findings, "the list of partners comes whole", list.rows.len(), list.total);
}

async fn contacts(portal: &Portal, config: &Config, findings: &mut Findings) {
    const ASSUMED: &str = "every billing contact of the file is one of this account";
    let list = match portal.contacts().await {
        Ok(list) => list.value,
        Err(error) => return findings.add(Verdict::Bad, ASSUMED, error.to_string(), ""),
    };
    let known: BTreeSet<&str> = list.rows.iter().filter_map(|row| row.billing_contact_id.as_deref()).collect();
    let wanted: BTreeSet<String> = config.entries.iter().map(|entry| entry.billing_id.to_string()).collect();
    let missing: Vec<String> = wanted.into_iter().filter(|id| !known.contains(id.as_str())).collect();
    listed(findings, ASSUMED, &missing, "compare with `renewd discover contacts`");
    whole(findings, "the list of billing contacts comes whole", list.rows.len(), list.total);
}

async fn products(portal: &Portal, config: &Config, findings: &mut Findings) {
    const ASSUMED: &str = "every product of the file is one that this account may subscribe to";
    let list = match portal.products().await {
        Ok(list) => list.value,
        Err(error) => return findings.add(Verdict::Bad, ASSUMED, error.to_string(), ""),
    };
    let known: BTreeSet<&str> = list.rows.iter().filter_map(|row| row.product_id.as_deref()).collect();
    let wanted: BTreeSet<String> = config.entries.iter().map(|entry| entry.identity.product_id.to_string()).collect();
    let missing: Vec<String> = wanted.into_iter().filter(|id| !known.contains(id.as_str())).collect();
    listed(findings, ASSUMED, &missing, "compare with `renewd discover products`");
}

/// Each product of the file once; products 9 and 11 want a serial number, so each of those.
async fn services(portal: &Portal, config: &Config, findings: &mut Findings) {
    let serial = |entry: &Entry| {
        let wants = ["9", "11"].contains(&entry.identity.product_id.to_string().as_str());
        entry.identity.serial.clone().filter(|_| wants)
    };
    let asked: BTreeSet<(String, Option<String>)> =
        config.entries.iter().map(|entry| (entry.identity.product_id.to_string(), serial(entry))).collect();
    for (product, no) in asked {
        let assumed = format!("the plans and services that the file names belong to product {product}");
        let info = match portal.services(&product, no.as_deref()).await {
            Ok(info) => info.value,
            Err(error) => {
                findings.add(Verdict::Bad, &assumed, error.to_string(), "compare with `renewd discover services`");
                continue;
            }
        };
        let of_it = config.entries.iter().filter(|entry| entry.identity.product_id.to_string() == product && serial(entry) == no);
        let missing: Vec<String> = of_it
            .flat_map(|entry| entry.lines.iter().map(move |line| (entry, line)))
            .filter(|(_, line)| !info.items.iter().any(|item| item.kind == line.kind && item.id == line.id.to_string()))
            .map(|(entry, line)| format!("{} ({})", entry.name, line.id))
            .collect();
        listed(findings, &assumed, &missing, &format!("compare with `renewd discover services {product}`"));
        prices(portal, config, &product, &info, findings).await;
    }
}

/// A price list for the partner exists only where the product can be sold to it.
async fn prices(portal: &Portal, config: &Config, product: &str, info: &ProductInfo, findings: &mut Findings) {
    let Some(offering) = &info.offering_id else {
        return findings.add(Verdict::NotYet, "a product has prices for its partners", "it shows no offeringId", "");
    };
    let partners: BTreeSet<String> = config
        .entries
        .iter()
        .filter(|entry| entry.identity.product_id.to_string() == product)
        .filter_map(|entry| if let Party::Partner(id) = entry.identity.party { Some(id.to_string()) } else { None })
        .collect();
    let (mut priced, mut refused) = (0, Vec::new());
    for partner in partners.iter().take(MOST_ASKED) {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("productId", product)
            .append_pair("billingCycle", "annually")
            .append_pair("offeringId", offering)
            .append_pair("partnerId", partner)
            .finish();
        match portal.look(&format!("/pricing/openapi/purchase/v1/my_price_info?{query}")).await {
            Ok(seen) if seen.result().is_some() => priced += 1,
            Ok(seen) => refused.push(format!("{partner} ({})", seen.body["code"].as_str().unwrap_or("no code"))),
            Err(error) => refused.push(format!("{partner} ({error})")),
        }
    }
    if priced + refused.len() == 0 {
        return;
    }
    let shows = if refused.is_empty() {
        format!("{priced} of {} asked, all do", partners.len())
    } else {
        format!("not for {}", refused.join(", "))
    };
    let assumed = format!("product {product} has a price for its partners");
    findings.either(refused.is_empty(), Verdict::Differs, &assumed, shows, "an order for it may be refused: look in the portal");
}

/// Whether an end of the paid term comes back: renewd carries the date of the file forward, and does not read it.
async fn purchased(portal: &Portal, config: &Config, findings: &mut Findings) {
    let products: BTreeSet<String> = config.entries.iter().map(|entry| entry.identity.product_id.to_string()).collect();
    for product in products.iter().take(MOST_ASKED) {
        let assumed = format!("the end of a paid term is not shown for product {product}, so it comes from the file");
        let path =
            format!("/product/openapi/instance_product/v1/client/instance_product_list?productId={product}&pageNo=1&pageSize=25");
        let Ok(seen) = portal.look(&path).await else { continue };
        let Some(result) = seen.result() else {
            findings.add(Verdict::NotYet, &assumed, format!("refused ({})", seen.body["code"]), "");
            continue;
        };
        let rows = super::list::rows_of(result);
        let dates: BTreeSet<&String> = rows
            .iter()
            .filter_map(|row| row.as_object())
            .flat_map(serde_json::Map::keys)
            .filter(|key| key.to_lowercase().contains("expir") && *key != "currentPlanExpireDate")
            .collect();
        match (rows.is_empty(), dates.first()) {
            (true, _) => findings.add(Verdict::NotYet, &assumed, "no purchased product of this kind is listed", ""),
            (false, None) => findings.ok(&assumed, "no such field"),
            (false, Some(field)) => findings.add(
                Verdict::Differs,
                &assumed,
                format!("it is, as {field}"),
                "compare it with expires_on in the file before the first order",
            ),
        }
    }
}

fn listed(findings: &mut Findings, assumed: &str, missing: &[String], means: &str) {
    let shows = if missing.is_empty() { "all are listed".to_owned() } else { format!("not listed: {}", missing.join(", ")) };
    findings.either(missing.is_empty(), Verdict::Bad, assumed, shows, means);
}

fn whole(findings: &mut Findings, assumed: &str, rows: usize, total: Option<u64>) {
    let all = total.is_none_or(|total| total <= rows as u64);
    let shows = total.map_or_else(|| format!("{rows}, as one list"), |total| format!("{rows} of {total}, in a page"));
    findings.either(
        all,
        Verdict::Differs,
        assumed,
        shows,
        "an id on a later page is reported as not listed above: look for it in the portal",
    );
}
