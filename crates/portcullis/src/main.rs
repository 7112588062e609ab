//! The binary: command line, signals, wiring. What a command does is in `command`; what serves is in `service`.

mod arguments;
mod audit;
mod command;
mod demo;
mod ending;
mod feed;
mod hex;
mod output;
mod service;
mod signed;
mod tour;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    match command::run(&arguments::Arguments::parse()) {
        Ok(ending) => ending.code(),
        Err(stop) => {
            output::complain(&stop);
            stop.code()
        }
    }
}
