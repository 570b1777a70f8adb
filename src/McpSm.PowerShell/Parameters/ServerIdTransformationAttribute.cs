using System.Management.Automation;
using McpSm.Core;
using McpSm.Core.Servers;

namespace McpSm.PowerShell.Parameters;

/// <summary>
/// Makes of a server, or of what was told of one, its id. By its name another could be meant: ids are looked at first, and
/// other programs name servers too.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class ServerIdTransformationAttribute : ArgumentTransformationAttribute
{
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData) =>
        inputData is object?[] several ? Array.ConvertAll(several, IdOf) : IdOf(inputData);

    private static object? IdOf(object? given) => (given is PSObject wrapped ? wrapped.BaseObject : given) switch
    {
        McpServer server => server.Id,
        McpAuthStatus status => status.Id,
        McpTestResult result => result.Id,
        McpImport import => import.Id,
        _ => given,
    };
}
