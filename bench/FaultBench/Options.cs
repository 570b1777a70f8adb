namespace McpSm.FaultBench;

/// <summary>The command line options.</summary>
internal sealed record Options(string Vault, bool Quick, string? Only)
{
    public static Options? Parse(string[] args)
    {
        var options = new Options("file", false, null);
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
