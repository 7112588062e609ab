//! Writes a configuration for an OpenAPI contract.

#![expect(clippy::print_stdout, reason = "this is a program for people")]

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(path), Some(upstream)) = (arguments.next(), arguments.next()) else {
        println!("usage: init CONTRACT UPSTREAM");
        return ExitCode::from(2);
    };
    let Ok(contract) = std::fs::read_to_string(&path) else {
        println!("`{path}` cannot be read");
        return ExitCode::from(2);
    };
    match portcullis_config::init(&contract, &upstream) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            println!("{}", failure.render(false));
            ExitCode::FAILURE
        }
    }
}
