#!/usr/bin/env bash
# The fields of a dynamic column are read with a dot: `Properties.status`. An activity-log record of
# Resource Health has a `title` among its properties.
# One would expect: after a dot any identifier is a name, as after a dot nothing else can follow.
# Seen: Microsoft's own KQL parser takes title, time, date, first and last for keywords there and
# refuses the query (KS006), while name, type, kind and status pass. `Properties["title"]` is the way.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" @kusto/language-service-next@12.4.1 >/dev/null
cat >parse.js <<'JS'
require("@kusto/language-service-next/bridge.min.js");
require("@kusto/language-service-next/Kusto.Language.Bridge.min.js");
const codes = (query) => {
  const found = Kusto.Language.KustoCode.Parse(query).GetDiagnostics();
  return Array.from({ length: found.Count }, (_, at) => found.getItem(at).Code);
};
const refused = (path) => codes(`AzureActivity | where tostring(${path}) == "x"`).includes("KS006");
const seen = (names) => names.map((name) => refused(`Properties.${name}`));
const keywords = ["title", "time", "date", "first", "last"];
const plain = ["name", "type", "kind", "status"];
console.log("@kusto/language-service-next", require("@kusto/language-service-next/package.json").version);
console.log("refused:", keywords.filter((name) => refused(`Properties.${name}`)).join(" "));
const same =
  seen(keywords).every((answer) => answer) &&
  seen(plain).every((answer) => !answer) &&
  !refused('Properties["title"]');
process.exit(same ? 0 : 1);
JS
node parse.js
