using McpSm.Bench;
using McpSm.Bench.HotPaths;
using McpSm.Bench.Rows;

if (Options.Parse(args) is not { } options)
{
    Console.Error.WriteLine(Options.Usage);
    return 2;
}
var report = new Report(options);
await using var environment = await BenchmarkEnvironment.OpenAsync(report);
await StatusRows.RunAsync(environment, report);
await TokenRows.RunAsync(environment, report);
await SignInRows.RunAsync(environment, report);
await ManyServersRows.RunAsync(environment, report);
await RelayRows.RunAsync(environment, report);
await ModuleRows.RunAsync(environment, report);
Paths.Run(report);
report.Print();
return 0;
