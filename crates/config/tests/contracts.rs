//! Routes that a contract makes are under every setting above them, as those that are written.

use std::fs;
use std::path::Path;

use portcullis_config::plan::{Authn, ErrorsPlan, RoutePlan};
use portcullis_config::{Environment, load};

const DOCUMENT: &str = "openapi: 3.1.0
info: { title: People, version: '1' }
paths:
  /people: { get: { operationId: list, responses: { '200': { description: all } } } }
  /people/{id}:cancel:
    parameters: [{ name: id, in: path, required: true, schema: { type: integer } }]
    post: { operationId: cancel, responses: { '200': { description: done } } }
  /people/{id}.{kind}:
    parameters:
      - { name: id, in: path, required: true, schema: { type: integer } }
      - { name: kind, in: path, required: true, schema: { enum: [vcf, json] } }
    get: { operationId: card, responses: { '200': { description: one } } }
  /people/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: integer } }]
    get: { operationId: one, responses: { '200': { description: one } } }
";

fn routes(name: &str, api: &str) -> Vec<RoutePlan> {
    routes_of(name, api, DOCUMENT)
}

fn routes_of(name: &str, api: &str, document: &str) -> Vec<RoutePlan> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("contracts");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join(format!("{name}-people.yaml")), document).expect("the folder can be written");
    let path = folder.join(format!("{name}.yaml"));
    let text = format!(
        "version: 1\nlisteners: {{ a: {{ bind: '127.0.0.1:0' }} }}\napis:\n  people:\n    hosts: ['*']\n    upstream: {{ targets: ['http://127.0.0.1:9'] }}\n{api}"
    );
    fs::write(&path, text).expect("the folder can be written");
    let loaded = load(&path, &Environment::fixed::<&str, &str>([]));
    let plan = loaded.unwrap_or_else(|failure| panic!("{}", failure.render(false))).plan;
    let versions = plan.apis.into_iter().flat_map(|api| api.versions);
    versions.flat_map(|version| version.routes).collect()
}

#[test]
fn routes_that_a_contract_makes_are_masked_scrubbed_inspected_and_limited() {
    let written = "    authn: public
    errors: replace
    mask: [{ fields: ['$..email'], show: null }]
    waf: { rules: [builtin] }
";
    let written = written.replace("show: null", "show: nulled");
    let api = format!("{written}    openapi: api-people.yaml\n");
    let version = format!(
        "{written}    versions: {{ v1: {{ openapi: version-people.yaml, mask: [{{ fields: ['$..born'], show: nulled }}] }} }}\n"
    );
    for (name, text, masks) in [("api", api, 1), ("version", version, 2)] {
        let routes = routes(name, &text);
        let ids: Vec<&str> = routes.iter().map(|route| &*route.id).collect();
        assert_eq!(ids, ["list", "cancel", "card", "one"], "{name}");
        for route in routes {
            assert_eq!(route.shape.masks.len(), masks, "{name}: {}", route.id);
            assert_eq!(route.shape.errors, ErrorsPlan::Replace, "{name}: {}", route.id);
            assert!(route.waf.is_some() && route.contract.is_some(), "{name}: {}", route.id);
            assert!(!route.limits.entries.is_empty(), "{name}: {}", route.id);
        }
    }
}

#[test]
fn only_a_contract_that_is_enforced_spares_rules_their_fields() {
    let document = "openapi: 3.1.0
info: { title: Orders, version: '1' }
paths:
  /orders:
    get:
      operationId: list
      parameters:
        - { name: page, in: query, schema: { type: integer } }
        - { name: text, in: query, schema: { type: string } }
        - { name: X-Trace, in: header, schema: { type: string, format: uuid } }
      responses: { '200': { description: all } }
";
    let api = |more: &str| format!("    authn: public\n    openapi: spared-people.yaml\n{more}");
    for (more, spares) in [
        ("", true),
        ("    validation: { request: enforce }\n", true),
        ("    validation: { request: report }\n", false),
        ("    validation: { request: 'off' }\n", false),
        ("    waf: { mode: 'off' }\n", false),
        ("    waf: { mode: observe }\n", true),
    ] {
        let routes = routes_of("spared", &api(more), document);
        let spared = routes[0].spared();
        assert_eq!(spared.is_some(), spares, "{more}");
        let mut fields: Vec<_> = spared.iter().flat_map(|spared| spared.fields()).collect();
        fields.sort();
        let names: Vec<&str> = fields.iter().map(|field| &*field.name).collect();
        assert_eq!(names, if spares { vec!["page", "x-trace"] } else { Vec::new() }, "{more}");
        assert!(fields.iter().all(|field| field.tried < field.looking), "{fields:?}");
    }
}

/// What comes of `security` of the contract and `authn` of the configuration: who is let in, and what the rules of the route say.
fn secured(name: &str, security: &str, authn: &str, more: &str) -> (String, Vec<String>) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("contracts");
    fs::create_dir_all(&folder).expect("a folder");
    let document = format!(
        "openapi: 3.1.0\ninfo: {{ title: One, version: '1' }}\n{security}\npaths:\n  /one: {{ get: {{ operationId: one, responses: {{ '200': {{ description: one }} }} }} }}\ncomponents:\n  securitySchemes:\n    oauth: {{ type: oauth2, flows: {{}} }}\n    bearer: {{ type: http, scheme: bearer }}\n    key: {{ type: apiKey, in: header, name: x-api-key }}\n"
    );
    fs::write(folder.join(format!("asking-{name}.yaml")), document).expect("the folder can be written");
    let store = if authn.contains("api_key") { "store: { path: ./data }\n" } else { "" };
    let issuers =
        "issuers: { corp: { issuer: 'https://idp.test', audiences: [a], jwks: { uri: 'https://idp.test/jwks' } } }\n";
    let issuers = if authn.contains("corp") { issuers } else { "" };
    let api = format!("    openapi: asking-{name}.yaml\n    authn: {authn}\n{more}{store}{issuers}");
    let routes = routes(&format!("secured-{name}"), &api);
    let route = routes.first().expect("a route");
    let authn = match &route.authn {
        Authn::Public => "public".to_owned(),
        Authn::Refuse => "refuse".to_owned(),
        Authn::Demand(plan) => plan.text.clone(),
    };
    let rules = route.authz.iter().flat_map(|authz| &authz.rules);
    let rules = rules.map(|rule| {
        let place = rule.origin.to_string();
        let line = place.rsplit_once(':').map_or("", |(_, line)| line);
        let of_contract =
            if &*rule.name == "contract" { format!(" by line {line} of the contract") } else { String::new() };
        format!("{}{of_contract}", rule.rule)
    });
    (authn, rules.collect())
}

/// `authn`, with `J` for tokens, `K` for keys and `A` for nobody in particular, comes to this with these rules; `@` is the contract's line.
fn check(name: &str, (security, authn, more): (&str, &str, &str), who: &str, rules: &[&str]) {
    let authn = authn.replace('J', "{ jwt: { issuers: [corp] } }").replace('K', "{ api_key: {} }");
    let told = secured(name, &format!("security: {security}"), &authn.replace('A', "anonymous"), more);
    let rules = rules.iter().map(|rule| rule.replace('@', "by line 3 of the contract"));
    assert_eq!(told, (who.to_owned(), rules.collect()), "{name}: {security} with {authn}");
}

const WHOEVER: &str = "allow every authenticated caller @";

#[test]
fn what_a_contract_asks_of_callers_narrows_who_may_come() {
    let read = "require scope read @";
    check("scopes", ("[{ oauth: [read] }]", "{ any_of: [J] }", ""), "jwt (corp)", &[WHOEVER, read]);
    check("bare", ("[{ bearer: [] }]", "{ any_of: [J] }", ""), "jwt (corp)", &[]);
    check("narrow", ("[{ oauth: [read] }]", "{ any_of: [K, J, A] }", ""), "jwt (corp)", &[WHOEVER, read]);
    check("role", ("[{ bearer: [admin] }]", "{ any_of: [J] }", ""), "jwt (corp)", &[WHOEVER, "require role admin @"]);
    check("either", ("[{ bearer: [] }, { key: [] }]", "{ any_of: [K, J, A] }", ""), "api_key or jwt (corp)", &[]);
    check(
        "both",
        ("[{ key: [], oauth: [read] }]", "{ any_of: [K, J] }", ""),
        "jwt (corp) and api_key",
        &[WHOEVER, read],
    );
    check("both-demanded", ("[{ bearer: [], key: [] }]", "{ all_of: [K, J] }", ""), "api_key and jwt (corp)", &[]);
    let rule = "require jwt/introspection with scope read or api_key @";
    let asked = ("[{ oauth: [read] }, { key: [] }]", "{ any_of: [K, J] }", "");
    check("scopes-or-key", asked, "jwt (corp) or api_key", &[WHOEVER, rule]);
    let rule = "require jwt/introspection with api_key or jwt/introspection with scope read @";
    let asked = ("[{ bearer: [], key: [] }, { oauth: [read] }]", "{ any_of: [K, J] }", "");
    check("both-or-one", asked, "jwt (corp) or api_key", &[WHOEVER, rule]);
}

#[test]
fn what_a_contract_asks_of_callers_opens_nothing() {
    // A stricter configuration stays as strict as it is.
    check("fewer", ("[{ bearer: [] }, { key: [] }]", "{ any_of: [J] }", ""), "jwt (corp)", &[]);
    check("more", ("[{ bearer: [] }]", "{ all_of: [J, K] }", ""), "jwt (corp) and api_key", &[]);
    check("closed", ("[{ oauth: [read] }]", "refuse", ""), "refuse", &[]);
    // What asks for nothing leaves everything as it is.
    check("open", ("[]", "{ any_of: [J] }", ""), "jwt (corp)", &[]);
    check("optional", ("[{ oauth: [read] }, {}]", "{ any_of: [J] }", ""), "jwt (corp)", &[]);
    check("public", ("[]", "public", ""), "public", &[]);
    let rules = "    authz: { rules: [{ roles: [admin] }] }\n";
    let asked = ("[{ oauth: [read] }]", "{ any_of: [J] }", rules);
    check("beside-rules", asked, "jwt (corp)", &["allow role admin", "require scope read @"]);
    let asked = ("[{ oauth: [read] }]", "public", "    validation: { security: \"off\" }\n");
    check("off", asked, "public", &[]);
    let asked = ("[{ oauth: [read] }]", "{ any_of: [J, A] }", "    validation: { security: report }\n");
    let observed = "require jwt/introspection with scope read (observed) @";
    check("reported", asked, "jwt (corp) or anonymous", &["allow anybody @", observed]);
}

#[test]
fn operations_of_a_contract_cost_what_it_says_unless_the_route_says_otherwise() {
    let limit = "    authn: public\n    limits: { work: { key: [address], rate: 9/s, unit: cost } }\n    openapi: NAME-people.yaml\n";
    let own = "    routes: [{ path: /people, methods: [GET], cost: 2 }, { path: '/people/{id}', methods: [GET] }]\n";
    let each = "    routes: [{ path: /people, methods: [GET] }, { path: /people, methods: [POST] }]\n";
    let unlimited = "    authn: public\n    openapi: NAME-people.yaml\n";
    for (name, text, expected) in [
        ("derived-costs", limit.to_owned(), vec![7, 3, 1, 1, 1]),
        ("costs-by-method", format!("{limit}{each}"), vec![7, 3]),
        ("written-costs", format!("{limit}{own}"), vec![2, 1]),
        // Where nobody counts them, a contract may still say them.
        ("no-costs", unlimited.to_owned(), vec![1; 5]),
    ] {
        let add = "post: { operationId: add, x-cost: 3, responses: { '201': { description: made } } }, get: { operationId: list, x-cost: 7,";
        let document = DOCUMENT.replace("get: { operationId: list,", add);
        let costs: Vec<u64> =
            routes_of(name, &text.replace("NAME", name), &document).iter().map(|route| route.limits.cost).collect();
        assert_eq!(costs, expected, "{name}");
    }
}

#[test]
fn reserved_characters_are_a_setting() {
    for (name, validation, expected) in
        [("reserved-as-is", "", false), ("reserved", "    validation: { strict_reserved: true }\n", true)]
    {
        let api = format!("    authn: public\n{validation}    openapi: {name}-people.yaml\n");
        let routes = routes(name, &api);
        let found: Vec<bool> =
            routes.iter().filter_map(|route| Some(route.contract.as_ref()?.plan.options.strict_reserved)).collect();
        assert_eq!(found, [expected; 4], "{name}");
    }
}
