//! Discriminators: the member that says which schema an object is meant to fit (OpenAPI 3.1, section 4.8.25). It chooses among the
//! schemas of `oneOf` or `anyOf`; without these among the children of its schema, which are those that refer to it by `allOf`.

use super::super::library::Spot;
use super::super::rules::{Discriminator, SchemaId};
use super::{Compiler, HOPS_MAX, Use};
use crate::schema::uri;
use std::collections::{HashMap, HashSet};

type Table = Vec<(Box<str>, SchemaId)>;

/// What is known about the children of schemas.
#[derive(Default)]
pub(super) struct Families {
    /// How many files were open when the rest was found: an ancestor may stand in one that opens later.
    files: usize,
    children: HashMap<Spot, Vec<(String, Spot)>>,
    /// Numbers of the members that choose.
    members: HashMap<String, u32>,
}

impl Compiler<'_> {
    pub(super) fn discriminator(&mut self, used: Use) -> Option<Discriminator> {
        if !self.settings.openapi {
            return None;
        }
        let at = self.library.member(used.spot, "discriminator")?;
        let Some(property) = self.library.text_at(at, "propertyName").map(str::to_owned) else {
            self.error(at, "discriminator", "`propertyName` is missing".to_owned(), "");
            return None;
        };
        let next = u32::try_from(self.families.members.len()).unwrap_or(u32::MAX);
        let chosen = Some(*self.families.members.entry(property.clone()).or_insert(next));
        let ways = ["oneOf", "anyOf"].into_iter().find_map(|word| self.library.member(used.spot, word));
        // A child has its parent as a part, which must not choose the child again.
        if ways.is_none() && used.chosen == chosen {
            return None;
        }
        let mut table = self.mapping(used, at, chosen);
        match ways {
            Some(ways) => self.ways(used, ways, chosen, &mut table)?,
            None => self.children(used, chosen, &mut table)?,
        }
        table.sort_by(|(one, _), (other, _)| one.cmp(other));
        table.dedup_by(|(one, _), (other, _)| one == other);
        Some(Discriminator { property: property.into(), table: table.into() })
    }

    fn mapping(&mut self, used: Use, at: Spot, chosen: Option<u32>) -> Table {
        let mut table = Table::new();
        for (name, spot) in self.library.member(at, "mapping").map(|at| self.library.members(at)).unwrap_or_default() {
            let Some(text) = self.library.tree(spot).and_then(|tree| tree.text(spot.node)) else { continue };
            let is_name = !text.contains(['/', '#', '.']);
            let reference = if is_name { format!("#/components/schemas/{text}") } else { text.to_owned() };
            let target = self.resolve(spot, &reference, used.resource);
            let id = match target {
                Some((spot, resource, _)) => self.wanted((spot, resource), false, used.direction, chosen),
                None => self.never(),
            };
            table.push((name.into(), id));
        }
        table
    }

    /// The names of schemas that are listed; without names it is left to the schemas themselves.
    fn ways(&mut self, used: Use, ways: Spot, chosen: Option<u32>, table: &mut Table) -> Option<()> {
        for way in self.library.items(ways) {
            let reference = self.library.text_at(way, "$ref")?.to_owned();
            let id = self.wanted((way, used.resource), false, used.direction, chosen);
            let name = uri::split(&reference).1.unwrap_or(&reference).rsplit('/').next().unwrap_or("").to_owned();
            if !table.iter().any(|(_, have)| *have == id) {
                table.push((name.into(), id));
            }
        }
        Some(())
    }

    /// The names of components that have this schema as a part, and its own. Without any there is nothing to choose.
    fn children(&mut self, used: Use, chosen: Option<u32>, table: &mut Table) -> Option<()> {
        self.look_for_children();
        let children = self.families.children.get(&used.spot).cloned().unwrap_or_default();
        if table.is_empty() && children.is_empty() {
            return None;
        }
        let own = self.components(used.spot.file).into_iter().filter(|(_, spot)| *spot == used.spot);
        for (name, spot) in children.into_iter().chain(own) {
            let resource = self.library.resource_of_file(spot);
            let id = self.wanted((spot, resource), false, used.direction, chosen);
            if !table.iter().any(|(_, have)| *have == id) {
                table.push((name.into(), id));
            }
        }
        Some(())
    }

    fn components(&self, file: usize) -> Vec<(String, Spot)> {
        let Some(node) = self.library.files.get(file).map(|file| file.tree.root()) else { return Vec::new() };
        let components = self.library.member(Spot { file, node }, "components");
        let schemas = components.and_then(|at| self.library.member(at, "schemas"));
        schemas.map(|at| self.library.members(at)).unwrap_or_default()
    }

    fn look_for_children(&mut self) {
        let files = self.library.files.len();
        if self.families.files == files {
            return;
        }
        let mut all: HashMap<Spot, Vec<(String, Spot)>> = HashMap::new();
        for file in 0..files {
            for (name, child) in self.components(file) {
                for ancestor in self.ancestors(child) {
                    all.entry(ancestor).or_default().push((name.clone(), child));
                }
            }
        }
        (self.families.files, self.families.children) = (files, all);
    }

    /// All schemas that every value of a schema fits as well, among documents that are open.
    fn ancestors(&self, child: Spot) -> HashSet<Spot> {
        let (mut seen, mut waiting) = (HashSet::new(), vec![(child, self.library.resource_of_file(child))]);
        while let Some((spot, within)) = waiting.pop() {
            if seen.len() > HOPS_MAX || !seen.insert(spot) {
                continue;
            }
            let resource = self.library.resource_at(spot, within);
            let reference = self.library.text_at(spot, "$ref");
            waiting.extend(reference.and_then(|to| self.library.resolve_known(to, resource)));
            let parts = self.library.member(spot, "allOf").map(|at| self.library.items(at)).unwrap_or_default();
            waiting.extend(parts.into_iter().map(|part| (part, resource)));
        }
        seen.remove(&child);
        seen
    }
}
