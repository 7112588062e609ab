//! Rows of the pipeline.
