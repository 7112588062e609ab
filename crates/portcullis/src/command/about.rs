//! What the program knows of itself: its version, and the reasons that it gives.

use crate::arguments::{Format, Problems, Version};
use crate::ending::{Ending, Stop};
use crate::output::{Table, bold, report};
use portcullis_types::Reason;
use serde_json::{Value, json};
use std::env::consts::{ARCH, OS};

/// All reasons, or the page of one.
pub(super) fn problems(question: &Problems) -> Result<Ending, Stop> {
    let format = question.form.format;
    let Some(code) = &question.code else {
        let reasons = || Value::Array(Reason::ALL.iter().copied().map(reason_json).collect());
        report(format, list, || json!({ "problems": reasons() }))?;
        return Ok(Ending::Done);
    };
    let Some(reason) = Reason::from_code(code) else {
        return Err(Stop::Unfit(format!("there is no problem `{code}`; `portcullis problems` lists all codes")));
    };
    report(format, || page(reason), || reason_json(reason))?;
    Ok(Ending::Done)
}

fn list() -> String {
    let mut table = Table::new(["STATUS", "CODE", "WHAT HAPPENED"]);
    for reason in Reason::ALL {
        table.row([reason.status().to_string(), reason.code().to_owned(), reason.title().to_owned()]);
    }
    table.text()
}

fn page(reason: Reason) -> String {
    let page = reason.page();
    format!(
        "{} ({}, {})\n\n{}\n  {}\n\n{}\n  {}\n\n{}\n  {}\n",
        bold(reason.title()),
        reason.status(),
        reason.code(),
        bold("What it means"),
        page.meaning,
        bold("What the caller can do"),
        page.caller,
        bold("What the operator can look at"),
        page.operator
    )
}

fn reason_json(reason: Reason) -> Value {
    let page = reason.page();
    json!({
        "code": reason.code(),
        "status": reason.status(),
        "title": reason.title(),
        "meaning": page.meaning,
        "caller": page.caller,
        "operator": page.operator,
    })
}

/// Version, build and features.
pub(super) fn version(version: &Version) -> Result<Ending, Stop> {
    let number = env!("CARGO_PKG_VERSION");
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    let features = ["http1", "tls12", "tls13", "x25519mlkem768"];
    let format = if version.json { Format::Json } else { version.form.format };
    let text = || {
        format!(
            "portcullis {number}\nbuild     {build}, {ARCH}-{OS}\nTLS       rustls with aws-lc\nfeatures  {}\n",
            features.join(" ")
        )
    };
    report(format, text, || {
        json!({
            "name": "portcullis",
            "version": number,
            "build": { "profile": build, "arch": ARCH, "os": OS, "rust": env!("CARGO_PKG_RUST_VERSION") },
            "tls": "rustls with aws-lc",
            "features": features,
        })
    })?;
    Ok(Ending::Done)
}
