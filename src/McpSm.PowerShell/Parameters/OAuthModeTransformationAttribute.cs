using System.Management.Automation;
using McpSm.Core.Servers;

namespace McpSm.PowerShell.Parameters;

/// <summary>Also accepts the values that <c>mcpsm list --json</c> writes for <c>oauth</c>: true, false and null.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class OAuthModeTransformationAttribute : ArgumentTransformationAttribute
{
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData) =>
        (inputData is PSObject wrapper ? wrapper.BaseObject : inputData) switch
        {
            bool isOn => isOn ? "on" : "off",
            null or "" => "unset",
            _ => EnumNameTransformationAttribute.NameOf(typeof(OAuthMode), inputData),
        };
}
