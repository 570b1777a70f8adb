using System.Management.Automation;
using McpSm.Core.Discovery;

namespace McpSm.PowerShell.Parameters;

/// <summary>Takes a table of parameters also as <c>ConvertFrom-Json</c> makes one, and as tables of text have it: the query of a URL.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class HashtableTransformationAttribute : ArgumentTransformationAttribute
{
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData) =>
        (inputData is PSObject { BaseObject: not PSCustomObject } wrapped ? wrapped.BaseObject : inputData) switch
        {
            string query => AuthorizeParameters.Parse(query),
            PSObject made => made.Properties.Where(p => p.MemberType == PSMemberTypes.NoteProperty).ToDictionary(p => p.Name, p => p.Value, StringComparer.Ordinal),
            var other => other,
        };
}
