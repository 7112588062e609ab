"""Writes a contract for a run, without what the program and the gateway read in different ways.

A path holds no control characters, no slashes and no backslashes within a segment, whatever a contract says: texts in paths get a
pattern that says so. Header parameters called Accept, Content-Type and Authorization are ignored, as OpenAPI says
(3.1, section 4.8.12.2): they are left out. Objects say that they are closed, which the gateway takes for granted: else the program
makes up members, and repeats them in multipart bodies, which no reader reads in one way.
"""

import json
import sys

import yaml

METHODS = {"get", "put", "post", "delete", "patch", "head", "options"}
PATTERN = "^[A-Za-z0-9_-]+$"
IGNORED = {"accept", "content-type", "authorization"}


def holders(document):
    for item in document["paths"].values():
        yield item
        yield from (operation for method, operation in item.items() if method in METHODS)


def prepare(parameters):
    for parameter in parameters:
        if parameter.get("in") == "header" and parameter.get("name", "").lower() in IGNORED:
            continue
        schema = parameter.get("schema", {})
        is_open = schema.get("type") == "string" and not {"pattern", "enum", "format"} & schema.keys()
        if parameter.get("in") == "path" and is_open:
            schema["pattern"] = PATTERN
        yield parameter


def close(value):
    if isinstance(value, dict):
        if value.get("type") == "object" and isinstance(value.get("properties"), dict):
            value.setdefault("additionalProperties", False)
        for member in value.values():
            close(member)
    elif isinstance(value, list):
        for member in value:
            close(member)


with open(sys.argv[1], encoding="utf-8") as file:
    contract = yaml.safe_load(file)
for holder in holders(contract):
    if "parameters" in holder:
        holder["parameters"] = list(prepare(holder["parameters"]))
close(contract)
with open(sys.argv[2], "w", encoding="utf-8") as file:
    json.dump(contract, file, default=str)
