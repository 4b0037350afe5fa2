//! Lists that contradict themselves, in pages as a portal gives them.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use serde_json::{Value, json};

use super::*;
use crate::clock::ManualClock;
use crate::portal::credentials::Credentials;
use crate::portal::transport::{Request, Response, Transport, TransportError};
use crate::portal::wire::ValidationCodes;

/// The numbers of the orders on a page; what `total` says.
type Page = (Vec<u32>, Option<u64>);

/// A portal that answers the page of this number and size.
#[derive(Clone)]
struct Pages {
    page: Arc<dyn Fn(u32, u32) -> Page + Send + Sync>,
    calls: Arc<Mutex<Vec<(u32, u32)>>>,
}

#[expect(clippy::unnecessary_wraps, reason = "what a transport gives")]
fn result(result: &Value) -> Result<Response, TransportError> {
    let body = json!({"code": "success", "status": 200, "result": result}).to_string();
    Ok(Response { status: 200, body: Bytes::from(body), date: None, retry_after: None })
}

impl Transport for Pages {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        if !request.path.contains("/page") {
            return result(&json!({"token": "t", "expiresIn": "1800"}));
        }
        let number = |key: &str| request.path.split(key).nth(1).unwrap().split('&').next().unwrap().parse().unwrap();
        let (page, size) = (number("pageNo="), number("pageSize="));
        self.calls.lock().unwrap().push((page, size));
        let (rows, total) = (self.page)(page, size);
        // Order n was made n hours after the first.
        let made = |n: u32| 1_800_000_000 + u64::from(n) * 3600;
        let rows: Vec<Value> =
            rows.into_iter().map(|n| json!({"id": n, "orderNo": format!("UF{n}"), "createTime": made(n)})).collect();
        result(&json!({"total": total, "pageNo": page, "results": rows}))
    }
}

fn portal(page: impl Fn(u32, u32) -> Page + Send + Sync + 'static) -> (Pages, PortalClient) {
    let pages = Pages { page: Arc::new(page), calls: Arc::default() };
    let clock = Arc::new(ManualClock::at("2027-02-15T09:00:00Z".parse().unwrap()));
    let credentials = Credentials { client_id: "id".into(), client_secret: "secret".into() };
    (pages.clone(), PortalClient::new(pages, credentials, clock, ValidationCodes::default()))
}

/// The page of a list of `rows` in pages of at most `cap`.
fn cut(rows: &[u32], page: u32, size: u32, cap: u32) -> Vec<u32> {
    let size = size.min(cap) as usize;
    rows.iter().copied().skip((page as usize - 1) * size).take(size).collect()
}

fn newest_first(count: u32) -> Vec<u32> {
    (1..=count).rev().collect()
}

/// After the order with this number.
fn after(n: i64) -> Option<Timestamp> {
    Timestamp::from_second(1_800_000_000 + n * 3600 + 1).ok()
}

#[tokio::test]
async fn a_list_that_counts_an_order_and_does_not_show_it_is_an_error() {
    for shown in [vec![], vec![3, 2]] {
        let (_, client) = portal(move |_, _| (shown.clone(), Some(4)));
        for horizon in [None, after(0)] {
            let error = read(&client, horizon).await.err().unwrap();
            assert!(error.to_string().contains("contradicts itself: it says 4 orders and shows"), "{error}");
        }
    }
}

#[tokio::test]
async fn an_order_that_comes_between_two_pages_is_no_contradiction() {
    let calls = Mutex::new(0);
    let (_, client) = portal(move |page, size| {
        let mut calls = calls.lock().unwrap();
        *calls += 1;
        // The oldest order goes between the first page and the second.
        let list = newest_first(if *calls == 1 { 8 } else { 7 });
        (cut(&list, page, size, 4), Some(list.len() as u64))
    });
    let range = read(&client, None).await.unwrap();
    assert_eq!((range.rows.len(), range.is_whole()), (7, true));
}

#[tokio::test]
async fn a_capped_total_hides_no_order_but_is_no_count_any_more() {
    for newest in [false, true] {
        let (_, client) = portal(move |page, size| {
            let mut list = newest_first(12);
            if !newest {
                list.reverse();
            }
            (cut(&list, page, size, 5), Some(5))
        });
        let range = read(&client, None).await.unwrap();
        assert_eq!((range.rows.len(), range.is_whole()), (12, true), "read to an empty page");
        let range = read(&client, after(8)).await.unwrap();
        assert!(newest || range.rows.len() == 12, "oldest first, the newest stand behind the cap");
    }
}

#[tokio::test]
async fn a_read_that_stops_where_a_capped_total_ends_says_how_far_it_went_or_goes_on() {
    let list = [9, 8, 7, 3, 12, 5];
    let (_, client) = portal(move |page, size| (cut(&list, page, size, 3), Some(3)));
    let range = read(&client, after(7)).await.unwrap();
    assert_eq!((range.rows.len(), range.down_to), (3, after(7)), "whether order 12 is there is not known");
    let range = read(&client, after(4)).await.unwrap();
    assert_eq!((range.rows.len(), range.down_to), (6, None));
}

#[tokio::test]
async fn the_usual_read_of_a_long_list_costs_one_page_and_a_whole_one_at_most_one_more_than_it_has() {
    let (pages, client) = portal(|page, size| (cut(&newest_first(250), page, size, 100), Some(250)));
    assert!(read(&client, after(200)).await.unwrap().down_to.is_some());
    assert_eq!(pages.calls.lock().unwrap().drain(..).collect::<Vec<_>>(), [(1, 100)]);
    assert!(read(&client, None).await.unwrap().is_whole());
    assert_eq!(pages.calls.lock().unwrap().len(), 3, "its last page is short");
    let (pages, client) = portal(|page, size| (cut(&newest_first(200), page, size, 100), Some(200)));
    assert!(read(&client, None).await.unwrap().is_whole());
    assert_eq!(pages.calls.lock().unwrap().len(), 3, "its last page is full");
}

#[tokio::test]
async fn ties_at_the_edge_of_a_page_are_no_evidence_and_are_read_by_other_pages() {
    // By hundreds, order 101 stands on two pages and order 100 on none.
    let (_, client) = portal(|page, size| {
        let mut list = newest_first(150);
        if size == 100 {
            list[50] = 101;
        }
        (cut(&list, page, size, 100), Some(150))
    });
    let once = read_once(&client, None, &SIZES).await.unwrap();
    assert!(!once.is_whole() && once.contradiction().is_some());
    let range = read(&client, None).await.unwrap();
    assert!(range.is_whole() && range.seen.contains("UF100"));
}

#[tokio::test]
async fn a_row_on_two_pages_voids_a_list_without_a_total() {
    let (_, client) = portal(|page, size| {
        let mut list = newest_first(9);
        list[3] = 7; // order 6 is on no page
        (cut(&list, page, size, 3), None)
    });
    let range = read(&client, None).await.unwrap();
    assert!(!range.is_whole());
    let (_, client) = portal(|page, size| (cut(&newest_first(9), page, size, 3), None));
    assert!(read(&client, None).await.unwrap().is_whole(), "read to an empty page");
}

#[tokio::test]
async fn a_portal_that_gives_its_last_page_again_has_no_more() {
    let (_, client) = portal(|page, size| (cut(&newest_first(6), page.min(2), size, 3), Some(6)));
    assert!(read(&client, None).await.unwrap().is_whole());
    let (_, client) = portal(|page, size| (cut(&newest_first(6), page.min(2), size, 3), None));
    assert!(!read(&client, None).await.unwrap().is_whole(), "without a total nobody knows");
}

#[tokio::test]
async fn an_order_is_found_in_a_range_by_its_id_too() {
    let (_, client) = portal(|page, size| (cut(&newest_first(3), page, size, 3), Some(3)));
    let range = read(&client, None).await.unwrap();
    assert!(range.lists(&["2".to_owned()]) && range.lists(&["no".to_owned(), "UF3".to_owned()]));
    assert!(!range.lists(&["4".to_owned()]));
}

/// Whether a portal takes pages of this size.
type Takes = fn(u32) -> bool;

/// A portal that refuses all page sizes but these.
struct Strict(Pages, Takes);

impl Transport for Strict {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let size = request.path.split("pageSize=").nth(1).map(|rest| rest.split('&').next().unwrap().parse::<u32>().unwrap());
        if size.is_some_and(|size| !self.1(size)) {
            let body = r#"{"code": "parameter_validation_failed", "detailMessage": "invalid pageSize", "status": 400}"#;
            return Ok(Response { status: 200, body: Bytes::from(body), date: None, retry_after: None });
        }
        self.0.send(request).await
    }
}

fn strict(takes: Takes, total: Option<u64>) -> (Pages, PortalClient) {
    let list = newest_first(60);
    let (pages, _) = portal(move |page, size| (cut(&list, page, size, 100), total));
    let credentials = Credentials { client_id: "id".into(), client_secret: "secret".into() };
    let clock = Arc::new(ManualClock::at("2027-02-15T09:00:00Z".parse().unwrap()));
    (pages.clone(), PortalClient::new(Strict(pages, takes), credentials, clock, ValidationCodes::default()))
}

/// It could never be used, and the advice was to compare the ids in the file; or everything stopped once evidence was looked for.
#[tokio::test]
async fn a_portal_that_refuses_page_sizes_is_read_by_two_that_it_takes() {
    let menus: [(Takes, [u32; 2]); 4] = [
        (|size| size <= 25, [25, 20]),
        (|size| [10, 20, 50, 100].contains(&size), [100, 50]),
        (|size| [25, 50].contains(&size), [25, 25]),
        (|size| size == 25, [25, 25]),
    ];
    for (takes, by) in menus {
        let (pages, client) = strict(takes, Some(60));
        let range = read(&client, None).await.unwrap();
        assert_eq!((range.rows.len(), range.is_whole()), (60, true));
        let again = read_again(&client, &range).await.unwrap().unwrap();
        assert!(again.is_whole() && again.seen == range.seen);
        assert_eq!(front(&client, &again).await.unwrap().rows.len(), by[1] as usize);
        let mut sizes: Vec<u32> = pages.calls.lock().unwrap().iter().map(|(_, size)| *size).collect();
        sizes.dedup();
        assert!(by.iter().all(|size| sizes.contains(size)), "{sizes:?}");
    }
}

/// Read twice by the same pages, a row that fell between two of them would not be missed.
#[tokio::test]
async fn a_list_that_does_not_count_itself_is_no_evidence_by_one_page_size() {
    let (_, client) = strict(|size| size == 25, None);
    let range = read(&client, None).await.unwrap();
    assert_eq!(range.rows.len(), 60);
    assert!(read_again(&client, &range).await.unwrap().is_none());
}

/// Pages of a hundred and of 83 were both cut to thirty, and so the same.
#[tokio::test]
async fn a_portal_that_cuts_pages_is_read_again_by_shorter_ones() {
    let (pages, client) = portal(|page, size| (cut(&newest_first(60), page, size, 30), Some(60)));
    let range = read(&client, None).await.unwrap();
    pages.calls.lock().unwrap().clear();
    assert!(read_again(&client, &range).await.unwrap().unwrap().is_whole());
    assert!(pages.calls.lock().unwrap().iter().all(|(_, size)| *size == 25));
}

/// A customer's renewal came while an unsorted list was read for minutes, on a page that had been read: ours went out on top of it.
#[tokio::test]
async fn a_list_whose_count_grows_while_it_is_read_was_overtaken_unless_it_shows_what_came() {
    for (at, overtaken) in [(0, true), (5, false)] {
        let calls = Mutex::new(0);
        let (_, client) = portal(move |page, size| {
            let mut list = vec![2, 6, 1, 5, 3];
            *calls.lock().unwrap() += 1;
            if *calls.lock().unwrap() > 1 {
                list.insert(at, 7);
            }
            (cut(&list, page, size, 2), Some(list.len() as u64))
        });
        let range = read(&client, None).await.unwrap();
        assert_eq!((range.sorted, range.was_overtaken()), (false, overtaken), "it came as number {at}");
    }
}
