using System.Collections;
using System.Management.Automation;
using McpSm.Core.Discovery;

namespace McpSm.PowerShell.Cmdlets;

/// <summary>Takes <c>oauth</c> as <c>mcpsm list --json</c> has it too: true, false or null.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class OAuthSettingAttribute : ArgumentTransformationAttribute
{
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData) =>
        (inputData is PSObject wrapped ? wrapped.BaseObject : inputData) switch
        {
            bool on => on ? "on" : "off",
            null or "" => "unset",
            _ => inputData,
        };
}

/// <summary>Takes a switch as tables of text have it too, which know no booleans.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class SwitchTextAttribute : ArgumentTransformationAttribute
{
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData) =>
        (inputData is PSObject wrapped ? wrapped.BaseObject : inputData) is not string text ? inputData
        : text.Length == 0 ? false : bool.TryParse(text, out var said) ? said : inputData;
}

/// <summary>Takes a table of parameters also as <c>ConvertFrom-Json</c> makes one, and as tables of text have it: the query of a URL.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class ParameterTableAttribute : ArgumentTransformationAttribute
{
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData) =>
        (inputData is PSObject { BaseObject: not PSCustomObject } wrapped ? wrapped.BaseObject : inputData) switch
        {
            string query => AuthorizeParameters.Parse(query),
            PSObject made => made.Properties.Where(p => p.MemberType == PSMemberTypes.NoteProperty).ToDictionary(p => p.Name, p => $"{p.Value}", StringComparer.Ordinal),
            var other => other,
        };

    /// <summary>The names and values as text; null if there is no table.</summary>
    public static Dictionary<string, string>? Read(IDictionary? table)
    {
        if (table is null)
        {
            return null;
        }
        var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (DictionaryEntry entry in table)
        {
            parameters[$"{entry.Key}"] = $"{entry.Value}";
        }
        return parameters;
    }
}
