using McpSm.FaultBench;

if (args is ["worker"])
{
    await Worker.RunAsync();
    return 0;
}
if (FaultOptions.Parse(args) is not { } options)
{
    Console.Error.WriteLine("""
        Kills, crowds and cuts off the processes that keep credentials, and counts what is lost.

          dotnet run --project bench/FaultBench -- [--vault <name>] [--quick] [--only kills|renewals|readers|troubles|spending]

        --vault  file (the default), secret-service, …: the vault to keep the credentials in
        --quick  a fiftieth of the rounds: minutes become seconds
        """);
    return 2;
}
var report = new FaultReport();
foreach (var (name, run) in new (string, Func<FaultOptions, FaultReport, Task>)[]
{
    ("kills", KillRows.RunAsync), ("renewals", RenewalRows.RunAsync), ("readers", ReaderRows.RunAsync), ("troubles", OtherFaultRows.RunAsync),
    ("spending", UnstoredTokenRows.RunAsync),
})
{
    if (options.Only is null || options.Only == name)
    {
        await run(options, report);
    }
}
return report.Close();
