namespace McpSm.FaultBench;

/// <summary>The command line options.</summary>
internal sealed record FaultOptions(string Vault, bool Quick, string? Only)
{
    public static FaultOptions? Parse(string[] args)
    {
        var options = new FaultOptions("file", false, null);
        for (var i = 0; i < args.Length; i++)
        {
            options = args[i] switch
            {
                "--quick" => options with { Quick = true },
                "--vault" when i + 1 < args.Length => options with { Vault = args[++i] },
                "--only" when i + 1 < args.Length && args[i + 1] is "kills" or "renewals" or "readers" or "troubles" or "spending" =>
                    options with { Only = args[++i] },
                _ => null!,
            };
            if (options is null)
            {
                return null;
            }
        }
        return options;
    }

    public int Rounds(int whole) => Quick ? Math.Max(4, whole / 50) : whole;
}
