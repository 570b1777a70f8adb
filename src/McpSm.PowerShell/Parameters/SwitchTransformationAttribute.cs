using System.Management.Automation;

namespace McpSm.PowerShell.Parameters;

/// <summary>Also accepts a switch as the text <c>True</c>, <c>False</c> or nothing, which is how <c>Import-Csv</c> reads it.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class SwitchTransformationAttribute : ArgumentTransformationAttribute
{
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData) =>
        (inputData is PSObject wrapper ? wrapper.BaseObject : inputData) is not string text ? inputData
        : text.Length == 0 ? false : bool.TryParse(text, out var value) ? value : inputData;
}
