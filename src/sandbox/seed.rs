//! Numbers that look random and are not: each is a pure function of the seed and a counter.
//!
//! Holds no state, so the same seed and the same calls give the same bytes.

/// What a number is drawn for; two purposes never share a number.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stream {
    RequestHigh,
    RequestLow,
    Token,
    OrderGap,
    OrderNo,
    TransactionNo,
    ProductNo,
    Lag,
    Shuffle,
    Pricing,
    Price,
}

/// The `n`-th number of a stream (the finaliser of `SplitMix64`).
pub(super) fn mix(seed: u64, stream: Stream, n: u64) -> u64 {
    let start = seed ^ (stream as u64 + 1).wrapping_mul(0xd6e8_feb8_6659_fd93);
    let mut z = start.wrapping_add(n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// 32 hex digits, the width of the portal's `requestId` and of the sandbox's tokens.
pub(super) fn hex32(high: u64, low: u64) -> String {
    format!("{high:016x}{low:016x}")
}
