namespace McpSm.TestServers;

/// <summary>Names the rules of <c>docs/rules.json</c> that a test checks. <c>docs/rules.md</c> lists the test under each.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RuleAttribute : Attribute
{
    public RuleAttribute(params int[] rules) => Rules = [.. rules.Select(rule => $"{rule}")];

    /// <summary>Takes rules such as <c>7a</c>.</summary>
    public RuleAttribute(params string[] rules) => Rules = rules;

    public IReadOnlyList<string> Rules { get; }
}
