//! One function for each command of the command line.

mod about;
mod explain;
mod inspect;
mod write;

use crate::arguments::{Arguments, Command, Reading};
use crate::demo;
use crate::ending::{Ending, Stop};
use crate::service::{Journal, Service, Signals, WATCH_INTERVAL};

/// Does what was asked for.
pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Stop> {
    match &arguments.command {
        Command::Demo(demo) => demo::demo(demo),
        Command::Init(init) => write::init(init),
        Command::Validate(reading) => inspect::validate(reading),
        Command::Run(reading) => serve(reading),
        Command::Routes(reading) => inspect::routes(reading),
        Command::EffectivePolicy(question) => inspect::effective_policy(question),
        Command::Explain(question) => explain::explain(question),
        Command::Schema => write::schema(),
        Command::Problems(question) => about::problems(question),
        Command::Version(version) => about::version(version),
        Command::Completions(completions) => write::completions(completions),
        Command::Man(man) => write::man(man),
    }
}

fn serve(reading: &Reading) -> Result<Ending, Stop> {
    // Before anything is started, so that nobody is ended by a signal that came too early.
    let signals = Signals::listen()?;
    let service = Service::start(&reading.config.path, Journal::Screen(reading.form.format))?;
    service.serve(&signals, WATCH_INTERVAL)
}
