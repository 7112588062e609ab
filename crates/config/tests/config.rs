//! Whole configurations, as a user meets them: every mistake with its text, every example, and what generated pages say.

#[cfg(test)]
mod contracts;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod files;
#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod mistakes;
#[cfg(test)]
mod scale;
#[cfg(test)]
mod support;
