//! Who calls the demo's API: an issuer with a key of its own, a token, and an API key. All of them are new at each start.

use super::members::{self, Member};
use super::upstream::Upstreams;
use crate::ending::Stop;
use crate::signed::Signer;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use portcullis_auth::jwt::SigningKey;
use portcullis_auth::key::{ENTROPY_BYTES, KeyRecord, KeyText};
use portcullis_auth::password::PasswordHash;
use portcullis_store::{Account, Home};
use portcullis_types::Clock;
use serde_json::{Value, json};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::SystemTime;

/// Whose tokens the demo's callers have.
const ISSUER: &str = "https://issuer.demo";
const DAY_SECONDS: u64 = 24 * 60 * 60;
/// Where the password of the demo's people is.
pub(crate) const PASSWORD_FILE: &str = "console-password.txt";

/// What callers hold.
#[derive(Debug)]
pub(crate) struct Callers {
    signer: SigningKey,
    /// Of an issuer that says itself where its keys are, and its name.
    found: (SigningKey, String),
    /// Of a caller whose tokens are bound to it.
    holder: SigningKey,
    /// Of a partner who signs requests.
    partner: SigningKey,
    /// Of whoever signs virtual patches; it stays, as does what it has signed.
    pub(crate) patcher: Signer,
    pub(crate) key: KeyText,
    /// Whom the gateway's authority for clients vouches for, and somebody of the same name for whom it does not.
    pub(crate) member: Member,
    pub(crate) stranger: Member,
    /// For whom it does no longer.
    pub(crate) revoked: Member,
}

// === impl Callers ===

impl Callers {
    /// Makes them, and leaves in the folder what the gateway and people need: `token.txt`, `api-key.txt`, `gateway-key.pem`.
    pub(crate) fn make(folder: &Path, upstreams: &Upstreams) -> Result<Self, Stop> {
        let failed = |error: &dyn std::fmt::Display| Stop::environment(format!("{}: {error}", folder.display()));
        let signer = SigningKey::from_seed(&random()?).map_err(|error| failed(&error))?;
        let key = KeyText::mint("pk", &random::<ENTROPY_BYTES>()?).map_err(|error| failed(&error))?;
        let (store, peppers) = Home::new(folder.join("data")).open(random()?).map_err(|error| failed(&error))?;
        let mut record = KeyRecord::new(&key, peppers.current(), "shop", now());
        record.scopes = vec!["account:read".to_owned(), "shop:write".to_owned()];
        record.expires_at = Some(now() + DAY_SECONDS);
        store.create([record]).map_err(|error| failed(&error))?;
        let holder = SigningKey::from_seed(&random()?).map_err(|error| failed(&error))?;
        let partner = SigningKey::from_seed(&random()?).map_err(|error| failed(&error))?;
        let (member, stranger, revoked) = members::make(folder)?;
        let found = (SigningKey::from_seed(&random()?).map_err(|error| failed(&error))?, upstreams.issuer());
        let set = |key: &SigningKey| json!({ "keys": [key.public_jwk()] }).to_string();
        upstreams.publish([set(&found.0), set(&signer)]);
        let path = folder.join("feed.key");
        let patcher = if path.exists() { Signer::read(&path) } else { Signer::make(&path, &random()?) };
        let patcher = patcher.map_err(|error| failed(&error))?;
        let callers = Self { signer, found, holder, partner, patcher, key, member, stranger, revoked };
        fs::write(folder.join("partner.json"), set(&callers.partner)).map_err(|error| failed(&error))?;
        let password = URL_SAFE_NO_PAD.encode(random::<15>()?);
        let hash = PasswordHash::make(&password, &random()?);
        let hash = hash.ok_or_else(|| Stop::environment("there is no memory for a password"))?;
        let (name, plan) = ("dev".to_owned(), "free".to_owned());
        let account = Account { name, plan, password: hash.clone(), created_at: now(), closed_at: None };
        // An earlier demo may have left one, with another password.
        match store.account(&account.name).map_err(|error| failed(&error))? {
            None => store.create_account(&account).map_err(|error| failed(&error))?,
            Some(_) => drop(store.change_account("dev", |one| *one = account).map_err(|error| failed(&error))?),
        }
        write(&folder.join("console.hash"), &hash).map_err(|error| failed(&error))?;
        write(&folder.join(PASSWORD_FILE), &password).map_err(|error| failed(&error))?;
        for (name, text) in
            [("token.txt", callers.token(DAY_SECONDS.cast_signed())?), ("api-key.txt", callers.key.reveal().to_owned())]
        {
            write(&folder.join(name), &text).map_err(|error| failed(&error))?;
        }
        Ok(callers)
    }

    /// A token that ends in so many seconds.
    pub(crate) fn token(&self, lifetime: i64) -> Result<String, Stop> {
        self.issue((&self.signer, ISSUER), lifetime, None)
    }

    /// A token of the issuer that says itself where its keys are, or one that only says so.
    pub(crate) fn found_token(&self, good: bool) -> Result<String, Stop> {
        let (key, name) = &self.found;
        self.issue((if good { key } else { &self.signer }, name), 300, None)
    }

    /// A token that only whoever has the member's certificate can use.
    pub(crate) fn certified_token(&self) -> Result<String, Stop> {
        self.issue((&self.signer, ISSUER), 300, Some(("cnf", json!({ "x5t#S256": self.member.thumbprint }))))
    }

    /// A token of somebody with this role.
    pub(crate) fn token_as(&self, role: &str) -> Result<String, Stop> {
        self.issue((&self.signer, ISSUER), 300, Some(("roles", json!([role]))))
    }

    /// A token that only whoever has the caller's key can use.
    pub(crate) fn bound_token(&self) -> Result<String, Stop> {
        self.issue((&self.signer, ISSUER), 300, Some(("cnf", json!({ "jkt": self.holder.id() }))))
    }

    /// A proof that the caller sends this token to this address (RFC 9449).
    pub(crate) fn proof(&self, token: &str, address: &str) -> Result<String, Stop> {
        let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, token.as_bytes()));
        let id = URL_SAFE_NO_PAD.encode(random::<16>()?);
        let claims = json!({ "jti": id, "htm": "GET", "htu": address, "iat": now(), "ath": hash });
        let Value::Object(claims) = claims else { return Err(Stop::environment("claims are an object")) };
        self.holder.sign("dpop+jwt", &claims, true).map_err(|error| Stop::environment(error.to_string()))
    }

    /// The lines that sign a GET of this address (RFC 9421).
    pub(crate) fn signature(&self, address: &str) -> Result<String, Stop> {
        let nonce = URL_SAFE_NO_PAD.encode(random::<16>()?);
        let key = self.partner.id();
        let parameters = format!(r#"("@method" "@target-uri");created={};keyid="{key}";nonce="{nonce}""#, now());
        let base = format!("\"@method\": GET\n\"@target-uri\": {address}\n\"@signature-params\": {parameters}");
        let signature =
            self.partner.signature(base.as_bytes()).map_err(|error| Stop::environment(error.to_string()))?;
        Ok(format!("Signature-Input: sig={parameters}\r\nSignature: sig=:{}:\r\n", STANDARD.encode(signature)))
    }

    fn issue(
        &self,
        (signer, issuer): (&SigningKey, &str),
        lifetime: i64,
        more: Option<(&str, Value)>,
    ) -> Result<String, Stop> {
        let issued = now().saturating_sub(120);
        let claims = json!({
            "iss": issuer, "aud": "account", "sub": "ada", "client_id": "demo", "jti": "demo-1",
            "iat": issued, "exp": now().saturating_add_signed(lifetime), "scope": "account:read shop:read shop:write",
            // Which of the sample's customers she is.
            "customer": "7",
        });
        let Value::Object(mut claims) = claims else { return Err(Stop::environment("claims are an object")) };
        if let Some((name, value)) = more {
            claims.insert(name.to_owned(), value);
        }
        signer.sign("at+jwt", &claims, false).map_err(|error| Stop::environment(error.to_string()))
    }
}

/// For the eyes of whoever started the demo.
pub(super) fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    writeln!(file, "{text}")
}

fn now() -> u64 {
    Clock::system().wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn random<const BYTES: usize>() -> Result<[u8; BYTES], Stop> {
    let mut bytes = [0; BYTES];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Stop::environment("the system has no randomness"))?;
    Ok(bytes)
}
