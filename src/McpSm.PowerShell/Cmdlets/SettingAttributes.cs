using System.Management.Automation;

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
