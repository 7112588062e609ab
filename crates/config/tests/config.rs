//! Whole configurations, as a user meets them: every mistake with its text, every example, and what generated pages say.

mod documents;
mod examples;
mod fuzz;
mod mistakes;
mod scale;
mod support;
