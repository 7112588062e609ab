//! The run as a picture: four panels above one another, over the same minutes.

use super::Sample;

const WIDTH: f64 = 760.0;
const PANEL: f64 = 130.0;
const GAP: f64 = 46.0;
const LEFT: f64 = 60.0;
const TOP: f64 = 34.0;
const COLOURS: [&str; 2] = ["#0b6e99", "#b3541e"];

/// A line: its name, where there is more than one, and what it follows.
type Line = (&'static str, fn(&Sample) -> f64);

/// What a panel shows.
struct Panel {
    title: &'static str,
    lines: &'static [Line],
}

const PANELS: [Panel; 4] = [
    Panel { title: "resident memory, MB", lines: &[("", |sample| sample.resident_mb)] },
    Panel { title: "CPU, % of one core", lines: &[("", |sample| sample.cpu_percent)] },
    Panel { title: "open files", lines: &[("", |sample| sample.files)] },
    Panel {
        title: "p99, ms",
        lines: &[("HTTP/1.1", |sample| sample.http1_p99_ms), ("HTTP/2", |sample| sample.http2_p99_ms)],
    },
];

/// The picture.
pub(super) fn svg(samples: &[Sample]) -> String {
    let minutes = samples.last().map_or(1.0, |sample| sample.minute).max(f64::MIN_POSITIVE);
    let height = TOP + (PANEL + GAP) * 4.0;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" \
         font-size=\"12\" role=\"img\" aria-label=\"Memory, CPU, open files and latency over {minutes:.0} minutes\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    let mut top = TOP;
    for panel in &PANELS {
        out += &draw(panel, samples, minutes, top);
        top += PANEL + GAP;
    }
    out + "</svg>\n"
}

fn draw(panel: &Panel, samples: &[Sample], minutes: f64, top: f64) -> String {
    let all = || panel.lines.iter().flat_map(|(_, of)| samples.iter().map(of));
    let most = round_up(all().fold(0.0, f64::max));
    let (right, bottom) = (WIDTH - 20.0, top + PANEL);
    let x = |minute: f64| LEFT + minute / minutes * (right - LEFT);
    let y = |value: f64| bottom - value / most * PANEL;
    let mut out = format!("<text x=\"{LEFT}\" y=\"{}\" font-weight=\"bold\">{}</text>\n", top - 10.0, panel.title);
    for part in [0.0, 0.5, 1.0] {
        let at = y(most * part);
        out += &format!(
            "<path d=\"M{LEFT} {at:.1}H{right}\" stroke=\"#d0d0d0\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n",
            LEFT - 6.0,
            at + 4.0,
            most * part
        );
        let minute = minutes * part;
        out += &format!(
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{minute:.0} min</text>\n",
            x(minute),
            bottom + 16.0
        );
    }
    let mut legend = right;
    for ((name, of), colour) in panel.lines.iter().zip(COLOURS) {
        let points: Vec<String> =
            samples.iter().map(|sample| format!("{:.1},{:.1}", x(sample.minute), y(of(sample)))).collect();
        out += &format!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>\n",
            points.join(" ")
        );
        if !name.is_empty() {
            out += &format!(
                "<text x=\"{legend}\" y=\"{}\" text-anchor=\"end\" fill=\"{colour}\">{name}</text>\n",
                top - 10.0
            );
            legend -= 70.0;
        }
    }
    out
}

/// The next of 1, 2 and 5 times a power of ten.
fn round_up(value: f64) -> f64 {
    let power = 10f64.powf(value.max(1e-3).log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power).find(|step| *step >= value).unwrap_or(value)
}
