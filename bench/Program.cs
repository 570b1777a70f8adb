using McpSm.Bench;
using McpSm.Bench.HotPaths;
using McpSm.Bench.Rows;

if (Options.Parse(args) is not { } options)
{
    Console.Error.WriteLine(Options.Usage);
    return 2;
}
var report = new Report(options);
await using var place = await Place.OpenAsync(report);
await StatusRows.RunAsync(place, report);
await TokenRows.RunAsync(place, report);
await SignInRows.RunAsync(place, report);
await ManyServersRows.RunAsync(place, report);
await ModuleRows.RunAsync(place, report);
Paths.Run(report);
report.Print();
return 0;
