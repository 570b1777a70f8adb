using System.Management.Automation;
using McpSm.Core.Servers;

namespace McpSm.PowerShell.Parameters;

/// <summary>Takes <c>oauth</c> as <c>mcpsm list --json</c> has it too: true, false or null.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class OAuthModeTransformationAttribute : ArgumentTransformationAttribute
{
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData) =>
        (inputData is PSObject wrapped ? wrapped.BaseObject : inputData) switch
        {
            bool on => on ? "on" : "off",
            null or "" => "unset",
            _ => EnumNameTransformationAttribute.NameOf(typeof(OAuthMode), inputData),
        };
}
