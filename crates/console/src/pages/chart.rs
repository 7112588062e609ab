//! The last five minutes as bars, for those who would rather look than read. What it says is said in words as well.

use super::cells::grouped;
use portcullis_portal::html::Html;
use serde_json::Value;

/// Bars, and the seconds of each.
const BARS: usize = 60;
const SECONDS: usize = 5;
const HEIGHT: u64 = 100;
const WIDTH: usize = 10;

/// Bars of the seconds, the newest at the right.
pub(super) fn chart(html: &mut Html, seconds: &[Value]) {
    let parts = ["served", "refused", "failed"];
    let mut bars = vec![[0_u64; 3]; BARS];
    for (age, second) in seconds.iter().rev().enumerate() {
        let Some(bar) = (BARS - 1).checked_sub(age / SECONDS).and_then(|at| bars.get_mut(at)) else { break };
        for (sum, part) in bar.iter_mut().zip(parts) {
            *sum += second.get(part).and_then(Value::as_u64).unwrap_or(0);
        }
    }
    let most = bars.iter().map(|bar| bar.iter().sum::<u64>()).max().unwrap_or(0);
    let sums = bars.iter().fold([0; 3], |sum: [u64; 3], bar| {
        std::array::from_fn(|at| sum.get(at).copied().unwrap_or(0) + bar.get(at).copied().unwrap_or(0))
    });
    let [served, refused, failed] = sums;
    let told = format!(
        "The last five minutes: {} requests served, {} refused, {} failed; at most {} within five seconds",
        grouped(served),
        grouped(refused),
        grouped(failed),
        grouped(most)
    );
    html.element("figure", &[("class", "chart")], |html| {
        let view = format!("0 0 {} {HEIGHT}", BARS * WIDTH);
        let attributes =
            [("viewBox", view.as_str()), ("preserveAspectRatio", "none"), ("role", "img"), ("aria-label", &told)];
        html.element("svg", &attributes, |html| {
            for (at, bar) in bars.iter().enumerate() {
                draw(html, at, *bar, most);
            }
        });
        html.element("figcaption", &[], |html| {
            for (part, class) in parts.into_iter().zip(["key served", "key refused", "key failed"]) {
                html.leaf("span", &[("class", class)], part).text(" ");
            }
            html.text(&told).done();
        });
    });
    html.line();
}

fn draw(html: &mut Html, at: usize, bar: [u64; 3], most: u64) {
    let mut top = HEIGHT;
    for (count, class) in bar.into_iter().zip(["served", "refused", "failed"]) {
        if count == 0 || most == 0 {
            continue;
        }
        // One request among thousands is seen as well.
        let height = (count.saturating_mul(HEIGHT) / most).max(1).min(top);
        top -= height;
        let (x, y) = ((at * WIDTH + 1).to_string(), top.to_string());
        let (width, height) = ((WIDTH - 2).to_string(), height.to_string());
        html.element("rect", &[("class", class), ("x", &x), ("y", &y), ("width", &width), ("height", &height)], |_| {});
    }
}
