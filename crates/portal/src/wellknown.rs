//! Documents that programs look for: the catalog of APIs (RFC 9727, in the form of RFC 9264) and whom to tell about holes in
//! security (RFC 9116).

use crate::model::Portal;
use crate::site::{LINKSET, Site, TEXT};
use portcullis_config::plan::{PortalPlan, SecurityContactPlan};
use portcullis_types::civil::Moment;
use serde_json::{Value, json};

/// Adds both.
pub(crate) fn add(site: &mut Site, portal: &Portal, plan: &PortalPlan) {
    site.add(".well-known/api-catalog", LINKSET, format!("{:#}\n", catalog(portal, &plan.home())));
    if let Some(contact) = &plan.security {
        site.add(".well-known/security.txt", TEXT, security(contact, plan.address.as_deref()));
    }
}

/// One context for each version of each API: what describes it for programs, and what for people.
fn catalog(portal: &Portal, home: &str) -> Value {
    let each = portal.versions().map(|version| {
        let folder = format!("{home}/{}", version.folder);
        let mut context = json!({
            "anchor": version.address,
            "service-doc": [{ "href": format!("{folder}/index.html"), "type": "text/html" }],
        });
        if let Some(members) = context.as_object_mut().filter(|_| version.document.is_some()) {
            let document =
                json!([{ "href": format!("{folder}/openapi.json"), "type": "application/vnd.oai.openapi+json" }]);
            members.insert("service-desc".to_owned(), document);
        }
        context
    });
    let items: Vec<Value> = portal.versions().map(|version| json!({ "href": version.address })).collect();
    let own = json!({ "anchor": format!("{home}/.well-known/api-catalog"), "item": items });
    json!({ "linkset": std::iter::once(own).chain(each).collect::<Vec<_>>() })
}

fn security(plan: &SecurityContactPlan, address: Option<&str>) -> String {
    let mut lines: Vec<String> = plan.contact.iter().map(|contact| format!("Contact: {contact}")).collect();
    lines.push(format!("Expires: {}Z", Moment::of_unix(plan.expires).rfc3339()));
    if !plan.languages.is_empty() {
        lines.push(format!("Preferred-Languages: {}", plan.languages.join(", ")));
    }
    lines.extend(plan.policy.iter().map(|policy| format!("Policy: {policy}")));
    lines.extend(address.map(|address| format!("Canonical: {address}/.well-known/security.txt")));
    lines.join("\n") + "\n"
}
