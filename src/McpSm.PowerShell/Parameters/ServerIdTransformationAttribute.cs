using System.Management.Automation;
using McpSm.Core;
using McpSm.Core.Servers;

namespace McpSm.PowerShell.Parameters;

/// <summary>
/// Converts the objects that the cmdlets return to the id of their server. PowerShell would use the name, and that can be the id of
/// another server: a lookup prefers ids, and the npm tool allows any name.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class ServerIdTransformationAttribute : ArgumentTransformationAttribute
{
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData) =>
        inputData is object?[] values ? Array.ConvertAll(values, IdOf) : IdOf(inputData);

    private static object? IdOf(object? value) => (value is PSObject wrapper ? wrapper.BaseObject : value) switch
    {
        McpServer server => server.Id,
        McpAuthStatus status => status.Id,
        McpTestResult result => result.Id,
        McpImport import => import.Id,
        _ => value,
    };
}
