//! Test files as values.

use super::request;
use super::yaml::Yaml;
use crate::loader::Source;

/// All tests of a folder.
#[derive(Debug, Clone, Default)]
pub struct Suite {
    /// The tests in the order of their files.
    pub tests: Vec<Test>,
}

/// One test.
#[derive(Debug, Clone)]
pub struct Test {
    /// The rule it is about.
    pub rule: u64,
    /// Its number within that rule.
    pub number: u64,
    /// The folder of its file.
    pub group: String,
    /// Its requests, in order.
    pub stages: Vec<Stage>,
}

/// One request and what is expected of it.
#[derive(Debug, Clone)]
pub struct Stage {
    /// The bytes that go over the wire.
    pub request: Vec<u8>,
    /// What is expected.
    pub expect: Expect,
}

/// What a test expects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expect {
    /// Rules that must match.
    pub ids: Vec<u64>,
    /// Rules that must not match.
    pub no_ids: Vec<u64>,
    /// An expression that the log must match.
    pub log: Option<String>,
    /// An expression that the log must not match.
    pub no_log: Option<String>,
    /// The status of the answer.
    pub status: Option<u16>,
    /// No answer at all.
    pub error: bool,
}

// === impl Test ===

impl Test {
    /// `920100-4`: how people refer to a test.
    pub fn name(&self) -> String {
        format!("{}-{}", self.rule, self.number)
    }
}

// === impl Suite ===

impl Suite {
    /// Reads the suite of a Core Rule Set folder.
    ///
    /// # Errors
    /// Says which file can't be read and why.
    pub fn folder(folder: &str, source: &dyn Source) -> Result<Self, String> {
        let groups = source.expand(&format!("{folder}/tests/regression/tests/RE*-*"))?;
        Self::read(&groups, source)
    }

    /// Reads every `*.yaml` of these folders.
    ///
    /// # Errors
    /// Says which file can't be read and why.
    pub fn read(groups: &[String], source: &dyn Source) -> Result<Self, String> {
        let mut suite = Suite::default();
        for group in groups {
            let name = group.rsplit('/').next().unwrap_or(group);
            for file in source.expand(&format!("{group}/*.yaml"))? {
                let text = source.read(&file)?;
                suite.file(name, &text).map_err(|e| format!("{file}: {e}"))?;
            }
        }
        Ok(suite)
    }

    fn file(&mut self, group: &str, text: &str) -> Result<(), String> {
        let Some(document) = Yaml::parse(text)? else { return Ok(()) };
        let rule = number(&document, "rule_id")?.ok_or("no rule_id")?;
        for test in document.field("tests").map(Yaml::list).unwrap_or_default() {
            let mut stages = Vec::new();
            for stage in test.field("stages").map(Yaml::list).unwrap_or_default() {
                let input = stage.field("input").ok_or("a stage has no input")?;
                let expect = match stage.field("output") {
                    Some(output) => expect(output)?,
                    None => Expect::default(),
                };
                stages.push(Stage { request: request::build(input)?, expect });
            }
            let number = number(test, "test_id")?.ok_or("a test has no test_id")?;
            self.tests.push(Test { rule, number, group: group.to_owned(), stages });
        }
        Ok(())
    }
}

fn number(map: &Yaml, field: &str) -> Result<Option<u64>, String> {
    let Some(text) = map.field(field).and_then(Yaml::text) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| format!("`{field}` isn't a number"))
}

fn expect(output: &Yaml) -> Result<Expect, String> {
    let log = output.field("log");
    let ids = |field: &str| -> Result<Vec<u64>, String> {
        let list = log.and_then(|l| l.field(field)).map(Yaml::list).unwrap_or_default();
        list.iter()
            .map(|id| {
                id.text().and_then(|t| t.parse().ok()).ok_or_else(|| format!("`{field}` has something else than ids"))
            })
            .collect()
    };
    let text = |field: &str| log.and_then(|l| l.field(field)).and_then(Yaml::text).map(str::to_owned);
    let status = number(output, "status")?;
    Ok(Expect {
        ids: ids("expect_ids")?,
        no_ids: ids("no_expect_ids")?,
        log: text("match_regex"),
        no_log: text("no_match_regex"),
        status: status.map(|s| u16::try_from(s).map_err(|_| "`status` is out of range".to_owned())).transpose()?,
        error: output.field("expect_error").and_then(Yaml::text) == Some("true"),
    })
}
