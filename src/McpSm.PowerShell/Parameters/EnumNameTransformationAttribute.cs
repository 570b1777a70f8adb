using System.Globalization;
using System.Management.Automation;

namespace McpSm.PowerShell.Parameters;

/// <summary>Takes a value of an enumeration as <c>ConvertTo-Json</c> writes it too: a number.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class EnumNameTransformationAttribute(Type type) : ArgumentTransformationAttribute
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
