using System.Globalization;
using System.Management.Automation;

namespace McpSm.PowerShell.Parameters;

/// <summary>Also accepts an enum value as a number, which is how <c>ConvertTo-Json</c> writes it.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class EnumNameTransformationAttribute(Type type) : ArgumentTransformationAttribute
{
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData) => NameOf(type, inputData);

    /// <summary>Returns the name of the enum value with this number. Returns the input if it is not such a number.</summary>
    public static object? NameOf(Type type, object? inputData)
    {
        var value = inputData is PSObject wrapper ? wrapper.BaseObject : inputData;
        return value is not Enum
            && int.TryParse(Convert.ToString(value, CultureInfo.InvariantCulture), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && Enum.GetName(type, number) is { } name ? name : inputData;
    }
}
