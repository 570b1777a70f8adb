using System.Management.Automation;

namespace McpSm.PowerShell.Parameters;

/// <summary>Takes a switch as tables of text have it too, which know no booleans.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class SwitchTransformationAttribute : ArgumentTransformationAttribute
{
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData) =>
        (inputData is PSObject wrapped ? wrapped.BaseObject : inputData) is not string text ? inputData
        : text.Length == 0 ? false : bool.TryParse(text, out var said) ? said : inputData;
}
