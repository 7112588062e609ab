//! What stands below the options of each command: examples, and how it ends.

pub(super) const START: &str = "\
First steps:
  portcullis demo --tour       watch the gateway prove itself with real requests
  portcullis demo              play with it
  portcullis init --openapi api.yaml --upstream http://127.0.0.1:9000
                               write a configuration for your own API

Exit codes: 0 done, 1 the answer is no (invalid, refused, not as expected), 2 usage or environment.";

pub(super) const DEMO: &str = "\
Examples:
  portcullis demo              serves until Ctrl-C and prints lines to try
  portcullis demo --tour       checks each practice with real requests, and exits 0 if all is well";

pub(super) const INIT: &str = "\
Example:
  portcullis init --openapi orders.yaml --upstream http://127.0.0.1:9000
  Then open portcullis.yaml, decide who may call what, and run `portcullis validate`.";

pub(super) const VALIDATE: &str = "\
Examples:
  portcullis validate -c portcullis.yaml
  portcullis validate --format json | jq '.diagnostics[].message'

Certificates and keys are read and compared as well. Exits 0 if `run` would serve it, else 1.";

pub(super) const RUN: &str = "\
Examples:
  portcullis run -c portcullis.yaml
  kill -HUP PID                reloads all of the configuration or, if it has a mistake, nothing
  kill PID                     /readyz goes down, open requests end, the process exits 0

What the process does is told on standard error, one line per fact.";

pub(super) const STATUS: &str = "\
Examples:
  portcullis status -c portcullis.yaml
  portcullis status --socket /run/portcullis/admin.sock --format json | jq '.certificates[] | {name, expires}'

The configuration names the socket: `admin: { socket: admin.sock }`. Only root and the gateway's own user are answered.
Exits 0 with an answer, 2 if no gateway answers.";

pub(super) const RELOAD: &str = "\
Examples:
  portcullis reload -c portcullis.yaml
  portcullis reload --socket /run/portcullis/admin.sock

Exits 0 if the configuration is in force, 1 with all its mistakes if it was refused, 2 if no gateway answers.";

pub(super) const DRAIN: &str = "\
Example:
  portcullis drain -c portcullis.yaml

The same as SIGTERM, and it waits for the end. Exits 0 once the gateway has ended, 2 if no gateway answers.";

pub(super) const LIMITS: &str = "\
Examples:
  portcullis limits show
  portcullis limits show defaults.limits.per_address 192.0.2.7
  portcullis limits reset defaults.limits.per_principal shop

An account is named by a value for each part of the limit's key, in their order; a caller with a token by issuer and subject
with a blank between them, a route like orders/v1/getOrder. Exits 1 if there was nothing to forget.";

pub(super) const FINDINGS: &str = "\
Examples:
  portcullis findings show
  portcullis findings show --format json
  portcullis findings pardon 192.0.2.7

What is unusual is told by its numbers: what was seen, what is usual, what it would have taken. Exits 1 if nothing was done about
whom you pardon.";

pub(super) const AUDIT: &str = "\
Examples:
  portcullis audit
  portcullis audit --list
  portcullis audit --format sarif > audit.sarif
  portcullis audit --waivers waivers.json --fail-on medium
  portcullis audit --format json > audit.json
  portcullis audit --compare audit.json --format html > audit.html
  portcullis audit --db advisory-db

A waiver is { \"rule\": \"PC0701\", \"place\": \"orders\", \"reason\": \"...\", \"until\": \"2027-03-31\" } in a list; without `place` it is
about all of them. Exits 1 if something at least as bad as `--fail-on` was found and not waived; with `--compare`, if something
such is new.";

pub(super) const PENTEST: &str = "\
Examples:
  portcullis pentest http://127.0.0.1:9000/v2 --contract shop.yaml
  portcullis pentest http://127.0.0.1:9000 --contract shop.yaml --credential alice=@alice.token --credential bob=env:BOB_TOKEN
  portcullis pentest http://127.0.0.1:9000 --contract shop.yaml --credential alice=@alice.token --through https://127.0.0.1:8443 --ca ca.pem
  portcullis pentest https://staging.example.com --contract shop.yaml --destructive --format html > pentest.html
  portcullis pentest --list

A target that is not on this machine has to serve /.well-known/portcullis-pentest with the line `portcullis-pentest allowed: HOST`, its port
behind the host where it is not the usual one. Exits 1 if anything was found (with --through: through the gateway), 2 if not everything
could be tried.";

pub(super) const UPGRADE: &str = "\
Examples:
  portcullis upgrade /usr/local/bin/portcullis-0.2.0

The configuration is the file that the running gateway was started with, as it is now. Accounts of limits begin anew unless
`shared_store` keeps them. Exits 1 if the new one does not serve; the old one then serves on.";

pub(super) const EVIDENCE: &str = "\
Examples:
  portcullis evidence key evidence.key
  portcullis evidence make -c portcullis.yaml --key evidence.key --tests access-tests.yaml -o 2026-11.evidence
  portcullis evidence verify 2026-11.evidence --signer 9f2c...

In it: digests of the configuration and its files, the policy of every route with the line that decides it, the audit, a penetration
test if one is given, outcomes of tests of rules, where the audit log stands and whether it is whole, the bill of materials. `verify` exits
with 1 if anything was changed, or signed by another key.";

pub(super) const FEED: &str = "\
Examples:
  portcullis feed key vendor.key
  portcullis feed sign patches.json --key vendor.key -o patches.bundle
  portcullis feed try -c portcullis.yaml patches.bundle --records access.log
  portcullis feed take -c portcullis.yaml patches.bundle --observe
  portcullis feed enforce -c portcullis.yaml
  portcullis feed rollback -c portcullis.yaml

A bundle is refused, with exit code 1, if it is too long, if fewer keys have signed it than `feed.threshold` says or any text of it was changed,
if its last day is over, or if a later one was ever taken over.";

pub(super) const SBOM: &str = "\
Examples:
  portcullis sbom > portcullis.cdx.json";

pub(super) const VULNS: &str = "\
Examples:
  git clone --depth 1 https://github.com/rustsec/advisory-db
  portcullis vulns --db advisory-db
  portcullis vulns --db advisory-db --format metrics > /var/lib/node_exporter/portcullis.prom

Advisories that were withdrawn do not count, and those that only tell (such as `unmaintained`) do not make it fail. Exits 1 if a
vulnerability is known, and 2 if anything of the database cannot be read: it might be what is known.";

pub(super) const AUDIT_LOG: &str = "\
Examples:
  portcullis audit-log verify --data-dir ./portcullis-data
  portcullis audit-log verify --anchor 214:9f2c...
  portcullis audit-log show --kind keys --last 20
  portcullis audit-log export > audit.jsonl

Every line vouches for those before it, and each addition is sealed. Keep what `verify` prints as its anchor somewhere else: an
older copy of the whole log is found by it. Exits 1 if anything is not as it was written.";

pub(super) const WAF: &str = "\
Examples:
  portcullis waf check --crs /usr/share/modsecurity-crs
  portcullis waf explain request.txt --paranoia 2
  portcullis waf tune access.log > exceptions.conf
  portcullis waf test --suite ./coreruleset

`check` exits 1 if the rules cannot be loaded, `explain` if the request would be refused, `test` if a test fails.";

pub(super) const ROUTES: &str = "\
Examples:
  portcullis routes
  portcullis routes --format json | jq '.routes[] | select(.authn == \"public\")'";

pub(super) const EFFECTIVE_POLICY: &str = "\
Examples:
  portcullis effective-policy getOrder
  portcullis effective-policy 'GET /orders/v1/{id}'";

pub(super) const EXPLAIN: &str = "\
Examples:
  portcullis explain GET https://api.example.com/orders/v1/1001
  portcullis explain POST https://api.example.com/orders/v1 -H 'Content-Type: application/json' --body order.json

Exits 0 if the request would be forwarded, 1 if it would be refused.";

pub(super) const MASK: &str = "\
Examples:
  portcullis mask report -c portcullis.yaml
  portcullis mask report --format json | jq '.fields[] | select(.rule == \"email\")'
  portcullis mask reveal tok_2qZ0…";

pub(super) const PORTAL: &str = "\
Examples:
  portcullis portal export -c portcullis.yaml site
  portcullis portal export -c portcullis.yaml site && python3 -m http.server -d site";

pub(super) const ADMIN: &str = "\
Examples:
  portcullis admin password
  openssl rand -base64 18 | tee password.txt | portcullis admin password > ada.hash";

pub(super) const ACCESS: &str = "\
Examples:
  portcullis access matrix -c portcullis.yaml
  portcullis access diff portcullis.yaml new.yaml --format json | jq '.changes[] | select(.change == \"gains\")'
  portcullis access test access-tests.yaml --all-rules

A file of tests:
  tests:
    - name: nobody reads the account of somebody else
      request: { method: GET, url: https://api.example.com/accounts/eve, headers: { X-Tenant: acme } }
      caller: { sub: ada, roles: [user], scopes: [read], claims: { tid: [acme] } }   # without it, nobody in particular
      expect: refused              # or allowed
      code: forbidden_here         # if it matters: rule, address, day, time; `body` in `request`";

pub(super) const CONTRACT: &str = "\
Examples:
  portcullis contract check openapi.yaml
  portcullis contract check openapi.yaml --format sarif > contract.sarif
  portcullis contract check openapi.yaml --format json | jq '.findings[] | select(.severity == \"error\")'
  portcullis contract diff published.yaml openapi.yaml
  portcullis contract report shop --socket admin.sock";

pub(super) const VERSIONS: &str = "\
Examples:
  portcullis versions report -c portcullis.yaml
  portcullis versions report --api orders --days 30 --format json | jq '.versions[].callers[].id'

Calls are kept in the store that the configuration names: `store: { path: ./portcullis-data }`.";

pub(super) const KEYS: &str = "\
Examples:
  portcullis keys create --consumer shop --scope orders:read --expires-days 90
  portcullis keys list --format json | jq '.keys[] | select(.last_used == null)'
  portcullis keys rotate 1MZ3tsGFXXQ --overlap-hours 48
  portcullis keys revoke 1MZ3tsGFXXQ
  git log -p | portcullis keys leaked -

The configuration names the store: `store: { path: ./portcullis-data }`. A key is shown once; what is stored is a hash.";

pub(super) const JWT: &str = "\
Example:
  portcullis jwt explain - < token.txt

Exits 0 if the token is good, else 1.";

pub(super) const TOKENS: &str = "\
Examples:
  portcullis tokens revoke --issuer corp --jti 0f3c9a
  portcullis tokens revoke --issuer corp --sub ada@example.com

The store of the configuration keeps what was revoked.";

pub(super) const SCHEMA: &str = "\
Example:
  portcullis schema > portcullis.schema.json
  and as the first line of portcullis.yaml, for editors with a YAML language server:
  # yaml-language-server: $schema=portcullis.schema.json";

pub(super) const PROBLEMS: &str = "\
Examples:
  portcullis problems
  portcullis problems ambiguous_framing";

pub(super) const VERSION: &str = "\
Example:
  portcullis version --json";

pub(super) const COMPLETIONS: &str = "\
Examples:
  portcullis completions bash > ~/.local/share/bash-completion/completions/portcullis
  portcullis completions zsh > \"${fpath[1]}/_portcullis\"";

pub(super) const MAN: &str = "\
Examples:
  portcullis man | man -l -
  portcullis man validate > portcullis-validate.1";
