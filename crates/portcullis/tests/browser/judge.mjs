// Judges content security policies. Arguments: where the packages are, and the policies as JSON; prints the findings of each.
import { createRequire } from "node:module";

const [packages, policies] = process.argv.slice(2);
const require = createRequire(`${packages}/`);
const { CspEvaluator } = require("csp_evaluator/dist/evaluator.js");
const { CspParser } = require("csp_evaluator/dist/parser.js");

const judged = JSON.parse(policies).map((policy) =>
  new CspEvaluator(new CspParser(policy).csp).evaluate().map(({ severity, directive, description }) => ({ severity, directive, description })),
);
console.log(JSON.stringify(judged));
