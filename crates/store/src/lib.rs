//! Keys of consumers and revocations of tokens, kept on disk and served from memory.
