using System.Management.Automation;
using McpSm.Core.Discovery;

namespace McpSm.PowerShell.Parameters;

/// <summary>
/// Also accepts parameters as an object from <c>ConvertFrom-Json</c>, and as the query of a URL, which is how <c>Import-Csv</c> reads them.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class HashtableTransformationAttribute : ArgumentTransformationAttribute
{
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData) =>
        (inputData is PSObject { BaseObject: not PSCustomObject } wrapper ? wrapper.BaseObject : inputData) switch
        {
            string query => AuthorizeParameters.Parse(query),
            PSObject custom => custom.Properties.Where(p => p.MemberType == PSMemberTypes.NoteProperty)
                .ToDictionary(p => p.Name, p => p.Value, StringComparer.Ordinal),
            var other => other,
        };
}
