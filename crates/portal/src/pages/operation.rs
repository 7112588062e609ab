//! One operation: how to call it, what it takes and gives, and everything that can come instead.

use super::table::{fields, table};
use super::trial;
use super::version::lifecycle;
use super::{Page, path_of, signature};
use crate::html::Html;
use crate::markdown::{code, markdown};
use crate::model::{Answer, Callers, Content, ErrorCase, Group, Operation, Version, Way};
use crate::samples::samples;

pub(super) fn page(version: &Version, operation: &Operation, try_it: bool) -> Page {
    let above = [("index.html".to_owned(), "APIs"), (format!("{}/index.html", version.folder), version.title.as_str())];
    let mut page = Page {
        path: path_of(version, operation),
        title: operation.title().to_owned(),
        above: above.into_iter().map(|(path, title)| (path, title.to_owned())).collect(),
        ..Page::default()
    };
    let html = &mut page.body;
    html.leaf("h1", &[], operation.title()).line();
    html.element("p", &[("class", "call")], |html| signature(html, operation));
    html.line();
    if let Some(also) = &operation.also_at {
        html.element("p", &[("class", "note")], |html| html.text("Also at ").leaf("code", &[], also).done());
    }
    if let Some(told) = operation.version_told() {
        html.element("p", &[], |html| html.prose(&told).done());
    }
    if operation.is_deprecated {
        html.element("div", &[("class", "warning"), ("role", "note")], |html| {
            html.leaf("p", &[], "The contract says that this operation is deprecated: do not begin to use it.");
        });
    }
    lifecycle(html, version);
    html.append(&markdown(&operation.description, 2));
    for line in &operation.also {
        html.leaf("p", &[], line).line();
    }
    authentication(page.section("authentication", "Authentication"), operation);
    access(page.section("access", "Who may call"), &operation.callers);
    requests(&mut page, operation);
    responses(&mut page, operation);
    limits(page.section("limits", "Limits"), operation);
    let rows: Vec<Vec<String>> =
        operation.bounds.iter().map(|(what, most)| vec![(*what).to_owned(), most.clone()]).collect();
    table(page.section("bounds", "Sizes and times"), "Sizes and times", &["What", "At most"], &rows);
    masks(&mut page, operation);
    cors(page.section("pages", "Calls from web pages"), operation);
    let up = "../".repeat(version.folder.split('/').count());
    errors(page.section("errors", "Errors"), operation, &up);
    if try_it {
        trial::add(&mut page, operation, &up);
    }
    page
}

fn authentication(html: &mut Html, operation: &Operation) {
    let callers = &operation.callers;
    if callers.closed {
        html.leaf(
            "p",
            &[],
            "Nobody may call this operation: every request is answered with 403 (route_closed or forbidden).",
        );
        return;
    }
    if callers.ways.is_empty() {
        html.leaf("p", &[], "Anybody may call this operation; no credential is asked for.");
    } else {
        let several = callers.ways.len() > 1;
        html.leaf("p", &[], if several { "One of these will do:" } else { "Callers prove who they are:" });
    }
    if callers.anonymous && !callers.ways.is_empty() {
        html.leaf(
            "p",
            &[],
            "Calls without any credential pass as well; a credential that is not good is refused all the same.",
        );
    }
    let none = Way { title: "without a credential".to_owned(), ..Way::default() };
    let ways = if callers.ways.is_empty() { std::slice::from_ref(&none) } else { callers.ways.as_slice() };
    for way in ways {
        html.leaf("h3", &[], &capital(&way.title)).line();
        facts(html, way);
        for (index, sample) in samples(operation, way).iter().enumerate() {
            let open: &[(&'static str, &str)] = if index == 0 { &[("open", "")] } else { &[] };
            html.element("details", open, |html| {
                html.leaf("summary", &[], sample.language);
                code(html, &sample.text);
            });
            html.line();
        }
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn facts(html: &mut Html, way: &Way) {
    let mut lines = Vec::new();
    for issuer in &way.issuers {
        let audience = issuer.audiences.join("` or `");
        lines.push(format!("A token of `{}` for the audience `{audience}`, in `Authorization`.", issuer.issuer));
        if !issuer.claims.is_empty() {
            lines.push(format!("It has to have the claims `{}`.", issuer.claims.join("`, `")));
        }
    }
    if let Some((field, prefix)) = &way.key {
        lines.push(format!("A key, which begins with `{prefix}_`, in the field `{field}`. Never in the address."));
    }
    if let Some(proof) = &way.proof {
        let must = if proof.required { "Every token has to be" } else { "A token that is" };
        lines.push(format!(
            "{must} bound to a key of yours and comes with a proof in `DPoP` (RFC 9449), signed by {}, no older than {} seconds, each used once.",
            proof.algorithms.join(", "),
            proof.window
        ));
        if proof.nonce {
            lines.push("The proof needs the nonce that an answer brought in `DPoP-Nonce`.".to_owned());
        }
    }
    if !way.certificate_names.is_empty() {
        lines.push(format!("A client certificate; {} says who calls.", way.certificate_names.join(", or else ")));
    }
    if let Some(signature) = &way.signature {
        lines.push(format!(
            "A signature over the request (RFC 9421) that covers `{}`, and `content-digest` where there is a body, no older than {} seconds{}.",
            signature.components.join(" ").replace('"', ""),
            signature.window,
            if signature.nonce { ", with a nonce of its own" } else { "" }
        ));
    }
    html.element("ul", &[], |html| {
        for line in &lines {
            html.element("li", &[], |html| html.prose(line).done()).line();
        }
    });
    html.line();
}

fn access(html: &mut Html, callers: &Callers) {
    if callers.closed {
        html.leaf("p", &[], "Nobody.");
        return;
    }
    if let Some(contract) = &callers.contract {
        html.element("p", &[], |html| html.text("The contract asks for: ").leaf("code", &[], contract).done());
    }
    if !callers.scopes.is_empty() {
        html.element("p", &[], |html| {
            html.text("Scopes that rules speak of:");
            for scope in &callers.scopes {
                html.text(" ").leaf("code", &[], scope);
            }
        });
        html.line();
    }
    for (title, list) in [("All of this has to hold:", &callers.demands), ("One of these opens it:", &callers.rules)] {
        if !list.is_empty() {
            html.leaf("p", &[], title);
            html.element("ul", &[], |html| {
                for rule in list {
                    html.element("li", &[], |html| html.leaf("code", &[], rule).done()).line();
                }
            });
        }
    }
    match callers.roles.is_empty() {
        true if callers.ways.is_empty() => html.leaf("p", &[], "Anybody.").done(),
        true => html.leaf("p", &[], "Every caller who has proved who he is.").done(),
        false => {
            let rows: Vec<Vec<String>> =
                callers.roles.iter().map(|(who, what)| vec![who.clone(), what.clone()]).collect();
            table(html, "Who may call, by role", &["Who", "May call"], &rows);
        }
    }
}

fn requests(page: &mut Page, operation: &Operation) {
    if !operation.parameters.is_empty() {
        let html = page.section("parameters", "Parameters");
        let rows = operation.parameters.iter().map(|one| (&one.row, one.location.as_str()));
        fields(html, "Parameters", rows);
    }
    if !operation.body.is_empty() {
        let html = page.section("body", "Request body");
        if !operation.is_body_required {
            html.leaf("p", &[], "It may be left out.");
        }
        operation.body.iter().for_each(|content| contents(html, content, "request"));
    }
}

fn contents(html: &mut Html, content: &Content, of: &str) {
    html.element("h3", &[], |html| html.leaf("code", &[], &content.media_type).done()).line();
    if !content.rows.is_empty() {
        let rows = content.rows.iter().map(|row| (row, ""));
        fields(html, &format!("Members of the {of} in {}", content.media_type), rows);
    }
    if content.is_cut {
        html.leaf("p", &[("class", "note")], "There is more of it; the OpenAPI document has it whole.");
    }
    if let Some(example) = &content.example {
        html.element("details", &[], |html| {
            html.leaf("summary", &[], "Example");
            code(html, example);
        });
        html.line();
    }
}

fn responses(page: &mut Page, operation: &Operation) {
    let (requests, answers) = operation.is_held;
    let html = page.section("answers", "Answers");
    if operation.answers.is_empty() {
        html.leaf("p", &[], "No contract says what the answers of this operation are.");
    }
    for Answer { status, description, fields: own, contents: bodies } in &operation.answers {
        html.element("h3", &[], |html| html.leaf("code", &[], status).done()).line();
        html.append(&markdown(description, 4));
        if !own.is_empty() {
            fields(html, &format!("Fields of the answer {status}"), own.iter().map(|row| (row, "")));
        }
        bodies.iter().for_each(|content| contents(html, content, "answer"));
    }
    if operation.in_contract.is_some() {
        let said = match (requests, answers) {
            (true, true) => "Requests and answers that do not fit the contract are refused.",
            (true, false) => "Requests that do not fit the contract are refused.",
            (false, true) => "Answers that do not fit the contract are refused.",
            (false, false) => "The contract is not enforced.",
        };
        html.leaf("p", &[("class", "note")], said);
    }
}

fn limits(html: &mut Html, operation: &Operation) {
    if operation.limits.is_empty() {
        html.leaf("p", &[], "Nothing limits how often this operation may be called.");
        return;
    }
    let rows: Vec<Vec<String>> = operation
        .limits
        .iter()
        .map(|limit| {
            let plan = limit.plan.clone().unwrap_or_else(|| "everybody".to_owned());
            let watched = if limit.watches_only { " (watched, not enforced)" } else { "" };
            vec![format!("`{}`", limit.name), limit.per.clone(), plan, format!("{}{watched}", limit.amount)]
        })
        .collect();
    table(html, "Limits", &["Limit", "An account for each", "Plan", "How much"], &rows);
    let told = &operation.limit_fields;
    if let Some(cost) = told.cost {
        html.leaf("p", &[], &format!("Where costs are counted, one call costs {cost}."));
    }
    let named = [("RateLimit-Policy", &told.policy), ("RateLimit", &told.limit)];
    let lines: Vec<String> =
        named.iter().filter_map(|(name, value)| Some(format!("{name}: {}", value.as_ref()?))).collect();
    if !lines.is_empty() {
        let words = "What a first answer says of them: `q` is how much there is, `w` the seconds in which it comes back, `r` what is left, `t` the seconds until there is more.";
        html.element("p", &[], |html| html.prose(words).done());
        code(html, &lines.join("\n"));
    }
    if told.has_legacy {
        html.leaf(
            "p",
            &[],
            "The older fields X-RateLimit-Limit, X-RateLimit-Remaining and X-RateLimit-Reset come as well.",
        );
    }
    html.element("p", &[], |html| {
        html.text("Beyond a limit: 429 and Retry-After; see ").link("#error-quota_exceeded", "quota_exceeded");
        html.text(".");
    });
}

fn masks(page: &mut Page, operation: &Operation) {
    if operation.masks.is_empty() {
        return;
    }
    let rows: Vec<Vec<String>> = operation
        .masks
        .iter()
        .map(|mask| {
            let seen: Vec<String> = mask.seen.iter().map(|(who, what)| format!("{who}: {what}")).collect();
            vec![format!("`{}`", mask.field), mask.rule.clone(), seen.join("; ")]
        })
        .collect();
    table(page.section("masks", "Masked fields"), "Masked fields", &["Field", "Rule", "Who sees what"], &rows);
}

fn cors(html: &mut Html, operation: &Operation) {
    let Some(pages) = &operation.pages else {
        html.leaf("p", &[], "Pages of other origins may not read answers: browsers keep them from it.");
        return;
    };
    let listed = |list: &Option<Vec<String>>, all: &str| {
        list.as_ref().map_or(all.to_owned(), |list| format!("`{}`", list.join("`, `")))
    };
    let rows = vec![
        vec!["Origins".to_owned(), listed(&pages.origins, "any")],
        vec!["Methods".to_owned(), listed(&pages.methods, "all that are answered")],
        vec!["Request fields".to_owned(), format!("`{}`", pages.fields.join("`, `"))],
        vec!["Cookies".to_owned(), if pages.with_cookies { "are sent along" } else { "are not sent" }.to_owned()],
        vec!["A preflight is good for".to_owned(), format!("{} seconds", pages.max_age)],
    ];
    table(html, "Calls from web pages (CORS)", &["What", "How"], &rows);
}

const GROUPS: [(Group, &str); 5] = [
    (Group::Caller, "Who calls"),
    (Group::Request, "What is asked for"),
    (Group::Budget, "How much is asked for"),
    (Group::Api, "The API behind the gateway"),
    (Group::Transport, "How a message was sent"),
];

fn errors(html: &mut Html, operation: &Operation, up: &str) {
    let intro = "All that this operation can be refused with, each with a body as it could be; its `detail` says more about the occasion.";
    html.element("p", &[], |html| html.prose(intro).done()).line();
    for (group, title) in GROUPS {
        let own: Vec<&ErrorCase> = operation.errors.iter().filter(|case| case.group == group).collect();
        if own.is_empty() {
            continue;
        }
        html.leaf("h3", &[], title).line();
        match group {
            // The same for every operation: their pages have it all.
            Group::Transport => in_short(html, &own, up),
            Group::Caller | Group::Request | Group::Budget | Group::Api => {
                own.iter().for_each(|case| error(html, case, up));
            }
        }
    }
}

fn in_short(html: &mut Html, cases: &[&ErrorCase], up: &str) {
    html.element("ul", &[], |html| {
        for case in cases {
            html.element("li", &[], |html| {
                html.text(&format!("{} ", case.reason.status()));
                html.link(&format!("{up}{}", case.page()), case.reason.code());
                html.text(&format!(": {}", case.reason.title()));
            });
            html.line();
        }
    });
    html.line();
}

fn error(html: &mut Html, case: &ErrorCase, up: &str) {
    let reason = case.reason;
    html.element("details", &[("id", &format!("error-{}", reason.code()))], |html| {
        html.element("summary", &[], |html| {
            html.leaf("span", &[("class", "method other")], &reason.status().to_string()).text(" ");
            html.leaf("code", &[], reason.code()).text(&format!(" {}", reason.title()));
        });
        html.element("p", &[], |html| {
            html.prose(reason.page().caller).text(" ");
            html.link(&format!("{up}{}", case.page()), "More");
        });
        let lines: Vec<String> = case.fields.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        let head =
            format!("HTTP/1.1 {}\nContent-Type: application/problem+json\n{}\n", reason.status(), lines.concat());
        code(html, &format!("{head}{}", case.body));
    });
    html.line();
}
