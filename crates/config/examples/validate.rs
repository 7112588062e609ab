//! Prints what a configuration file gives: the plan, or every mistake in it.

#![expect(clippy::print_stdout, reason = "this is a program for people")]

use std::path::Path;
use std::process::ExitCode;

use portcullis_config::{Environment, load};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(path) = arguments.next() else {
        println!("usage: validate FILE [--json]");
        return ExitCode::from(2);
    };
    let json = arguments.next().is_some_and(|flag| flag == "--json");
    match load(Path::new(&path), &Environment::process()) {
        Ok(loaded) => {
            println!("{:#?}", loaded.plan);
            ExitCode::SUCCESS
        }
        Err(failure) if json => {
            println!("{:#}", failure.to_json());
            ExitCode::FAILURE
        }
        Err(failure) => {
            println!("{}", failure.render(false));
            ExitCode::FAILURE
        }
    }
}
