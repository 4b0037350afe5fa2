//! `discover`: the tutorial's look-ups, read-only; `--toml` prints entries ready to paste.

use std::sync::Arc;

use clap::{Args, Subcommand};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::columns::keep_whole;
use super::output::{plain, print, print_json, say, table};
use super::{Exit, Failure, Global, play, run};
use crate::clock::WallClock;
use crate::config::Config;
use crate::portal::client::PortalClient;
use crate::portal::credentials::Credentials;
use crate::portal::http::HttpTransport;
use crate::portal::wire::ValidationCodes;
use crate::renewal::product::PRODUCTS;
use crate::sandbox::{Sandbox, catalogue::Catalogue, serve, settings::Settings};

/// Options of `discover`.
#[derive(Debug, Args)]
pub(super) struct Discover {
    #[command(subcommand)]
    what: What,
    /// Print [[renewal]] or [defaults] lines ready to paste
    #[arg(long, global = true)]
    toml: bool,
}

#[derive(Debug, Clone, Subcommand)]
enum What {
    /// The products one may subscribe to
    Products,
    /// The plans and services of a product, with the ids that orders take
    Services {
        /// The product's id
        #[arg(default_value = "21", value_name = "PRODUCT_ID")]
        product: String,
        /// The serial number, for products 9 and 11
        #[arg(long)]
        serial: Option<String>,
    },
    /// The subordinate users that can be renewed for
    Partners,
    /// The billing contacts
    Contacts,
}

/// What was found, as a table or as JSON.
struct Found {
    headings: &'static [&'static str],
    rows: Vec<Vec<String>>,
    toml: Vec<String>,
}

impl Discover {
    pub(super) async fn run(self, global: &Global) -> Result<Exit, Failure> {
        let parsed = Config::from_file(&global.config_path())?;
        let stop = CancellationToken::new();
        let portal = if global.sandbox { sandbox(&parsed.config, stop.clone()).await? } else { run::client(&parsed.config)? };
        let found = look(&portal, &self.what).await?;
        stop.cancel();
        if global.json {
            print_json(&found.json())?;
        } else if self.toml && found.toml.is_empty() {
            say!("# the portal lists none")?;
        } else if self.toml {
            found.toml.iter().try_for_each(|line| say!("{line}"))?;
        } else {
            found.show()?;
        }
        Ok(Exit::Fine)
    }
}

/// A sandbox of its own for one command, that knows the ids of the file.
pub(super) async fn sandbox(config: &Config, stop: CancellationToken) -> Result<PortalClient, Failure> {
    let settings = Settings { catalogue: Some(Catalogue::for_entries(&config.entries)), ..Settings::default() };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base_url = format!("http://{}", listener.local_addr()?).parse().map_err(anyhow::Error::from)?;
    tokio::spawn(serve(Sandbox::new(Arc::new(WallClock), settings), listener, stop));
    let credentials = Credentials { client_id: play::SANDBOX.into(), client_secret: play::SANDBOX.into() };
    Ok(PortalClient::new(HttpTransport::new(&base_url, None)?, credentials, Arc::new(WallClock), ValidationCodes::new(&[])))
}

async fn look(portal: &PortalClient, what: &What) -> Result<Found, Failure> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    Ok(match what {
        What::Products => {
            let list = portal.products().await?.value.rows;
            let row = |p: &crate::portal::wire::Product| vec![text(&p.product_id), text(&p.name), text(&p.offering_id)];
            let presets = |id: &str| PRODUCTS.iter().filter(|preset| preset.id.to_string() == id).collect::<Vec<_>>();
            let toml = list.iter().flat_map(|p| presets(&text(&p.product_id)));
            let toml = toml.map(|preset| format!("product = \"{}\"  # {}", preset.key, preset.name));
            Found { headings: &["product_id", "name", "offering_id"], rows: list.iter().map(row).collect(), toml: toml.collect() }
        }
        What::Services { product, serial } => {
            let info = portal.services(product, serial.as_deref()).await?.value;
            let row = |item: &crate::portal::wire::Orderable| {
                let (service, plan) = if item.kind == crate::renewal::order::LineKind::Plan {
                    (String::new(), item.id.clone())
                } else {
                    (item.id.clone(), String::new())
                };
                vec![service, plan, text(&item.name), text(&item.pricing_id)]
            };
            let toml = info.items.iter().map(|item| {
                let key = if item.kind == crate::renewal::order::LineKind::Plan { "plan_id" } else { "service_id" };
                format!("{key} = \"{}\"  # {}", plain(&item.id), plain(item.name.as_deref().unwrap_or_default()))
            });
            Found {
                headings: &["service_id", "plan_id", "name", "pricing id (never in an order)"],
                rows: info.items.iter().map(row).collect(),
                toml: toml.collect(),
            }
        }
        What::Partners => {
            let list = portal.partners().await?.value.rows;
            let row =
                |p: &crate::portal::wire::Partner| vec![text(&p.partner_id), text(&p.company), text(&p.email), text(&p.country)];
            let toml = list.iter().map(|p| entry(&text(&p.company), &text(&p.partner_id)));
            Found {
                headings: &["partner_id", "company", "email", "country"],
                rows: list.iter().map(row).collect(),
                toml: toml.collect(),
            }
        }
        What::Contacts => {
            let list = portal.contacts().await?.value.rows;
            let row = |c: &crate::portal::wire::BillingContact| {
                vec![text(&c.billing_contact_id), text(&c.company), text(&c.email_address)]
            };
            let toml = list
                .iter()
                .map(|c| format!("billing_id = \"{}\"  # {}", plain(&text(&c.billing_contact_id)), plain(&text(&c.company))));
            Found { headings: &["billing_id", "company", "email"], rows: list.iter().map(row).collect(), toml: toml.collect() }
        }
    })
}

/// An entry for a partner. The quantity and the date are the person's to know, so they are left to be filled in: until then `check`
/// refuses the entry.
fn entry(company: &str, partner_id: &str) -> String {
    let lower = company.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let name = if words.is_empty() { partner_id.to_owned() } else { words.join("-") };
    format!(
        "[[renewal]]\nname       = \"{}\"\npartner_id = \"{}\"\nquantity   =      # connections\nexpires_on =      # YYYY-MM-DD, the end of the term that is paid\n",
        plain(&name),
        plain(partner_id)
    )
}

impl Found {
    fn show(&self) -> Result<(), Failure> {
        if self.rows.is_empty() {
            return Ok(say!("The portal lists none.")?);
        }
        let mut rows = table(self.headings);
        for row in &self.rows {
            rows.add_row(row.iter().map(|cell| plain(cell)));
        }
        keep_whole(&mut rows, self.headings.iter().position(|heading| matches!(*heading, "company" | "name")));
        Ok(print(&rows)?)
    }

    fn json(&self) -> Vec<serde_json::Map<String, serde_json::Value>> {
        let object = |row: &Vec<String>| {
            self.headings.iter().map(|h| (*h).to_owned()).zip(row.iter().map(|cell| cell.clone().into())).collect()
        };
        self.rows.iter().map(object).collect()
    }
}
