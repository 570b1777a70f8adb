namespace McpSm.TestServers;

/// <summary>The rules of <c>docs/rules.json</c> that a test holds. <c>docs/rules.md</c> lists the test under each of them.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RuleAttribute : Attribute
{
    public RuleAttribute(params int[] rules) => Rules = [.. rules.Select(rule => $"{rule}")];

    /// <summary>For rules such as <c>7a</c>.</summary>
    public RuleAttribute(params string[] rules) => Rules = rules;

    public IReadOnlyList<string> Rules { get; }
}
