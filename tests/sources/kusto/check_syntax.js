// Microsoft's parser of KQL: reads {tables: {name: {column: type}}, queries: [...]} and writes what it finds in each.
require('@kusto/language-service-next/bridge.js');
require('@kusto/language-service-next/Kusto.Language.Bridge.js');
const { KustoCode, GlobalState, Symbols } = Kusto.Language;
const asked = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const tables = Object.entries(asked.tables).map(([name, columns]) => {
  const listed = Object.entries(columns).map(([column, type]) => `['${column}']: ${type}`);
  return Symbols.TableSymbol.From(`(${listed.join(', ')})`).WithName(name);
});
const globals = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.ctor('db', tables));
const found = asked.queries.map((query) => {
  const diagnostics = KustoCode.ParseAndAnalyze(query, globals).GetDiagnostics();
  return Array.from({ length: diagnostics.Count }, (_, at) => {
    const each = diagnostics.getItem(at);
    return `${each.Severity} ${each.Code}: ${each.Message} (${query.substr(each.Start, each.Length)})`;
  });
});
console.log(JSON.stringify(found));
