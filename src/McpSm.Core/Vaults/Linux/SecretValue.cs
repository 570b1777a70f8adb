using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace McpSm.Core.Vaults.Linux;

/// <summary>A secret in memory that is never swapped out. libsecret overwrites it when the last reference is released.</summary>
[SupportedOSPlatform("linux")]
internal sealed class SecretValue() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        LibSecret.UnrefValue(handle);
        return true;
    }
}
