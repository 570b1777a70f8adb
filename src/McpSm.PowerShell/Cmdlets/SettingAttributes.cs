using System.Globalization;
using System.Collections;
using System.Management.Automation;
using McpSm.Core.Servers;
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
            _ => EnumNameAttribute.NameOf(typeof(OAuthMode), inputData),
        };
}

/// <summary>Takes a value of an enumeration as <c>ConvertTo-Json</c> writes it too: a number.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class EnumNameAttribute(Type type) : ArgumentTransformationAttribute
{
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData) => NameOf(type, inputData);

    /// <summary>The name of the value; the input itself if it is no number of one.</summary>
    public static object? NameOf(Type type, object? inputData)
    {
        var given = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        return given is not Enum && int.TryParse(Convert.ToString(given, CultureInfo.InvariantCulture), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && Enum.GetName(type, number) is { } name ? name : inputData;
    }
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
            PSObject made => made.Properties.Where(p => p.MemberType == PSMemberTypes.NoteProperty).ToDictionary(p => p.Name, p => p.Value, StringComparer.Ordinal),
            var other => other,
        };
}
