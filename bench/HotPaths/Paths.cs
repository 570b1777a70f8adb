using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace McpSm.Bench.HotPaths;

/// <summary>Measures time and allocations of frequent code paths in this process with BenchmarkDotNet.</summary>
internal static class Paths
{
    public static void Run(Report report)
    {
        if (!report.Wants("paths"))
        {
            return;
        }
        report.Say("Paths in the process …");
        var config = ManualConfig.CreateEmpty().AddLogger(NullLogger.Instance).AddDiagnoser(MemoryDiagnoser.Default)
            .AddColumnProvider(DefaultColumnProviders.Instance).WithOptions(ConfigOptions.DisableLogFile)
            .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance));
        foreach (var type in new[] { typeof(ChallengePath), typeof(CatalogPaths), typeof(VaultPaths) })
        {
            foreach (var result in BenchmarkRunner.Run(type, config).Reports)
            {
                var what = result.BenchmarkCase.Descriptor.WorkloadMethodDisplayInfo;
                var with = string.Concat(result.BenchmarkCase.Parameters.Items.Select(p => $", {p.Value} {p.Name.ToLowerInvariant()}"));
                report.Add(new HotPath(what.Trim('\'') + with, result.ResultStatistics?.Median ?? throw new InvalidOperationException($"{what} failed."),
                    result.GcStats.GetBytesAllocatedPerOperation(result.BenchmarkCase) ?? 0));
            }
        }
    }
}
