//! The same as pages say, as plain text in Markdown: for programs that read, and for people without a browser.

use crate::markdown::first_words;
use crate::model::{Operation, Portal, Version};
use crate::samples::samples;
use crate::site::{MARKDOWN, Site, TEXT};

/// LIMIT: letters about an operation in the list of all.
const WORDS_MAX: usize = 160;

/// Adds the list of all and a text for each operation.
pub(crate) fn add(site: &mut Site, portal: &Portal, title: &str) {
    let mut list = format!(
        "# {}\n\n> What each API offers, how to call it, what its limits are, what every error means.\n",
        line(title)
    );
    for version in portal.versions() {
        list.push_str(&format!("\n## {}\n\n{}\n\n", line(&version.title), version.address));
        if version.document.is_some() {
            list.push_str(&format!("- [OpenAPI document]({}/openapi.json)\n", version.folder));
        }
        for operation in &version.operations {
            let path = format!("{}/{}.md", version.folder, operation.slug);
            let words = first_words(operation.title(), WORDS_MAX);
            list.push_str(&format!("- [{} {}]({path}): {}\n", operation.method, operation.path, line(&words)));
            site.add(path, MARKDOWN, text(version, operation));
        }
    }
    list.push_str("\n## Guides\n\n");
    for (slug, title) in crate::guides::titles() {
        list.push_str(&format!("- [{title}](guides/{slug}.html)\n"));
    }
    list.push_str("- [Errors](problems/index.html)\n");
    site.add("llms.txt", TEXT, list);
}

/// A text in one line.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// One operation.
fn text(version: &Version, operation: &Operation) -> String {
    let mut out = format!("# {} {}\n\n{}\n\n", operation.method, operation.path, line(operation.title()));
    let mut part = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            out.push_str(&format!("## {title}\n\n{}\n\n", lines.join("\n")));
        }
    };
    part("About", operation.description.lines().map(str::to_owned).collect());
    let fields = version.lifecycle.iter().flat_map(|life| life.fields());
    let fields = fields.map(|(name, value)| format!("- {name}: {value}"));
    part("Version", operation.version_told().into_iter().chain(fields).collect());
    part("Authentication", callers(operation));
    let parameter = |one: &crate::model::Parameter| {
        let needed = if one.row.required { ", required" } else { "" };
        format!("- {} ({}{needed}): {}. {}", one.row.path, one.location, one.row.kind, line(&one.row.description))
    };
    part("Parameters", operation.parameters.iter().map(parameter).collect());
    let bodies = operation.body.iter().flat_map(|content| {
        let rows = content.rows.iter().map(|row| format!("- {}: {}. {}", row.path, row.kind, row.rules.join("; ")));
        std::iter::once(format!("{}:", content.media_type)).chain(rows)
    });
    part("Request body", bodies.collect());
    let answers = operation.answers.iter().map(|answer| format!("- {}: {}", answer.status, line(&answer.description)));
    part("Answers", answers.collect());
    let limits = operation.limits.iter().map(|limit| {
        let plan = limit.plan.as_ref().map(|plan| format!(", plan {plan}")).unwrap_or_default();
        format!("- {}: {} for each {}{plan}", limit.name, limit.amount, limit.per)
    });
    part("Limits", limits.collect());
    part("Sizes and times", operation.bounds.iter().map(|(what, most)| format!("- {what}: {most}")).collect());
    let masks = operation.masks.iter().map(|mask| {
        let seen: Vec<String> = mask.seen.iter().map(|(who, what)| format!("{who}: {what}")).collect();
        format!("- {}: {}", mask.field, seen.join("; "))
    });
    part("Masked fields", masks.collect());
    let errors = operation.errors.iter().map(|case| {
        let reason = case.reason;
        format!("- {} {}: {}. {}", reason.status(), reason.code(), reason.title(), reason.page().caller)
    });
    part("Errors", errors.collect());
    out
}

fn callers(operation: &Operation) -> Vec<String> {
    let callers = &operation.callers;
    if callers.closed {
        return vec!["Nobody may call this operation.".to_owned()];
    }
    let mut lines = vec![format!("Asked for: {}", callers.text)];
    lines.extend(callers.rules.iter().map(|rule| format!("- {rule}")));
    lines.extend(callers.demands.iter().map(|rule| format!("- {rule}")));
    for way in &callers.ways {
        let first = samples(operation, way).into_iter().next();
        lines.extend(first.map(|sample| format!("\n{}:\n\n```sh\n{}```", way.title, sample.text)));
    }
    lines
}
