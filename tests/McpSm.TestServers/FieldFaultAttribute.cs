namespace McpSm.TestServers;

/// <summary>Names the faults of servers and issuers in <c>docs/rules.json</c> that a test reproduces. <c>docs/rules.md</c> lists the test under each.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class FieldFaultAttribute(params int[] faults) : Attribute
{
    public IReadOnlyList<int> Faults => faults;
}
