//! `feed`: bundles of virtual patches and rules, from their keys to their way back. Whatever changes which one is in force goes into the folder
//! of the store; a gateway that runs sees it there.

mod attempt;

use crate::arguments::{BundleQuestion, FeedCommand, FeedKey, FeedQuestion, Form, SignBundle, TakeBundle};
use crate::audit::{Audit, by_user, random};
use crate::ending::{Ending, Stop};
use crate::feed::{Bringer, Intake, KIND, Refused, Taken, now_s};
use crate::output::{bad, bold, faint, good, report, say};
use crate::service::{bounded, read};
use crate::signed::{Signer, cosign};
use portcullis_config::plan::Plan;
use portcullis_patch::{BUNDLE_BYTES_CAP, Bundle, Stage};
use portcullis_proxy::reach;
use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

/// Does what was asked for.
pub(super) fn feed(command: &FeedCommand) -> Result<Ending, Stop> {
    match command {
        FeedCommand::Key(question) => key(question),
        FeedCommand::Sign(question) => sign(question),
        FeedCommand::Check(question) => check(question),
        FeedCommand::Try(question) => attempt::attempt(question),
        FeedCommand::Take(question) => take(question),
        FeedCommand::Status(question) => status(question),
        FeedCommand::Observe(question) => go(question, Stage::Observe),
        FeedCommand::Enforce(question) => go(question, Stage::Enforce),
        FeedCommand::Rollback(question) => roll_back(question),
    }
}

fn cannot(path: &Path, why: &dyn std::fmt::Display) -> Stop {
    Stop::environment(format!("{}: {why}", path.display()))
}

fn key(question: &FeedKey) -> Result<Ending, Stop> {
    let made = Signer::make(&question.file, &random()?).map_err(|error| cannot(&question.file, &error))?;
    say(&made.public().map_err(Stop::environment)?.to_string())?;
    Ok(Ending::Done)
}

/// What nobody could take over is not signed.
fn sign(question: &SignBundle) -> Result<Ending, Stop> {
    let signer = Signer::read(&question.key).map_err(|error| cannot(&question.key, &error))?;
    let bytes = bounded(&question.file, BUNDLE_BYTES_CAP).map_err(|error| cannot(&question.file, &error))?;
    let text = String::from_utf8(bytes).map_err(|_| cannot(&question.file, &"it is no text"))?;
    let sealed = cosign(KIND, &text, &signer).map_err(|why| cannot(&question.file, &why))?;
    let inner = sealed.split_once("\n\n").map_or("", |(_, text)| text);
    let bundle = Bundle::read(inner).map_err(|error| Stop::Unfit(format!("{}: {error}", question.file.display())))?;
    portcullis_proxy::Feed::new(bundle.clone(), Stage::Observe)
        .map_err(|why| Stop::Unfit(format!("{}: {why}", question.file.display())))?;
    let written = OpenOptions::new().write(true).create_new(true).open(&question.output);
    let written = written.and_then(|mut file| file.write_all(sealed.as_bytes()).and_then(|()| file.sync_all()));
    written.map_err(|error| cannot(&question.output, &error))?;
    let count =
        sealed.lines().take_while(|line| !line.is_empty()).filter(|line| line.starts_with("signature ")).count();
    say(&format!("{} {} is signed by {count}: {}", bundle.name, bundle.version, question.output.display()))?;
    Ok(Ending::Done)
}

/// The feed of a configuration.
fn intake(config: &Path) -> Result<(Plan, Intake), Stop> {
    let plan = read(config)?.plan;
    let intake = Intake::of(&plan).ok_or_else(|| {
        Stop::environment(format!("{} has no feed; add `feed: {{ keys: [\"…\"] }}`", config.display()))
    })?;
    Ok((plan, intake))
}

/// One byte more than is allowed is read, so that it is refused for its length.
fn sealed(path: &Path, intake: &Intake) -> Result<Vec<u8>, Stop> {
    match bounded(path, BUNDLE_BYTES_CAP.max(intake.plan.bytes_max)) {
        Ok(bytes) => Ok(bytes),
        Err(error) => Err(cannot(path, &error)),
    }
}

/// Each patch with the number of its routes.
fn patches(plan: &Plan, bundle: &Bundle) -> Vec<Value> {
    let routes = reach(plan, bundle);
    let shown = bundle.patches.iter().zip(routes).map(|(patch, routes)| {
        json!({
            "id": patch.id, "reason": patch.reason, "action": patch.action.name(), "where": patch.place(), "routes": routes,
        })
    });
    shown.collect()
}

fn patches_text(patches: &[Value]) -> String {
    let word = |patch: &Value, name: &str| patch.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let line = |patch: &Value| {
        let routes = patch.get("routes").and_then(Value::as_u64).unwrap_or(0);
        let reach = match routes {
            0 => bad("no route here"),
            1 => "1 route".to_owned(),
            more => format!("{more} routes"),
        };
        let (id, reason) = (word(patch, "id"), word(patch, "reason"));
        format!("  {} {} ({reason}): {}, {reach}\n", word(patch, "action"), bold(&id), word(patch, "where"))
    };
    patches.iter().map(line).collect()
}

fn refusal(refused: &Refused, form: Form) -> Result<Ending, Stop> {
    let text = || format!("{}\n", bad(&format!("not taken over: {refused}")));
    report(form.format, text, || json!({ "taken": false, "code": refused.code, "why": refused.why }))?;
    Ok(Ending::No)
}

fn check(question: &BundleQuestion) -> Result<Ending, Stop> {
    let (plan, intake) = intake(&question.config.path)?;
    let bundle = match intake.check(&sealed(&question.file, &intake)?, &intake.state()?) {
        Ok((bundle, _)) => bundle,
        Err(refused) => return refusal(&refused, question.form),
    };
    let patches = patches(&plan, &bundle);
    let text = || {
        let head = format!("{} {} would be taken over until {}", bundle.name, bundle.version, bundle.expires);
        format!("{}\n{}", good(&head), patches_text(&patches))
    };
    report(question.form.format, text, || {
        json!({ "good": true, "bundle": bundle.name, "version": bundle.version, "expires": bundle.expires,
            "rules": bundle.rules.is_some(), "patches": patches })
    })?;
    Ok(Ending::Done)
}

/// Writes down what is about to be done, with what came of looking.
fn take(question: &TakeBundle) -> Result<Ending, Stop> {
    let TakeBundle { question: BundleQuestion { config, file, form }, observe } = question;
    let (plan, intake) = intake(&config.path)?;
    let sealed = sealed(file, &intake)?;
    let stage = if *observe { Stage::Observe } else { Stage::Enforce };
    let bundle = match intake.check(&sealed, &intake.state()?) {
        Ok((bundle, _)) => bundle,
        Err(refused) => return refusal(&refused, *form),
    };
    let entry = by_user("feed.take").with("bundle", &*bundle.name).with("version", bundle.version);
    note(&plan, entry.with("stage", stage.name()))?;
    let taken = match intake.take(&sealed, stage, Bringer::Command)? {
        Ok(taken) => taken,
        Err(refused) => return refusal(&refused, *form),
    };
    let patches = patches(&plan, &bundle);
    let text = || {
        let what = match &taken {
            Taken::New { name, version } => good(&format!("{name} {version} is in force ({})", stage.name())),
            Taken::Known => format!("{} {} is in force already, as far as it was", bundle.name, bundle.version),
        };
        format!("{what}\n{}", patches_text(&patches))
    };
    report(form.format, text, || {
        json!({ "taken": taken != Taken::Known, "bundle": bundle.name, "version": bundle.version, "stage": stage.name(),
            "patches": patches })
    })?;
    Ok(Ending::Done)
}

/// The same of a bundle that is no file.
pub(super) fn take_over(config: &Path, sealed: &[u8]) -> Result<(), &'static str> {
    let unusable = |_: Stop| "unusable";
    let (_, intake) = intake(config).map_err(unusable)?;
    let taken = intake.take(sealed, Stage::Enforce, Bringer::Command).map_err(unusable)?;
    taken.map(drop).map_err(|refused| refused.code)
}

/// Goes back without saying so.
pub(super) fn step_back(config: &Path) -> Result<(), Stop> {
    intake(config)?.1.roll_back().map(drop)
}

fn note(plan: &Plan, entry: portcullis_audit_log::Entry) -> Result<(), Stop> {
    let store = plan.identity.store.as_deref();
    store.map_or(Ok(()), |store| Audit::open(store)?.add(&[entry]))
}

fn status(question: &FeedQuestion) -> Result<Ending, Stop> {
    let (plan, intake) = intake(&question.config.path)?;
    let (state, feed) = (intake.state()?, intake.in_force()?);
    let patches = feed.as_ref().map(|feed| patches(&plan, feed.bundle())).unwrap_or_default();
    let text = || {
        let mut out = match &feed {
            None => "no bundle is in force\n".to_owned(),
            Some(feed) => {
                let bundle = feed.bundle();
                let over = if bundle.is_expired(now_s()) {
                    bad("; it is over, and a newer one is due")
                } else {
                    String::new()
                };
                let head = format!("{} {} is in force ({})", bundle.name, bundle.version, feed.stage().name());
                format!("{}, until {}{over}\n{}", bold(&head), bundle.expires, patches_text(&patches))
            }
        };
        if let Some(previous) = &state.previous {
            out.push_str(&faint(&format!("`portcullis feed rollback` goes back to version {}\n", previous.version)));
        }
        out
    };
    report(question.form.format, text, || {
        let current = feed.as_ref().map(|feed| {
            let bundle = feed.bundle();
            json!({ "bundle": bundle.name, "version": bundle.version, "stage": feed.stage().name(),
                "expires": bundle.expires, "expired": bundle.is_expired(now_s()), "rules": bundle.rules.is_some(),
                "patches": patches })
        });
        let previous = state.previous.as_ref().map(|entry| entry.version);
        json!({ "in_force": current, "previous": previous, "greatest": state.greatest })
    })?;
    Ok(Ending::Done)
}

fn go(question: &FeedQuestion, stage: Stage) -> Result<Ending, Stop> {
    let (plan, intake) = intake(&question.config.path)?;
    note(&plan, by_user("feed.stage").with("stage", stage.name()))?;
    let changed = intake.set_stage(stage)?;
    let text = || match &changed {
        Some(entry) => format!("version {} is in force ({})\n", entry.version, stage.name()),
        None => "no bundle is in force\n".to_owned(),
    };
    let version = changed.as_ref().map(|entry| entry.version);
    report(question.form.format, text, || json!({ "version": version, "stage": stage.name() }))?;
    Ok(if changed.is_some() { Ending::Done } else { Ending::No })
}

fn roll_back(question: &FeedQuestion) -> Result<Ending, Stop> {
    let (plan, intake) = intake(&question.config.path)?;
    note(&plan, by_user("feed.rollback"))?;
    let Some((from, to)) = intake.roll_back()? else {
        report(question.form.format, || "no bundle is in force\n".to_owned(), || json!({ "from": null, "to": null }))?;
        return Ok(Ending::No);
    };
    let to = to.map(|entry| (entry.version, entry.stage.name()));
    let text = || match to {
        Some((version, stage)) => {
            format!("version {version} is in force again ({stage}), instead of {}\n", from.version)
        }
        None => format!("no bundle is in force any more; it was version {}\n", from.version),
    };
    report(question.form.format, text, || json!({ "from": from.version, "to": to.map(|(version, _)| version) }))?;
    Ok(Ending::Done)
}
