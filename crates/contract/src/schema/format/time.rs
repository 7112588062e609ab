//! Dates and times (RFC 3339 section 5.6), durations (its appendix A).

/// Takes `count` digits off the front.
fn digits(text: &str, count: usize) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(count)?;
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    Some((plain.then(|| digits.parse().ok())??, rest))
}

fn after<'t>(text: &'t str, mark: &str) -> Option<&'t str> {
    text.strip_prefix(mark)
}

pub(super) fn is_date(text: &str) -> bool {
    date(text) == Some("")
}

fn date(text: &str) -> Option<&str> {
    let (year, rest) = digits(text, 4)?;
    let (month, rest) = digits(after(rest, "-")?, 2)?;
    let (day, rest) = digits(after(rest, "-")?, 2)?;
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => {
            if leap {
                29
            } else {
                28
            }
        }
        _ => return None,
    };
    (1..=days).contains(&day).then_some(rest)
}

pub(super) fn is_date_time(text: &str) -> bool {
    let rest = date(text).and_then(|rest| rest.strip_prefix(['T', 't']));
    rest.is_some_and(is_time)
}

pub(super) fn is_time(text: &str) -> bool {
    time(text).is_some()
}

fn time(text: &str) -> Option<()> {
    let (hour, rest) = digits(text, 2)?;
    let (minute, rest) = digits(after(rest, ":")?, 2)?;
    let (second, mut rest) = digits(after(rest, ":")?, 2)?;
    if let Some(fraction) = rest.strip_prefix('.') {
        let kept = fraction.trim_start_matches(|letter: char| letter.is_ascii_digit());
        if kept.len() == fraction.len() {
            return None;
        }
        rest = kept;
    }
    let minutes = hour * 60 + minute;
    let utc = match rest.split_at_checked(1)? {
        ("Z" | "z", "") => minutes,
        (sign @ ("+" | "-"), offset) => {
            let (hours, offset) = digits(offset, 2)?;
            let (minutes_more, offset) = digits(after(offset, ":")?, 2)?;
            if hours > 23 || minutes_more > 59 || !offset.is_empty() {
                return None;
            }
            let offset = hours * 60 + minutes_more;
            // A day more, so that it never goes below zero.
            if sign == "+" { minutes + 1_440 - offset } else { minutes + offset }
        }
        _ => return None,
    };
    // A leap second is the last of a day in UTC.
    let fits = second <= 59 || (second == 60 && utc % 1_440 == 1_439);
    (hour <= 23 && minute <= 59 && fits).then_some(())
}

pub(super) fn is_duration(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('P') else { return false };
    let (days, time) = rest.split_once('T').map_or((rest, None), |(days, time)| (days, Some(time)));
    if time.is_none() && days.ends_with('W') {
        return units(days, "W") == Some(1);
    }
    let dated = units(days, "YMD");
    let timed = time.map_or(Some(0), |time| units(time, "HMS").filter(|count| *count > 0));
    matches!((dated, timed), (Some(dated), Some(timed)) if dated + timed > 0)
}

/// How many numbers with one of these units, in this order.
fn units(text: &str, order: &str) -> Option<usize> {
    let (mut rest, mut order, mut count) = (text, order, 0);
    while !rest.is_empty() {
        let kept = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
        let unit = kept.chars().next().filter(|_| kept.len() < rest.len())?;
        let place = order.find(unit)?;
        order = order.get(place + 1..)?;
        rest = kept.get(1..)?;
        count += 1;
    }
    Some(count)
}
