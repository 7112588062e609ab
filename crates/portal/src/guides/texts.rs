//! The words of the guides.

use super::Guide;

pub(super) const GUIDES: &[Guide] = &[
    Guide {
        slug: "tokens",
        title: "Getting a credential",
        sections: &[
            (
                "issuers",
                "Access tokens",
                &[
                    "An access token comes from an issuer that the API trusts. Register your program there, ask for a token with the client credentials grant (for programs) or the authorization code grant with PKCE (for people), and name the audience of the API.",
                    "Send it as `Authorization: Bearer …`. Where an API states its own address, `/.well-known/oauth-protected-resource` lists the issuers (RFC 9728), and a refusal says in `WWW-Authenticate` where that is.",
                    "Use a token until shortly before its `exp`, then get the next one. Do not ask for one before every call. A clock that is off by more than a few seconds makes good tokens look expired.",
                ],
            ),
            (
                "keys",
                "API keys",
                &[
                    "A key is made by the operator and shown once. Keep it in a secret store, never in source code, a page or an address.",
                ],
            ),
            (
                "certificates",
                "Client certificates",
                &[
                    "Where mutual TLS is taken, the operator tells you which authority has to sign your certificate. The private key never leaves your machine.",
                ],
            ),
            (
                "first-call",
                "A first call",
                &[
                    "Every page of an operation has calls to copy. They take what is secret from the environment: `ACCESS_TOKEN`, `API_KEY`, `KEY_ID`.",
                    "If it is refused, the answer's `code` says why and has a page under Errors. The `request_id` finds the request in the operator's records: quote it when you ask.",
                ],
            ),
        ],
    },
    Guide {
        slug: "keys",
        title: "Keys and their rotation",
        sections: &[
            (
                "rotation",
                "Rotating without a gap",
                &[
                    "Ask for a new key while the old one is still good: both are accepted for as long as the operator lets them overlap. Roll the new one out, watch that nothing uses the old one any more, then let it be revoked.",
                    "Tokens rotate by themselves. Keys of proofs and signatures rotate by publishing the next public key before it signs.",
                ],
            ),
            (
                "leaks",
                "When one has leaked",
                &[
                    "Tell the operator at once and have it revoked; revocation counts within a second. Do not wait until the new one is rolled out. A key in a public repository is found within minutes.",
                    "A credential in an address is refused with `credential_in_query` and counts as exposed, because addresses are written to logs.",
                ],
            ),
            (
                "failures",
                "What failed attempts cost",
                &[
                    "After several credentials that are not good, an address gets 429 `too_many_failures` for a while. Fix the credential; trying again faster makes it longer.",
                ],
            ),
        ],
    },
    Guide {
        slug: "retries",
        title: "Limits, 429 and trying again",
        sections: &[
            (
                "fields",
                "What answers say of limits",
                &[
                    "`RateLimit-Policy` names each limit: `q` is how much there is, `w` the seconds in which it comes back. `RateLimit` says how things stand: `r` is what is left, `t` the seconds until there is more. Slow down before `r` is 0.",
                ],
            ),
            (
                "over",
                "Beyond a limit",
                &[
                    "The answer is 429 with `Retry-After` in seconds, and `violated-policies` names the limits. Wait at least that long, and add a random part so that many clients do not come back at once.",
                ],
            ),
            (
                "again",
                "What may be sent again",
                &[
                    "GET, HEAD, PUT and DELETE can be sent again after 502, 503, 504 or a connection that broke: they come to the same. POST and PATCH may have been acted upon; send them again only if the API knows a way to recognise the second one.",
                    "Double the pause each time (1 s, 2 s, 4 s, …), with a random part, up to a minute, and give up after a few. 503 with `Retry-After` says itself how long.",
                    "Never send again what was refused with 400, 401, 403, 404, 413, 415 or 422: the answer will be the same.",
                ],
            ),
        ],
    },
    Guide {
        slug: "versions",
        title: "Versions and their end",
        sections: &[
            (
                "which",
                "Which version",
                &[
                    "Name the version that you were written for. Where one is the default, calls without a version reach it, and one day it will be another one.",
                ],
            ),
            (
                "ending",
                "When one comes to its end",
                &[
                    "A version that nobody should begin to use says so on every answer: `Deprecation` (RFC 9745) since when, `Sunset` (RFC 8594) when it is gone, `Link` where to read what to do. Log these fields, and let somebody be told when they first appear.",
                    "Some versions answer 410 `version_brownout` for an announced time before their end, so that those who still call notice. After the end it is 410 `version_gone`.",
                ],
            ),
            (
                "changes",
                "Changes within a version",
                &[
                    "Expect new optional members in answers, new operations and new codes of errors. Where two contracts of an API can be compared, its page lists what changed.",
                ],
            ),
        ],
    },
    Guide {
        slug: "signatures",
        title: "Proofs and signatures",
        sections: &[
            (
                "proofs",
                "Tokens bound to a key (DPoP)",
                &[
                    "A token that is bound to a key of yours is worth nothing to a thief. Make a key, ask the issuer for a token with a proof (RFC 9449), and send each call with `Authorization: DPoP …` and a new proof in `DPoP`: method and address of the call, the time, an id that is used once, and the hash of the token.",
                    "Where an answer says `use_dpop_nonce`, take the nonce of its `DPoP-Nonce` into the next proof and call again.",
                ],
            ),
            (
                "signing",
                "Signed requests",
                &[
                    "A signature (RFC 9421) covers the parts of a request that matter, and the body by its `Content-Digest` (RFC 9530). Sign what you send, exactly as you send it: a proxy of yours that changes the address breaks it.",
                    "Each signature has a time, the id of your key and a nonce, so that nobody can send the request again.",
                ],
            ),
            (
                "webhooks",
                "What you receive",
                &[
                    "Judge signatures of calls that you receive with the same care: the key by its id, what is covered, the time, and no nonce twice.",
                ],
            ),
        ],
    },
    Guide {
        slug: "security",
        title: "Security checklist for integrators",
        sections: &[
            (
                "secrets",
                "Secrets",
                &[
                    "Credentials come from a secret store or the environment, differ between test and production, and have an owner who knows how to rotate them.",
                    "Logs, error reports and traces of yours hold no `Authorization`, `DPoP`, `Signature` or key field.",
                ],
            ),
            (
                "transport",
                "Connections",
                &[
                    "Certificates are verified; no switch for development reaches production. Redirects are not followed with credentials.",
                ],
            ),
            (
                "rights",
                "Rights",
                &[
                    "Ask for the scopes that you need and no more. Use one credential for each program, so that one can be revoked without stopping the others.",
                ],
            ),
            (
                "input",
                "What you send and get",
                &[
                    "Send what the contract declares; everything else is refused. Treat answers as input: check them, bound them, escape what you show.",
                ],
            ),
            (
                "failing",
                "When something fails",
                &[
                    "Timeouts everywhere, retries with pauses, and an alarm for 401, 403 and 429 that nobody expected: they are how a stolen or expired credential shows first.",
                ],
            ),
        ],
    },
];
